//! Our bodies before a decoder of other people: the format hangs on no one crate.
//!
//! The types here mirror the tables of `docs/format.md`; `wincode` reads and writes them by what it
//! derives. It knows the spelling and nothing of our caps, tables and sets.

use olr_core::entitlement as ours;
use olr_core::license::LicenseBody as OurLicense;
use olr_core::machine::{self, Class, FactorKind};
use olr_core::proposal::ProposalBody as OurProposal;
use olr_core::receipt::ReceiptBody as OurReceipt;
use olr_core::request::{self, RequestBody as OurRequest};
use olr_core::revocation::{self, RevocationsBody as OurRevocations};
use olr_core::state::{self, Memory as OurMemory};
use olr_core::time;
use olr_core::timestamp::TimestampBody as OurAnchor;
use olr_core::trust::{self, Act, DelegationBody as OurDelegation, TrustBody as OurTrust};
use olr_core::wire::codec::{self, BODY_CAP, Blob, Hidden, Record, decode};
use olr_core::wire::extension;
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::{EventId, KeyId, LicenseId, RequestId, RevokedId};
use wincode::config::{Configuration, DEFAULT_PREALLOCATION_SIZE_LIMIT as PREALLOCATION};
use wincode::int_encoding::{LittleEndian, VarInt};
use wincode::len::BincodeLen;
use wincode::{SchemaRead, SchemaWrite};

type Varints = Configuration<true, PREALLOCATION, BincodeLen, LittleEndian, VarInt>;

/// A body, or the body of a frame, before both decoders.
pub fn second_decoder(bytes: &[u8]) {
    agree::<OurLicense, LicenseBody>(bytes);
    agree::<OurRequest, RequestBody>(bytes);
    agree::<OurTrust, TrustBody>(bytes);
    agree::<OurDelegation, DelegationBody>(bytes);
    agree::<OurReceipt, ReceiptBody>(bytes);
    agree::<OurAnchor, TimestampBody>(bytes);
    agree::<OurRevocations, RevocationsBody>(bytes);
    agree::<OurMemory, Memory>(bytes);
    agree::<OurProposal, ProposalBody>(bytes);
    let framed = [
        Kind::License,
        Kind::Trust,
        Kind::Delegation,
        Kind::Receipt,
        Kind::Timestamp,
        Kind::Revocations,
        Kind::Proposal,
    ];
    for kind in framed {
        if let Ok(frame) = Frame::parse(kind, bytes) {
            second_decoder(frame.body);
        }
    }
}

/// What our decoder takes, the second one reads as the same values and writes as the same bytes.
/// What only ours refuses, it refuses for a cap, a table, the order of a set or a longer spelling.
fn agree<Ours: Record, Theirs>(bytes: &[u8])
where
    Theirs: Same<Ours>
        + SchemaWrite<Varints, Src = Theirs>
        + for<'de> SchemaRead<'de, Varints, Dst = Theirs>,
{
    let ours = decode::<Ours>("body", bytes, BODY_CAP);
    let theirs = wincode::config::deserialize_exact::<Theirs, _>(bytes, Varints::new());
    match (ours, theirs) {
        (Ok(ours), theirs) => {
            let theirs = theirs.expect("the second decoder takes what ours takes");
            assert!(theirs.same(&ours), "the second decoder reads other values");
            let again = wincode::config::serialize(&theirs, Varints::new()).unwrap();
            assert_eq!(again, bytes, "the second encoder spells otherwise");
        }
        (Err(refused), Ok(_)) => {
            let ours_only = [
                "more than",
                "in its table",
                "ascending order",
                "shortest spelling",
                "a word that",
            ];
            let fact = refused.fact();
            assert!(ours_only.iter().any(|reason| fact.contains(reason)), "only ours: {fact}");
        }
        (Err(_), Err(_)) => {}
    }
}

/// Whether two types hold the same value.
trait Same<Ours: ?Sized> {
    fn same(&self, ours: &Ours) -> bool;
}

