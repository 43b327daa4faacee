//! Revocations: which licenses were revoked or pooled, when and why.

use crate::ledger::db::{DbResult, values};
use crate::ledger::maintenance::damaged;
use crate::ledger::order::{Arguments, Booking, Books, Done};
use olr_core::entitlement::Cause;
use olr_core::time::Instant;
use olr_core::wire::id::LicenseId;

/// Record of a license that was revoked or pooled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationRecord {
    /// Cause: `revoked`, or `pooled` for a license that was added to a pool.
    pub cause: Cause,
    /// Reason, in free text.
    pub reason: String,
    /// Instant, by the vendor's clock.
    pub revoked: Instant,
}

impl RevocationRecord {
    /// True if the record already has this cause, or the cause `revoked`, which is final. Revoking
    /// again would then change nothing.
    pub fn covers(&self, cause: Cause) -> bool {
        [cause, Cause::Revoked].contains(&self.cause)
    }
}

/// Records that a license was revoked or pooled: after its list of revocations was signed.
#[derive(Debug, Clone)]
pub struct RecordRevocation<'a> {
    /// License id.
    pub license: LicenseId,
    /// Cause.
    pub cause: Cause,
    /// Reason, which is not empty.
    pub reason: &'a str,
    /// Instant at which the list was signed.
    pub revoked: Instant,
}

impl Booking for RecordRevocation<'_> {
    const VERB: &'static str = "revoke";
    // A revocation has an instant of its own, and must never wait.
    const ANY_CLOCK: bool = true;
    type Booked = Done;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.license.to_string()).text(self.cause.word());
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        let find = "SELECT id FROM answer WHERE license = $1";
        let row = books.row(find, values![&self.license.to_string()])?.ok_or_else(damaged)?;
        let insert = "INSERT INTO revocation (answer, cause, reason, instant, order_id) \
                      VALUES ($1, $2, $3, $4, $5)";
        let (answer, order) = (row.integer(0)?, books.order());
        let instant = i64::try_from(self.revoked.seconds).unwrap_or(i64::MAX);
        books.exec(insert, values![answer, self.cause.word(), self.reason, instant, &order])?;
        Ok(Done {})
    }
}
