//! PEM (RFC 7468) of a private key, and detection of other formats.

use base64::prelude::{BASE64_STANDARD, Engine};
use zeroize::Zeroizing;

use olr_core::error::{Error, Problem, Result};

pub const PLAIN: &str = "PRIVATE KEY";
pub const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const MAKE: &str = "make an Ed25519 key with `openssl genpkey -algorithm ed25519`";
const NAME: &str =
    "name an Ed25519 private key in PEM form; `openssl genpkey -algorithm ed25519` makes a new one";
const AGENT: &str = "for an issuer, add it to the SSH agent and name it as ssh-agent:ID; for a \
                     root, make a new key with `openssl genpkey -algorithm ed25519`";
const EXPORT: &str = "copy or export the key again: this file is damaged";

/// Formats one PEM block.
pub fn write_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(BASE64_STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(1024));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for (at, c) in base64.chars().enumerate() {
        if at > 0 && at.is_multiple_of(64) {
            text.push('\n');
        }
        text.push(c);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

/// Returns the label and the decoded content of the only private key block in the text.
pub fn the_block(text: &str) -> Result<(&'static str, Zeroizing<Vec<u8>>)> {
    let mut found = None;
    for piece in text.split("-----BEGIN ").skip(1) {
        let Some((label, rest)) = piece.split_once("-----") else { continue };
        let label = match label {
            PLAIN => PLAIN,
            ENCRYPTED => ENCRYPTED,
            _ => continue,
        };
        let Some((inside, _)) = rest.split_once("-----END ") else {
            return Err(no_key("its last line is missing").hint(EXPORT));
        };
        let mut base64 = Zeroizing::new(String::with_capacity(inside.len()));
        base64.extend(inside.chars().filter(|c| !c.is_ascii_whitespace()));
        let der = BASE64_STANDARD.decode(base64.as_bytes()).map(Zeroizing::new);
        let der = der.map_err(|_| no_key("its content is not base64").hint(EXPORT))?;
        if found.replace((label, der)).is_some() {
            return Err(
                no_key("it has more than one private key").hint("keep only one key in the file")
            );
        }
    }
    found.ok_or_else(|| other_format(text))
}

/// Error for a file without PKCS#8, naming the format that was found.
fn other_format(text: &str) -> Error {
    let has = |label: &str| text.contains(&format!("-----BEGIN {label}"));
    for (label, name) in [("RSA PRIVATE", "RSA"), ("EC P", "EC"), ("DSA PRIVATE", "DSA")] {
        if has(label) {
            return other_algorithm(name);
        }
    }
    match () {
        () if has("OPENSSH PRIVATE KEY") => {
            no_key("it is an OpenSSH key, in OpenSSH's own format").hint(AGENT)
        }
        () if has("OLR") => {
            no_key("it is an olr file").hint("name a PEM file; a key file of olr needs no import")
        }
        () if has("PUBLIC KEY") => no_key("it holds a public key").hint("name the private key"),
        () => no_key("it has no line -----BEGIN PRIVATE KEY-----"),
    }
}

pub fn no_key(why: &str) -> Error {
    Error::unable(Problem::Content, format!("this is not a private key in PEM form: {why}"), NAME)
}

pub fn other_algorithm(name: &str) -> Error {
    Error::unable(
        Problem::Content,
        format!("the algorithm of this key is {name}, but Ed25519 is needed"),
        MAKE,
    )
}
