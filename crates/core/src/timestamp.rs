//! A time from the vendor for one server, `time.olr`. Implements `docs/format.md`, section "Time".

use crate::error::{Result, under};
use crate::time::Instant;
use crate::trust::{Act, Delegation, Trust};
use crate::wire::codec::{BODY_CAP, decode, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::{Frame, Kind};
use crate::wire::id::RequestId;

mod sign;
pub use sign::sign_timestamp;

record! {
    /// The body of a time.
    pub struct TimestampBody {
        /// Id of the request that it answers.
        pub request: RequestId,
        /// SHA-256 of that request.
        pub request_hash: [u8; 32],
        /// Number of that request.
        pub number: u64,
        /// Public key of the installation that it is for.
        pub install_key: [u8; 32],
        /// Time of the vendor's clock.
        pub time: Instant,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

/// A time whose signatures and delegations were verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    body: TimestampBody,
    bytes: Vec<u8>,
}

impl Timestamp {
    /// Verifies the exact bytes, then decodes them.
    ///
    /// # Errors
    /// In this order: frame errors, those of [`Trust::signers`], `malformed`, `unknown-version`,
    /// `not-delegated`, `revoked`.
    pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Self> {
        let frame = Frame::parse(Kind::Timestamp, bytes)?;
        let delegations = trust.signers(&frame)?;
        let body: TimestampBody =
            decode("time body", frame.body, BODY_CAP).map_err(under("time-1"))?;
        refuse_critical("time body", &body.extensions).map_err(under("time-1"))?;
        for delegation in &delegations {
            delegation.permits(Act::Time, body.time)?;
        }
        trust
            .ensure_unrevoked(delegations.iter().map(Delegation::key_id))
            .map_err(under("time-3"))?;
        Ok(Self { body, bytes: bytes.to_vec() })
    }

    /// The verified body.
    pub fn body(&self) -> &TimestampBody {
        &self.body
    }

    /// The time in its binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
