//! One file per rule of `docs/domain.md`: `tests/scenarios/B1.toml` tests rule B1. Each file has
//! the grant of a license, and the decisions on that license over time. The licenses are made with
//! the catalog `examples/catalogs/self-hosted.toml`, which tests the catalog as well.

use olr_core::entitlement::Operation;
use olr_core::judge::{Decision, Question};
use olr_core::license::{License, LicenseBody};
use olr_core::simulate::{Entry, ScenarioEvent, Timeline};
use olr_core::state::State;
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::encode;
use olr_core::wire::id::LicenseId;
use olr_office::catalog::Catalog;
use olr_office::issue::{GrantFile, Stamp, draft};
use std::path::PathBuf;
use toml::{Table, Value};

use crate::simulate::{at, mails, play};
use crate::world::operations::UPDATE_USER;
use crate::world::{NOW, World};

/// Every rule that a server with this catalog meets while time passes. The others are about what is
/// issued (A, C3, C4, F5), shown (C5), billed (H1 to H4), or kept at the vendor and online (F1, F3,
/// F8, F10, G2, G3, I), or about the other example catalog (J).
const RULES: &str =
    "B1 B2 B3 B4 C1 C2 C6 C7 D1 D2 D3 D4 E1 E2 E3 E4 E5 E6 F2 F4 F6 F7 F9 G1 H5 H6 H7";

const CATALOG: &str = include_str!("../../../examples/catalogs/self-hosted.toml");

#[test]
fn every_scenario_comes_as_its_file_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let (world, mut wrong) = (World::new(), Vec::new());
    let names: Vec<_> = files.iter().map(|file| file.file_stem().unwrap().to_str()).collect();
    assert_eq!(names, RULES.split(' ').map(Some).collect::<Vec<_>>());
    for (file, name) in files.iter().zip(names) {
        let (table, name) = (std::fs::read_to_string(file).unwrap(), name.unwrap());
        let scenario = Scenario { world: &world, name, table: table.parse().unwrap() };
        wrong.extend(scenario.faults());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

struct Scenario<'a> {
    world: &'a World,
    name: &'a str,
    table: Table,
}

impl Scenario<'_> {
    fn faults(&self) -> Vec<String> {
        let (name, mut faults) = (self.name, Vec::new());
        assert_eq!(self.table["rule"].as_str(), Some(name));
        assert!(!self.table["says"].as_str().unwrap().is_empty(), "{name}");
        let (state, events) = (self.installed(), self.events());
        let timeline = play(&state, &events, self.until()).unwrap();
        let lines: Vec<_> = timeline.entries.iter().map(line).collect();
        if lines != self.strings("timeline") {
            faults.push(format!("{name}: the timeline is\n    {}", lines.join("\n    ")));
        }
        let asks = self.strings("asks");
        assert!(!asks.is_empty(), "{name} asks nothing");
        for ask in asks {
            let (question, expected) = ask.rsplit_once(": ").unwrap();
            let answer = answer(&timeline, question);
            if answer != expected {
                faults.push(format!("{name}: {question}: {answer}, not {expected}"));
            }
        }
        if self.table.contains_key("mails") {
            let mails = mails::sent(&state, &events, self.until());
            if mails != self.strings("mails") {
                faults.push(format!("{name}: the mails are\n    {}", mails.join("\n    ")));
            }
        }
        faults
    }

    fn strings(&self, name: &str) -> Vec<&str> {
        let list = self.table.get(name).map(|list| list.as_array().unwrap().as_slice());
        list.unwrap_or_default().iter().map(|text| text.as_str().unwrap()).collect()
    }

    fn until(&self) -> Instant {
        at(self.table["until"].as_str().unwrap())
    }

    fn installed(&self) -> State {
        let body = self.body(self.table["license"].as_table().unwrap(), 1);
        let bytes = self.world.vendor.license(encode(&body));
        let license = License::verify(&bytes, &self.world.vendor.trust).unwrap();
        let mut state = self.world.asked();
        state.accept(&license, at(NOW)).unwrap();
        state
    }

    /// The events; `import NAME` installs `[answers.NAME]`.
    fn events(&self) -> Vec<ScenarioEvent> {
        let read = |name: &str| {
            let answer = self.table["answers"][name].as_table().unwrap();
            let count = answer.get("answer").map_or(2, |count| count.as_integer().unwrap());
            let body = self.body(answer, u8::try_from(count).unwrap());
            Ok(self.world.vendor.license(encode(&body)))
        };
        let events = self.strings("events").into_iter();
        events.map(|text| ScenarioEvent::parse(text, read).unwrap()).collect()
    }

    /// The license that `olr issue` would make from the grant on the day `issued`.
    fn body(&self, grant: &Table, answer: u8) -> LicenseBody {
        let mut grant = grant.clone();
        grant.remove("answer");
        let issued = grant.remove("issued").map(|day| at(day.as_str().unwrap()));
        for (key, value) in [
            ("licensee", "ACME Ltd"),
            ("key", "AbCd-1234"),
            ("product", "example"),
            ("slot", "backup"),
            ("starts", "today"),
        ] {
            grant.entry(key).or_insert(value.into());
        }
        let grant = GrantFile::parse(&grant.to_string()).unwrap();
        let vendor = &self.world.vendor;
        let license = |answer: u8| LicenseId([answer * 0x11; 16]);
        let issued = issued.unwrap_or(at(NOW));
        let stamp = Stamp { license: license(answer), answer: answer.into(), issued };
        let body = draft(&self.world.opened(), &grant, &self.catalog(), &vendor.trust, stamp);
        LicenseBody { replaces: (answer > 1).then(|| license(answer - 1)), ..body.unwrap() }
    }

    /// The example catalog, with activation by file for every type and the changes in `[catalog]`
    /// of the scenario.
    fn catalog(&self) -> Catalog {
        let mut catalog: Table = CATALOG.replace("\"vault\"", "\"example\"").parse().unwrap();
        for (_, kind) in catalog["type"].as_table_mut().unwrap() {
            kind.as_table_mut().unwrap().insert("offline".into(), true.into());
            kind.as_table_mut().unwrap().remove("reason");
        }
        if let Some(changes) = self.table.get("catalog") {
            merge(&mut catalog, changes.as_table().unwrap());
        }
        Catalog::parse(&catalog.to_string()).unwrap()
    }
}

