//! Round trip of values: every value of a record has exactly one encoding, which is the one in the
//! format.

use super::second_decoder::second_decoder;
use super::value::{Source, Value, joined, spelling};
use olr_core::license::LicenseBody;
use olr_core::proposal::ProposalBody;
use olr_core::receipt::ReceiptBody;
use olr_core::request::RequestBody;
use olr_core::revocation::RevocationsBody;
use olr_core::state::{Memory, STATE_CAP};
use olr_core::timestamp::TimestampBody;
use olr_core::trust::{DelegationBody, TrustBody};
use olr_core::wire::codec::{BODY_CAP, Record, decode, encode};

/// Input: one byte chooses the record; the rest is read as its value.
pub fn values(bytes: &[u8]) {
    let mut from = Source(bytes);
    match from.byte() % 9 {
        0 => value::<LicenseBody>(&mut from, BODY_CAP),
        1 => value::<RequestBody>(&mut from, BODY_CAP),
        2 => value::<TrustBody>(&mut from, BODY_CAP),
        3 => value::<DelegationBody>(&mut from, BODY_CAP),
        4 => value::<Memory>(&mut from, STATE_CAP),
        5 => value::<ReceiptBody>(&mut from, BODY_CAP),
        6 => value::<TimestampBody>(&mut from, BODY_CAP),
        7 => value::<RevocationsBody>(&mut from, BODY_CAP),
        _ => value::<ProposalBody>(&mut from, BODY_CAP),
    }
}

fn value<T: Value + Record>(from: &mut Source<'_>, cap: usize) {
    let value = T::read(from);
    let bytes = encode(&value);
    assert_eq!(bytes, joined(&spelling(&value)), "the encoding differs from the format");
    assert_eq!(T::read(&mut Source(&bytes)), value, "the lenient reader reads another value");
    match decode::<T>("body", &bytes, cap) {
        Ok(again) => assert_eq!(again, value),
        Err(error) => assert!(bytes.len() > cap, "{error}"),
    }
    second_decoder(&bytes);
}
