//! Mistakes that people make when typing and carrying files, and the messages that they get: the
//! command line of a vendor's office and of a server, each case in its own folders.

#![cfg(all(feature = "cli", feature = "vendor"))]

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::world::alone::alone;

mod answers;
mod carried;
mod facts;
mod modules;
mod pages;
mod slips;

/// Result of running `olr`.
struct Run {
    status: i32,
    json: Value,
    stderr: String,
}

impl Run {
    #[track_caller]
    fn refused(&self, word: &str) -> &Self {
        let said = (self.status, self.json["refusal"].as_str());
        assert_eq!(said, (1, Some(word)), "{} {}", self.json, self.stderr);
        self
    }

    #[track_caller]
    fn unable(&self, says: &str) -> &Self {
        let said = (self.status, self.json["state"].as_str());
        assert_eq!(said, (2, Some("unknown")), "{} {}", self.json, self.stderr);
        assert!(self.fact().contains(says), "{} should say {says:?}", self.json);
        self
    }

    #[track_caller]
    fn done(&self) -> &Self {
        assert_eq!(self.status, 0, "{} {}", self.json, self.stderr);
        self
    }

    #[track_caller]
    fn hint(&self, says: &str) {
        let hint = self.json["hint"].as_str().unwrap_or_default();
        assert!(hint.contains(says), "{} should hint at {says:?}", self.json);
    }

    fn fact(&self) -> &str {
        self.json["fact"].as_str().unwrap_or_default()
    }
}

/// A vendor's office and a server, in temporary folders.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.olr(&["vendor", "init", "vendor", "--name", "Northwind", "--no-passphrase"]).done();
        world
    }

    /// Creates a server with an installed license for 10 OBM and 10 ACB.
    fn activated() -> Self {
        let world = Self::new();
        world.request(&[]).done();
        world.issue(&[]).done();
        world.olr(&["import", "license.olr"]).done();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = alone(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(self.folder.path()).args(args).stdin(Stdio::null());
        command.env("OLR_HOME", "home").env("OLR_VENDOR", "vendor");
        command
    }

    fn olr(&self, args: &[&str]) -> Run {
        let output = self.command(args).arg("--json").output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let json = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("not one JSON object: {stdout:?} {stderr}"));
        Run { status: output.status.code().expect("killed by a signal"), json, stderr }
    }

    /// Returns what people see: both streams, with the wrapped lines of stderr joined.
    fn text(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let (stdout, stderr) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
        stdout.unwrap() + &stderr.unwrap().replace("\n     ", " ")
    }

    fn request(&self, more: &[&str]) -> Run {
        let trust = ["request", "--trust", "vendor/vendor.trust"];
        let who = ["--licensee", "ACME Ltd", "--key", "AbCd-1234"];
        let pins = ["--pin", "rack=B12", "--pin", "asset=4711"];
        self.olr(&[&trust[..], &who, &pins, more].concat())
    }

    fn issue(&self, more: &[&str]) -> Run {
        self.olr(&[&["issue", "req.olr", "--grant", "vendor/grant.toml"], more].concat())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, text.replace(from, to));
    }
}
