//! Maintenance of a key: the day until which new releases are included, and how it changes when
//! CALs with another date join.

use serde::{Deserialize, Serialize};

use crate::catalog::End;
use crate::ledger::db::{DbResult, values};
use crate::ledger::key::{self, KeyRow};
use crate::ledger::order::{Arguments, Booking, Books};
use crate::ledger::purchase;
use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::time::{Day, Instant, Span};

/// Maintenance of a key. Earlier days sort before later ones, and these before no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Maintenance {
    /// Ends after a day.
    Until(Day),
    /// Has no end.
    Endless,
    /// Starts at activation (G1).
    NotStarted,
    /// Of a pool key: decided by the licenses in the sum (F6).
    OfPool,
}

impl Maintenance {
    /// The maintenance that comes with a purchase, if it starts on `today`.
    pub(super) fn starting(included: End, today: Day) -> Result<Self> {
        Ok(included.last_day(today)?.map_or(Self::Endless, Self::Until))
    }

    /// When this maintenance ends; `included` if it has not started.
    pub(super) fn end(self, included: End) -> End {
        match self {
            Self::Until(day) => End::On(day),
            Self::Endless => End::Never,
            Self::NotStarted | Self::OfPool => included,
        }
    }

    /// Word and day, as stored.
    pub(super) fn stored(self) -> (&'static str, Option<i64>) {
        match self {
            Self::Until(day) => ("until", Some(day.number.into())),
            Self::Endless => ("endless", None),
            Self::NotStarted => ("not-started", None),
            Self::OfPool => ("of-pool", None),
        }
    }

    /// Reads word and day.
    pub(super) fn read(word: &str, day: Option<i64>) -> Result<Self> {
        match (word, day) {
            ("until", Some(day)) => Ok(Self::Until(read_day(day)?)),
            ("endless", None) => Ok(Self::Endless),
            ("not-started", None) => Ok(Self::NotStarted),
            ("of-pool", None) => Ok(Self::OfPool),
            _ => Err(damaged()),
        }
    }

    /// True if its last day has ended everywhere.
    pub(super) fn is_over(self, now: Instant) -> bool {
        matches!(self, Self::Until(day) if now >= day.ends())
    }

    /// Text for a result: a day, or a word.
    pub(super) fn text(self) -> String {
        match self {
            Self::Until(day) => day.to_string(),
            other => other.stored().0.to_string(),
        }
    }
}

/// Reads a stored day.
pub(super) fn read_day(number: i64) -> Result<Day> {
    Ok(Day { number: u32::try_from(number).map_err(|_| damaged())? })
}

pub(super) fn damaged() -> Error {
    let fact = "ledger: a record holds a value that olr never writes";
    Error::unable(Problem::Damaged, fact, "restore the ledger from a backup")
}

/// What happens when CALs join a key whose maintenance ends after their own first year (G2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LongerMaintenance {
    /// Ask first: the order is refused.
    Refuse,
    /// The key gets the earlier date.
    Shorten,
    /// The difference was bought, under this reference.
    Bought(String),
}

impl LongerMaintenance {
    pub(super) fn arguments(&self, arguments: &mut Arguments) {
        match self {
            Self::Refuse => arguments.text("refuse"),
            Self::Shorten => arguments.text("shorten"),
            Self::Bought(reference) => arguments.text("bought").text(reference),
        };
    }
}

/// What a key and its CALs can share: the maintenance, and what it is when it starts.
type Shared = (Maintenance, End);

/// Returns the shorter maintenance of a key and of CALs that join it, so that none get what was not
/// paid for, on whatever day it starts. A span and a fixed day cannot be compared before they start:
/// then the maintenance of the key starts today.
pub(super) fn shorter((has, included): Shared, own: End, today: Day) -> Result<Shared> {
    let own_today = Maintenance::starting(own, today)?;
    if has != Maintenance::NotStarted {
        return Ok((has.min(own_today), included));
    }
    let has_today = Maintenance::starting(included, today)?;
    Ok(match (included, own) {
        // A span that starts later ends later.
        (End::After(_), End::On(_)) => (has_today.min(own_today), included),
        _ if has_today <= own_today => (has, included),
        (End::On(_), End::After(_)) => (own_today, included),
        _ => (has, own),
    })
}

