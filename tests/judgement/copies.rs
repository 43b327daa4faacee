//! The state has two copies: damage to one is repaired from the other, and reported.

#![cfg(all(feature = "cli", feature = "vendor"))]

use crate::world;
use crate::world::machine;

use olr::Home;
use olr_core::error::Refusal;
use olr_core::state::State;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::world::{NOW, World};

struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    /// A server with these two copies of the state.
    fn with(first: Option<&[u8]>, second: Option<&[u8]>) -> Self {
        let server = Self { folder: tempfile::tempdir().unwrap() };
        for (copy, bytes) in server.copies().iter().zip([first, second]) {
            if let Some(bytes) = bytes {
                fs::write(copy, bytes).unwrap();
            }
        }
        server
    }

    fn home(&self) -> Home {
        Home::at(self.folder.path())
    }

    fn copies(&self) -> [PathBuf; 2] {
        self.home().state_files()
    }

    fn bytes(&self) -> [Option<Vec<u8>>; 2] {
        self.copies().map(|copy| fs::read(copy).ok())
    }

    fn olr(&self, verb: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.args([verb, "--home"]).arg(self.folder.path()).output().unwrap()
    }
}

/// A state, a later one of the same installation, and the state of another installation.
fn states() -> [Vec<u8>; 3] {
    let world = World::new();
    let (older, newer) = (world.asked(), world.installed(NOW, |_| ()));
    let other = State::new(
        olr_core::key::install::InstallSecret::random(&mut world::rng("other")),
        world.vendor.trust.clone(),
    );
    [older, newer, other.unwrap()].map(|state| state.to_bytes().to_vec())
}

#[test]
fn one_copy_makes_up_for_the_other() {
    let [older, newer, _] = states();
    let cut = &newer[..newer.len() / 2];
    let flipped = {
        let mut bytes = newer.clone();
        bytes[60] ^= 1;
        bytes
    };
    for (first, second, says) in [
        (Some(&newer[..]), None, "state.copy was missing"),
        (None, Some(&newer[..]), "state was missing"),
        (Some(&newer[..]), Some(cut), "state.copy was damaged"),
        (Some(cut), Some(&newer[..]), "state was damaged"),
        (Some(&flipped[..]), Some(&newer[..]), "state was damaged"),
        (Some(&newer[..]), Some(&b""[..]), "state.copy was damaged"),
        (Some(&newer[..]), Some(&older[..]), "state.copy was older"),
        (Some(&older[..]), Some(&newer[..]), "state was older"),
    ] {
        let server = Server::with(first, second);
        assert_eq!(*server.home().require_state().unwrap().to_bytes(), newer, "{says}");
        let run = server.olr("status");
        let stderr = String::from_utf8(run.stderr).unwrap();
        assert!(
            stderr.contains(says) && stderr.contains("restored from the other copy"),
            "{says}: {stderr}"
        );
        assert_eq!(server.bytes(), [Some(newer.clone()), Some(newer.clone())], "{says}");
        let again = String::from_utf8(server.olr("status").stderr).unwrap();
        assert!(!again.contains("restored from the other copy"), "restored twice: {again}");
    }
}

