//! Whatever a license allows, at any instant, is within every delegation that signed it. The tests
//! check the decisions, not the fields. They also try the known ways to allow more, each signed by
//! hand.

#![cfg(feature = "vendor")]

mod attacks;
mod drawn;
mod inside;

use crate::world::World;
use olr_core::key::Role;
use olr_core::license::LicenseBody;
use olr_core::trust::DelegationBody;
use olr_core::wire::codec::encode;

/// Signs a license without any check of the limits, as a thief of the key would.
fn signed_by_hand(world: &World, body: &LicenseBody, delegation: &DelegationBody) -> Vec<u8> {
    let mut frame = world.vendor.frame(encode(body));
    frame.attachments = vec![world.vendor.delegate(|limits| *limits = delegation.clone())];
    frame.sign(Role::Issuer, &world.vendor.issuer);
    frame.bytes()
}
