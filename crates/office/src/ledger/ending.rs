//! What a day brings by itself: licenses end, and stock lapses.

use crate::ledger::claim::{self, Closing};
use crate::ledger::db::{DbResult, values};
use crate::ledger::key::KeyRow;
use crate::ledger::maintenance::damaged;
use crate::ledger::order::{Arguments, Booking, Books, Done, Order};
use crate::ledger::stock::Lapse;
use crate::ledger::{Ledger, activation, escrow};
use olr_core::error::{Error, Problem, Result};
use olr_core::time::Instant;
use olr_core::wire::id::LicenseId;

/// Frees the CALs of a license that has ended on its machine, whatever the machine's clock says.
#[derive(Debug, Clone, Copy)]
pub struct EndLicense {
    /// License id.
    pub license: LicenseId,
}

impl Booking for EndLicense {
    const VERB: &'static str = "end";
    type Booked = Done;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.license.to_string());
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        let find = "SELECT claim.answer, claim.installation, license_key.key, claim.ends, \
                    (SELECT max(newer.answer) FROM claim AS newer \
                     WHERE newer.license_key = claim.license_key) \
                    FROM claim JOIN answer ON answer.id = claim.answer \
                    JOIN license_key ON license_key.id = claim.license_key \
                    WHERE license = $1 AND closed IS NULL";
        // A license that was replaced or given up meanwhile has nothing to free.
        let Some(row) = books.row(find, values![&self.license.to_string()])? else {
            return Ok(Done {});
        };
        let now = books.now().seconds.cast_signed();
        if row.maybe_integer(3)?.is_none_or(|ends| ends > now) {
            let fact = format!("license {} may still be in effect", self.license);
            return Err(Error::unable(Problem::Usage, fact, "wait until it has ended").into());
        }
        let key = activation::take_with_pool(books, row.text(2)?)?;
        let place = row.integer(1)?;
        claim::close_answer(books, row.integer(0)?, Closing::Ended)?;
        if row.integer(4)? == row.integer(0)? {
            // An older license may still use some of it.
            activation::to_escrow(books, &key)?;
        }
        let key = KeyRow::by_id(books, key.id)?;
        escrow::settle(books, place, key.party)?;
        Ok(Done {})
    }
}

/// What [`Ledger::run_day`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayRun {
    /// Licenses that have ended.
    pub ended: Vec<LicenseId>,
    /// Numbers of the lots that lapsed.
    pub lapsed: Vec<i64>,
}

impl Ledger {
    /// Ends the licenses that have ended, and lapses the stock whose last day is over. It may run
    /// at any time, and again: each license and lot is an order of its own.
    ///
    /// # Errors
    /// Exit 2 when the clock is far off, or when the database fails. What was done stays.
    pub fn run_day(&mut self, actor: &str, now: Instant) -> Result<DayRun> {
        let mut run = DayRun::default();
        loop {
            let due = self.licenses_to_end(now)?;
            for license in &due {
                let order = Order::new(format!("end/{license}"), actor);
                self.order(&order, &EndLicense { license: *license }, now)?;
            }
            run.ended.extend(&due);
            if due.is_empty() {
                break;
            }
        }
        run.lapsed = self.lots_to_lapse(now)?;
        for lot in &run.lapsed {
            self.order(&Order::new(format!("lapse/{lot}"), actor), &Lapse { lot: *lot }, now)?;
        }
        Ok(run)
    }

    /// Licenses that have ended and whose claims are open, at most 1000.
    fn licenses_to_end(&mut self, now: Instant) -> Result<Vec<LicenseId>> {
        let find = "SELECT license FROM claim JOIN answer ON answer.id = claim.answer \
                    WHERE closed IS NULL AND ends <= $1 ORDER BY ends, answer.id LIMIT 1000";
        let rows = self.db.rows(find, values![now.seconds.cast_signed()])?;
        rows.iter().map(|row| row.text(0)?.parse().map_err(|_| damaged())).collect()
    }
}