#[test]
fn what_no_copy_can_make_up_for_is_refused_and_kept() {
    let [older, newer, other] = states();
    let cut = &newer[..newer.len() / 2];
    let twin = {
        // The same counter with different contents.
        let mut state = State::parse(&older).unwrap();
        let name = world::text("redirector");
        let asked = state.memory().asked.clone().unwrap();
        let asked = olr_core::state::Asked { slot: name, ..asked };
        let around = machine::around("server", NOW.parse::<olr_core::time::Instant>().unwrap());
        let mut rng = world::rng("twin");
        state.request(asked, olr_core::state::Ask::default(), &around, &mut rng).unwrap();
        state.to_bytes().to_vec()
    };
    assert_eq!(State::parse(&twin).unwrap().memory().counter, 2);
    assert_eq!(State::parse(&newer).unwrap().memory().counter, 2);
    for (first, second) in [
        (Some(cut), Some(cut)),
        (Some(cut), None),
        (None, Some(cut)),
        (Some(&b""[..]), None),
        (Some(&newer[..]), Some(&other[..])),
        (Some(&newer[..]), Some(&twin[..])),
    ] {
        let server = Server::with(first, second);
        let before = server.bytes();
        let refusal = server.home().load().unwrap_err().refusal();
        assert_eq!(refusal, Some(Refusal::DamagedState));
        for verb in ["verify", "status", "deactivate", "request"] {
            let run = server.olr(verb);
            assert_eq!(run.status.code(), Some(1), "{verb}");
            let stderr = String::from_utf8(run.stderr).unwrap();
            assert!(stderr.contains("damaged-state") && stderr.contains("hint"), "{stderr}");
        }
        assert_eq!(server.bytes(), before, "what is damaged is kept");
    }
}

#[test]
fn a_copy_of_another_program_is_no_damage() {
    let [_, newer, _] = states();
    let mut future = newer.clone();
    future[4] = 9;
    for (first, second) in [(&newer, &future), (&future, &newer), (&future, &future)] {
        let server = Server::with(Some(first), Some(second));
        let before = server.bytes();
        assert_eq!(server.home().load().unwrap_err().refusal(), None);
        assert_eq!(server.olr("verify").status.code(), Some(2));
        assert_eq!(server.bytes(), before);
    }
}

#[test]
fn a_writing_that_stops_between_the_copies_loses_nothing() {
    let [older, newer, _] = states();
    // The first copy was replaced, the second was not.
    let server = Server::with(Some(&newer), Some(&older));
    let around = machine::around("server", NOW.parse::<olr_core::time::Instant>().unwrap());
    let (_, decision) = server.home().decide(None, None, &around).unwrap();
    assert_eq!(decision.state(), "licensed");
}

#[test]
fn a_new_identity_begins_whatever_the_copies_are_like_and_keeps_them() {
    let [older, newer, other] = states();
    let cut = &newer[..newer.len() / 2];
    let trust = tempfile::NamedTempFile::new().unwrap();
    fs::write(trust.path(), World::new().vendor.trust.bytes()).unwrap();
    let mut pairs = vec![(None, None)];
    for one in [&newer[..], cut, &older[..], &b""[..]] {
        pairs.extend([(Some(one), None), (None, Some(one)), (Some(one), Some(one))]);
        pairs.extend([(Some(&newer[..]), Some(one)), (Some(one), Some(&newer[..]))]);
        pairs.extend([(Some(&other[..]), Some(one)), (Some(one), Some(&other[..]))]);
    }
    for (first, second) in pairs {
        let server = Server::with(first, second);
        // If the two copies belong together, the newer one is kept, in both files.
        let before = server.home().load().ok().flatten().map(|state| state.to_bytes().to_vec());
        let mut command = Command::new(env!("CARGO_BIN_EXE_olr"));
        command.args(["request", "--new-identity", "--pin", "a=1", "--pin", "b=2", "-o", "-"]);
        command.args(["--licensee", "L", "--key", "K", "--home"]).arg(server.folder.path());
        let run = command.arg("--trust").arg(trust.path()).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let new = server.home().require_state().unwrap();
        assert_ne!(Some(new.to_bytes().to_vec()), before);
        let [one, two] = server.bytes();
        assert!(one.is_some() && one == two, "both copies are there");
        let kept = fs::read_dir(server.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let kept = kept.filter(|path| path.to_string_lossy().contains(".aside-"));
        let kept: Vec<_> = kept.map(|path| fs::read(path).unwrap()).collect();
        let lost = |old: &[u8]| before.is_none() && !kept.iter().any(|kept| kept == old);
        assert!(![first, second].into_iter().flatten().any(lost), "what is damaged is kept");
        assert!(before.is_none_or(|before| kept.contains(&before)), "the state in effect is kept");
    }
}
