//! The type that a product embeds: opened once, asked before each action, from any thread.
//! See `docs/embed.md`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::SystemTime;

use crate::home::Home;
use crate::probe::probe;
use olr_core::armor::dearmor;
use olr_core::entitlement::{Count, Operation};
use olr_core::error::{Error, Result};
use olr_core::judge::{Answer, Decision, Question};
use olr_core::state::{Event, Surroundings};
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::frame::Kind;
use olr_core::wire::id::EventId;

mod desk;
use desk::Desk;

/// Function that reads the clock.
pub type Clock = Box<dyn Fn() -> Instant + Send + Sync>;
/// Function that reads the machine, given the current time.
pub type Look = Box<dyn Fn(Instant) -> Surroundings + Send + Sync>;

/// Configuration for [`Guard::open`].
///
/// ```
/// use olr::{GuardConfig, Instant};
///
/// # const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust");
/// let mut config = GuardConfig::new("/var/lib/olr", ANCHOR, "example");
/// config.slot = Some("backup".to_string());
/// config.clock = Box::new(|| Instant::new(1_900_000_000)); // in a test
/// ```
#[must_use = "a configuration does nothing until `Guard::open` gets it"]
pub struct GuardConfig {
    /// Folder of this server's home.
    pub home: PathBuf,
    /// The vendor's trust, armored or binary. It is `'static` because it belongs in the binary:
    /// anyone who can replace the trust that a product accepts needs no license.
    pub anchor: &'static [u8],
    /// Product id, as in the vendor's catalog.
    pub product: String,
    /// Slot of the product. `None` is enough if the home has only one slot of this product.
    pub slot: Option<String>,
    /// Source of the current time.
    pub clock: Clock,
    /// Source of the machine's factors.
    pub look: Look,
}

impl GuardConfig {
    /// Returns a configuration that reads the system clock and this machine, including the factors
    /// that only root can read if the product runs as root.
    pub fn new(
        home: impl Into<PathBuf>,
        anchor: &'static [u8],
        product: impl Into<String>,
    ) -> Self {
        Self {
            home: home.into(),
            anchor,
            product: product.into(),
            slot: None,
            clock: Box::new(system_clock),
            look: Box::new(|clock| Surroundings::of(&probe(true), clock)),
        }
    }
}

/// Answers questions about one license, and notices licenses imported while the product runs.
///
/// Only one thread at a time reads the home and the machine. The others keep using the last
/// decision, unless time has changed the answer or the clock was set back: then they wait for the
/// new decision.
///
/// ```no_run
/// use olr::{Guard, GuardConfig, Operation, Question};
///
/// # const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust");
/// let guard = Guard::open(GuardConfig::new("/var/lib/olr", ANCHOR, "example"))?;
/// guard.ask(&Question::about(Operation::RUN))?;
/// for name in guard.report(&[("OBM", 12)])? {
///     eprintln!("no license grants {}", olr::shown(&name.module));
/// }
/// # Ok::<(), olr::Error>(())
/// ```
#[must_use = "a guard allows or forbids nothing until it is asked"]
pub struct Guard {
    clock: Clock,
    desk: Mutex<Desk>,
    seen: RwLock<Seen>,
}

/// Result of the last check. Every question is answered from it.
struct Seen {
    decision: Arc<Decision>,
    events: Arc<[Event]>,
    /// Why the home could not be read at the last check. `None` if it could.
    fault: Option<Error>,
    /// When the home was last checked for changes.
    looked: Instant,
    /// When the decision was made.
    judged: Instant,
    /// When time changes the decision next.
    changes: Option<Instant>,
}

/// Seconds after which a decision is made again in any case, because the machine may have changed.
const STALE: u64 = 15 * 60;

impl Guard {
    /// Parses the anchor and makes the first decision. Opening succeeds even if no license is
    /// installed: [`Guard::ask`] then refuses every operation except `update-license` until one is
    /// imported.
    ///
    /// # Errors
    /// Only if the anchor is not a valid trust: the refusals of [`Trust::pin`], and armor errors.
    pub fn open(order: GuardConfig) -> Result<Self> {
        let anchor = dearmor(Some(Kind::Trust), order.anchor).and_then(|bytes| Trust::pin(&bytes));
        let anchor = anchor.map_err(|error| {
            error
                .within("the trust that is compiled into this product")
                .hint("tell the maker of this product: it must contain the vendor's vendor.trust")
        })?;
        let GuardConfig { home, product, slot, clock, look, .. } = order;
        let home = Home::at(home).expecting(anchor);
        let mut desk = Desk::new(home, product, slot, look);
        let seen = desk.judge(clock());
        Ok(Self { clock, desk: Mutex::new(desk), seen: RwLock::new(seen) })
    }

    /// Checks whether an action is allowed now. The refusal has a fact and a next step. Allowing
    /// an action allocates nothing, unless the call checks the home or judges again as in
    /// [`Guard::decision`]. For the answer as numbers, use [`Decision::ask`].
    ///
    /// # Errors
    /// See [`Answer::refusal`].
    pub fn ask(&self, question: &Question<'_>) -> Result<()> {
        said(self.decision().ask(question))
    }