/// Adjusts the maintenance of a key that CALs join. `own` is what came with these CALs. Returns
/// what the key has then.
pub(super) fn join(
    books: &mut Books<'_>,
    key: &KeyRow,
    own: &[End],
    longer: &LongerMaintenance,
) -> DbResult<Maintenance> {
    let (today, has) = (books.today(), (key.maintenance, key.included));
    let shared = own.iter().try_fold(has, |shared, own| shorter(shared, *own, today))?;
    if shared == has {
        return Ok(key.maintenance);
    }
    let name = shown(&key.key);
    let (ends, own) = (has.0.end(has.1), shared.0.end(shared.1));
    match (longer, shared.0, key.maintenance) {
        (LongerMaintenance::Shorten, ..) => {
            share(books, key.id, shared)?;
            Ok(shared.0)
        }
        (
            LongerMaintenance::Bought(reference),
            Maintenance::Until(own),
            Maintenance::Until(day),
        ) => {
            let from = Day { number: own.number.saturating_add(1) };
            let purchase = purchase::record(books, key.party, reference, today)?;
            purchase::add_maintenance(books, purchase, key.id, (from, day))?;
            Ok(key.maintenance)
        }
        (LongerMaintenance::Bought(_), ..) => {
            let fact = format!(
                "the maintenance of key {name} ({ends}) has no last day up to which a difference \
                 could be bought"
            );
            let hint = format!("accept what these CALs have ({own}), or use a new key");
            Err(Error::unable(Problem::Usage, fact, hint).into())
        }
        (LongerMaintenance::Refuse, ..) => {
            let fact = format!(
                "with these CALs, the maintenance of key {name} becomes {own} instead of {ends}"
            );
            let hint = match key.maintenance {
                Maintenance::Until(_) => NextStep::new(
                    "buy maintenance for the difference, accept the earlier date, or use a new key",
                    &[Remedy::BuyMaintenance, Remedy::ShortenMaintenance],
                ),
                _ => NextStep::new(
                    "accept the shorter maintenance, or use a new key",
                    &[Remedy::ShortenMaintenance],
                ),
            };
            Err(Error::unable(Problem::NotConfirmed, fact, hint).into())
        }
    }
}

/// Sets the maintenance of a key, and what it is when it starts.
pub(super) fn share(
    books: &mut Books<'_>,
    key: i64,
    (maintenance, included): Shared,
) -> DbResult<()> {
    let included = included.to_string();
    books.exec("UPDATE license_key SET included = $2 WHERE id = $1", values![key, &included])?;
    set(books, key, maintenance)
}

/// Sets the maintenance of a key.
pub(super) fn set(books: &mut Books<'_>, key: i64, maintenance: Maintenance) -> DbResult<()> {
    let (word, day) = maintenance.stored();
    let update = "UPDATE license_key SET maintenance = $2, maintenance_until = $3 WHERE id = $1";
    books.exec(update, values![key, word, day]).map(drop)
}

/// Checks that the maintenance of a key is not over (F7).
pub(super) fn ensure_running(books: &Books<'_>, key: &KeyRow) -> Result<()> {
    if !key.maintenance.is_over(books.now()) {
        return Ok(());
    }
    let ended = key.maintenance.text();
    let fact = format!("the maintenance of key {} ended on {ended}", shown(&key.key));
    Err(Error::refuse(Refusal::MaintenanceEnded, fact).hint("renew its maintenance first"))
}

/// Renews the maintenance of a key (G1). Works on a pooled key too: its pool follows (F6).
#[derive(Debug, Clone)]
pub struct RenewMaintenance {
    /// The key.
    pub key: String,
    /// Reference of the purchase, unique for the party.
    pub reference: String,
    /// For how long.
    pub span: Span,
}

/// Result of [`RenewMaintenance`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceRenewed {
    /// First day that is paid for.
    pub from: String,
    /// Last day.
    pub until: String,
}

impl Booking for RenewMaintenance {
    const VERB: &'static str = "maintenance-renew";
    type Booked = MaintenanceRenewed;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(&self.key).text(&self.reference).text(&self.span.to_string());
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<MaintenanceRenewed> {
        let key = key::take(books, &self.key)?;
        let Maintenance::Until(old) = key.maintenance else {
            let (why, hint) = match key.maintenance {
                Maintenance::Endless => ("has no end", "nothing is left to renew"),
                Maintenance::OfPool => ("is that of the pooled licenses", "renew these instead"),
                _ => ("starts at activation", "activate the key first"),
            };
            let fact = format!("the maintenance of key {} {why}", shown(&key.key));
            return Err(Error::unable(Problem::Usage, fact, hint).into());
        };
        let from = Day { number: old.number.saturating_add(1) }.max(books.today());
        // A span of n days ends n days after its start; here, the first day is paid for too.
        let start = match self.span {
            Span::Days(_) => Day { number: from.number.saturating_sub(1) },
            Span::Months(_) | Span::Years(_) => from,
        };
        let until = self.span.end_from(start)?;
        let purchase = purchase::record(books, key.party, &self.reference, books.today())?;
        purchase::add_maintenance(books, purchase, key.id, (from, until))?;
        set(books, key.id, Maintenance::Until(until))?;
        Ok(MaintenanceRenewed { from: from.to_string(), until: until.to_string() })
    }
}
