//! Whatever a license allows, to whoever asks, at any instant, lies inside every delegation that
//! signed it: asked of the judgement, not of the fields. And the ways in which a limited issuer tried
//! to allow more, each signed by hand.

#![cfg(feature = "vendor")]

mod attacks;
mod drawn;
mod inside;

use crate::world::World;
use olr_core::key::Role;
use olr_core::license::LicenseBody;
use olr_core::trust::DelegationBody;
use olr_core::wire::codec::encode;

/// A license as a thief signs it, who holds it against nothing.
fn signed_by_hand(world: &World, body: &LicenseBody, delegation: &DelegationBody) -> Vec<u8> {
    let mut frame = world.vendor.frame(encode(body));
    frame.attachments = vec![world.vendor.delegate(|limits| *limits = delegation.clone())];
    frame.sign(Role::Issuer, &world.vendor.issuer);
    frame.bytes()
}