macro_rules! plain {
    ($($type:ty)*) => { $(
        impl Same<$type> for $type {
            fn same(&self, ours: &$type) -> bool {
                self == ours
            }
        }
    )* };
}
plain!(u8 u16 u32 u64 bool);

impl<const N: usize> Same<[u8; N]> for [u8; N] {
    fn same(&self, ours: &[u8; N]) -> bool {
        self == ours
    }
}

/// An operation stands as its word.
impl Same<ours::Operation> for String {
    fn same(&self, ours: &ours::Operation) -> bool {
        self == ours.word()
    }
}

/// A number table stands as its number.
macro_rules! tables {
    ($($type:ty)*) => { $(
        impl Same<$type> for u16 {
            fn same(&self, ours: &$type) -> bool {
                *self == ours.number()
            }
        }
    )* };
}
tables!(ours::Model ours::Edition ours::Cause ours::Outcome Class FactorKind Act Kind);
tables!(state::Stage state::Listener);

macro_rules! identifiers {
    ($($type:ty)*) => { $(
        impl Same<$type> for [u8; 16] {
            fn same(&self, ours: &$type) -> bool {
                *self == ours.0
            }
        }
    )* };
}
identifiers!(EventId KeyId LicenseId RequestId RevokedId);

impl Same<time::Instant> for u64 {
    fn same(&self, ours: &time::Instant) -> bool {
        *self == ours.seconds
    }
}

impl Same<time::Day> for u32 {
    fn same(&self, ours: &time::Day) -> bool {
        *self == ours.number
    }
}

impl<const CAP: usize> Same<codec::Text<CAP>> for String {
    fn same(&self, ours: &codec::Text<CAP>) -> bool {
        **self == **ours
    }
}

impl<const CAP: usize> Same<Blob<CAP>> for Vec<u8> {
    fn same(&self, ours: &Blob<CAP>) -> bool {
        **self == **ours
    }
}

impl<Ours, T: Same<Ours>> Same<Hidden<Ours>> for T {
    fn same(&self, ours: &Hidden<Ours>) -> bool {
        self.same(&ours.0)
    }
}

fn all_same<Ours, T: Same<Ours>>(theirs: &[T], ours: &[Ours]) -> bool {
    theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(theirs, ours)| theirs.same(ours))
}

impl<Ours, T: Same<Ours>, const CAP: usize> Same<codec::List<Ours, CAP>> for Vec<T> {
    fn same(&self, ours: &codec::List<Ours, CAP>) -> bool {
        all_same(self, ours)
    }
}

impl<Ours, T: Same<Ours>, const CAP: usize> Same<codec::Set<Ours, CAP>> for Vec<T> {
    fn same(&self, ours: &codec::Set<Ours, CAP>) -> bool {
        all_same(self, ours)
    }
}

impl<Ours, T: Same<Ours>> Same<Option<Ours>> for Option<T> {
    fn same(&self, ours: &Option<Ours>) -> bool {
        all_same(self.as_slice(), ours.as_slice())
    }
}

#[derive(SchemaRead, SchemaWrite)]
#[wincode(tag_encoding = "u8")]
enum Limit<T> {
    Only(T),
    Any,
}

impl<Ours, T: Same<Ours>> Same<codec::Limit<Ours>> for Limit<T> {
    fn same(&self, ours: &codec::Limit<Ours>) -> bool {
        match (self, ours) {
            (Self::Only(theirs), codec::Limit::Only(ours)) => theirs.same(ours),
            (Self::Any, codec::Limit::Any) => true,
            _ => false,
        }
    }
}

type Id = [u8; 16];
type Key = [u8; 32];
type Hash = [u8; 32];
type Number = u16;
type Day = u32;
type Instant = u64;
type Text = String;

macro_rules! mirrors {
    ($($name:ident of $ours:ty { $($field:ident: $type:ty,)* })*) => { $(
        #[derive(SchemaRead, SchemaWrite)]
        struct $name { $($field: $type,)* }

        impl Same<$ours> for $name {
            fn same(&self, ours: &$ours) -> bool {
                $(self.$field.same(&ours.$field))&&*
            }
        }
    )* };
}

