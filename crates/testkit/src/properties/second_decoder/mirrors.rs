//! Tables of `docs/format.md`, field by field.

use olr_core::wire::extension;
use olr_core::{
    entitlement, license, machine, proposal, receipt, request, revocation, state, timestamp, trust,
};
use wincode::{SchemaRead, SchemaWrite};

use super::same::{Limit, Same};

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
        pub struct $name { $($field: $type,)* }

        impl Same<$ours> for $name {
            fn same(&self, ours: &$ours) -> bool {
                $(self.$field.same(&ours.$field))&&*
            }
        }
    )* };
}

mirrors! {
    LicenseBody of license::LicenseBody {
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
    Grant of entitlement::Grant {
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
    GraceRule of entitlement::GraceRule {
        cause: Number,
        seconds: u64,
        outcome: Number,
    }
    EnforcementRule of entitlement::EnforcementRule {
        cause: Number,
        blocked: Vec<Text>,
    }

    RequestBody of request::RequestBody {
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
    Count of entitlement::Count {
        module: Text,
        count: u64,
    }

    TrustBody of trust::TrustBody {
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

    DelegationBody of trust::DelegationBody {
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

    ReceiptBody of receipt::ReceiptBody {
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

    ProposalBody of proposal::ProposalBody {
        kind: Number,
        signers: Vec<Id>,
        attachments: Vec<u8>,
        body: Vec<u8>,
        extensions: Vec<Extension>,
    }

    TimestampBody of timestamp::TimestampBody {
        request: Id,
        request_hash: Hash,
        number: u64,
        install_key: Key,
        time: Instant,
        extensions: Vec<Extension>,
    }

    RevocationsBody of revocation::RevocationsBody {
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

    Memory of state::Memory {
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
