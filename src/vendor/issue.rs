//! Answering a request: open, check, draft, sign, keep, and only then hand out.

use rand::CryptoRng;

use crate::display::parse_code;
use crate::error::{Error, Refusal, Result};
use crate::issue::{GrantFile, Stamp, draft};
use crate::license::{License, sign_license};
use crate::request::{OpenedRequest, SealedRequest};
use crate::time::Instant;
use crate::trust::Trust;
use crate::vendor::{AskPassphrase, Folder, IssuedRecord};
use crate::wire::id::LicenseId;

/// An order to answer a request.
#[derive(Debug)]
pub struct Issue<'a> {
    /// The binary request.
    pub request: &'a [u8],
    /// What is granted.
    pub grant: &'a GrantFile,
    /// Whether another answer to the same request is wanted.
    pub again: bool,
    /// Whether nothing is to be signed and kept.
    pub only_try: bool,
    /// The vendor's clock.
    pub now: Instant,
}

/// What came of it.
#[derive(Debug)]
pub struct IssuedLicense {
    /// The license; nothing when it was only tried.
    pub license: Option<License>,
    /// Whether these are the bytes of an answer given before.
    pub stored: bool,
    /// Whether a copy of the disk is stopped by a hardware factor.
    pub stops_a_copy: bool,
}

impl Folder {
    /// Opens a request for this vendor.
    ///
    /// # Errors
    /// Frame errors, `wrong-vendor`, `wrong-request` (another code), `undecryptable`, `malformed`,
    /// `unknown-version`, `wrong-signature`; exit 2 when the sealing key is missing or locked.
    pub fn open_request(
        &self,
        request: &[u8],
        code: Option<&str>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<OpenedRequest> {
        let sealed = SealedRequest::parse(request)?;
        if sealed.vendor != trust.vendor() {
            let fact = format!(
                "this request is for vendor {}, not for vendor {}",
                sealed.vendor,
                trust.vendor()
            );
            return Err(Error::refuse(Refusal::WrongVendor, fact));
        }
        if let Some(told) = code {
            let Some(told) = parse_code(told) else {
                let fact = "a code has 12 letters and digits";
                return Err(Error::unable(fact, "write it like ABCD-EFGH-IJKL"));
            };
            if told != sealed.code() {
                let fact = format!("this request has the code {}, not {told}", sealed.code());
                return Err(Error::refuse(Refusal::WrongRequest, fact));
            }
        }
        sealed.open(&self.sealing_key(sealed.recipient, ask)?)
    }

    /// Answers an opened request. The same request and grant give the stored bytes again.
    ///
    /// # Errors
    /// What [`draft`] refuses, `replayed` (another request under a known id); exit 2 when there
    /// is an answer for another grant and no `again`.
    pub fn issue(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<IssuedLicense> {
        let request = opened.body().request;
        let mut license = LicenseId([0; 16]);
        rng.fill_bytes(&mut license.0);
        let earlier = self.answers_to(request)?;
        let answer = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        let grant = order.grant.digest();
        if let Some(stored) = earlier
            .last()
            .filter(|last| !order.again && last.answers(order.request) && last.is_for(&grant))
        {
            let license = License::verify(&stored.license_bytes()?, trust)
                .map_err(|error| error.hint("answer it once more with --again"))?;
            let stops_a_copy = license.body().policy.stops_a_copy();
            return Ok(IssuedLicense { license: Some(license), stored: true, stops_a_copy });
        }
        let stamp = Stamp { license, answer, issued: order.now };
        let body = draft(opened, order.grant, &self.catalog()?, trust, stamp)?;
        let stops_a_copy = body.policy.stops_a_copy();
        expect_new(&earlier, order)?;
        if order.only_try {
            return Ok(IssuedLicense { license: None, stored: false, stops_a_copy });
        }
        let (issuer, delegation) = self.issuer(ask)?;
        let license = sign_license(&body, trust, &[(&issuer, &delegation)])?;
        let record =
            IssuedRecord::new(&license, &opened.body().license_key.0, order.request, &grant);
        self.keep(request, &record)?;
        Ok(IssuedLicense { license: Some(license), stored: false, stops_a_copy })
    }
}

/// Another answer to the same request must be wanted; another request under its id is refused.
fn expect_new(earlier: &[IssuedRecord], order: &Issue<'_>) -> Result<()> {
    match earlier.last() {
        Some(last) if !last.answers(order.request) => {
            let fact = "another request with the same id was answered before";
            Err(Error::refuse(Refusal::Replayed, fact))
        }
        Some(_) if !order.again => {
            let fact = "this request was answered before, with another grant";
            let hint = "add --again to answer it once more, or use the license in issued/";
            Err(Error::unable(fact, hint))
        }
        _ => Ok(()),
    }
}
