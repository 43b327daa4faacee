//! Answers that others published: `fixtures/kat/README.md` says who. A test that walks a set says
//! how many cases it must have seen.
//!
//! Where this crate has a function for it, that one is asked; else the crate that it stands on.

mod agreement;
#[cfg(feature = "vendor")]
mod armor;
mod derivation;
#[cfg(feature = "vendor")]
mod naughty;
#[cfg(all(feature = "cli", feature = "vendor"))]
mod naughty_typed;
#[cfg(feature = "vendor")]
mod sealing;
mod signatures;
mod symmetric;

/// The bytes of hexadecimal digits, which may stand on several lines.
fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;
