//! Answering a request: open, check, draft, sign, keep, and only then hand out.

use rand::CryptoRng;

use crate::display::parse_code;
use crate::error::{Error, Refusal, Result};
use crate::issue::{GrantFile, Stamp, draft};
use crate::license::{License, sign_license_with};
use crate::request::{OpenedRequest, SealedRequest};
use crate::time::Instant;
use crate::trust::Trust;
use crate::vendor::{AskPassphrase, Folder, Handover, IssuedRecord};
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
    /// The install id of another installation that held the key before this answer; where a stored
    /// answer is given, of the one that holds it now.
    pub other_holder: Option<String>,
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
    /// What [`draft`] refuses, `replayed` (another request under a known id), `already-activated`
    /// (another installation holds the key); exit 2 when there is an answer for another grant and
    /// no `again`.
    pub fn issue(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<IssuedLicense> {
        self.issue_moved(opened, order, Handover::Nothing, trust, ask, rng)
    }

    /// As [`Folder::issue`], for a key that another installation may hold.
    ///
    /// # Errors
    /// As [`Folder::issue`]; `wrong-product`, `wrong-slot`, `wrong-machine`, `already-activated`
    /// when the receipt does not end what the other installation holds; exit 2 for an empty reason.
    pub fn issue_moved(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        handover: Handover<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<IssuedLicense> {
        handover.check(trust)?;
        let asked = opened.body();
        let mut license = LicenseId([0; 16]);
        rng.fill_bytes(&mut license.0);
        let earlier = self.answers_to(asked.request)?;
        let answer = u32::try_from(earlier.len()).unwrap_or(u32::MAX).saturating_add(1);
        let grant = order.grant.digest();
        if let Some(stored) = earlier
            .last()
            .filter(|last| !order.again && last.answers(order.request) && last.is_for(&grant))
        {
            // A record that is damaged elsewhere does not keep back what was answered.
            let other_holder = || Some(self.key_of(asked).ok()?.other_holder(asked)?.install_id());
            let license = License::verify(&stored.license_bytes()?, trust)
                .map_err(|error| error.hint("answer it once more with --again"))?;
            self.expect_not_revoked(license.body().license)?;
            return Ok(IssuedLicense {
                stops_a_copy: license.body().policy.stops_a_copy(),
                license: Some(license),
                stored: true,
                other_holder: other_holder(),
            });
        }
        let stamp = Stamp { license, answer, issued: order.now };
        let body = draft(opened, order.grant, &self.catalog()?, trust, stamp)?;
        expect_new(&earlier, order)?;
        let from = self.expect_free(opened, handover, trust, ask)?;
        let mut issued = IssuedLicense {
            license: None,
            stored: false,
            stops_a_copy: body.policy.stops_a_copy(),
            other_holder: from.map(|record| record.install_id()),
        };
        if order.only_try {
            return Ok(issued);
        }
        let (issuer, delegation) = self.issuer(ask)?;
        let license =
            sign_license_with(&body, trust, &[(&*issuer, &delegation)], &self.carried(trust)?)?;
        let mut record = IssuedRecord::new(&license, &asked.license_key.0, order.request, &grant);
        // Whoever answered another request for this key meanwhile, in another process, is seen now.
        let _lock = self.lock()?;
        let from = self.expect_free(opened, handover, trust, ask)?;
        record.moved_from = from.map(|record| record.license_id);
        record.turn = Some(self.key_of(asked)?.next_turn());
        handover.record(&mut record);
        self.keep(asked.request, &record)?;
        issued.license = Some(license);
        Ok(issued)
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