fn merge(into: &mut Table, changes: &Table) {
    for (key, change) in changes {
        match (into.get_mut(key), change) {
            (Some(Value::Table(into)), Value::Table(change)) => merge(into, change),
            _ => drop(into.insert(key.clone(), change.clone())),
        }
    }
}

/// Formats an entry like `2027-12-01T00:00:00Z grace: clone, grace conflict`.
fn line(entry: &Entry) -> String {
    let turn = |turn: &olr_core::simulate::Turn| format!("{} {}", turn.word, turn.about);
    let turns = entry.turns.iter().map(turn).map(|turn| turn.trim().to_string());
    let new: Vec<_> = entry.events.iter().map(ToString::to_string).chain(turns).collect();
    format!("{} {}: {}", entry.at, entry.condition.word(), new.join(", "))
}

/// Answers a question such as `2027-12-01 create-user OBM=1 version=7`. Special words ask which
/// grace ends `first`, how many of a module are `available`, and whether an `admin` who uses some
/// of a module may be given a limit.
fn answer(timeline: &Timeline, question: &str) -> String {
    let words: Vec<_> = question.split(' ').collect();
    let when = at(words[0]);
    assert!(when <= timeline.until, "{question}: after the end of the simulation");
    let entry = timeline.entries.iter().rev().find(|entry| entry.at <= when).unwrap();
    let decision = entry.decision.as_ref().unwrap();
    match words[1..] {
        ["first"] => {
            let grace = decision.grace().unwrap();
            assert_eq!(decision.graces().first(), Some(grace));
            grace.cause.word().to_string()
        }
        ["available", module] => {
            let quota = decision.quota(module).unwrap();
            quota.available().only().map_or("any".to_string(), |left| left.to_string())
        }
        ["admin", module, used, wanted] => {
            let (used, wanted) = (used.parse().unwrap(), wanted.parse().unwrap());
            let operation = UPDATE_USER;
            word(decision.ask_admin(operation, module, used, wanted))
        }
        [operation, ref about @ ..] => asked(decision, operation, about),
        [] => panic!("{question} asks nothing"),
    }
}

fn asked(decision: &Decision, operation: &str, about: &[&str]) -> String {
    let mut question = Question::about(Operation::new(operation).unwrap());
    let (mut adds, mut account) = (Vec::new(), Vec::new());
    // `_` in a name means a space.
    let about: Vec<_> = about.iter().map(|word| word.replace('_', " ")).collect();
    for word in &about {
        match word.split_once('=').unwrap() {
            ("release", day) => question.release = Some(day.parse::<Day>().unwrap()),
            ("version", version) => question.version = version,
            (module, count) => match module.strip_prefix("account.") {
                Some(module) => account.push((module, count.parse().unwrap())),
                None => adds.push((module, count.parse().unwrap())),
            },
        }
    }
    (question.adds, question.account) = (&adds, &account);
    word(decision.ask(&question))
}

fn word(answer: olr_core::judge::Answer<'_>) -> String {
    let refusal = answer.refusal().map(|error| error.refusal().unwrap().word());
    refusal.unwrap_or("yes").to_string()
}
