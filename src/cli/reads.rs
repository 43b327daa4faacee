//! Tests that each command reads and verifies a state only once.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use super::{Env, Stream, call};
use crate::guard::{Guard, GuardConfig};
use crate::home::{Home, READS};
use olr_core::machine::{Class, FactorKind, Machine};
use olr_core::state::{Listener, Surroundings};
use olr_core::time::Instant;

/// 2026-11-23T12:00:00Z.
const NOW: u64 = 1_795_435_200;

fn found() -> Machine {
    let mut found = Machine::default();
    for (class, kind, value) in [
        (Class::Hardware, FactorKind::ProductUuid, "4c4c4544-0001"),
        (Class::Hardware, FactorKind::NetworkAddress, "02:fc:00:00:00:01"),
        (Class::Image, FactorKind::MachineId, "0123456789abcdef"),
        (Class::Image, FactorKind::Filesystem, "5d2e9a44"),
    ] {
        found.found(kind, class, "", value);
    }
    found.sorted()
}

fn around(seconds: u64) -> Surroundings {
    Surroundings::of(&found(), Instant::new(seconds))
}

/// Returns how often `work` reads a state.
fn reads(work: impl FnOnce()) -> u32 {
    let before = READS.get();
    work();
    READS.get() - before
}

/// Returns how often a command reads a state. `_` stands for a space in a word, `DIR` for the
/// folder.
fn reads_of(line: &str, folder: &Path) -> u32 {
    let dir = folder.to_str().unwrap();
    let words = line.split(' ').map(|word| word.replace('_', " ").replace("DIR", dir).into());
    let env = Env {
        clock: Box::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)),
        probe: Rc::new(|_| found()),
        stdout: Stream::plain(Vec::new()),
        stderr: Stream::plain(Vec::new()),
        ..Env::of_process()
    };
    reads(|| {
        let said = call(words, &env).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(said.status, 0, "{line}: {}", said.text);
    })
}

#[test]
fn a_state_is_read_once_by_whatever_works_in_a_home() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| reads_of(line, folder.path());
    run("olr vendor init DIR/vendor --name V --no-passphrase");
    run("olr request --home DIR/home --trust DIR/vendor/vendor.trust --licensee ACME_Ltd \
         --key AbCd-1234 --pin rack=B12 --pin asset=4711 -o DIR/req.olr");
    run(
        "olr issue DIR/req.olr --grant DIR/vendor/grant.toml --vendor DIR/vendor -o DIR/license.olr",
    );
    for line in [
        "import DIR/license.olr",
        "import DIR/license.olr",
        "report OBM=3 ACB=11",
        "report OBM=4",
        "verify",
        "verify DIR/license.olr",
        "status",
        "check OBM",
    ] {
        assert_eq!(run(&format!("olr {line} --home DIR/home")), 1, "{line}");
    }
    let home = Home::at(folder.path().join("home"));
    let news = || home.news(&around(NOW), Listener::Operator, false).unwrap();
    assert_eq!(reads(|| drop(news())), 1);
    let events: Vec<_> = news().events.iter().map(|event| event.id).collect();
    assert_eq!(events.len(), 1, "that more is used than granted");
    assert_eq!(reads(|| home.acknowledge(Listener::Operator, &events).unwrap()), 1);
    in_a_product(folder.path());
    assert_eq!(run("olr deactivate --yes -o DIR/receipt.olr --home DIR/home"), 1);
}

fn in_a_product(folder: &Path) {
    let anchor = std::fs::read(folder.join("vendor/vendor.trust")).unwrap().leak();
    let order = GuardConfig {
        clock: Box::new(|| Instant::new(NOW + u64::from(READS.get()))),
        look: Box::new(|clock| Surroundings::of(&found(), clock)),
        ..GuardConfig::new(folder.join("home"), anchor, "example")
    };
    let mut opened = None;
    assert_eq!(reads(|| opened = Some(Guard::open(order).unwrap())), 1);
    let guard = opened.unwrap();
    assert_eq!(reads(|| drop(guard.report(&[("OBM", 5)]).unwrap())), 1);
    assert_eq!(reads(|| drop(guard.decision())), 0, "what it wrote itself is not read again");
    let events: Vec<_> = guard.events().iter().map(|event| event.id).collect();
    assert_eq!(reads(|| guard.acknowledge(&events).unwrap()), 1);
    reads_of("olr report OBM=6 --home DIR/home", folder);
    assert_eq!(reads(|| assert_eq!(guard.decision().quota("OBM").unwrap().used, 6)), 1);
}
