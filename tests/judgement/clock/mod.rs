//! Setting the clock back or restoring a snapshot gains nothing, and a server can recover from any
//! wrong clock. `docs/judgement.md`, section "Clock", defines the high-water mark (here: the mark)
//! and a far clock.
#![cfg(feature = "vendor")]

use crate::world::machine;

use olr_core::judge::{Decision, decide};
use olr_core::state::{State, Surroundings};
use olr_core::time::Instant;
use olr_core::timestamp::{Timestamp, TimestampBody, sign_timestamp};
use olr_core::wire::codec::{Set, Text};

mod homes;
mod over;
mod properties;
mod takeover;
mod timestamps;

use crate::world::{NOW, World, ask};

/// A licensed server, and operations on its clock.
struct Server<'a> {
    world: &'a World,
    imported: Vec<u8>,
    state: State,
    around: Surroundings,
    boots: u32,
    readonly: bool,
    word: String,
}

impl<'a> Server<'a> {
    fn new(world: &'a World, imported: &[u8]) -> Self {
        let (state, imported) = (State::parse(imported).unwrap(), imported.to_vec());
        let around = machine::around("server", at(NOW));
        let mut server =
            Self { world, imported, state, around, boots: 0, readonly: false, word: String::new() };
        server.verify();
        server
    }

    /// Observes, judges and stores, as `olr verify` does.
    fn verify(&mut self) {
        let before = self.state.to_bytes();
        self.state.observe(&self.around);
        let decision = self.decide(self.around.clock, &self.state);
        self.word = word(&decision).to_string();
        match self.readonly {
            true => self.state = State::parse(&before).unwrap(),
            false if decision.matches() => {
                let name = self.state.memory().slots[0].name.clone();
                self.state.matches(&[name]);
            }
            false => {}
        }
    }

    /// The decision on `state` at `clock` on this machine.
    fn decide(&self, clock: Instant, state: &State) -> Decision {
        let found = state.found(&self.around).unwrap();
        decide(clock, self.around.here(&found), state, state.slot(None, None).unwrap())
    }

    fn step(&mut self, step: &str) {
        if let Some(time) = step.strip_prefix('=') {
            self.around.clock = at(time);
        } else if let Some(span) = step.strip_prefix('+') {
            self.pass(seconds(span));
        } else if let Some(span) = step.strip_prefix('-') {
            self.around.clock = Instant::new(self.around.clock.seconds - seconds(span));
        } else if let Some(span) = step.strip_prefix("up") {
            self.pass(seconds(span));
            self.around.uptime += seconds(span);
        } else if let Some(time) = step.strip_prefix("evidence=") {
            self.around.evidence = Some(at(time));
            self.verify();
            self.around.evidence = None;
            return;
        } else if let Some(time) = step.strip_prefix("boot") {
            self.boots += 1;
            self.around.boot = Text::new(&format!("boot {}", self.boots)).unwrap();
            self.around.uptime = 60;
            if let Some(time) = time.strip_prefix('=') {
                self.around.clock = at(time);
            }
        } else {
            match step {
                "noboot" => (self.around.boot, self.around.uptime) = (Text::default(), 0),
                "readonly" => self.readonly = true,
                "restore" => self.state = State::parse(&self.imported).unwrap(),
                "anchor" => {
                    self.around.clock = at("2027-11-24T09:00:00Z");
                    self.timestamp(self.around.clock);
                }
                _ => panic!("{step:?}"),
            }
        }
        self.verify();
    }

    fn pass(&mut self, seconds: u64) {
        self.around.clock = Instant::new(self.around.clock.seconds + seconds);
    }

    /// Makes a request and imports the vendor's timestamp.
    fn timestamp(&mut self, time: Instant) {
        let timestamp = self.asked(time);
        assert!(self.state.accept_timestamp(&timestamp).unwrap());
    }

    /// The vendor's timestamp for a request that is made now.
    fn asked(&mut self, time: Instant) -> Timestamp {
        let purpose = format!("anchor {}", self.state.memory().number);
        let (body, request) = ask(&mut self.state, "backup", &purpose);
        let body = TimestampBody {
            request: body.request,
            request_hash: olr_core::crypto::digest::sha256(&request),
            number: body.number,
            install_key: body.install_key,
            time,
            extensions: Set::default(),
        };
        let vendor = &self.world.vendor;
        let timestamp =
            sign_timestamp(&body, &vendor.trust, (&vendor.issuer, &vendor.delegation)).unwrap();
        Timestamp::verify(timestamp.bytes(), &vendor.trust).unwrap()
    }
}

/// The state of a decision, or its refusal word.
fn word(decision: &Decision) -> &'static str {
    match decision.refusal() {
        None => decision.state(),
        Some(refusal) => refusal.refusal().unwrap().word(),
    }
}

fn at(text: &str) -> Instant {
    text.parse::<Instant>().unwrap()
}

/// Parses a span such as `30d`, `25h`, `5m` or `1s`.
fn seconds(span: &str) -> u64 {
    let (count, unit) = span.split_at(span.len() - 1);
    let unit = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => panic!("{span:?}"),
    };
    count.parse::<u64>().unwrap() * unit
}

#[test]
fn hand_written_walks_end_as_they_say() {
    let world = World::new();
    let imported = world.installed(NOW, |_| ()).to_bytes();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in include_str!("walks.txt").lines().filter(|line| !line.starts_with('#')) {
        let [name, steps, word] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{line:?}");
        };
        let mut server = Server::new(&world, &imported);
        steps.split_whitespace().for_each(|step| server.step(step));
        if server.word != word {
            wrong.push(format!("{name}: {steps}: {}, not {word}", server.word));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 200, "only {count} walks");
}