    /// Checks whether `operation` may give a sub-administrator a limit of `wanted` of a module, of
    /// which that sub-administrator already uses `used`.
    ///
    /// # Errors
    /// See [`Answer::refusal`].
    pub fn ask_admin(
        &self,
        operation: Operation,
        module: &str,
        used: u64,
        wanted: u64,
    ) -> Result<()> {
        said(self.decision().ask_admin(operation, module, used, wanted))
    }

    /// Returns the current decision. At most once a second, this method checks whether the home was
    /// written to. It judges again after such a write, when time changes the answer, when the clock
    /// was set back, and every 15 minutes. A call that neither checks nor judges reads no file and
    /// allocates nothing. If the home can no longer be read, this method keeps judging the last
    /// state that was read.
    pub fn decision(&self) -> Arc<Decision> {
        self.seen(|seen| Arc::clone(&seen.decision))
    }

    /// Returns the changes that are not acknowledged yet: each once, oldest first. An event keeps
    /// its id until it is acknowledged, even across a restart. The home keeps the newest 64 events.
    pub fn events(&self) -> Arc<[Event]> {
        self.seen(|seen| Arc::clone(&seen.events))
    }

    /// Returns why the home cannot be read, or `None` if it can. Meanwhile the guard keeps judging
    /// the last state that it read: it does not see a new license, and after a restart it knows no
    /// license at all.
    pub fn fault(&self) -> Option<Error> {
        self.seen(|seen| seen.fault.clone())
    }

    /// Acknowledges events that the product has delivered, for example by mail or to a log.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`. Exit 2 if the home cannot be read or written to, or if
    /// another process holds its lock. After an error, the next call stores the acknowledgement;
    /// until then the events come back after a restart.
    pub fn acknowledge(&self, events: &[EventId]) -> Result<()> {
        let mut desk = self.desk();
        let told = self.read(|seen| Arc::clone(&seen.events));
        let (heard, left): (Vec<_>, Vec<_>) =
            told.iter().cloned().partition(|event| events.contains(&event.id));
        let heard: Vec<_> = heard.into_iter().map(|event| event.id).collect();
        let stored = desk.acknowledge(&heard);
        self.write(|seen| seen.events = left.into());
        stored
    }

    /// Sets how many of each module are in use; modules that are not named keep their count. The
    /// new counts apply to the next question, even if they could not be stored. An unknown module
    /// is not refused: a module that the license neither grants nor includes has a quota of 0. The
    /// returned list holds the counts of such modules, because a name may be misspelled.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`, and the refusals for an unexpected vendor. Exit 2 if a
    /// module is named twice, if a name is too long, if there are too many modules, or if several
    /// slots match. Exit 2 also if the home cannot be written to or another process holds its lock:
    /// then the next report stores the counts.
    pub fn report(&self, usage: &[(&str, u64)]) -> Result<Vec<Count>> {
        let mut desk = self.desk();
        let (new, stored) = desk.report(usage, (self.clock)())?;
        let ungranted = new.decision.ungranted();
        self.write(|seen| *seen = new);
        stored.map(|()| ungranted)
    }

    /// Reads the last decision, after refreshing it if it is out of date.
    fn seen<T>(&self, read: impl Fn(&Seen) -> T) -> T {
        let now = (self.clock)();
        if let Some(fresh) = self.read(|seen| seen.is_fresh(now).then(|| read(seen))) {
            return fresh;
        }
        self.refresh(now);
        self.read(read)
    }

    fn refresh(&self, now: Instant) {
        let mut desk = match self.desk.try_lock() {
            Ok(desk) => desk,
            Err(TryLockError::Poisoned(desk)) => desk.into_inner(),
            Err(TryLockError::WouldBlock) if self.read(|seen| seen.is_over(now)) => self.desk(),
            Err(TryLockError::WouldBlock) => return,
        };
        // Another thread may have refreshed it in the meantime.
        let now = (self.clock)();
        let (fresh, settled) = self.read(|seen| (seen.is_fresh(now), seen.is_settled(now)));
        if fresh {
            return;
        }
        match desk.look(now, settled) {
            Ok(Some(new)) => self.write(|seen| *seen = new),
            Ok(None) => self.write(|seen| (seen.looked, seen.fault) = (now, None)),
            Err(fault) => self.write(|seen| (seen.looked, seen.fault) = (now, Some(fault))),
        }
    }

    // Poisoned locks are recovered: a panic in the product's `clock` or `look` leaves the data
    // intact.

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.seen.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, write: impl FnOnce(&mut Seen)) {
        write(&mut self.seen.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

impl Seen {
    /// Returns whether the home was checked within this second and the decision is not outdated.
    fn is_fresh(&self, now: Instant) -> bool {
        now == self.looked && !self.is_over(now)
    }

    /// Returns whether the clock has reached a change of the decision or was set back. A clock that
    /// was set far ahead makes the decision stale instead: see `is_settled`.
    fn is_over(&self, now: Instant) -> bool {
        now < self.looked || self.changes.is_some_and(|change| now >= change)
    }

    /// Returns whether neither the time nor the decision's age requires a new decision.
    fn is_settled(&self, now: Instant) -> bool {
        now.seconds.saturating_sub(self.judged.seconds) < STALE && !self.is_over(now)
    }
}

fn said(answer: Answer<'_>) -> Result<()> {
    answer.refusal().map_or(Ok(()), Err)
}

/// Returns the system time. A clock that was set back before 1970 reads as 1970.
fn system_clock() -> Instant {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Instant::new(since.as_secs())
}
