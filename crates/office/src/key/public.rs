//! Public key files: PEM (RFC 7468) around a SubjectPublicKeyInfo (RFC 8410), below one line with
//! role and key id.

use base64::prelude::{BASE64_STANDARD, Engine};

use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// DER prefix of a SubjectPublicKeyInfo before the key (RFC 8410, section 4). Byte 8 selects the
/// algorithm.
const ED25519: [u8; 12] = *b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const X25519: [u8; 12] = *b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00";

fn prefix(role: Role) -> [u8; 12] {
    match role {
        Role::Sealing => X25519,
        Role::Root | Role::Issuer | Role::Install => ED25519,
    }
}

/// Formats a public key file.
pub fn to_pem(role: Role, public: &[u8; 32]) -> String {
    let der = [prefix(role).as_slice(), public].concat();
    let (id, base64) = (key_id(role, public), BASE64_STANDARD.encode(der));
    format!("olr {role} key {id}\n{BEGIN}\n{base64}\n{END}\n")
}

/// Reads a public key file, with the role from the line above the PEM.
///
/// # Errors
/// Same as [`from_pem`], and exit 2 when no role is given.
pub fn read(text: &str) -> Result<(Role, [u8; 32])> {
    let above = text.split_once(BEGIN).map_or(text, |(above, _)| above);
    let said = above.lines().rev().find_map(|line| line.trim().strip_prefix("olr "));
    let role = said.and_then(|said| said.split_once(" key ")?.0.parse().ok());
    let Some(role) = role else {
        let fact = "this is not a public key file that gives the role of its key";
        return Err(Error::unable(
            Problem::Content,
            fact,
            "name a .key file, or a .pub file that olr wrote",
        ));
    };
    Ok((role, from_pem(role, text)?))
}

/// Reads a public key for the role `role`. If the line above the PEM gives a role and a key id, as
/// [`to_pem`] writes them, both must match.
///
/// # Errors
/// Exit 2: not a public key, or one with another algorithm, role or key id.
pub fn from_pem(role: Role, text: &str) -> Result<[u8; 32]> {
    let unable =
        |fact: String| Error::unable(Problem::Content, fact, "name the .pub file of the right key");
    let block = text.split_once(BEGIN).and_then(|(above, rest)| {
        let (inside, _) = rest.split_once(END)?;
        Some((above, inside.split_whitespace().collect::<String>()))
    });
    let Some((above, base64)) = block else {
        return Err(unable("this is not a public key".to_string()));
    };
    let der = BASE64_STANDARD.decode(base64).unwrap_or_default();
    let key: Option<(&[u8; 12], &[u8])> = der.split_first_chunk();
    let public = match key {
        Some((found, key)) if *found == prefix(role) => <[u8; 32]>::try_from(key).ok(),
        Some((found, _)) if [ED25519, X25519].contains(found) => {
            return Err(unable(format!("the algorithm of this key is wrong for the role {role}")));
        }
        _ => None,
    };
    let Some(public) = public else {
        return Err(unable("this is not an Ed25519 or X25519 public key".to_string()));
    };
    let said = above.lines().rev().find_map(|line| line.trim().strip_prefix("olr "));
    match said.and_then(|said| said.split_once(" key ")) {
        Some((said, _)) if said != role.word() => {
            Err(unable(format!("this key has the role {said}, but the role {role} is needed")))
        }
        Some((_, id)) if id != key_id(role, &public).to_string() => {
            Err(unable("the key does not match the key id in the line above it".to_string()))
        }
        _ => Ok(public),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_for_its_role_only() {
        for role in [Role::Root, Role::Issuer, Role::Sealing] {
            let pem = to_pem(role, &[7; 32]);
            assert_eq!(from_pem(role, &pem).unwrap(), [7; 32]);
            for other in [Role::Root, Role::Issuer, Role::Sealing] {
                assert_eq!(from_pem(other, &pem).is_ok(), other == role);
            }
            assert_eq!(read(&pem).unwrap(), (role, [7; 32]));
            let bare = pem.split_once('\n').unwrap().1;
            assert_eq!(from_pem(role, bare).unwrap(), [7; 32]);
            assert!(from_pem(role, &pem.replacen("key ", "key 0", 1)).is_err());
            assert!(read(bare).is_err());
            assert!(from_pem(role, bare.split_once('\n').unwrap().1).is_err());
        }
    }
}
