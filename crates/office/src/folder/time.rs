//! The vendor's time for one server. Obeys `docs/format.md`, section "Time".

use crate::folder::{AskPassphrase, Folder};
use olr_core::error::Result;
use olr_core::request::OpenedRequest;
use olr_core::time::Instant;
use olr_core::timestamp::{Timestamp, TimestampBody, sign_timestamp};
use olr_core::trust::{Act, Trust};
use olr_core::wire::codec::Set;

impl Folder {
    /// Answers an opened request with what the vendor's clock says. Nothing is kept of it: it
    /// grants nothing.
    ///
    /// # Errors
    /// What [`Timestamp::verify`] refuses, `not-delegated` above all; exit 2 when the issuer's key is
    /// missing or locked.
    pub fn time(
        &self,
        opened: &OpenedRequest,
        now: Instant,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Timestamp> {
        let asked = opened.body();
        let body = TimestampBody {
            request: asked.request,
            request_hash: opened.hash(),
            number: asked.number,
            install_key: asked.install_key,
            time: now,
            extensions: Set::default(),
        };
        let (issuer, delegation) = self.issuer_for(Act::Time, now, trust, ask)?;
        sign_timestamp(&body, trust, (&*issuer, &delegation))
    }
}
