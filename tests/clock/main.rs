//! A clock set back or a snapshot restored gains nothing, and every wrong clock can be recovered.
#![cfg(feature = "vendor")]

use olr::anchor::{Anchor, AnchorBody, sign_time};
use olr::policy::decide;
use olr::state::{State, Surroundings};
use olr::time::Instant;
use olr::wire::codec::{Set, Text};
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

#[path = "../fixtures/machine.rs"]
#[allow(dead_code)]
mod machine;
#[path = "../fixtures/raw.rs"]
#[allow(dead_code)]
mod raw;
#[path = "../fixtures/world.rs"]
#[allow(dead_code)]
mod world;

use world::{NOW, World, ask};

/// A server that was licensed, and everything that happens to its clock.
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

    /// What `olr verify` does: observe, judge, remember.
    fn verify(&mut self) {
        let before = self.state.to_bytes();
        match self.readonly {
            true => {
                self.state.observe(&self.around);
                if *self.state.to_bytes() != *before {
                    self.state.observe_forgetfully(self.around.clock);
                }
            }
            false => self.state.observe(&self.around),
        }
        self.word = self.judged(self.around.clock);
        if self.readonly {
            self.state = State::parse(&before).unwrap();
        }
    }

    fn judged(&self, clock: Instant) -> String {
        let found = self.state.found(&self.around).unwrap();
        let slot = self.state.slot(None, None).unwrap();
        let decision = decide(clock, &found, &self.state, slot);
        match decision.refusal {
            None => decision.state().to_string(),
            Some(refusal) => refusal.refusal().unwrap().word().to_string(),
        }
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
                    self.anchor(self.around.clock);
                }
                _ => panic!("{step:?}"),
            }
        }
        self.verify();
    }

    fn pass(&mut self, seconds: u64) {
        self.around.clock = Instant::new(self.around.clock.seconds + seconds);
    }

    /// Asks, and takes in the vendor's answer.
    fn anchor(&mut self, time: Instant) {
        let purpose = format!("anchor {}", self.state.memory().number);
        let (body, request) = ask(&mut self.state, "backup", &purpose);
        let body = AnchorBody {
            request: body.request,
            request_hash: olr::crypto::digest::sha256(&request),
            number: body.number,
            install_key: body.install_key,
            time,
            extensions: Set::default(),
        };
        let vendor = &self.world.vendor;
        let anchor = sign_time(&body, &vendor.trust, (&vendor.issuer, &vendor.delegation)).unwrap();
        let anchor = Anchor::verify(anchor.bytes(), &vendor.trust).unwrap();
        assert!(self.state.anchor(&anchor).unwrap());
    }
}

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// `30d`, `25h`, `5m`, `1s`.
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

/// How good an answer is.
fn rank(word: &str) -> u8 {
    match word {
        "licensed" => 2,
        "grace" => 1,
        _ => 0,
    }
}

/// For every state and t1 < t2: what is judged at t1, once t2 was observed, is never better than
/// what is judged at t2; a start that is not reached yet apart.
#[test]
fn an_earlier_clock_is_never_better() {
    let world = World::new();
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let imported = world.installed(NOW, |_| ()).to_bytes();
    let (mut steps, mut recovered) = (0, 0);
    for walk in 0..10_000 {
        let mut server = Server::new(&world, &imported);
        for _ in 0..rng.random_range(1..6) {
            let mark = server.state.memory().mark;
            wander(&mut server, &mut rng);
            server.verify();
            assert!(server.state.memory().mark >= mark, "walk {walk}: the mark went back");
            let t2 = server.around.clock;
            let t1 = Instant::new(rng.random_range(0..=t2.seconds));
            let (earlier, later) = (server.judged(t1), &server.word);
            assert!(
                rank(&earlier) <= rank(later) || later == "not-yet-valid",
                "walk {walk}: {earlier} at {t1}, {later} at {t2}"
            );
            steps += 1;
        }
        if walk % 10 == 0 {
            server.around.clock = at("2027-12-01T00:00:00Z");
            server.anchor(server.around.clock);
            server.verify();
            assert_eq!(server.word, "licensed", "walk {walk}: not recovered");
            recovered += 1;
        }
    }
    assert!(steps >= 10_000 && recovered == 1_000);
}

/// Something that may happen to a clock.
fn wander(server: &mut Server<'_>, rng: &mut ChaCha20Rng) {
    let clock = server.around.clock.seconds;
    let span = 1 << rng.random_range(0..34);
    let moved = rng.random_range(0..=span);
    server.around.clock = Instant::new(match rng.random_range(0..5) {
        0 => clock.saturating_sub(moved),
        1 => rng.random_range(0..=253_402_300_799),
        _ => clock.saturating_add(moved),
    });
    match rng.random_range(0..6) {
        0 => {
            server.boots += 1;
            server.around.boot = Text::new(&format!("boot {}", server.boots)).unwrap();
            server.around.uptime = 0;
        }
        1 => server.around.uptime += 8 * 86_400,
        2 => (server.around.boot, server.around.uptime) = (Text::default(), 0),
        _ => server.around.uptime += 60,
    }
}
