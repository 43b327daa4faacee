//! The vendor's office: catalogs, keys, rotation of roots, transfers of license keys.

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;

#[cfg(feature = "vendor")]
mod audit;
mod catalogs;
mod key_files;
#[cfg(feature = "vendor")]
mod ledger;
#[cfg(feature = "vendor")]
mod ledger_random;
mod pkcs11;
mod signers;
mod vendor_moves;
mod vendor_roots;
