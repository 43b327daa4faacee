//! Ed25519 keys in an SSH agent: encoding of requests, decoding of responses.
//!
//! A message is a length (4 bytes, big-endian) followed by that many bytes, of which the first is
//! the message type.

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};

use olr_core::crypto::digest::sha256;
use olr_core::crypto::sign::PublicKey;
use olr_core::error::{Error, Problem, Result};

#[cfg(not(unix))]
mod absent;
#[cfg(unix)]
mod socket;

#[cfg(not(unix))]
pub use absent::{AgentKey, identities};
#[cfg(unix)]
pub use socket::{AgentKey, identities};

/// Size limit of a message in either direction.
pub const MESSAGE_CAP: usize = 256 * 1024;
/// SSH type of the keys that `olr` can sign with.
pub const ED25519: &str = "ssh-ed25519";
/// Type of Ed25519 keys in a FIDO device.
pub const ED25519_FIDO: &str = "sk-ssh-ed25519@openssh.com";

const IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN: u8 = 13;
const SIGN_ANSWER: u8 = 14;

/// A key listed by an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Public key in SSH format: its type, followed by fields that depend on the type.
    pub blob: Vec<u8>,
    /// Comment of the key: arbitrary bytes.
    pub comment: Vec<u8>,
}

impl Identity {
    /// Type of the key, such as `ssh-ed25519`; `None` if the blob is malformed.
    pub fn algorithm(&self) -> Option<&str> {
        let (name, _) = string(&self.blob)?;
        str::from_utf8(name).ok()
    }

    /// The public key, if its type is `ssh-ed25519`.
    pub fn ed25519(&self) -> Option<PublicKey> {
        let (name, rest) = string(&self.blob)?;
        let (key, rest) = string(rest)?;
        key.try_into().ok().filter(|_| name == ED25519.as_bytes() && rest.is_empty())
    }

    /// Fingerprint as OpenSSH shows it: `SHA256:` and 43 characters of base64.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", BASE64_STANDARD_NO_PAD.encode(sha256(&self.blob)))
    }
}

/// Encodes a request for the list of keys, without the length prefix.
pub fn ask_identities() -> Vec<u8> {
    vec![IDENTITIES]
}

/// Decodes the response to [`ask_identities`], without the length prefix.
///
/// # Errors
/// Exit 2 when the response is malformed.
pub fn read_identities(answer: &[u8]) -> Result<Vec<Identity>> {
    let keys = || {
        let (count, mut rest) = number(answer.strip_prefix(&[IDENTITIES_ANSWER])?)?;
        let mut keys = Vec::new();
        // Not preallocated: the count is untrusted, but each key takes at least 8 bytes of the
        // response.
        for _ in 0..count {
            let (blob, after) = string(rest)?;
            let (comment, after) = string(after)?;
            keys.push(Identity { blob: blob.to_vec(), comment: comment.to_vec() });
            rest = after;
        }
        rest.is_empty().then_some(keys)
    };
    keys().ok_or_else(|| garbled("the list of its keys"))
}

/// Encodes a request for a signature with pure Ed25519, without the length prefix. `None` if the
/// message is too long.
pub fn ask_signature(blob: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let mut question = vec![SIGN];
    for string in [blob, message] {
        question.extend(u32::try_from(string.len()).ok()?.to_be_bytes());
        question.extend(string);
    }
    question.extend([0; 4]);
    (question.len() <= MESSAGE_CAP).then_some(question)
}

/// Decodes the response to [`ask_signature`], without the length prefix.
///
/// # Errors
/// Exit 2 when the agent refuses, or the response is malformed.
pub fn read_signature(answer: &[u8]) -> Result<[u8; 64]> {
    let Some(answer) = answer.strip_prefix(&[SIGN_ANSWER]) else {
        let fact = "the SSH agent did not sign";
        let hint =
            "unlock the agent (ssh-add -X), confirm when it asks, or add the key to it again";
        return Err(Error::unable(Problem::Device, fact, hint));
    };
    let signature = || {
        let (inside, rest) = string(answer)?;
        let (name, after) = string(inside)?;
        let (signature, end) = string(after)?;
        let fits = rest.is_empty() && end.is_empty() && name == ED25519.as_bytes();
        signature.try_into().ok().filter(|_| fits)
    };
    signature().ok_or_else(|| garbled("a signature"))
}

fn garbled(what: &str) -> Error {
    Error::unable(
        Problem::Device,
        format!("the SSH agent did not answer with {what}"),
        "check that $SSH_AUTH_SOCK points to an SSH agent",
    )
}

/// Splits off a 4-byte number.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// Splits off a string: a 4-byte length, and that many bytes.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(strings: &[&[u8]]) -> Vec<u8> {
        let length = |string: &[u8]| u32::try_from(string.len()).unwrap().to_be_bytes();
        strings.iter().flat_map(|string| [length(string).as_slice(), *string].concat()).collect()
    }

    #[test]
    fn keys_are_listed_and_only_those_of_ed25519_are_usable() {
        let usable = strings(&[b"ssh-ed25519", &[7; 32]]);
        let fido = strings(&[ED25519_FIDO.as_bytes(), &[7; 32], b"ssh:"]);
        let mut answer = vec![IDENTITIES_ANSWER, 0, 0, 0, 2];
        answer.extend(strings(&[&usable, b"mine", &fido, b""]));
        let keys = read_identities(&answer).unwrap();
        assert_eq!((keys[0].ed25519(), keys[1].ed25519()), (Some([7; 32]), None));
        assert_eq!(keys[1].algorithm(), Some(ED25519_FIDO));
        assert_eq!(keys[0].comment, b"mine");
        assert_eq!(keys[0].fingerprint().len(), 7 + 43);
        for wrong in [&answer[..answer.len() - 1], &[answer.clone(), vec![0]].concat(), &[5], b""] {
            assert!(read_identities(wrong).unwrap_err().fact().contains("list of its keys"));
        }
        let many = [IDENTITIES_ANSWER, 255, 255, 255, 255];
        assert!(read_identities(&many).is_err());
    }

    #[test]
    fn a_signature_is_64_bytes_of_ed25519() {
        let answer = |name: &[u8], signature: &[u8]| {
            [vec![SIGN_ANSWER], strings(&[&strings(&[name, signature])])].concat()
        };
        assert_eq!(read_signature(&answer(b"ssh-ed25519", &[9; 64])).unwrap(), [9; 64]);
        let fido = answer(ED25519_FIDO.as_bytes(), &[9; 64]);
        let short = answer(b"ssh-ed25519", &[9; 63]);
        let longer = [answer(b"ssh-ed25519", &[9; 64]), vec![0]].concat();
        for wrong in [fido, short, longer] {
            assert!(read_signature(&wrong).unwrap_err().fact().contains("a signature"));
        }
        assert!(read_signature(&[5]).unwrap_err().fact().contains("did not sign"));
        assert!(ask_signature(&[1; 51], &[0; MESSAGE_CAP]).is_none());
        assert_eq!(ask_signature(b"k", b"m").unwrap(), b"\x0d\0\0\0\x01k\0\0\0\x01m\0\0\0\0");
    }
}
