use olr_core::license::License;
use olr_core::wire::frame::{Frame, Kind};
use olr_office::audit::audit;

use crate::world::WORLD;

/// Makes licenses with different answers, more than two batches of them.
fn licenses() -> Vec<Vec<u8>> {
    (1..=2100).map(|answer| WORLD.license(|body| body.answer = answer)).collect()
}

fn found(licenses: &[Vec<u8>]) -> Vec<(usize, String)> {
    let damaged = audit(licenses, &WORLD.vendor.trust);
    damaged.into_iter().map(|damaged| (damaged.index, damaged.why.to_string())).collect()
}

/// What verifying each license finds.
fn singly(licenses: &[Vec<u8>]) -> Vec<(usize, String)> {
    let wrong = |(index, bytes): (usize, &Vec<u8>)| {
        let refusal = License::verify_even_revoked(bytes, &WORLD.vendor.trust).err()?;
        Some((index, refusal.to_string()))
    };
    licenses.iter().enumerate().filter_map(wrong).collect()
}

#[test]
fn an_audit_finds_each_damaged_license_and_no_other() {
    let mut licenses = licenses();
    assert_eq!(found(&licenses), []);
    assert_eq!(found(&[]), []);
    // The first and the last of a batch, and two neighbours.
    for index in [0, 1, 700, 1023, 1024, 1025, 1026, 2099] {
        let bytes = &mut licenses[index];
        let middle = bytes.len() - 200 - index % 50;
        bytes[middle] ^= 1;
    }
    let expected = singly(&licenses);
    assert_eq!(expected.len(), 8);
    assert_eq!(found(&licenses), expected);
}

#[test]
fn an_audit_and_a_verification_find_the_same_wherever_a_byte_changes() {
    let good: Vec<_> = licenses().into_iter().take(3).collect();
    let bytes = &good[2];
    for at in 0..bytes.len() {
        let mut changed = good.clone();
        changed[2][at] ^= 1;
        assert_eq!(found(&changed), singly(&changed), "byte {at}");
    }
    // All of the signature, and a license that names a signer without a delegation.
    let signature = bytes.len() - 64..bytes.len();
    let mut zeros = good.clone();
    zeros[2][signature].fill(0);
    assert_eq!(found(&zeros), singly(&zeros));
    let signer = Frame::parse(Kind::License, bytes).unwrap().signatures[0].key;
    let at = bytes.len() - 64 - 16;
    assert_eq!(bytes[at..at + 16], signer.0);
    let cut = &good[2][..bytes.len() - 1];
    let files = [good[0].clone(), cut.to_vec(), Vec::new(), good[1].clone()];
    assert_eq!(found(&files).len(), 2);
    assert_eq!(found(&files), singly(&files));
}
