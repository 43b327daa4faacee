//! The ledger: what a vendor sold, what is in stock, and which key and pool it belongs to.
//!
//! Each change is an [`Order`] with a [`Booking`]: it is done completely or not at all, and the same
//! order again returns the first result. CALs are booked twice: each movement has a giver and a
//! taker, so none is lost and none is sold twice.
//!
//! ```
//! use olr_core::time::Instant;
//! use olr_office::ledger::db::Sqlite;
//! use olr_office::ledger::{AddParty, Ledger, Order, PartyKind};
//! # fn example(folder: &std::path::Path, now: Instant) -> olr_core::error::Result<()> {
//! let mut ledger = Ledger::open(Sqlite::open(&folder.join("ledger.db"))?)?;
//! let order = Order::new("add-acme", "sales");
//! let acme = AddParty::new(PartyKind::Customer, "Acme");
//! let added = ledger.order(&order, &acme, now)?;
//! assert_eq!(ledger.order(&order, &acme, now)?, added);
//! assert!(ledger.check()?.is_empty());
//! # Ok(())
//! # }
//! # let folder = tempfile::tempdir().unwrap();
//! # example(folder.path(), Instant::new(1_800_000_000)).unwrap();
//! ```

use std::thread::sleep;
use std::time::Duration;

use olr_core::entitlement::Edition;
use olr_core::error::{Error, Problem, Result};
use olr_core::time::Instant;

mod activation;
mod answer;
mod check;
mod claim;
mod clock;
pub mod db;
mod ending;
mod escrow;
mod holding;
mod input;
mod issue;
mod key;
mod maintenance;
mod migrate;
mod movement;
mod offer;
mod order;
mod party;
mod pool;
mod pool_key;
mod purchase;
mod query;
mod report;
mod revocation;
mod stock;
#[cfg(test)]
mod tests;
mod transfer;

pub use answer::{AnswerRecord, KeyName};
pub use check::Violation;
pub use clock::{ClockRule, ConfirmDate};
pub use ending::{DayRun, EndLicense};
pub use input::{CALS_CAP, Cals};
pub use issue::{IssueLicense, LicenseIssued};
pub use key::{KeyText, NewKey};
pub use maintenance::{LongerMaintenance, MaintenanceRenewed, RenewMaintenance};
pub use offer::{PoolType, PurchasedType};
pub use order::{Arguments, Booking, Books, Done, Order};
pub use party::{AddParty, PartyAdded, PartyKind};
pub use pool::{AddToPool, NewPool, Pooled, SetPoolQuota};
pub use pool_key::{DeletePoolKey, NewPoolKey, PoolKeyMade, SetKeyQuota};
pub use purchase::{Bought, Buy, Destination};
pub use query::{
    BookedMovement, CalPlace, LicenseFilter, ListedLicense, ModuleSummary, Overview, PartyKey,
    PartyPurchase, PartyReport, PoolKeyReport, PoolReport, PoolSum, StockLot,
};
pub use report::{KeyCals, KeyGrant, KeyReport};
pub use revocation::{RecordRevocation, RevocationRecord};
pub use stock::{Lapse, Refund, RefundFrom, Removed, StockWithdrawn, Withdraw};
pub use transfer::{ExchangeCals, MoveCals, Moved};

pub(crate) use query::{has_schema, missing_steps, overview};

use db::{Db, DbError, DbResult, commit_after};

/// How often an order is tried when others are in the way, and the pause after the first time.
const TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_millis(2);

/// A vendor's ledger.
pub struct Ledger {
    db: Box<dyn Db>,
}

impl Ledger {
    /// Opens a ledger, and brings its schema up to date.
    ///
    /// # Errors
    /// Exit 2 when a newer version of olr has changed the schema, or when the database fails.
    pub fn open(db: impl Db + 'static) -> Result<Self> {
        Self::open_boxed(Box::new(db))
    }

    fn open_boxed(mut db: Box<dyn Db>) -> Result<Self> {
        migrate::migrate(&mut *db, migrate::MIGRATIONS)?;
        Ok(Self { db })
    }

