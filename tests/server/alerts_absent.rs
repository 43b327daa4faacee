//! A build that cannot send mail reports that, and still runs the alert command.
#![cfg(all(feature = "cli", not(feature = "smtp"), unix))]

use serde_json::Value;
use std::process::Command;

#[test]
fn mail_that_a_build_cannot_send_is_said() {
    let home = tempfile::tempdir().unwrap();
    let settings = "[command]\nprogram = \"/bin/true\"\n[mail]\nhost = \"localhost\"\ntls = \"none\"\n\
        from = \"a@example.org\"\nto = [\"b@example.org\"]\n";
    std::fs::write(home.path().join("alerts.toml"), settings).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
    let output = command.args(["alert", "--test", "--json", "--home"]).arg(home.path()).output();
    let output = output.unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{json}");
    assert!(json["fact"].as_str().unwrap().ends_with("this build of olr sends no mail"), "{json}");
    assert!(json["hint"].as_str().unwrap().contains("feature smtp"));
    assert_eq!(json["alerts"][0]["ways"][0]["heard"], "now");
}
