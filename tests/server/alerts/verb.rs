//! `olr alert` as people run it.

use super::*;
use serde_json::Value;
use std::process::Command;

/// Returns exit status, JSON and stderr of a run.
fn olr(world: &World, args: &[&str]) -> (i32, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
    command.arg("alert").args(args).arg("--json").arg("--home").arg(world.home.folder());
    let output = command.output().unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), json, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_example_is_where_an_operator_begins() {
    let world = World::new(&[]);
    let (status, json, _) = olr(&world, &[]);
    assert_eq!((status, json["state"].as_str()), (2, Some("unknown")));
    assert!(json["hint"].as_str().unwrap().contains("olr alert --example"));
    let (status, json, _) = olr(&world, &["--example"]);
    assert_eq!(status, 0);
    world.settings(json["example"].as_str().unwrap());
}

#[test]
fn what_changed_is_shown_then_told_then_nothing_new() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    world.settings(&plain(&server, &["ops@example.org"]));
    // The license is for a different machine than this one.
    let (status, json, _) = olr(&world, &["--dry-run"]);
    assert_eq!((status, json["alerts"][0]["cause"].as_str()), (0, Some("conflict")));
    assert_eq!(json["alerts"][0]["ways"], serde_json::json!(["mail to ops@example.org"]));
    assert_eq!(server.connections(), 0);
    let (status, json, _) = olr(&world, &["--test"]);
    assert_eq!((status, json["alerts"][0]["stage"].as_str()), (0, Some("test")));
    assert_eq!(server.taken().len(), 1);
    let (status, json, stderr) = olr(&world, &[]);
    assert_eq!((status, json["alerts"][0]["told"].as_bool()), (0, Some(true)), "{stderr}");
    assert_eq!(json["alerts"][0]["ways"][0]["heard"], "now");
    assert!(server.taken()[0].header("Subject").ends_with("stopped (conflict)"));
    let (status, json, _) = olr(&world, &[]);
    assert_eq!((status, &json["alerts"]), (0, &serde_json::json!([])));
    assert!(server.taken().is_empty());
}

#[test]
fn who_could_not_be_told_is_said_with_status_2() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    fs::write(world.path("password"), "correct horse\n").unwrap();
    let text = plain(&server, &["ops@example.org"]).replace("none", "starttls");
    world.settings(&(text + "user = \"u\"\npassword-file = \"password\"\n"));
    for args in [&[][..], &["--test"]] {
        let (status, json, stderr) = olr(&world, args);
        assert_eq!((status, json["state"].as_str()), (2, Some("unknown")), "{json}");
        let fact = json["fact"].as_str().unwrap();
        assert!(
            fact.starts_with(
                "1 of 1 notifications not fully delivered: mail to ops@example.org: mail server"
            ),
            "{fact}"
        );
        assert!(fact.ends_with("it does not offer STARTTLS; nothing was sent"));
        assert!(json["hint"].as_str().unwrap().contains("STARTTLS"));
        assert_eq!(json["alerts"][0]["ways"][0]["heard"], "not");
        assert!(!format!("{json}{stderr}").contains("horse"));
        assert!(stderr.contains("warning") && stderr.contains("chmod 600"), "{stderr}");
    }
}

#[test]
fn the_page_names_every_key_and_its_pieces_are_right() {
    let page = include_str!("../../../docs/alerts.md");
    let keys =
        ["server", "program", "args", "timeout", "host", "port", "tls", "from", "user", "ca-file"];
    for key in keys.iter().chain(&["to", "password-file"]) {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
    for stage in olr_core::state::Stage::ALL {
        assert!(page.contains(&format!("`{}`", stage.word())), "{stage}");
    }
    let notice = olr::alert::Notice::test("n", Instant::new(NOW));
    let json = notice.json(ToString::to_string);
    for key in json.as_object().unwrap().keys() {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
    for (name, _) in notice.environment() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}
