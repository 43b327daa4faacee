//! A guard and the command line give the same answers for the same home at the same instant.

use olr::{Guard, GuardConfig};
use olr::{Operation, Question};
use olr_core::entitlement::{Cause, EnforcementRule, GraceRule, Outcome};
use olr_core::license::LicenseBody;
use olr_core::machine::Commitments;
use olr_core::time::{Day, Instant};
use olr_core::wire::codec::{Limit, Set};
use rand::{RngExt, SeedableRng, rngs::ChaCha20Rng};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

use crate::here::{self, now};
use crate::server::{DAY, HOUR, anchor, count, grant, name};
use crate::world::operations::{ALL, RESTORE};
use crate::world::text;

/// Changes a license at random. Its start and end are close enough to now that any state is likely.
fn any(rng: &mut ChaCha20Rng, at: Instant, body: &mut LicenseBody) {
    let today = at.day().number;
    let day = |rng: &mut ChaCha20Rng, range| Day {
        number: today.wrapping_add_signed(rng.random_range(range)),
    };
    body.starts = day(rng, -40..1);
    let end = day(rng, -20..30).max(body.starts);
    body.expires = rng.random_bool(0.7).then_some(end);
    body.maintenance = rng.random_bool(0.5).then(|| day(rng, -300..300));
    body.tolerance = 900;
    let spans = [0, HOUR / 2, 12 * HOUR, 3 * DAY, 30 * DAY];
    let (mut grace, mut enforcement) = (Vec::new(), Vec::new());
    for cause in [Cause::Expired, Cause::OverQuota, Cause::Conflict] {
        if rng.random_bool(0.6) {
            let outcome = Outcome::ALL[rng.random_range(0..3)];
            grace.push(GraceRule { cause, seconds: spans[rng.random_range(0..5)], outcome });
            if outcome == Outcome::Block {
                let blocked = ALL.iter().copied().filter(|_| rng.random_bool(0.5));
                enforcement
                    .push(EnforcementRule { cause, blocked: Set::new(blocked.collect()).unwrap() });
            }
        }
    }
    body.grace = Set::new(grace).unwrap();
    body.enforcement = Set::new(enforcement).unwrap();
    let always = if rng.random() { vec![RESTORE] } else { vec![] };
    body.always = Set::new(always).unwrap();
    let mut grants = vec![grant("ACB", Some(10)), grant("OBM", None), grant("VM", Some(3))];
    grants[0].includes = Set::new(vec![text("free")]).unwrap();
    grants[0].pool = text(if rng.random() { "pool" } else { "" });
    grants[2].pool = text("pool");
    grants[2].minimum_version = text("7.7");
    if rng.random() {
        grants[1].quota = Limit::Only(rng.random_range(0..20));
    }
    body.grants = Set::new(grants).unwrap();
}

/// Makes a home that was licensed some time ago, in one case of five for another machine.
fn licensed(rng: &mut ChaCha20Rng, folder: &Path, at: Instant) {
    let issued = Instant::new(at.seconds - rng.random_range(0..40 * DAY));
    let elsewhere = rng.random_bool(0.2);
    let mut state = here::installed(issued, |state, body| {
        any(rng, at, body);
        if elsewhere {
            let key = state.install().commitment_key(body.request);
            let mut enrolled = body.policy.enrolled.to_vec();
            enrolled.truncate(1);
            let commitments = Commitments::new(key.expose());
            enrolled[0].commitment = commitments.commit(enrolled[0].kind, "another");
            (body.policy.enrolled, body.policy.threshold) = (Set::new(enrolled).unwrap(), 1);
        }
    });
    let mut usage = Vec::new();
    for module in ["ACB", "OBM", "VM", "X", "free"] {
        if rng.random_bool(0.4) {
            usage.push(count(module, rng.random_range(0..12)));
        }
    }
    let since = Instant::new(rng.random_range(issued.seconds..=at.seconds));
    state.report(&name(), &usage, since).unwrap();
    here::write(folder, &state);
}

