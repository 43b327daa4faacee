//! Concerns: what a server would refuse, or its operator would send back, is reported before
//! signing.

use crate::words::{Run, World};
use serde_json::Value;

/// Returns the concerns of a run that signed, or would have signed.
fn concerns(run: &Run) -> Vec<(String, Value)> {
    let all = run.json["concerns"].as_array().unwrap();
    let about = |c: &Value| (c["about"].as_str().unwrap().to_string(), c["refused_there"].clone());
    all.iter().map(about).collect()
}

#[test]
fn fewer_than_are_in_use_are_signed_only_when_that_is_meant() {
    let world = World::activated();
    world.olr(&["report", "OBM=7", "ACB=4"]).done();
    world.olr(&["request"]).done();
    world.edit("vendor/grant.toml", "OBM = 10", "OBM = 5");
    world.edit("vendor/grant.toml", "ACB = 10", "ACB = 3");
    let tried = world.issue(&["--dry-run"]);
    let found = concerns(tried.done());
    assert_eq!(found, [("in-use".into(), "quota-exceeded".into()), ("fewer".into(), Value::Null)]);
    let all = tried.json["concerns"].to_string();
    assert!(all.contains("ACB: 3 granted, 4 in use, OBM: 5 granted, 7 in use"), "{all}");
    let text = world.text(&["issue", "req.olr", "--grant", "vendor/grant.toml", "--dry-run"]);
    assert!(text.contains("OBM: 5 granted, 7 in use"), "{text}");
    // Without a terminal to ask on, nothing is signed.
    let before = world.read("license.olr");
    let asked = world.issue(&[]);
    asked.unable("this license grants fewer than the server uses").hint("--yes");
    assert_eq!(world.read("license.olr"), before);
    assert_eq!(world.olr(&["vendor", "issued"]).json["issued"].as_array().unwrap().len(), 1);
    assert_eq!(concerns(world.issue(&["--yes"]).done()), found);
    world.olr(&["import", "license.olr"]).refused("quota-exceeded");
    // A stored license is given again without a question, and its concerns are still reported.
    let again = world.issue(&[]);
    assert_eq!((&again.done().json["stored"], concerns(&again)), (&true.into(), found));
    for concern in again.json["concerns"].as_array().unwrap() {
        assert!(
            concern["next_step"].as_str().unwrap().contains("`olr issue --again`"),
            "{concern}"
        );
    }
    let text = world.text(&["issue", "req.olr", "--grant", "vendor/grant.toml"]);
    assert!(text.contains("OBM: 5 granted, 7 in use") && text.contains("issue --again"), "{text}");
}

#[test]
fn what_is_granted_in_full_is_signed_without_a_question() {
    let world = World::new();
    world.request(&[]).done();
    assert_eq!(concerns(world.issue(&[]).done()), []);
    world.olr(&["import", "license.olr"]).done();
    world.olr(&["report", "OBM=10", "ACB=10"]).done();
    world.olr(&["request", "--renew"]).done();
    assert_eq!(concerns(world.issue(&[]).done()), []);
    world.olr(&["import", "license.olr"]).done();
}

#[test]
fn an_end_no_later_than_before_is_signed_only_when_that_is_meant() {
    let world = World::new();
    world.edit("vendor/grant.toml", "\"never\" ", "\"2090-06-30\" ");
    world.request(&[]).done();
    world.issue(&[]).done();
    world.olr(&["import", "license.olr"]).done();
    // The same end date is not a renewal, but is right for a machine that changed.
    world.olr(&["request"]).done();
    assert_eq!(concerns(world.issue(&[]).done()), []);
    world.olr(&["import", "license.olr"]).done();
    world.olr(&["request", "--renew"]).done();
    world.issue(&[]).unable("ends on 2090-06-30, no later than the previous license").hint("--yes");
    world.edit("vendor/grant.toml", "2090-06-30", "2091-06-30");
    assert_eq!(concerns(world.issue(&[]).done()), []);
    world.olr(&["import", "license.olr"]).done();
    world.olr(&["request"]).done();
    world.edit("vendor/grant.toml", "2091-06-30", "2089-06-30");
    let found = concerns(world.issue(&["--dry-run"]).done());
    assert_eq!(found, [("end".to_string(), Value::Null)]);
    world.issue(&[]).unable("no later than the previous license (until 2091-06-30)");
    world.edit("vendor/grant.toml", "2089-06-30", "never");
    assert_eq!(concerns(world.issue(&[]).done()), []);
    // An unlimited license that gets an end date, and a license that has expired when it is issued.
    world.olr(&["import", "license.olr"]).done();
    world.olr(&["request", "--renew"]).done();
    world.edit("vendor/grant.toml", "\"never\" ", "\"2091-01-01\" ");
    world.issue(&[]).unable("no later than the previous license (no end date)");
    world.edit("vendor/grant.toml", "\"2091-01-01\" ", "\"2020-01-01\" ");
    world.edit("vendor/grant.toml", "\"today\"", "\"2019-01-01\"");
    let found = concerns(world.issue(&["--dry-run"]).done());
    assert_eq!(found, [("end".to_string(), "expired".into())]);
}

#[test]
fn what_is_refused_here_is_said_before_what_is_asked() {
    let world = World::activated();
    world.olr(&["report", "OBM=7"]).done();
    world.olr(&["request"]).done();
    world.edit("vendor/grant.toml", "OBM = 10", "OBM = 5");
    world.edit("vendor/grant.toml", "ACME Ltd", "ACME Inc");
    world.issue(&[]).refused("wrong-licensee");
}
