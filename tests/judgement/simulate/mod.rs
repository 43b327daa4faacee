//! Simulation: the future decisions on the installed license, and their instants.
#![cfg(feature = "vendor")]

use crate::world;
use crate::world::machine;

use olr_core::import::OverQuota;
use olr_core::license::{License, LicenseBody};
use olr_core::simulate::{AnswerFile, Happening, Play, ScenarioEvent, Timeline, simulate};
use olr_core::state::State;
use olr_core::time::Instant;
use olr_core::wire::id::LicenseId;
use std::sync::Arc;

mod mails;
mod picture;
mod scenarios;
mod stepped;
mod stepping;
mod story;

use crate::world::{NOW, World};

fn at(text: &str) -> Instant {
    text.parse::<Instant>().unwrap()
}

/// A server with a license, and optionally another that takes over later.
fn server(
    world: &World,
    installed: impl FnOnce(&mut LicenseBody),
    next: Option<&dyn Fn(&mut LicenseBody)>,
) -> State {
    let mut state = world.installed(NOW, installed);
    if let Some(change) = next {
        let bytes = world.license(|body| {
            (body.license, body.answer) = (LicenseId([0x22; 16]), 2);
            body.replaces = Some(LicenseId([0x11; 16]));
            change(body);
        });
        let license = License::verify(&bytes, &world.vendor.trust).unwrap();
        state.accept(&license, at(NOW)).unwrap();
    }
    state
}

/// Simulates `state` until `until`; the state itself is not changed.
fn play(
    state: &State,
    events: &[ScenarioEvent],
    until: Instant,
) -> olr_core::error::Result<Timeline> {
    let state = State::parse(&state.to_bytes()).unwrap();
    let slot = state.slot(None, None)?.name.clone();
    let around = machine::around("server", at(NOW));
    simulate(state, &Play { slot, around, events: events.to_vec(), until, steps: 10_000 })
}

fn events(texts: &[&str]) -> Vec<ScenarioEvent> {
    let no_file = |name: &str| panic!("{name} is no file here");
    texts.iter().map(|text| ScenarioEvent::parse(text, no_file).unwrap()).collect()
}

#[test]
fn what_cannot_be_played_is_told() {
    let world = World::new();
    let state = world.installed(NOW, |_| {});
    let unable = |texts: &[&str], until: &str| {
        let error = play(&state, &events(texts), at(until)).unwrap_err();
        assert_eq!(error.exit_status(), 2);
        error.fact().to_string()
    };
    assert!(unable(&[], "2027-11-22").contains("before the start"));
    let early = unable(&["2027-11-22 off"], "2028-01-01");
    assert!(early.contains("\"2027-11-22T00:00:00Z off\" is before the start"), "{early}");
    assert!(unable(&["2028-02-01 off"], "2028-01-01").contains("after the end"));
    assert!(unable(&["2027-12-01 off"; 1001], "2028-01-01").contains("at most 1000"));
    let twice = unable(&["2027-12-01 use OBM=1 OBM=2"], "2028-01-01");
    assert!(
        twice.contains("use OBM=1 OBM=2\": modules in use: the same entry is named twice"),
        "{twice}"
    );
    let off = |what: &str| unable(&["2027-12-01 off", &format!("2027-12-02 {what}")], "2028-01-01");
    for what in ["use OBM=1", "revoke", "pool", "upgrade 2027-12-02", "deactivate"] {
        let fact = off(what);
        assert!(
            fact.contains(&format!("{what}\": the server is switched off at that time")),
            "{fact}"
        );
    }
    let answer = AnswerFile { name: "x".to_string(), bytes: Vec::new(), over: OverQuota::Refused };
    let what = Happening::Import(Arc::new(answer));
    let import = ScenarioEvent { at: at("2027-12-02"), what };
    let many = play(&state, &vec![import.clone(); 65], at("2028-01-01")).unwrap_err();
    assert!(many.fact().contains("65 imports, but at most 64 are allowed"), "{many}");
    let mut in_the_dark = events(&["2027-12-01 off"]);
    in_the_dark.push(import.clone());
    assert_eq!(play(&state, &in_the_dark, at("2028-01-01")).unwrap_err().exit_status(), 2);
    // A file that is not an answer is refused in the timeline, and changes nothing.
    let timeline = play(&state, &[import], at("2028-01-01")).unwrap();
    let refused = &timeline.entries[1].turns[0];
    assert_eq!((refused.word, refused.about), ("import-refused", "malformed"));
    let [before, after] = [0, 1].map(|entry| timeline.entries[entry].decision.as_ref().unwrap());
    assert_eq!(after.judged_at(), at("2027-12-02"));
    assert_eq!((after.license(), after.next_license()), (before.license(), before.next_license()));
    assert_eq!((after.refusal(), after.graces()), (before.refusal(), before.graces()));
    assert_eq!((after.usage(), after.machine()), (before.usage(), before.machine()));
    // Without an end date, a thousand years have one entry. A single instant has one, too.
    let long = play(&world.installed(NOW, |body| body.expires = None), &[], at("3027-11-23"));
    assert_eq!(long.unwrap().entries.len(), 1);
    assert_eq!(play(&state, &[], at(NOW)).unwrap().entries.len(), 1);
    let mut few = Play {
        slot: state.slot(None, None).unwrap().name.clone(),
        around: machine::around("server", at(NOW)),
        events: Vec::new(),
        until: at("3027-11-23"),
        steps: 10,
    };
    assert_eq!(simulate(state, &few).unwrap_err().exit_status(), 2);
    few.slot.slot = world::text("redirector");
    let other = simulate(world.installed(NOW, |_| {}), &few).unwrap_err();
    assert_eq!(other.refusal(), Some(olr_core::error::Refusal::NotActivated));
}
