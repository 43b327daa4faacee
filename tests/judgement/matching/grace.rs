//! The grace period of a machine that no longer matches, measured by the clock of the home.

use olr_core::error::Refusal;
use olr_core::judge::{Decision, assess};
use olr_core::license::License;
use olr_core::time::Instant;
use olr_office::catalog::{Catalog, STARTER};

use crate::matching::machines::{Machine, server};
use crate::matching::{DAY, NOW, World, around, judged};

fn with_grace() -> String {
    const TABLE: &str = "[type.oem.on.conflict]\nafter = \"14 days\"\nthen = \"stop\"\n\n";
    let text = STARTER.replacen("[type.standard]", &format!("{TABLE}[type.standard]"), 1);
    assert_ne!(text, STARTER);
    text
}

#[test]
fn a_machine_that_no_longer_matches_has_the_grace_of_its_license() {
    let world = World::new(&with_grace());
    let home = world.licensed("home", &server(), "server");
    let mut copy = server();
    copy.other_hardware();
    let state_of = |machine: &Machine, clock| judged(&home, machine, clock).1;
    assert_eq!(state_of(&server(), NOW + DAY).state(), "licensed");
    let snapshot = std::fs::read(&home.state_files()[0]).unwrap();
    // The grace period starts when the machine last matched, not when the change was noticed.
    let decision = state_of(&copy, NOW + 3 * DAY);
    assert_eq!(decision.state(), "grace");
    let grace = decision.grace().unwrap();
    assert_eq!(grace.since, Instant::new(NOW + DAY));
    assert_eq!(grace.until, Some(Instant::new(NOW + 15 * DAY)));
    assert_eq!(grace.overlooked.refusal(), Some(Refusal::WrongMachine));
    assert_eq!(state_of(&copy, NOW + 15 * DAY - 1).state(), "grace");
    let refused = |decision: Decision| decision.refusal().unwrap().refusal();
    assert_eq!(refused(state_of(&copy, NOW + 15 * DAY)), Some(Refusal::WrongMachine));
    assert_eq!(refused(state_of(&copy, NOW + 16 * DAY)), Some(Refusal::WrongMachine));
    // Restoring a snapshot of the state does not renew the grace period.
    for file in home.state_files() {
        std::fs::write(file, &snapshot).unwrap();
    }
    assert_eq!(refused(state_of(&copy, NOW + 16 * DAY)), Some(Refusal::WrongMachine));
    // Back on its own machine the license is valid, and the next grace period has its full length.
    assert_eq!(state_of(&server(), NOW + 17 * DAY).state(), "licensed");
    let again = state_of(&copy, NOW + 18 * DAY);
    let again = again.grace().unwrap();
    assert_eq!(
        (again.since, again.until),
        (Instant::new(NOW + 17 * DAY), Some(Instant::new(NOW + 31 * DAY)))
    );
}

#[test]
fn a_license_that_was_never_imported_here_has_no_grace() {
    let world = World::new(&with_grace());
    let home = world.home("home");
    let (body, bytes, _) = world.answer(&home, &server(), "server").unwrap();
    assert_eq!(body.grace.len(), 1);
    assert_eq!(body.grace[0].seconds, 14 * DAY);
    let mut copy = server();
    copy.other_hardware();
    let imported = home.import(&bytes, &around(&copy, NOW), Default::default()).unwrap_err();
    assert_eq!(imported.refusal(), Some(Refusal::WrongMachine));
    let judged = home.decide_file(&bytes, &around(&copy, NOW)).unwrap_err();
    assert_eq!(judged.refusal(), Some(Refusal::WrongMachine));
    // The state remembers the request, so changes are known even though nothing is installed.
    let (state, around) = (home.load().unwrap().unwrap(), around(&copy, NOW));
    let found = state.found(&around).unwrap();
    let license = License::verify(&bytes, &world.trust).unwrap();
    let machine = assess(&license, &state, around.here(&found));
    assert_eq!(machine.drift().len(), 3);
    assert!(machine.lines.iter().all(|line| line.then.is_some()));
}

#[test]
fn without_a_rule_there_is_no_grace_and_a_wrong_rule_is_refused() {
    let world = World::new(STARTER);
    let home = world.licensed("home", &server(), "server");
    let mut copy = server();
    copy.other_hardware();
    let decision = judged(&home, &copy, NOW + 1).1;
    assert_eq!((decision.state(), decision.grace()), ("refused", None));
    for wrong in ["1 month", "1 year", "14", "+1 days", "", "36501 days", "1 day 2"] {
        let text = with_grace().replacen("= \"14 days\"\nthen", &format!("= \"{wrong}\"\nthen"), 1);
        let error = Catalog::parse(&text).unwrap_err();
        let line = text.lines().position(|line| line.starts_with("after = ")).unwrap() + 1;
        let place = format!("catalog line {line}: type oem: on conflict: after");
        assert!(error.fact().starts_with(&place), "{error}");
    }
    let unknown = with_grace().replace("\nafter = ", "\nafterwards = ");
    let error = Catalog::parse(&unknown).unwrap_err();
    let line = unknown.lines().position(|line| line.starts_with("afterwards")).unwrap() + 1;
    assert!(error.fact().contains(&format!("line {line}")), "{error}");
    assert!(error.next_step().text().contains("after, then, blocks"), "{}", error.next_step());
}