fn olr(home: &Path, args: &[&str]) -> (i32, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
    command.env("OLR_HOME", home).args(args).arg("--json");
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), json)
}

/// Checks that the guard and the command line gave the same answer, in the same words.
fn expect(answer: Result<(), olr_core::error::Error>, (status, json): (i32, Value), asked: &str) {
    let said = |field: &str| json[field].as_str().unwrap_or_default().to_string();
    match answer {
        Ok(()) => assert_eq!(status, 0, "{asked}: {json}"),
        Err(error) => {
            let word = error.refusal().map(|word| word.word()).unwrap_or_default();
            assert_eq!(status, i32::from(error.exit_status()), "{asked}: {json}");
            assert_eq!(
                (said("refusal"), said("fact")),
                (word.into(), error.fact().into()),
                "{asked}"
            );
        }
    }
}

#[test]
fn the_command_line_and_the_library_agree() {
    let mut random = ChaCha20Rng::seed_from_u64(5);
    let (mut states, mut noes) = ([0; 3], 0);
    // The results depend on the day of the run, so this tries 24 to 200 homes, until each state has
    // come up three times.
    for n in 0..200 {
        if n >= 24 && states.iter().all(|seen| *seen > 2) {
            break;
        }
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        licensed(&mut random, &home, now());
        let guard = Guard::open(GuardConfig::new(&home, anchor(), "example")).unwrap();
        let decision = guard.decision();
        let (status, verified) = olr(&home, &["verify"]);
        let (_, shown) = olr(&home, &["status"]);
        let state = decision.state();
        states[["licensed", "grace", "refused"].iter().position(|s| *s == state).unwrap()] += 1;
        for json in [&verified, &shown] {
            assert_eq!(json["state"], state, "{n}");
            let word = decision.refusal().and_then(|error| error.refusal());
            assert_eq!(json["refusal"].as_str(), word.map(|word| word.word()), "{n}");
            let until = decision.grace().and_then(|grace| grace.until);
            assert_eq!(
                json["grace"]["until"].as_str().map(str::to_string),
                until.map(|at| at.to_string())
            );
        }
        assert_eq!(status, i32::from(decision.refusal().is_some()), "{n}");
        for module in ["ACB", "OBM", "VM", "X", "free", "none"] {
            let amount = random.random_range(0..12);
            let version = ["", "7.6", "7.7"][random.random_range(0..3)];
            let operation = ALL[random.random_range(0..10)];
            let adds = [(module, amount)];
            let question = Question { adds: &adds, version, ..Question::about(operation) };
            let text = amount.to_string();
            // Without `--unlisted`, the command line takes a module that no license names for a
            // typing error; the library decides about it.
            let mut args = vec!["check", module, &text, "--unlisted"];
            args.extend(["--operation", operation.word()]);
            if !version.is_empty() {
                args.extend(["--product-version", version]);
            }
            let answer = guard.ask(&question);
            noes += u32::from(answer.is_err());
            expect(answer, olr(&home, &args), &format!("{n}: {question:?}"));
        }
        let release = Day { number: now().day().number - random.random_range(0..300) };
        let question = Question { release: Some(release), ..Question::about(Operation::UPGRADE) };
        let day = release.to_string();
        expect(guard.ask(&question), olr(&home, &["check", "--release", &day]), "a release");
        // The guard sees usage that the command line reports, and the other way round.
        let _ = olr(&home, &["report", "ACB=10"]);
        guard.report(&[("OBM", 4)]).unwrap();
        assert_eq!(guard.decision().usage().get("ACB").unwrap().count, 10);
        assert_eq!(olr(&home, &["status"]).1["modules"]["OBM"]["used"], 4);
    }
    let [licensed, grace, refused] = states;
    assert!(licensed > 2 && grace > 2 && refused > 2 && noes > 40, "{states:?} {noes}");
}
