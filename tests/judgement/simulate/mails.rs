//! Alerts while time passes: each change is reported once, however often the server is asked.

use crate::world::machine;

use olr::Home;
use olr_core::simulate::{Happening, ScenarioEvent};
use olr_core::state::{Listener, State};
use olr_core::time::Instant;

use crate::simulate::at;
use crate::world::NOW;

/// Checks every quarter of an hour; collects and acknowledges the new events.
pub fn sent(state: &State, events: &[ScenarioEvent], until: Instant) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    for copy in home.state_files() {
        std::fs::write(copy, state.to_bytes()).unwrap();
    }
    let mut mails = Vec::new();
    for now in (at(NOW).seconds..=until.seconds).step_by(900).map(Instant::new) {
        let around = machine::around("server", now);
        for event in events.iter().filter(|event| event.at == now) {
            let Happening::Use(counts) = &event.what else { panic!("{event:?}") };
            home.report(None, None, counts, &around).unwrap();
        }
        let new = home.news(&around, Listener::Product, false).unwrap().events;
        mails.extend(new.iter().map(|e| format!("{} {} {}", e.at, e.cause, e.stage)));
        let ids: Vec<_> = new.iter().map(|event| event.id).collect();
        home.acknowledge(Listener::Product, &ids).unwrap();
    }
    mails
}
