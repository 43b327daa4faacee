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

#[cfg(feature = "vendor")]
#[path = "../fixtures/ask.rs"]
#[allow(dead_code)]
mod ask;
#[cfg(feature = "vendor")]
#[path = "../fixtures/machine.rs"]
#[allow(dead_code)]
mod machine;
#[cfg(feature = "vendor")]
#[path = "../fixtures/raw.rs"]
#[allow(dead_code)]
mod raw;
#[cfg(feature = "vendor")]
#[path = "../fixtures/scenario.rs"]
#[allow(dead_code)]
mod scenario;
#[cfg(feature = "vendor")]
#[path = "../fixtures/world.rs"]
#[allow(dead_code)]
mod world;

/// Nothing for success, no word for "could not tell".
#[cfg(feature = "vendor")]
type Answer = Option<Option<olr::error::Refusal>>;

/// The bytes of hexadecimal digits, which may stand on several lines.
fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}
