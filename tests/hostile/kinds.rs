//! Every kind of artefact, presented as every other kind.

use olr::Home;
use olr_core::armor::{armor, dearmor};
use olr_core::wire::frame::Kind;

use crate::world::WORLD;
use crate::world::readers::{Reader, good};

#[test]
fn nobody_takes_another_kind() {
    let mut tried = 0;
    for good in good() {
        let kind = good.reader.kind();
        let text = armor(kind, &good.bytes);
        for reader in Reader::ALL.into_iter().filter(|reader| reader.kind() != kind) {
            let (name, wanted) = (&good.name, reader.kind());
            assert!(!reader.accepts(&good.bytes), "{name} as a {wanted}");
            // A state has a version of its own and no text form, and only its own reader parses its
            // header.
            if kind == Kind::State {
                tried += 1;
                continue;
            }
            assert!(dearmor(Some(wanted), text.as_bytes()).is_err(), "{name} as a {wanted}");
            // The same bytes as armor, under the wrong label.
            let label = armor(wanted, &good.bytes);
            assert!(dearmor(Some(wanted), label.as_bytes()).is_err(), "{name} as a {wanted}");
            tried += 3;
        }
    }
    println!("artefacts as others: {tried} tried, 0 accepted");
    assert!(tried >= 1_000, "only {tried} tried");
}

#[test]
fn no_key_opens_as_one_of_another_role() {
    let keys: Vec<_> = good().into_iter().filter(|g| g.reader.kind() == Kind::KeyFile).collect();
    let mut tried = 0;
    for key in &keys {
        let others = Reader::ALL.into_iter().filter(|reader| *reader != key.reader);
        for other in others.filter(|reader| reader.kind() == Kind::KeyFile) {
            assert!(!other.accepts(&key.bytes), "{} as {other:?}", key.name);
            tried += 1;
        }
    }
    println!("keys as others: {tried} tried, 0 accepted");
    assert!(tried >= 8, "only {tried} tried");
}

/// A home imports licenses, trusts, timestamps and revocations. Any other kind leaves it unchanged.
#[test]
fn no_home_imports_another_kind() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    std::fs::write(&home.state_files()[0], &*WORLD.asked().to_bytes()).unwrap();
    let before = std::fs::read(&home.state_files()[0]).unwrap();
    let now = crate::world::NOW.parse::<olr_core::time::Instant>().unwrap();
    let around = crate::world::machine::around("server", now);
    let mut tried = 0;
    let imported = [Kind::License, Kind::Trust, Kind::Timestamp, Kind::Revocations];
    for good in good().into_iter().filter(|good| !imported.contains(&good.reader.kind())) {
        assert!(home.import(&good.bytes, &around, Default::default()).is_err(), "{}", good.name);
        assert!(home.decide_file(&good.bytes, &around).is_err(), "{}", good.name);
        assert_eq!(std::fs::read(&home.state_files()[0]).unwrap(), before, "{}", good.name);
        tried += 2;
    }
    println!("other kinds imported: {tried} tried, 0 accepted");
    assert!(tried >= 50, "only {tried} tried");
}
