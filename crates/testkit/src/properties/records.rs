//! Tables of `docs/format.md`, field by field, for the independent codec in `value.rs`.

use super::value::{Piece, Source, Value};
use olr_core::entitlement::{
    Cause, Count, Edition, EnforcementRule, GraceRule, Grant, Model, Operation, Outcome,
};
use olr_core::license::LicenseBody;
use olr_core::machine::{Class, Enrolled, Factor, FactorKind, Policy};
use olr_core::proposal::ProposalBody;
use olr_core::receipt::ReceiptBody;
use olr_core::request::{Earlier, Fact, RequestBody};
use olr_core::revocation::{RevocationsBody, Withdrawn};
use olr_core::state::{
    Announced, Asked, Event, Held, LastTimestamp, Listed, Listener, Memory, Noted, Overuse, Pair,
    Pending, Sent, Slot, SlotName, Spent, Stage,
};
use olr_core::time::{Day, Instant};
use olr_core::timestamp::TimestampBody;
use olr_core::trust::{Act, DelegationBody, ModuleMaximum, Product, SignerRule, TrustBody};
use olr_core::wire::extension::Extension;
use olr_core::wire::frame::Kind;
use olr_core::wire::id::{EventId, KeyId, LicenseId, RequestId, RevokedId};

/// A record: its fields in this order. A missing field does not compile.
macro_rules! records {
    ($($name:ident { $($field:ident)* })*) => { $(
        impl Value for $name {
            fn read(from: &mut Source<'_>) -> Self {
                $(let $field = Value::read(from);)*
                Self { $($field),* }
            }
            fn spell(&self, into: &mut Vec<Piece>) {
                let Self { $($field),* } = self;
                $($field.spell(into);)*
            }
        }
    )* };
}

records! {
    LicenseBody {
        license request request_hash number answer install_key licensee product slot type_id model
        edition grants languages issued starts expires maintenance tolerance policy grace
        enforcement always operations replaces note extensions
    }
    Grant { module name group unit quota account_cap admin_cap pool requires includes minimum_version }
    Policy { name threshold hardware enrolled }
    Enrolled { kind class weight commitment }
    GraceRule { cause seconds outcome }
    EnforcementRule { cause blocked }

    RequestBody {
        request number earlier install_key commitment_key product product_version slot licensee
        license_key enrolled found addresses facts clock boot renews usage wanted note extensions
    }
    Earlier { number hash }
    Factor { kind class name value ignored }
    Fact { name value }
    Count { module count }

    TrustBody {
        version name roots threshold sealing suites products kept revoked signer_rules test
        extensions
    }
    Product { id slots }
    SignerRule { model above signers }
    ModuleMaximum { module maximum }

    DelegationBody {
        issuer acts products slots types models editions modules longest_term ahead longest_grace
        longest_maintenance afterwards weak_machine from until extensions
    }

    ReceiptBody {
        install_key product slot number earlier license license_hash at extensions
    }

    RevocationsBody { version sequence issued licenses extensions }
    Withdrawn { license cause }

    ProposalBody { kind signers attachments body extensions }

    TimestampBody { request request_hash number install_key time extensions }

    Memory {
        counter trusts number requests slots asked mark pending last_timestamp revocations events chain
        extensions
    }
    Listed { list delegations }
    Pending { earliest latest boot uptime }
    Noted { mark far }
    Overuse { license most spent }
    Spent { cause first since solved seconds far eased }
    LastTimestamp { number hash }
    Sent { number request hash product slot mark found }
    Slot { name installed next took_over highest floor matched revoked usage over announced receipt }
    Announced { cause stage since }
    Event { id slot license cause stage at until fact heard }
    SlotName { product slot }
    Held { license enrolled }
    Pair { number answer }
    Asked { licensee license_key product product_version slot pins }

    Extension { number critical bytes }
    Instant { seconds }
    Day { number }
}

/// A number table.
macro_rules! tables {
    ($($name:ident)*) => { $(
        impl Value for $name {
            fn read(from: &mut Source<'_>) -> Self {
                let number = u16::read(from);
                let nearest = || Self::ALL[usize::from(number) % Self::ALL.len()];
                Self::from_number(number).unwrap_or_else(nearest)
            }
            fn spell(&self, into: &mut Vec<Piece>) {
                self.number().spell(into);
            }
        }
    )* };
}

/// A word: its length and its bytes. Bytes that cannot be in a word are replaced by letters.
impl Value for Operation {
    fn read(from: &mut Source<'_>) -> Self {
        let length = from.length(32).max(1);
        let bytes = from.bytes(length).into_iter().map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => byte,
            other => b'a' + other % 26,
        });
        let word: String = bytes.map(char::from).collect();
        Self::new(if word.is_empty() { "a" } else { &word }).unwrap()
    }
    fn spell(&self, into: &mut Vec<Piece>) {
        let word = self.word().as_bytes();
        into.extend([Piece::varint(word.len() as u64), Piece::raw(word)]);
    }
}

tables!(Model Edition Cause Outcome Class FactorKind Act Kind Stage Listener);

macro_rules! identifiers {
    ($($name:ident)*) => { $(
        impl Value for $name {
            fn read(from: &mut Source<'_>) -> Self {
                Self(Value::read(from))
            }
            fn spell(&self, into: &mut Vec<Piece>) {
                self.0.spell(into);
            }
        }
    )* };
}
identifiers!(EventId KeyId LicenseId RequestId RevokedId);
