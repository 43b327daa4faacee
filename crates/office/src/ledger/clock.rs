//! The clock of an order against the newest instant of the ledger. A clock that is far ahead would
//! be remembered for ever, because no order is earlier than the one before.

use crate::ledger::db::DbResult;
use crate::ledger::order::{Arguments, Booking, Books, Done};
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::time::{DAY, Day, Instant};

/// How far the clock may be behind the newest instant.
const BEHIND: u64 = 3_600;

/// How far the clock may be ahead of it until a person confirms the date.
const AHEAD: u64 = 31 * DAY;

/// What the clock of an order may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockRule {
    /// Refused if it is far from the newest instant in the ledger.
    Near,
    /// Anything: the caller has asked a person, or must not wait. The ledger moves on by 31 days at
    /// most: a wrong clock must not end a license that is used, nor stop all later orders.
    Any,
    /// Anything: a person confirms it.
    Confirmed,
}

impl ClockRule {
    /// Instant of an order: the later of the clock and the newest instant.
    pub(super) fn moved_on(self, newest: Instant, clock: Instant) -> Instant {
        let most = Instant::new(newest.seconds.saturating_add(AHEAD));
        newest.max(if self == Self::Any { clock.min(most) } else { clock })
    }
}

/// Checks that the clock is neither far behind the newest instant nor far ahead of it.
pub(super) fn ensure_near(clock: Instant, newest: Instant) -> Result<()> {
    ensure_not_behind(clock, newest)?;
    if clock.seconds <= newest.seconds.saturating_add(AHEAD) {
        return Ok(());
    }
    let fact = format!(
        "the clock says {clock}, more than 31 days after the newest order of the ledger ({newest})"
    );
    let hint = NextStep::new(
        "compare the date with a calendar: if it is wrong, set the clock, else confirm it",
        &[Remedy::ConfirmDate],
    );
    Err(Error::unable(Problem::NotConfirmed, fact, hint))
}

fn ensure_not_behind(clock: Instant, newest: Instant) -> Result<()> {
    if clock.seconds.saturating_add(BEHIND) >= newest.seconds {
        return Ok(());
    }
    let fact = format!("the clock says {clock}, but the ledger has an order of {newest}");
    let hint = "set the clock; if it is right, wait until it has passed that time";
    Err(Error::unable(Problem::System, fact, hint))
}

/// A date that a person confirms.
///
/// Needed after more than 31 days without an order. From then on, orders on this day and later are
/// accepted, and none before it.
#[derive(Debug, Clone)]
pub struct ConfirmDate {
    /// The date. It must be that of the clock.
    pub day: Day,
}

impl Booking for ConfirmDate {
    const VERB: &'static str = "clock";
    const CLOCK: ClockRule = ClockRule::Confirmed;
    type Booked = Done;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.day.number);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<Done> {
        // The later of the clock and the newest instant: of a clock that is behind, another day.
        let now = books.now();
        if self.day.begins() <= now && now < self.day.ends() {
            return Ok(Done {});
        }
        let fact = format!("it is not {}: the clock says {now}", self.day);
        Err(Error::unable(Problem::Usage, fact, "set the clock, or confirm its date").into())
    }
}
