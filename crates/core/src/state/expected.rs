//! The vendor that a caller expects, independent of what the home trusts. The operator chose what
//! the home trusts; a product, or a program that checks its vendor, brings a trust anchor of its
//! own. Implements `docs/judgement.md`, section "Expected vendor".

use crate::error::{Error, NextStep, Refusal, Remedy, Result, under};
use crate::license::License;
use crate::state::State;
use crate::trust::{Trust, VendorCode, read_body};
use crate::wire::frame::{Frame, Kind};
use crate::wire::id::{KeyId, VendorId};

/// What a caller knows about the vendor. The default expects nothing and accepts the trust of the
/// home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Trust anchor. Licenses must verify under the newest trust that it leads to through the
    /// trusts of the home and of its licenses.
    pub trust: Option<Trust>,
    /// Code that a trust of the home must have.
    pub code: Option<VendorCode>,
}

impl From<Trust> for Expected {
    fn from(trust: Trust) -> Self {
        Self { trust: Some(trust), code: None }
    }
}

impl Expected {
    /// Checks that the newest trust of the home belongs to this vendor. The vendor id alone proves
    /// nothing, because a trust of version 2 or later can state any id.
    ///
    /// # Errors
    /// `wrong-vendor`, `untrusted-signer`.
    pub fn check_home(&self, state: &State) -> Result<()> {
        self.check_code(state)?;
        let Some(anchor) = &self.trust else { return Ok(()) };
        let newest = state.trust();
        if anchor.vendor() != newest.vendor() {
            let (vendor, code) = (newest.vendor(), newest.vendor_code());
            let fact = format!("this home trusts another vendor: {vendor}, code {code}");
            return Err(Error::refuse(Refusal::WrongVendor, fact)
                .hint(NextStep::new(
                    "compare this code with the code of your vendor: if they differ, name the home \
                     for your vendor; if they are the same, the expected vendor.trust is wrong",
                    &[Remedy::NameHome],
                ))
                .rule("expected-3"));
        }
        // An anchor may be newer than every trust of the home.
        if state.trust_from(anchor).body() == newest.body()
            || newest.successor(anchor.bytes()).is_ok()
        {
            return Ok(());
        }
        let fact = "the trust of this home and the expected trust are unrelated: neither leads to the other";
        Err(Error::refuse(Refusal::UntrustedSigner, fact)
            .hint(NextStep::new(
                "import the newest license or vendor.trust of your vendor; if that does not help, \
                 expect its newest vendor.trust, or name the right home",
                &[Remedy::NameHome],
            ))
            .rule("expected-3"))
    }

    /// Checks that a license of the home comes from this vendor: it must verify under the newest
    /// trust that the anchor leads to.
    ///
    /// # Errors
    /// `wrong-vendor`, and the refusals of [`License::verify`].
    pub fn check(&self, state: &State, license: &License) -> Result<()> {
        self.check_code(state)?;
        let Some(anchor) = &self.trust else { return Ok(()) };
        let trust = state.trust_from(anchor);
        // Skips keys that the home knows to be revoked: judgement has already applied that
        // revocation, within the limits of the key's delegation. But it skips none unless the
        // trusts of the home provably come from this vendor, because otherwise somebody else may
        // have chosen what the home knows, and when.
        let is_proved = trust.body() == state.trust().body() || state.begins_with(trust.vendor());
        let is_news = |key: &KeyId| !is_proved || state.trust().ensure_unrevoked([*key]).is_ok();
        License::verify_even_revoked(license.bytes(), &trust)
            .and_then(|license| trust.ensure_unrevoked(license.signers().filter(is_news)))
            .map_err(under("expected-2"))
    }

    fn check_code(&self, state: &State) -> Result<()> {
        let checked = self.code.as_ref().map_or(Ok(()), |code| state.ensure_code(code));
        checked.map_err(under("expected-1"))
    }
}

impl State {
    /// True if the trusts of this home begin with the first trust of `vendor`. The vendor id is
    /// computed from that trust, so nobody else can make a first trust with the same id.
    fn begins_with(&self, vendor: VendorId) -> bool {
        let first = self.memory().trusts.first().map(|first| &**first).unwrap_or_default();
        let body = Frame::parse(Kind::Trust, first).and_then(|frame| read_body(&frame));
        self.trust().vendor() == vendor && body.is_ok_and(|body| body.version == 1)
    }

    /// Checks that a trust which this home pinned or followed has this code.
    ///
    /// # Errors
    /// `wrong-vendor`.
    pub fn ensure_code(&self, code: &VendorCode) -> Result<()> {
        let is_of = |trust: &[u8]| {
            let body = Frame::parse(Kind::Trust, trust).and_then(|frame| read_body(&frame));
            body.is_ok_and(|body| code.is_of(&body))
        };
        if self.memory().trusts.iter().any(|trust| is_of(trust)) {
            return Ok(());
        }
        let own = self.trust().vendor_code();
        Err(wrong_vendor(format!("the vendor.trust used here has the code {own}, not {code}")))
    }
}

fn wrong_vendor(fact: String) -> Error {
    Error::refuse(Refusal::WrongVendor, fact).hint(
        "stop: have your vendor read out its code; if it differs from the code of this \
         vendor.trust, ask for the right vendor.trust; if it is the same, correct the code that \
         was given",
    )
}
