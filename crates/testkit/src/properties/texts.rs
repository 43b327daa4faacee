//! Properties of files that a vendor writes by hand.

use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::GRANT;
use olr_core::time::Instant;
use olr_core::wire::codec::Limit;
use olr_office::catalog::{Catalog, STARTER};
use olr_office::issue::{GrantFile, STARTER_GRANT, Terms};
use std::sync::LazyLock;

/// For an accepted grant, digest, terms and days can be computed without a panic.
pub fn grant(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(grant) = GrantFile::parse(text) else { return };
    assert_ne!(
        grant.identity().unwrap(),
        tagged(&[GRANT, b""]),
        "the identity is that of an empty grant"
    );
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::parse(STARTER).unwrap());
    for kind in CATALOG.types.values() {
        Terms::of(&grant, kind, &CATALOG).unwrap();
        let _ = grant.ensure_allowed(kind, &CATALOG);
    }
    for issued in [0, 1_826_000_000, u64::MAX].map(Instant::new) {
        let _ = grant.days(issued, &CATALOG.types["oem"]);
    }
}

/// The products of an accepted catalog fit into a trust. For each type, a grant of all modules fits
/// into a license, unless there are too many modules.
pub fn catalog(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(catalog) = Catalog::parse(text) else { return };
    assert!(!catalog.wire_products().unwrap().is_empty());
    assert!(catalog.policies.values().all(|policy| (1..=100).contains(&policy.share)));
    let mut grant = GrantFile::parse(STARTER_GRANT).unwrap();
    let modules = catalog.modules.keys().cloned();
    grant.modules = modules.map(|id| (id, Limit::Any)).collect();
    for kind in catalog.types.values() {
        let grants = grant.grants(kind, &catalog);
        match grants {
            Ok(grants) => assert_eq!(grants.len(), grant.modules.len()),
            Err(_) => assert!(grant.modules.len() > 4096),
        }
        let terms = Terms::of(&grant, kind, &catalog).unwrap();
        assert!(terms.enforcement.iter().all(|rule| !rule.blocked.is_empty()));
        let blocked = || terms.enforcement.iter().flat_map(|rule| rule.blocked.iter());
        assert!(blocked().all(|operation| !terms.always.contains(operation)));
        let _ = grant.days(Instant::new(1_826_000_000), kind);
    }
    let _ = catalog.warnings();
}
