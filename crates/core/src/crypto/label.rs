//! All labels that separate one use of a primitive from another, and the pre-authentication
//! encoding that binds them. Implements `docs/format.md`, section "Labels".

use crate::wire::frame::Kind;

/// For sealing a request (HPKE `info`).
pub const REQUEST_SEAL: &[u8] = b"olr/v1/request-seal";
/// For signing a request with the install key.
pub const REQUEST: &[u8] = b"olr/v1/request";
/// For deriving key ids.
pub const KEY_ID: &[u8] = b"olr/v1/key-id";
/// For deriving vendor ids.
pub const VENDOR_ID: &[u8] = b"olr/v1/vendor-id";
/// For deriving vendor codes.
pub const VENDOR_CODE: &[u8] = b"olr/v1/vendor-code";
/// For authenticating the header of a key file.
pub const KEY_FILE: &[u8] = b"olr/v1/key-file";
/// For deriving the install signing key from the install secret.
pub const INSTALL_SIGN: &[u8] = b"olr/v1/install-sign";
/// For deriving a commitment key from the install secret and a request id.
pub const COMMITMENT_KEY: &[u8] = b"olr/v1/commitment-key";
/// For the commitment to a factor.
pub const FACTOR: &[u8] = b"olr/v1/factor";
/// For deriving the randomness of one encapsulation.
pub const ENCAPSULATION: &[u8] = b"olr/v1/encapsulation";
/// For deriving the id of a grant from its content.
pub const GRANT: &[u8] = b"olr/v1/grant";
/// For deriving the id of a license in a list of revocations.
pub const REVOKED_LICENSE: &[u8] = b"olr/v1/revoked-license";
/// For the check of a line of a key on paper.
pub const PAPER: &[u8] = b"olr/v1/paper";
/// For deriving event ids.
pub const EVENT: &[u8] = b"olr/v1/event";
/// For the digest that reveals damage to a server's state.
pub const STATE: &[u8] = b"olr/v1/state";

/// For the chain of every artefact that a server made or accepted.
pub const STATE_CHAIN: &[u8] = b"olr/v1/state-chain";

/// Returns the label of this kind of file: the one under which files of this kind are signed. Key
/// files and states are not signed, but authenticated or digested under their label.
pub fn of_kind(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Request => REQUEST,
        Kind::License => b"olr/v1/license",
        Kind::Receipt => b"olr/v1/receipt",
        Kind::Trust => b"olr/v1/trust",
        Kind::Revocations => b"olr/v1/revocations",
        Kind::Timestamp => b"olr/v1/time",
        Kind::KeyFile => KEY_FILE,
        Kind::State => STATE,
        Kind::Delegation => b"olr/v1/delegation",
        Kind::Proposal => b"olr/v1/proposal",
        Kind::Usage => b"olr/v1/usage",
    }
}

/// Pre-authentication encoding: the number of pieces, then the length and bytes of each. Numbers
/// are 8 bytes, little-endian. Different lists of pieces have different encodings.
pub fn pae(pieces: &[&[u8]]) -> Vec<u8> {
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX).to_le_bytes();
    let mut bytes = number(pieces.len()).to_vec();
    for piece in pieces {
        bytes.extend(number(piece.len()));
        bytes.extend(*piece);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cannot_move_their_boundaries() {
        assert_eq!(pae(&[]), [0; 8]);
        assert_eq!(pae(&[b"a"]), *b"\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0a");
        assert_ne!(pae(&[b"ab", b"c"]), pae(&[b"a", b"bc"]));
        assert_ne!(pae(&[b"ab"]), pae(&[b"ab", b""]));
    }

    #[test]
    fn no_two_labels_are_the_same() {
        let mut labels = vec![
            REQUEST_SEAL,
            KEY_ID,
            VENDOR_ID,
            VENDOR_CODE,
            INSTALL_SIGN,
            COMMITMENT_KEY,
            FACTOR,
            ENCAPSULATION,
            GRANT,
            PAPER,
            STATE_CHAIN,
            REVOKED_LICENSE,
            EVENT,
        ];
        labels.extend(Kind::ALL.iter().map(|kind| of_kind(*kind)));
        let all = labels.len();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), all);
        assert!(labels.iter().all(|label| label.starts_with(b"olr/v1/")));
    }
}