mirrors! {
    LicenseBody of OurLicense {
        license: Id,
        request: Id,
        request_hash: Hash,
        number: u64,
        answer: u32,
        install_key: Key,
        licensee: Text,
        product: Text,
        slot: Text,
        type_id: Text,
        model: Number,
        edition: Number,
        grants: Vec<Grant>,
        languages: Vec<Text>,
        issued: Instant,
        starts: Day,
        expires: Option<Day>,
        maintenance: Option<Day>,
        tolerance: u32,
        policy: Policy,
        grace: Vec<GraceRule>,
        enforcement: Vec<EnforcementRule>,
        always: Vec<Text>,
        operations: Vec<Text>,
        replaces: Option<Id>,
        note: Text,
        extensions: Vec<Extension>,
    }
    Grant of ours::Grant {
        module: Text,
        name: Text,
        group: Text,
        unit: Text,
        quota: Limit<u64>,
        account_cap: Limit<u64>,
        admin_cap: Limit<u64>,
        pool: Text,
        requires: Vec<Text>,
        includes: Vec<Text>,
        minimum_version: Text,
    }
    Policy of machine::Policy {
        name: Text,
        threshold: u32,
        hardware: bool,
        enrolled: Vec<Enrolled>,
    }
    Enrolled of machine::Enrolled {
        kind: Number,
        class: Number,
        weight: u16,
        commitment: Hash,
    }
    GraceRule of ours::GraceRule {
        cause: Number,
        seconds: u64,
        outcome: Number,
    }
    EnforcementRule of ours::EnforcementRule {
        cause: Number,
        blocked: Vec<Text>,
    }

    RequestBody of OurRequest {
        request: Id,
        number: u64,
        earlier: Vec<Earlier>,
        install_key: Key,
        commitment_key: Key,
        product: Text,
        product_version: Text,
        slot: Text,
        licensee: Text,
        license_key: Text,
        enrolled: Vec<Factor>,
        found: Vec<Factor>,
        addresses: Vec<Text>,
        facts: Vec<Fact>,
        clock: Instant,
        boot: Text,
        renews: Option<Id>,
        usage: Vec<Count>,
        wanted: Vec<Count>,
        note: Text,
        extensions: Vec<Extension>,
    }
    Earlier of request::Earlier {
        number: u64,
        hash: Hash,
    }
    Factor of machine::Factor {
        kind: Number,
        class: Number,
        name: Text,
        value: Text,
        ignored: Text,
    }
    Fact of request::Fact {
        name: Text,
        value: Text,
    }
    Count of ours::Count {
        module: Text,
        count: u64,
    }

    TrustBody of OurTrust {
        version: u32,
        name: Text,
        roots: Vec<Key>,
        threshold: u8,
        sealing: Vec<Key>,
        suites: Vec<u8>,
        products: Vec<Product>,
        kept: Vec<Hash>,
        revoked: Vec<Id>,
        signer_rules: Vec<SignerRule>,
        test: bool,
        extensions: Vec<Extension>,
    }
    Product of trust::Product {
        id: Text,
        slots: Vec<Text>,
    }
    SignerRule of trust::SignerRule {
        model: Limit<Number>,
        above: Option<ModuleMaximum>,
        signers: u8,
    }
    ModuleMaximum of trust::ModuleMaximum {
        module: Text,
        maximum: Limit<u64>,
    }

    DelegationBody of OurDelegation {
        issuer: Key,
        acts: Vec<Number>,
        products: Limit<Vec<Text>>,
        slots: Limit<Vec<Text>>,
        types: Limit<Vec<Text>>,
        models: Limit<Vec<Number>>,
        editions: Limit<Vec<Number>>,
        modules: Limit<Vec<ModuleMaximum>>,
        longest_term: Limit<u32>,
        ahead: Limit<u32>,
        longest_grace: Limit<u64>,
        longest_maintenance: Limit<u32>,
        afterwards: Limit<Vec<Text>>,
        weak_machine: bool,
        from: Limit<Instant>,
        until: Limit<Instant>,
        extensions: Vec<Extension>,
    }

    ReceiptBody of OurReceipt {
        install_key: Key,
        product: Text,
        slot: Text,
        number: u64,
        earlier: Vec<Earlier>,
        license: Id,
        license_hash: Hash,
        at: Instant,
        extensions: Vec<Extension>,
    }

    ProposalBody of OurProposal {
        kind: Number,
        signers: Vec<Id>,
        attachments: Vec<u8>,
        body: Vec<u8>,
        extensions: Vec<Extension>,
    }

    TimestampBody of OurAnchor {
        request: Id,
        request_hash: Hash,
        number: u64,
        install_key: Key,
        time: Instant,
        extensions: Vec<Extension>,
    }

    RevocationsBody of OurRevocations {
        version: u32,
        sequence: u64,
        issued: Instant,
        licenses: Vec<Withdrawn>,
        extensions: Vec<Extension>,
    }
    Withdrawn of revocation::Withdrawn {
        license: Id,
        cause: Number,
    }

    Memory of OurMemory {
        counter: u64,
        trusts: Vec<Vec<u8>>,
        number: u64,
        requests: Vec<Sent>,
        slots: Vec<Slot>,
        asked: Option<Asked>,
        mark: Instant,
        pending: Option<Pending>,
        last_timestamp: Option<LastTimestamp>,
        revocations: Option<Listed>,
        events: Vec<Event>,
        chain: Hash,
        extensions: Vec<Extension>,
    }
    Sent of state::Sent {
        number: u64,
        request: Id,
        hash: Hash,
        product: Text,
        slot: Text,
        mark: Instant,
        found: Vec<Factor>,
    }
    Slot of state::Slot {
        name: SlotName,
        installed: Option<Held>,
        next: Option<Held>,
        took_over: bool,
        highest: Pair,
        floor: u64,
        matched: Instant,
        revoked: Option<Noted>,
        usage: Vec<Count>,
        over: Overuse,
        announced: Vec<Announced>,
        receipt: Option<Vec<u8>>,
    }
    Announced of state::Announced {
        cause: Number,
        stage: Number,
        since: Instant,
    }
    Event of state::Event {
        id: Id,
        slot: SlotName,
        license: Id,
        cause: Number,
        stage: Number,
        at: Instant,
        until: Option<Instant>,
        fact: Text,
        heard: Vec<Number>,
    }
    SlotName of state::SlotName {
        product: Text,
        slot: Text,
    }
    Held of state::Held {
        license: Vec<u8>,
        enrolled: Vec<Factor>,
    }
    Pair of state::Pair {
        number: u64,
        answer: u32,
    }
    Asked of state::Asked {
        licensee: Text,
        license_key: Text,
        product: Text,
        product_version: Text,
        slot: Text,
        pins: Vec<Factor>,
    }
    Noted of state::Noted {
        mark: Instant,
        far: Option<Instant>,
    }
    Overuse of state::Overuse {
        license: Id,
        most: Vec<Count>,
        spent: Vec<Spent>,
    }
    Spent of state::Spent {
        cause: Number,
        first: Instant,
        since: Option<Noted>,
        solved: Instant,
        seconds: u64,
        far: u64,
        eased: Option<Instant>,
    }
    Pending of state::Pending {
        earliest: Instant,
        latest: Instant,
        boot: Text,
        uptime: u64,
    }
    LastTimestamp of state::LastTimestamp {
        number: u64,
        hash: Hash,
    }
    Listed of state::Listed {
        list: Vec<u8>,
        delegations: Vec<Vec<u8>>,
    }

    Extension of extension::Extension {
        number: u16,
        critical: bool,
        bytes: Vec<u8>,
    }
}
