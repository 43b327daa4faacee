//! A product asks, before it starts, whether it may run: `cargo run --example verify -- HOME`.

use olr::armor::dearmor;
use olr::display::shown;
use olr::error::{Error, Refusal, Result};
use olr::license::License;
use olr::trust::Trust;
use olr::wire::frame::Kind;
use olr::{home::Home, machine::probe::probe, state::Surroundings, time::Instant};
use std::time::{SystemTime, UNIX_EPOCH};

/// Whom this product believes, whatever the home says. Compile in your own, not this test vendor.
const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust");

fn main() {
    let home = std::env::args().nth(1).unwrap_or_else(|| "/var/lib/olr".to_string());
    match may_i_run(Home::at(home)) {
        Ok(license) => println!("running for {}", shown(&license.body().licensee)),
        Err(no) => {
            eprintln!("{no}\nhint: {}", no.next_step());
            std::process::exit(no.exit_status().into());
        }
    }
}

fn may_i_run(home: Home) -> Result<License> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (factors, clock) = (probe(false).factors, Instant::new(now.as_secs()));
    let around = Surroundings { factors, clock, ..Surroundings::default() };
    // The operator chose what the home trusts; the product goes only where its own vendor leads.
    let anchor = Trust::pin(&dearmor(Some(Kind::Trust), ANCHOR)?)?;
    let home = home.expecting(anchor.into());
    let (_, decision) = home.decide(Some("example"), None, &around)?;
    match (decision.refusal, decision.license) {
        (None, Some(license)) => Ok(license),
        (Some(refusal), _) => Err(refusal),
        (None, None) => Err(Error::refuse(Refusal::NotActivated, "no license is in force")),
    }
}
