//! The vendor code, which identifies a vendor's roots. Implements `docs/format.md`, section "Vendor
//! code".

use std::str::FromStr;

use crate::crypto::digest::tagged;
use crate::crypto::label::VENDOR_CODE;
use crate::display::{code, code_fault, parse_code, parse_whole_code, whole_code};
use crate::error::{Error, Problem, Result};
use crate::trust::{Trust, TrustBody};

/// A vendor code received from elsewhere: the short one for people, or the whole one for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorCode {
    /// In the spelling of [`code`] or [`whole_code`].
    text: String,
}

impl VendorCode {
    /// True if this is the code of the roots in `body`.
    pub fn is_of(&self, body: &TrustBody) -> bool {
        let digest = roots_digest(body);
        self.text == code(&digest) || self.text == whole_code(&digest)
    }
}

impl FromStr for VendorCode {
    type Err = Error;

    /// Parses a code that somebody typed. Ignores case, spaces and dashes.
    ///
    /// # Errors
    /// Exit 2 if `typed` is not a code.
    fn from_str(typed: &str) -> Result<Self> {
        let text = parse_code(typed).or_else(|| parse_whole_code(typed)).ok_or_else(|| {
            let (fact, hint) = code_fault(typed, true);
            Error::unable(Problem::Usage, fact, hint).within("vendor code")
        })?;
        Ok(Self { text })
    }
}

impl std::fmt::Display for VendorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Trust {
    /// Returns the code that people compare at first contact: twelve characters of base32. All
    /// trusts with the same roots and threshold have the same code.
    pub fn vendor_code(&self) -> String {
        code(&roots_digest(&self.body))
    }

    /// Returns the whole digest, 52 characters. [`Trust::vendor_code`] shows its first 60 bits.
    pub fn whole_vendor_code(&self) -> String {
        whole_code(&roots_digest(&self.body))
    }
}

/// SHA-256 over the threshold and the roots, in the order of the body.
fn roots_digest(body: &TrustBody) -> [u8; 32] {
    let threshold = [body.threshold];
    let roots = body.roots.iter().map(|root| root.as_slice());
    let pieces: Vec<&[u8]> = [VENDOR_CODE, &threshold].into_iter().chain(roots).collect();
    tagged(&pieces)
}
