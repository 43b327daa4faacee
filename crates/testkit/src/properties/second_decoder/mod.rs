//! Compares our decoder with a third-party one, to show that the format does not depend on one
//! implementation.
//!
//! The types here mirror the tables of `docs/format.md`. `wincode` reads and writes them with
//! derived code. It knows the encoding, but not our caps, number tables, sets and words.

use olr_core::wire::codec::{BODY_CAP, Record, decode};
use olr_core::wire::frame::{Frame, Kind};
use olr_core::{license, proposal, receipt, request, revocation, state, timestamp, trust};
use wincode::config::{Configuration, DEFAULT_PREALLOCATION_SIZE_LIMIT as PREALLOCATION};
use wincode::int_encoding::{LittleEndian, VarInt};
use wincode::len::BincodeLen;
use wincode::{SchemaRead, SchemaWrite};

mod mirrors;
mod same;

use same::Same;

type Varints = Configuration<true, PREALLOCATION, BincodeLen, LittleEndian, VarInt>;

/// Runs both decoders on a body, or on the body of a frame.
pub fn second_decoder(bytes: &[u8]) {
    agree::<license::LicenseBody, mirrors::LicenseBody>(bytes);
    agree::<request::RequestBody, mirrors::RequestBody>(bytes);
    agree::<trust::TrustBody, mirrors::TrustBody>(bytes);
    agree::<trust::DelegationBody, mirrors::DelegationBody>(bytes);
    agree::<receipt::ReceiptBody, mirrors::ReceiptBody>(bytes);
    agree::<timestamp::TimestampBody, mirrors::TimestampBody>(bytes);
    agree::<revocation::RevocationsBody, mirrors::RevocationsBody>(bytes);
    agree::<state::Memory, mirrors::Memory>(bytes);
    agree::<proposal::ProposalBody, mirrors::ProposalBody>(bytes);
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

/// From everything that our decoder accepts, the other one must read the same values, and it must
/// write them as the same bytes. What only our decoder refuses must break a cap, a table, the order
/// of a set, the rule of the shortest encoding, or the form of a word.
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
            let theirs = theirs.expect("the second decoder accepts what ours accepts");
            assert!(theirs.same(&ours), "the second decoder reads another value");
            let again = wincode::config::serialize(&theirs, Varints::new()).unwrap();
            assert_eq!(again, bytes, "the second encoder writes other bytes");
        }
        (Err(refused), Ok(_)) => {
            let ours_only = [
                "more than",
                "in its table",
                "ascending order",
                "shortest encoding",
                "a word that",
            ];
            let fact = refused.fact();
            assert!(ours_only.iter().any(|reason| fact.contains(reason)), "only ours: {fact}");
        }
        (Err(_), Err(_)) => {}
    }
}
