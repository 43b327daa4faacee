//! Sending the vendor's time to one server. Implements `docs/format.md`, section "Time".

use crate::folder::{AskPassphrase, Folder};
use olr_core::error::Result;
use olr_core::request::OpenedRequest;
use olr_core::time::Instant;
use olr_core::timestamp::{Timestamp, TimestampBody, sign_timestamp};
use olr_core::trust::{Act, Trust};
use olr_core::wire::codec::Set;

impl Folder {
    /// Answers an opened request with the time of the vendor's clock. The answer is not recorded,
    /// because it grants nothing.
    ///
    /// # Errors
    /// The refusals of [`Timestamp::verify`], above all `not-delegated`; `revoked`; exit 2 when the
    /// issuer's key or its delegation is missing, or the key cannot be opened.
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
