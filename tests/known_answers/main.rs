//! Published known answers; `fixtures/kat/README.md` lists the sources. A test that walks a set
//! asserts how many cases it has seen.
//!
//! The tests call this crate's own function where there is one, and otherwise the crate that it
//! uses.

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

/// Decodes hexadecimal digits, which may span several lines.
fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

#[cfg(feature = "vendor")]
#[path = "../world/mod.rs"]
mod world;
