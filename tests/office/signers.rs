//! Keys outside of files: the contents of `keys/NAME.uri`, and keys in an SSH agent.
//!
//! Tests that need `ssh-agent`, `ssh-add` and `ssh-keygen` run only with `-- --ignored`.

#![cfg(all(feature = "cli", feature = "vendor", unix))]

use olr_core::key::{Role, key_id};
use std::path::PathBuf;

use crate::world::office::Office;

#[test]
fn a_uri_file_is_one_line_that_names_a_key_elsewhere() {
    let office = Office::new();
    office.delegate([
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07,
        0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07,
        0x51, 0x1a,
    ]);
    let run = office.olr("issue req.olr --grant vendor/grant.toml");
    run.unable("there is no issuer key in vendor/keys", "copy one there");
    for (text, says, hint) in [
        ("", "vendor/keys/issuer.uri: it does not contain exactly one line", "ssh-agent:ID"),
        ("pkcs11:\npkcs11:", "it does not contain exactly one line", "ssh-agent:ID"),
        ("keys/issuer.key", "neither a token nor an agent", "ssh-agent:ID"),
        ("pkcs11:token", "issuer.uri: the PKCS#11 URI has a part", "write it like"),
        ("pkcs11:?module-path=/lib.so", "that a file names", "OLR_PKCS11_MODULE"),
        ("ssh-agent:x", "$SSH_AUTH_SOCK is not set", "ssh-agent"),
    ] {
        office.issue(text).unable(says, hint);
    }
    // A token cannot be used if token support is not built in, or no library is named.
    let says = match cfg!(feature = "pkcs11") {
        true => ("no PKCS#11 library is named for the token", "module-path"),
        false => ("this build of olr cannot use PKCS#11 tokens", "feature pkcs11"),
    };
    office.issue("pkcs11:token=olr").unable(says.0, says.1);
}

/// An office with an SSH agent, which stops when the value is dropped.
struct Agent {
    office: Office,
    process: std::process::Child,
}

impl Agent {
    fn start() -> Self {
        let mut office = Office::new();
        let socket = office.path("agent.sock");
        office.set("SSH_AUTH_SOCK", &socket);
        office.set("SSH_ASKPASS_REQUIRE", "force");
        let askpass = office.write("askpass", "#!/bin/sh\necho secret\n");
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&askpass, PermissionsExt::from_mode(0o700)).unwrap();
        office.set("SSH_ASKPASS", &askpass);
        let mut process = office.command("ssh-agent");
        process.arg("-D").arg("-a").arg(&socket);
        let process = process.stdout(std::process::Stdio::null()).spawn();
        let process = process.expect("ssh-agent is not installed");
        let agent = Self { office, process };
        for _ in 0..100 {
            if socket.exists() {
                return agent;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("ssh-agent created no socket");
    }

    /// Creates a key, adds it to the agent, and returns its fingerprint.
    fn key(&self, name: &str, kind: &str) -> String {
        self.office.tool("ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", name, "-f", name]);
        self.office.tool("ssh-add", &["-q", name]);
        let line = self.office.tool("ssh-keygen", &["-l", "-f", name]);
        line.split(' ').nth(1).unwrap().to_string()
    }

    /// The public half of a key that [`Agent::key`] created.
    fn public(&self, name: &str) -> [u8; 32] {
        let text = std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        let blob = text.split(' ').nth(1).unwrap();
        let blob = data_encoding::BASE64.decode(blob.as_bytes()).unwrap();
        blob[blob.len() - 32..].try_into().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.office.path(name)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "needs an ssh-agent"]
fn a_key_in_an_agent_signs() {
    let agent = Agent::start();
    let office = &agent.office;
    let fingerprint = agent.key("office", "ed25519");
    agent.key("other", "ed25519");
    office.delegate(agent.public("office"));
    office.issue(&format!("ssh-agent:{fingerprint}")).done();
    office.in_force();
    let id = key_id(Role::Issuer, &agent.public("office"));
    office.issue(&format!("ssh-agent:{id}")).done();
    // From here on the private half exists only in the agent.
    std::fs::remove_file(agent.path("office")).unwrap();
    office.issue(&format!("ssh-agent:{id}")).done();
}

#[test]
#[ignore = "needs an ssh-agent"]
fn an_agent_that_cannot_sign_is_told_from_one_that_is_not_there() {
    let mut agent = Agent::start();
    let office = &agent.office;
    let issue = |id: &str| office.issue(&format!("ssh-agent:{id}"));
    issue("SHA256:nothing").unable("the SSH agent has no keys", "ssh-add -X");
    let fingerprint = agent.key("office", "ed25519");
    let other = agent.key("other", "ed25519");
    let rsa = agent.key("rsa", "rsa");
    office.delegate(agent.public("office"));
    let run = issue("SHA256:nothing");
    run.unable("has no key SHA256:nothing; some that it has: ", "ssh-add");
    run.unable(&format!("{fingerprint} \"office\" (ssh-ed25519)"), "name one of these");
    issue(&rsa).unable("\"rsa\" (ssh-rsa)", "ssh-ed25519");
    issue(&other).unable("there is no delegation for issuer key", "olr key delegate");
    // A locked agent lists no keys.
    office.tool("ssh-add", &["-q", "-x"]);
    issue(&fingerprint).unable("the SSH agent has no keys", "if the agent is locked");
    office.tool("ssh-add", &["-q", "-X"]);
    issue(&fingerprint).done();
    // The agent refuses to sign if nobody confirms the use of the key.
    std::fs::write(agent.path("askpass"), "#!/bin/sh\nexit 1\n").unwrap();
    office.tool("ssh-add", &["-q", "-D"]);
    office.tool("ssh-add", &["-q", "-c", "office"]);
    issue(&fingerprint).unable("the SSH agent did not sign", "confirm");
    agent.process.kill().unwrap();
    agent.process.wait().unwrap();
    let run = agent.office.issue(&format!("ssh-agent:{fingerprint}"));
    run.unable("agent.sock: no SSH agent answers there", "$SSH_AUTH_SOCK");
}

#[test]
fn a_root_is_not_used_through_an_agent() {
    let mut ask = |_: &_| unreachable!("nothing is asked");
    let named = "ssh-agent:SHA256:anything";
    let error = olr_office::folder::open_signer(named, Role::Root, &mut ask).err().unwrap();
    assert!(error.fact().contains("olr does not use a root key through an SSH agent"), "{error}");
    assert!(error.next_step().text().contains("forwarded"), "{error:?}");
    assert_eq!(error.exit_status(), 2);
}
