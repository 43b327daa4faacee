//! The Python reader in `tests/interop/reader`, written from the specification alone, and this
//! library give the same word and the same report for every file.
//!
//! Needs Python with its `cryptography` package: `bash tests/interop/run [FILES]`.
#![cfg(feature = "vendor")]

use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

mod mutant;
mod other;
mod seal;
mod situation;

use crate::world::ask::{Answer, ask};
use crate::world::scenario::{Scenario, committed};
use mutant::Mutants;
use other::{Other, question, report};

/// Number of mutants to compare besides the fixtures: `OLR_INTEROP`, as set by `run`.
fn files() -> usize {
    std::env::var("OLR_INTEROP").map_or(2_000, |count| count.parse().unwrap())
}

/// Whether the specification covers the artefact. It does not describe grants and catalogs.
fn is_on_the_page(scenario: &Scenario) -> bool {
    !matches!(scenario.expect("artefact"), "grant" | "catalog")
}

fn word(answer: Answer) -> String {
    match answer {
        None => "ok".to_string(),
        Some(None) => "unable".to_string(),
        Some(Some(word)) => word.word().to_string(),
    }
}

#[test]
#[ignore = "needs Python: bash tests/interop/run"]
fn the_kit_suffices_to_answer_every_fixture() {
    let said = Other::check();
    let [summary] = said.as_slice() else { panic!("{said:#?}") };
    let count = committed().iter().filter(|scenario| is_on_the_page(scenario)).count();
    assert_eq!(*summary, format!("{count} fixtures, 0 differences"));
    assert!(count >= 961, "only {count}");
}

#[test]
#[ignore = "needs Python: bash tests/interop/run"]
fn mutants_get_the_same_word() {
    let fixtures: Vec<_> = committed().into_iter().filter(is_on_the_page).collect();
    let mutants = Mutants::new(&fixtures);
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    let (mut left, mut differ) = (files(), Vec::new());
    let mut rng = ChaCha20Rng::seed_from_u64(0x6f6c72);
    while left > 0 {
        let batch: Vec<_> = (0..left.min(5_000)).map(|_| mutants.draw(&mut rng)).collect();
        left -= batch.len();
        let questions = batch.iter().map(|(scenario, file)| question(scenario, file)).collect();
        let answers = Other::answer(questions);
        for ((scenario, file), answer) in batch.iter().zip(&answers) {
            let ours = word(ask(scenario, file));
            if answer["answer"] != ours {
                let hex = data_encoding::HEXLOWER.encode(&file[..file.len().min(2_000)]);
                differ.push(format!("{}: {ours}, other: {answer}: {hex}", scenario.name));
            }
            *words.entry(ours).or_default() += 1;
        }
        assert!(
            differ.is_empty(),
            "{} differ: {:#?}",
            differ.len(),
            &differ[..differ.len().min(8)]
        );
    }
    println!("{} mutants, the same words: {words:?}", files());
    assert!(words.len() >= 8, "mutants that reach so few words prove little: {words:?}");
}

/// Asks both sides the same questions, and counts the answers by word.
fn same_words(asked: &[Scenario]) -> BTreeMap<String, usize> {
    let answers = Other::answer(asked.iter().map(|s| question(s, &s.bytes)).collect());
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    let mut differ = Vec::new();
    for (scenario, answer) in asked.iter().zip(&answers) {
        let ours = word(ask(scenario, &scenario.bytes));
        if answer["answer"] != ours {
            differ.push(format!("{:?}: {ours}, other: {answer}", scenario.header));
        }
        *words.entry(ours).or_default() += 1;
    }
    assert!(differ.is_empty(), "{} differ: {:#?}", differ.len(), &differ[..differ.len().min(8)]);
    println!("{} situations, the same words: {words:?}", asked.len());
    words
}

#[test]
#[ignore = "needs Python: bash tests/interop/run"]
fn situations_get_the_same_word() {
    let world = world::World::new();
    let mut rng = ChaCha20Rng::seed_from_u64(0x736974);
    // Enough situations for the rare words to occur.
    let many = (files() / 2).max(300);
    let asked: Vec<_> = (0..many).map(|_| situation::draw(&world, &mut rng)).collect();
    let words = same_words(&asked);
    assert!(words.len() >= 12, "situations that reach so few words prove little: {words:?}");
}

#[test]
#[ignore = "needs Python: bash tests/interop/run"]
fn limits_get_the_same_word() {
    let world = world::World::new();
    let mut rng = ChaCha20Rng::seed_from_u64(0x6c696d);
    let asked: Vec<_> =
        (0..files().max(300)).map(|_| situation::limited(&world, &mut rng)).collect();
    let words = same_words(&asked);
    let least = asked.len() / 5;
    let told = ["ok", "not-delegated"].map(|word| words.get(word).copied().unwrap_or(0));
    assert!(told.iter().all(|count| *count > least), "limits that decide nothing: {words:?}");
}

#[test]
#[ignore = "needs Python: bash tests/interop/run"]
fn reports_are_the_same() {
    let fixtures: Vec<_> = committed().into_iter().filter(is_on_the_page).collect();
    let mutants = Mutants::new(&fixtures);
    let mut rng = ChaCha20Rng::seed_from_u64(0x726f);
    let mut files: Vec<_> = fixtures.iter().map(|s| (s.clone(), s.bytes.clone())).collect();
    files.extend((0..files.len()).map(|_| mutants.draw(&mut rng)));
    let asked = |(scenario, file): &(Scenario, Vec<u8>)| {
        let mut question = question(scenario, file);
        question["report"] = json!(true);
        question
    };
    let answers = Other::answer(files.iter().map(asked).collect());
    let mut differ = Vec::new();
    for ((scenario, file), answer) in files.iter().zip(&answers) {
        let (ours, other) = (report(file), other::comparable(answer["report"].clone()));
        if ours != other {
            differ.push(format!("{}: {ours}\nother: {other}", scenario.name));
        }
    }
    assert!(differ.is_empty(), "{} differ: {:#?}", differ.len(), &differ[..differ.len().min(8)]);
    println!("{} reports, all the same", files.len());
}

#[test]
#[ignore = "needs Python: bash tests/interop/run"]
fn what_one_seals_the_other_opens() {
    let count = (files() / 100).clamp(100, 1_000);
    let mut rng = ChaCha20Rng::seed_from_u64(0x7365616c);
    let orders: Vec<Value> = (0..count).map(|_| seal::order(&mut rng)).collect();
    let ours: Vec<Vec<u8>> = orders.iter().map(|order| seal::seal(order, &mut rng)).collect();
    let theirs: Vec<Vec<u8>> = Other::seal(orders.clone());
    for sealed in [&ours, &theirs] {
        assert_eq!(sealed.len(), count);
        let question = |file: &Vec<u8>| {
            let file = data_encoding::BASE64.encode(file);
            json!({"artefact": "request", "question": {"verb": "open"}, "file": file, "report": true})
        };
        let opened = Other::answer(sealed.iter().map(question).collect());
        for ((file, order), other) in sealed.iter().zip(&orders).zip(&opened) {
            assert_eq!(other["answer"], "ok");
            let ours = report(file);
            assert_eq!(ours["verified"], "yes");
            assert_eq!(ours, other::comparable(other["report"].clone()));
            for field in ["licensee", "slot", "number", "note", "wanted", "boot"] {
                assert_eq!(ours["request"][field], order[field], "{field}");
            }
        }
    }
    println!("{count} requests sealed by each side, opened by both");
}

#[path = "../world/mod.rs"]
mod world;
