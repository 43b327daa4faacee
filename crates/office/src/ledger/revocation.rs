//! Revocations: which licenses were revoked or pooled, when and why.

use crate::ledger::clock::ClockRule;
use crate::ledger::db::{DbResult, values};
use crate::ledger::key::{KeyRow, KeyState};
use crate::ledger::maintenance::damaged;
use crate::ledger::order::{Arguments, Booking, Books, Done};
use crate::ledger::{activation, party, pool};
use olr_core::entitlement::{Cause, Model};
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
    const CLOCK: ClockRule = ClockRule::Any;
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
        self.take_off(books, answer)?;
        Ok(Done {})
    }
}

impl RecordRevocation<'_> {
    /// If this is the newest license of a key, moves what is on it to escrow, and adds a pooled key
    /// to the sum of its party. A trial has no key in the ledger.
    fn take_off(&self, books: &mut Books<'_>, answer: i64) -> DbResult<()> {
        let find = "SELECT key FROM license_key JOIN claim ON claim.license_key = license_key.id \
                    WHERE claim.answer = $1 AND NOT EXISTS (SELECT 1 FROM claim AS newer \
                    WHERE newer.license_key = license_key.id AND newer.answer > $1)";
        let Some(row) = books.row(find, values![answer])? else { return Ok(()) };
        let key = row.text(0)?;
        if self.cause == Cause::Pooled {
            party::take_of_key(books, key)?;
        }
        let key = activation::take_with_pool(books, key)?;
        activation::to_escrow(books, &key)?;
        let key = KeyRow::by_id(books, key.id)?;
        let may_pool = key.model == Model::Purchased && key.state == KeyState::Deactivated;
        if self.cause == Cause::Pooled && may_pool {
            pool::add(books, key)?;
        }
        Ok(())
    }
}
