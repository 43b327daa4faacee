//! A state verifies each license once per trust. Its answers must be those of a state that was just
//! read, whatever the trust became.
#![cfg(feature = "vendor")]

use olr_core::error::Refusal;
use olr_core::key::{Role, key_id};
use olr_core::state::State;
use olr_core::trust::TrustBody;
use olr_core::wire::codec::Set;
use olr_testkit::{NOW, World, stray_key};

/// Refusal of the only held license, or `None` if it verifies.
fn refusal(state: &State) -> Option<Refusal> {
    let slot = state.slot(None, None).unwrap();
    let license = state.license(&slot.name, slot.held().unwrap());
    license.err().map(|error| error.refusal().unwrap())
}

#[test]
fn a_new_trust_verifies_every_license_again() {
    let world = World::new();
    let issuer = key_id(Role::Issuer, &world.vendor.issuer.public());
    let root = stray_key("root");
    let revoking = world.vendor.second_trust(|trust| {
        trust.revoked = Set::new(vec![issuer]).unwrap();
    });
    let mut replaced = TrustBody { version: 2, ..world.vendor.trust_body() };
    replaced.roots = Set::new(vec![root.public()]).unwrap();
    let replacing = world.vendor.signed_trust(&replaced, &[&world.vendor.root, &root]);
    let cases = [
        (world.vendor.second_trust(|_| ()), None),
        (revoking, None),
        (replacing, Some(Refusal::UntrustedSigner)),
    ];
    for (trust, expected) in cases {
        let trust = world.vendor.trust.successor(&trust).unwrap();
        let mut state = world.installed(NOW, |_| ());
        assert_eq!((refusal(&state), refusal(&state)), (None, None));
        state.take_up(trust).unwrap();
        assert_eq!(refusal(&state), expected);
        assert_eq!(refusal(&State::parse(&state.to_bytes()).unwrap()), expected);
        assert_eq!(refusal(&state.twin()), expected);
    }
}

#[test]
fn a_license_of_other_bytes_or_for_another_slot_is_not_the_verified_one() {
    let world = World::new();
    let state = world.installed(NOW, |_| ());
    assert_eq!(refusal(&state), None);
    let slot = state.slot(None, None).unwrap();
    let mut name = slot.name.clone();
    name.slot = "redirector".parse().unwrap();
    let other = state.license(&name, slot.held().unwrap()).unwrap_err();
    assert_eq!(other.refusal(), Some(Refusal::WrongSlot));
    let mut held = slot.held().unwrap().clone();
    for at in 0..held.license.len() {
        let mut bytes = slot.held().unwrap().license.to_vec();
        bytes[at] ^= 1;
        held.license = olr_core::wire::codec::Blob::new(&bytes).unwrap();
        assert!(state.license(&slot.name, &held).is_err(), "byte {at}");
    }
}
