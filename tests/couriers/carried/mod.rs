//! What couriers do to the text of a real request, license and trust: each row is read exactly or
//! refused, as listed in `docs/couriers.md`. `tests/couriers/armor.rs` tests the rules themselves.
#![cfg(feature = "vendor")]

use olr_core::armor::{armor, dearmor};
use olr_core::error::Refusal;
use std::collections::BTreeSet;

mod hand;
mod mail;
mod page;
mod refused;
mod whole;

use crate::world::ask::{Answer, ask};
use crate::world::scenario::Scenario;
use hand::{parts, with_data};
use refused::REFUSED;
use whole::WHOLE;

/// The artefacts, with their armor. The base64 of each contains a `+` and a `/`; that of the trust
/// ends with one `=`, those of the request and the license with none.
fn carried() -> [(Scenario, String); 3] {
    let carried = ["request/good", "license/unlimited", "trust/two-of-three"].map(Scenario::read);
    carried.map(|scenario| {
        let text = armor(scenario.kind().unwrap(), &scenario.bytes);
        assert!(text.contains('+') && text.contains('/'), "{}", scenario.name);
        (scenario, text)
    })
}

/// The word of a refusal, or "no word"; `None` if the file was accepted.
fn word(answer: Answer) -> Option<&'static str> {
    answer.map(|word| word.map_or("no word", Refusal::word))
}

#[test]
fn whole_texts_are_read_exactly() {
    let mut seen = 0;
    for (scenario, text) in carried() {
        for (by, damage, carry) in WHOLE {
            let arrived = carry.carry(&text);
            let shown = String::from_utf8_lossy(&arrived);
            assert_ne!(shown, text, "{by}: {damage}");
            let read = dearmor(scenario.kind(), &arrived);
            assert_eq!(read.as_deref(), Ok(&scenario.bytes[..]), "{by}: {damage}:\n{shown}");
            assert_eq!(ask(&scenario, &arrived), None, "{by}: {damage}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3 * WHOLE.len());
}

#[test]
fn damaged_texts_are_refused_with_the_words_of_the_row() {
    let mut seen = 0;
    for row in REFUSED {
        let mut words = BTreeSet::new();
        for (scenario, text) in carried() {
            let arrived = row.carry.carry(&text);
            if arrived == text.as_bytes() {
                assert!(!text.contains('='), "{}: {} changes nothing", row.by, row.damage);
                continue; // a file without padding has none to lose
            }
            let answer = ask(&scenario, &arrived);
            words.insert(word(answer).unwrap_or_else(|| panic!("{}: {}", row.by, row.damage)));
            seen += 1;
        }
        assert_eq!(words, row.words.iter().copied().collect(), "{}: {}", row.by, row.damage);
    }
    assert_eq!(seen, 3 * REFUSED.len() - 4, "request and license have no padding to lose");
}

/// Armor is not signed: if damaged text is still base64, the reader of the artefact must refuse it.
#[test]
fn nothing_but_the_right_bytes_gets_past_the_reader() {
    let mut words = BTreeSet::new();
    let mut seen = 0;
    for (scenario, text) in carried() {
        let mut refuse = |arrived: String| {
            let answer = ask(&scenario, arrived.as_bytes());
            words.insert(word(answer).unwrap_or_else(|| panic!("accepted:\n{arrived}")));
            seen += 1;
        };
        let (_, data, _) = parts(&text);
        for at in 0..data.len() {
            let without = [&data[..at], &data[at + 1..]].concat();
            let twice = [&data[..=at], &data[at..]].concat();
            refuse(with_data(&text, &without));
            refuse(with_data(&text, &twice));
            for other in at + 1..data.len() {
                let mut swapped = data.clone();
                swapped.swap(at, other);
                refuse(with_data(&text, &swapped));
            }
        }
        let symbols = data.concat();
        for (at, symbol) in symbols.char_indices() {
            let other = if symbol == 'A' { "B" } else { "A" };
            let changed = [&symbols[..at], other, &symbols[at + 1..]].concat();
            refuse(with_data(&text, &[changed.as_str()]));
        }
    }
    // A changed request may name an unknown sealing key, which has no word.
    let expected = [
        "malformed",
        "no word",
        "undecryptable",
        "unknown-version",
        "untrusted-signer",
        "wrong-kind",
        "wrong-signature",
        "wrong-vendor",
    ];
    assert_eq!((words, seen), (expected.into(), 3690));
}
