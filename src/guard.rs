//! What a product embeds: opened once, asked before each action, from any thread.
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

/// Reads the clock.
pub type Clock = Box<dyn Fn() -> Instant + Send + Sync>;
/// Looks at the machine, at an instant of the clock.
pub type Look = Box<dyn Fn(Instant) -> Surroundings + Send + Sync>;

/// What a guard guards.
///
/// ```
/// use olr::{GuardConfig, Instant};
///
/// # const ANCHOR: &[u8] = include_bytes!("../keys/snakeoil/vendor.trust");
/// let mut config = GuardConfig::new("/var/lib/olr", ANCHOR, "example");
/// config.slot = Some("backup".to_string());
/// config.clock = Box::new(|| Instant::new(1_900_000_000)); // in a test
/// ```
#[must_use = "nothing is guarded until `Guard::open` has it"]
pub struct GuardConfig {
    /// The home of this server.
    pub home: PathBuf,
    /// The vendor's trust, armored or binary. Compiled in, as its type says: whoever can change
    /// what a product believes needs no license.
    pub anchor: &'static [u8],
    /// The product, as the vendor's catalog calls it.
    pub product: String,
    /// The slot; nothing where the home has one license of this product.
    pub slot: Option<String>,
    /// The clock.
    pub clock: Clock,
    /// The machine.
    pub look: Look,
}

impl GuardConfig {
    /// With the clock of the system, and this machine as `olr verify` looks at it.
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

/// Answers questions about one license, and takes up what is imported meanwhile.
///
/// One thread at a time looks at home and machine. The others go on with what was judged last,
/// unless time has changed the answer: then they wait for the new one.
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
#[must_use = "a guard allows and forbids only what it is asked"]
pub struct Guard {
    clock: Clock,
    desk: Mutex<Desk>,
    seen: RwLock<Seen>,
}

/// What askers read.
struct Seen {
    decision: Arc<Decision>,
    events: Arc<[Event]>,
    /// Why the home could not be read at the last look.
    fault: Option<Error>,
    /// When the home was last looked at.
    looked: Instant,
    /// When the answer was last judged.
    judged: Instant,
    /// When time changes the answer.
    changes: Option<Instant>,
}

/// Judged anew after so many seconds, whatever happens: the machine may have changed.
const STALE: u64 = 15 * 60;

impl Guard {
    /// Reads the anchor, and judges for the first time. Where nothing is installed yet, every
    /// question is refused until a license is imported: ask.
    ///
    /// # Errors
    /// Only where the anchor is no trust: what [`Trust::pin`] refuses, and armor errors.
    pub fn open(order: GuardConfig) -> Result<Self> {
        let anchor = dearmor(Some(Kind::Trust), order.anchor).and_then(|bytes| Trust::pin(&bytes));
        let anchor = anchor.map_err(|error| {
            error
                .within("the trust that is compiled into this product")
                .hint("tell whoever makes this product: it needs the vendor's vendor.trust")
        })?;
        let GuardConfig { home, product, slot, clock, look, .. } = order;
        let home = Home::at(home).expecting(anchor);
        let mut desk = Desk::new(home, product, slot, look);
        let seen = desk.judge(clock());
        Ok(Self { clock, desk: Mutex::new(desk), seen: RwLock::new(seen) })
    }

    /// Whether an action may be done now: yes, or the refusal in words and a next step. A yes
    /// allocates nothing. [`Decision::ask`] answers in numbers.
    ///
    /// # Errors
    /// What [`Answer::refusal`] says.
    pub fn ask(&self, question: &Question<'_>) -> Result<()> {
        said(self.decision().ask(question))
    }

    /// Whether a sub-administrator may be given `wanted` of a module, of which he uses `used`.
    ///
    /// # Errors
    /// What [`Answer::refusal`] says.
    pub fn ask_admin(
        &self,
        operation: Operation,
        module: &str,
        used: u64,
        wanted: u64,
    ) -> Result<()> {
        said(self.decision().ask_admin(operation, module, used, wanted))
    }

    /// How the license stands now. Once a second this looks whether the home was written; it judges
    /// anew where it was, where time changes the answer, and every 15 minutes. Otherwise it reads no
    /// file and allocates nothing. Where the home cannot be read any more, what was read last goes
    /// on being judged.
    pub fn decision(&self) -> Arc<Decision> {
        self.seen(|seen| Arc::clone(&seen.decision))
    }

    /// What changed and was not acknowledged: each change once, oldest first, with an id that stays
    /// the same until it is acknowledged, also over a restart.
    pub fn events(&self) -> Arc<[Event]> {
        self.seen(|seen| Arc::clone(&seen.events))
    }

    /// Why the home cannot be read, where it cannot: what was read last is still judged, but a new
    /// license is not seen, and after a restart nothing is known.
    pub fn fault(&self) -> Option<Error> {
        self.seen(|seen| seen.fault.clone())
    }

    /// Forgets events that were dealt with: mailed, logged.
    ///
    /// # Errors
    /// Exit 2 where the home cannot be written, or another process works in it: the next call stores
    /// it. Until then the events come again after a restart.
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

    /// Says how many of each module are in use; modules that are not named keep their count. From
    /// then on questions are answered by it, also where it could not be stored. No name is refused:
    /// a module that is not granted counts against a quota of 0. The answer lists these: a name may
    /// be misspelled.
    ///
    /// # Errors
    /// `not-activated`; exit 2 where a module is named twice or its name is too long, and where the
    /// home cannot be written or another process works in it: the next report stores it.
    pub fn report(&self, usage: &[(&str, u64)]) -> Result<Vec<Count>> {
        let mut desk = self.desk();
        let (new, stored) = desk.report(usage, (self.clock)())?;
        let ungranted = new.decision.ungranted();
        self.write(|seen| *seen = new);
        stored.map(|()| ungranted)
    }

    /// Reads what was seen, once it may be answered from.
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
        // Another thread may have looked meanwhile.
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

    // A clock or a look of the product that panics leaves nothing half-done behind these locks.

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
    /// Whether the home was looked at within this second.
    fn is_fresh(&self, now: Instant) -> bool {
        now == self.looked && !self.is_over(now)
    }

    /// Whether time, or a clock that was set, may have changed the answer. One set ahead by more than
    /// an answer is kept makes it stale.
    fn is_over(&self, now: Instant) -> bool {
        now < self.looked || self.changes.is_some_and(|change| now >= change)
    }

    /// Whether neither time nor age asks for another judgement.
    fn is_settled(&self, now: Instant) -> bool {
        now.seconds.saturating_sub(self.judged.seconds) < STALE && !self.is_over(now)
    }
}

fn said(answer: Answer<'_>) -> Result<()> {
    answer.refusal().map_or(Ok(()), Err)
}

/// A clock before 1970 is one that was set back.
fn system_clock() -> Instant {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Instant::new(since.as_secs())
}
