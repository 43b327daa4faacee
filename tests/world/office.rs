//! A vendor's office and one server, for tests of keys that are not in a file.

use crate::world::alone;

use olr_core::armor::{armor, dearmor};
use olr_core::key::Role;
use olr_core::trust::{Act, DelegationBody, sign_by_roots};
use olr_core::wire::codec::{Limit, Set, encode};
use olr_core::wire::frame::{Kind, Unsigned};
use olr_office::folder::Folder;
use olr_office::key::file::KeyFile;
use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub struct Office {
    folder: tempfile::TempDir,
    envs: Vec<(&'static str, OsString)>,
}

#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub json: Value,
    /// Everything that it printed.
    pub text: String,
}

impl Run {
    #[track_caller]
    pub fn done(&self) {
        assert_eq!(self.status, 0, "{self:?}");
    }

    #[track_caller]
    pub fn unable(&self, says: &str, hint: &str) {
        assert_eq!(self.status, 2, "{self:?}");
        for (part, says) in [("fact", says), ("hint", hint)] {
            let said = self.json[part].as_str().unwrap();
            assert!(said.contains(says), "{part} {said:?} should say {says:?}");
        }
    }
}

impl Office {
    /// Creates a vendor whose issuer key was deleted, and a request from a server.
    pub fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap(), envs: Vec::new() };
        office.olr("vendor init vendor --name Northwind --no-passphrase").done();
        fs::remove_file(office.path("vendor/keys/issuer.key")).unwrap();
        office
            .olr(
                "request --home home --trust vendor/vendor.trust --licensee ACME_Ltd --key AbCd-1234 \
                 --pin rack=B12 --pin asset=4711",
            )
            .done();
        office
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Sets an environment variable for every later process.
    pub fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.envs.retain(|(known, _)| *known != name);
        self.envs.push((name, value.into()));
    }

    /// Returns a command in the office's folder and environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = match program == env!("CARGO_BIN_EXE_olr") {
            true => alone::alone(program),
            false => Command::new(program),
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["OLR_HOME", "OLR_PKCS11_MODULE", "SSH_AUTH_SOCK"] {
            command.env_remove(name);
        }
        command.env("OLR_VENDOR", "vendor");
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a tool, which must succeed, and returns its output.
    #[track_caller]
    pub fn tool(&self, program: &str, args: &[&str]) -> String {
        let output = self.command(program).args(args).output();
        let output = output.unwrap_or_else(|_| panic!("{program} is not installed"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
        text
    }

    /// Runs a command line; `_` in a word stands for a space.
    pub fn olr(&self, line: &str) -> Run {
        self.run(self.command(env!("CARGO_BIN_EXE_olr")), line)
    }

    /// Like [`Office::olr`], but without `OLR_VENDOR`: the line must name the vendor's folder.
    pub fn custodian(&self, line: &str) -> Run {
        let mut command = self.command(env!("CARGO_BIN_EXE_olr"));
        command.env_remove("OLR_VENDOR");
        self.run(command, line)
    }

    fn run(&self, mut command: Command, line: &str) -> Run {
        let words = line.split_whitespace().map(|word| word.replace('_', " "));
        let output = command.args(words).arg("--json").output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let json = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("not one JSON object: {stdout:?} {stderr}"));
        Run {
            status: output.status.code().expect("killed by a signal"),
            json,
            text: stdout + &stderr,
        }
    }

    /// Stores a delegation to the key `issuer`, signed by the vendor's root.
    pub fn delegate(&self, issuer: [u8; 32]) {
        let root = fs::read(self.path("vendor/keys/root.key")).unwrap();
        let root = KeyFile::parse(&dearmor(None, &root).unwrap()).unwrap();
        let root = root.open_signing(Role::Root, None).unwrap();
        let body = DelegationBody {
            issuer,
            acts: Set::new(vec![Act::License]).unwrap(),
            products: Limit::Any,
            slots: Limit::Any,
            types: Limit::Any,
            models: Limit::Any,
            editions: Limit::Any,
            modules: Limit::Any,
            longest_term: Limit::Any,
            ahead: Limit::Any,
            longest_grace: Limit::Any,
            longest_maintenance: Limit::Any,
            afterwards: Limit::Any,
            weak_machine: true,
            from: Limit::Any,
            until: Limit::Any,
            extensions: Set::default(),
        };
        let vendor = Folder::at(self.path("vendor")).trust().unwrap().vendor();
        let unsigned = Unsigned::new(Kind::Delegation, vendor, Vec::new(), encode(&body)).unwrap();
        let delegation = sign_by_roots(&unsigned, &[&root]).unwrap();
        self.write("vendor/delegations/issuer.olr", &armor(Kind::Delegation, &delegation));
    }

    /// Answers the request with the key that `named`, the content of `keys/issuer.uri`, identifies.
    pub fn issue(&self, named: &str) -> Run {
        self.write("vendor/keys/issuer.uri", &format!("# where the issuer's key is\n{named}\n"));
        self.olr("issue req.olr --grant vendor/grant.toml --again --force")
    }

    /// Installs the license and checks that it is in effect.
    #[track_caller]
    pub fn in_force(&self) {
        self.olr("import license.olr --home home").done();
        self.olr("verify --home home").done();
    }
}