    /// Carries out an order. If it succeeds, its changes are on disk. If it fails, nothing has
    /// changed. The same order again returns the first result.
    ///
    /// The instant of the order is `clock`, or the newest instant in the ledger if that is later.
    ///
    /// # Errors
    /// Why the change is refused; exit 2 when the id was used for another change, when `clock` is
    /// more than an hour behind the newest instant in the ledger or more than 31 days ahead of it
    /// (see [`ConfirmDate`]), or when the database fails. If the connection to the database
    /// is lost while it commits, the outcome is unknown, and the error says so: give the same order
    /// again.
    pub fn order<B: Booking>(
        &mut self,
        order: &Order,
        booking: &B,
        clock: Instant,
    ) -> Result<B::Booked> {
        for attempt in 1..TRIES {
            match self.transaction(|db| order::run(db, order, booking, clock)) {
                Err(DbError::Retry) => sleep(PAUSE.saturating_mul(attempt)),
                done => return Ok(done?),
            }
        }
        Ok(self.transaction(|db| order::run(db, order, booking, clock))?)
    }

    /// Returns what an order would do, and changes nothing.
    ///
    /// # Errors
    /// As [`Ledger::order`].
    pub fn try_order<B: Booking>(
        &mut self,
        order: &Order,
        booking: &B,
        clock: Instant,
    ) -> Result<B::Booked> {
        self.db.begin()?;
        let done = order::run(&mut *self.db, order, booking, clock);
        self.db.rollback()?;
        Ok(done?)
    }

    /// Carries out several orders in one transaction. An order that fails changes nothing, and the
    /// others are kept. No result is certain before this returns.
    ///
    /// # Errors
    /// Exit 2 when the database fails: none of the orders is carried out then.
    pub fn group<T>(
        &mut self,
        clock: Instant,
        orders: impl FnOnce(&mut Group<'_>) -> T,
    ) -> Result<T> {
        Ok(self.transaction(|db| {
            let mut group = Group { db, clock, broken: None };
            let done = orders(&mut group);
            group.broken.map_or(Ok(done), Err)
        })?)
    }

    /// Runs `work` in a transaction, which is undone if it fails.
    fn transaction<T>(&mut self, work: impl FnOnce(&mut dyn Db) -> DbResult<T>) -> DbResult<T> {
        self.db.begin()?;
        commit_after(&mut *self.db, work)
    }

    /// Finds everything that breaks an invariant of the ledger.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn check(&mut self) -> Result<Vec<Violation>> {
        Ok(check::check(&mut *self.db)?)
    }

    /// Numbers of the lots that have to lapse, oldest first: see [`Lapse`].
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn lots_to_lapse(&mut self, now: Instant) -> Result<Vec<i64>> {
        Ok(stock::due(&mut *self.db, now)?)
    }

    /// Maintenance of all pool keys of a partner and edition (F6): a day or a word. `None` if
    /// nothing was pooled.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn pool_maintenance(&mut self, party: &str, edition: Edition) -> Result<Option<String>> {
        let maintenance = pool::maintenance(&mut *self.db, party, edition)?;
        Ok(maintenance.map(maintenance::Maintenance::text))
    }
}

/// Orders that share a transaction.
pub struct Group<'a> {
    db: &'a mut dyn Db,
    clock: Instant,
    /// Why the transaction cannot be continued. A database that fails may have undone it.
    broken: Option<DbError>,
}

impl Group<'_> {
    /// Carries out an order as [`Ledger::order`] does, as a part of the group.
    ///
    /// # Errors
    /// As [`Ledger::order`].
    pub fn order<B: Booking>(&mut self, order: &Order, booking: &B) -> Result<B::Booked> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone().into());
        }
        // Until the savepoint has ended: a panic leaves it open.
        let panicked = Error::unable(
            Problem::Fault,
            "ledger: an order of this group was interrupted",
            "report this as a bug",
        );
        self.broken = Some(panicked.into());
        let begun = self.db.savepoint();
        let done = begun.and_then(|()| order::run(self.db, order, booking, self.clock));
        let ended = match &done {
            Ok(_) => self.db.release(),
            Err(_) => self.db.rollback_to_savepoint(),
        };
        self.broken = ended.err();
        match &self.broken {
            Some(broken) => Err(broken.clone().into()),
            None => Ok(done?),
        }
    }
}
