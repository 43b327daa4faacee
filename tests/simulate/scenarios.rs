//! One file a rule: what a license with these terms says, and when. `tests/scenarios/B1.toml` shows
//! the rule B1.

use olr::entitlement::{Cause, EnforcementRule, GraceRule, Grant, Model, Operation, Outcome};
use olr::license::LicenseBody;
use olr::policy::{Decision, Question};
use olr::revocation::{RevocationsBody, Withdrawn, digest_of, sign_revocations};
use olr::simulate::{Entry, Event, Timeline};
use olr::time::Day;
use olr::wire::codec::{Keyed, Limit, Set};
use olr::wire::id::LicenseId;
use std::path::PathBuf;
use toml::{Table, Value};

use crate::world::{NOW, World, text};
use crate::{at, play, server};

/// Fewer files than this fail: the folder was not read right.
const AT_LEAST: usize = 14;

#[test]
fn every_scenario_comes_as_its_file_says() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let (world, mut wrong) = (World::new(), Vec::new());
    for file in &files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let table: Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
        assert_eq!(table["rule"].as_str(), Some(name));
        assert!(!table["says"].as_str().unwrap().is_empty());
        let timeline = played(&world, &table);
        let lines: Vec<_> = timeline.entries.iter().map(line).collect();
        let expected = strings(&table, "timeline");
        if lines != expected {
            wrong.push(format!("{name}: the timeline is\n    {}", lines.join("\n    ")));
        }
        let asks = strings(&table, "asks");
        assert!(!asks.is_empty(), "{name} asks nothing");
        for ask in asks {
            let (question, expected) = ask.rsplit_once(": ").unwrap();
            let answer = answer(&timeline, question);
            if answer != expected {
                wrong.push(format!("{name}: {question}: {answer}, not {expected}"));
            }
        }
    }
    assert!(files.len() >= AT_LEAST, "only {} files", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn strings<'a>(table: &'a Table, name: &str) -> Vec<&'a str> {
    let list = table.get(name).map(|list| list.as_array().unwrap().as_slice());
    list.unwrap_or_default().iter().map(|text| text.as_str().unwrap()).collect()
}

fn played(world: &World, table: &Table) -> Timeline {
    let terms = |name: &str| table.get(name).map(|terms| terms.as_table().unwrap().clone());
    let installed = terms("license").unwrap();
    let next = terms("next").map(|next| move |body: &mut LicenseBody| apply(body, &next));
    let next = next.as_ref().map(|next| next as &dyn Fn(&mut LicenseBody));
    let mut state = server(world, |body| apply(body, &installed), next);
    if let Some(cause) = table.get("withdrawn") {
        let cause = Cause::from_word(cause.as_str().unwrap()).unwrap();
        let list = RevocationsBody {
            version: 1,
            sequence: 1,
            issued: at(NOW),
            licenses: set([Withdrawn { license: digest_of(LicenseId([0x11; 16])), cause }]),
            extensions: Set::default(),
        };
        let vendor = &world.vendor;
        let issuer = (&vendor.issuer as _, vendor.delegation.as_slice());
        let bytes = sign_revocations(&list, &vendor.trust, issuer, &[]).unwrap();
        state.revoke(&bytes).unwrap();
        state.note_revoked(at(NOW)).unwrap();
    }
    let events: Vec<_> = strings(table, "events").into_iter().map(Event::parse).collect();
    let events: Vec<_> = events.into_iter().map(Result::unwrap).collect();
    play(&state, &events, at(table["until"].as_str().unwrap())).unwrap()
}

/// The terms of a license, as a catalog and a grant would give them.
fn apply(body: &mut LicenseBody, terms: &Table) {
    let word = |name: &str| terms.get(name).map(|value| value.as_str().unwrap());
    let day = |name: &str| word(name).map(|day| Day::parse(day).unwrap());
    body.model = Model::from_word(word("model").unwrap()).unwrap();
    (body.expires, body.maintenance) = (day("expires"), day("maintenance"));
    if let Some(starts) = day("starts") {
        body.starts = starts;
    }
    let template = body.grants.iter().next().unwrap().clone();
    let grants = terms["grants"].as_table().unwrap().iter().map(|(module, quota)| Grant {
        module: text(module),
        quota: match quota {
            Value::Integer(count) => Limit::Only(u64::try_from(*count).unwrap()),
            _ => Limit::Any,
        },
        minimum_version: text(word("minimum-version").unwrap_or_default()),
        ..template.clone()
    });
    body.grants = set(grants);
    let (mut graces, mut enforcement) = (Vec::new(), Vec::new());
    for (cause, rule) in terms.get("grace").into_iter().flat_map(|rules| rules.as_table().unwrap())
    {
        let cause = Cause::from_word(cause).unwrap();
        let (span, then) = rule.as_str().unwrap().split_once(", then ").unwrap();
        let (count, unit) = span.split_once(' ').unwrap();
        let unit = if unit == "hours" { 3600 } else { 86_400 };
        let mut then = then.split(' ');
        let outcome = Outcome::from_word(then.next().unwrap()).unwrap();
        graces.push(GraceRule { cause, seconds: count.parse::<u64>().unwrap() * unit, outcome });
        if outcome == Outcome::Block {
            let blocked = set(then.map(|word| Operation::from_word(word).unwrap()));
            enforcement.push(EnforcementRule { cause, blocked });
        }
    }
    (body.grace, body.enforcement) = (set(graces), set(enforcement));
}

fn set<T: Keyed + Clone, const CAP: usize>(entries: impl IntoIterator<Item = T>) -> Set<T, CAP> {
    Set::new(entries.into_iter().collect()).unwrap()
}

/// `2027-12-01T00:00:00Z grace: clone, grace-begins conflict`
fn line(entry: &Entry) -> String {
    let turn = |turn: &olr::simulate::Turn| format!("{} {}", turn.word, turn.about);
    let turns = entry.turns.iter().map(turn).map(|turn| turn.trim().to_string());
    let new: Vec<_> = entry.events.iter().map(ToString::to_string).chain(turns).collect();
    format!("{} {}: {}", entry.at, entry.phase.word(), new.join(", "))
}

/// What is answered to `2027-12-01 create-user OBM=1 version=7`, or which grace comes `first`.
fn answer(timeline: &Timeline, question: &str) -> String {
    let mut words = question.split(' ');
    let when = at(words.next().unwrap());
    assert!(when <= timeline.until, "{question} asks of what was not played");
    let decision = decision_at(timeline, when);
    let operation = words.next().unwrap();
    if operation == "first" {
        let grace = decision.grace.as_ref().unwrap();
        assert_eq!(decision.graces.first(), Some(grace));
        return grace.cause.word().to_string();
    }
    let mut asked = Question::about(Operation::from_word(operation).unwrap());
    let mut adds = Vec::new();
    for word in words {
        match word.split_once('=').unwrap() {
            ("release", day) => asked.release = Some(Day::parse(day).unwrap()),
            ("version", version) => asked.version = version,
            (module, count) => adds.push((module, count.parse().unwrap())),
        }
    }
    asked.adds = &adds;
    match decision.ask(&asked).refusal() {
        None => "yes".to_string(),
        Some(refusal) => refusal.refusal().unwrap().word().to_string(),
    }
}

fn decision_at(timeline: &Timeline, when: olr::time::Instant) -> &Decision {
    let entry = timeline.entries.iter().rev().find(|entry| entry.at <= when).unwrap();
    entry.decision.as_ref().unwrap()
}
