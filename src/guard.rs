//! What a product embeds: opened once, asked before each action, from any thread.
//! See `docs/embed.md`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use crate::entitlement::Count;
use crate::error::Result;
use crate::home::Home;
use crate::policy::Decision;
use crate::state::{Event, Listener, Surroundings};
use crate::time::Instant;
use crate::trust::Trust;
use crate::wire::id::EventId;

/// Reads the clock.
pub type Clock = Box<dyn Fn() -> Instant + Send + Sync>;
/// Looks at the machine, at an instant of the clock.
pub type Look = Box<dyn Fn(Instant) -> Surroundings + Send + Sync>;

/// What a guard guards.
pub struct Order {
    /// The home of this server.
    pub home: PathBuf,
    /// The vendor's trust, compiled into the product: never read from the customer's files.
    pub anchor: Trust,
    /// The product.
    pub product: String,
    /// The slot; nothing where the home has one license of this product.
    pub slot: Option<String>,
    /// The clock.
    pub clock: Clock,
    /// The machine.
    pub look: Look,
}

/// Answers questions about one license, and takes up what is imported meanwhile.
pub struct Guard {
    order: Order,
    home: Home,
    seen: RwLock<Seen>,
    looking: Mutex<()>,
}

struct Seen {
    decision: Arc<Decision>,
    events: Arc<Vec<Event>>,
    /// When the home was last looked at.
    looked: Instant,
    /// When the answer was last judged.
    judged: Instant,
    stamp: Stamp,
}

/// What tells that a state was written: the times and sizes of its files.
type Stamp = [Option<(SystemTime, u64)>; 2];

/// Judged anew after so many seconds, whatever happens: the machine may have changed.
const STALE: u64 = 15 * 60;

impl Guard {
    /// Judges for the first time.
    ///
    /// # Errors
    /// As [`Home::decide_under`]: nothing was ever installed, or the home cannot be read. A license
    /// that is refused is no error here: ask.
    pub fn open(order: Order) -> Result<Self> {
        let home = Home::at(&order.home);
        let seen = judge(&home, &order, (order.clock)())?;
        Ok(Self { order, home, seen: RwLock::new(seen), looking: Mutex::new(()) })
    }

    /// How the license stands now. Once a second this looks whether the home was written; it judges
    /// anew where it was, where time changes the answer, and every 15 minutes. Otherwise it reads no
    /// file and allocates nothing. Where the home cannot be read any more, what was judged last
    /// goes on for as long as it would have.
    pub fn license(&self) -> Arc<Decision> {
        let now = (self.order.clock)();
        {
            let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
            if seen.is_fresh(now) {
                return Arc::clone(&seen.decision);
            }
        }
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.is_fresh(now) {
            return Arc::clone(&seen.decision);
        }
        if seen.is_settled(now) && seen.stamp == stamp(&self.home) {
            seen.looked = now;
        } else {
            match judge(&self.home, &self.order, now) {
                Ok(new) => *seen = new,
                Err(_) if seen.is_settled(now) => seen.looked = now,
                Err(refusal) => {
                    let decision = Arc::make_mut(&mut seen.decision);
                    decision.refuse(refusal, now);
                    seen.looked = now;
                }
            }
        }
        Arc::clone(&seen.decision)
    }

    /// What changed and nobody has acknowledged: each change once, with an id that stays the same
    /// until it is acknowledged.
    pub fn events(&self) -> Arc<Vec<Event>> {
        drop(self.license());
        Arc::clone(&self.seen.read().unwrap_or_else(PoisonError::into_inner).events)
    }

    /// Forgets events that were dealt with: mailed, logged.
    ///
    /// # Errors
    /// Exit 2 when the home cannot be written; the events come again.
    pub fn acknowledge(&self, events: &[EventId]) -> Result<()> {
        self.home.acknowledge(Listener::Product, events)?;
        self.judge_anew()
    }

    /// Says what is in use; modules that are not named keep their count.
    ///
    /// # Errors
    /// As [`Home::report`].
    pub fn report(&self, usage: &[Count]) -> Result<()> {
        let around = (self.order.look)((self.order.clock)());
        self.home.report(Some(&self.order.product), self.order.slot.as_deref(), usage, &around)?;
        self.judge_anew()
    }

    fn judge_anew(&self) -> Result<()> {
        let seen = judge(&self.home, &self.order, (self.order.clock)())?;
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(())
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("home", &self.order.home).finish_non_exhaustive()
    }
}

impl Seen {
    /// Whether the home was looked at within this second.
    fn is_fresh(&self, now: Instant) -> bool {
        now == self.looked && self.is_settled(now)
    }

    /// Whether neither time nor age asks for another judgement.
    fn is_settled(&self, now: Instant) -> bool {
        let changes = self.decision.next_change().is_some_and(|change| now >= change);
        now >= self.judged && now.seconds.saturating_sub(self.judged.seconds) < STALE && !changes
    }
}

fn judge(home: &Home, order: &Order, now: Instant) -> Result<Seen> {
    // A writing between the two is met by the next look.
    let stamp = stamp(home);
    let around = (order.look)(now);
    let (product, slot) = (Some(order.product.as_str()), order.slot.as_deref());
    let (decision, events) =
        home.watch(Some(&order.anchor), product, slot, &around, Listener::Product)?;
    let (decision, events) = (Arc::new(decision), Arc::new(events));
    Ok(Seen { decision, events, looked: now, judged: now, stamp })
}

fn stamp(home: &Home) -> Stamp {
    home.state_files().map(|file| {
        let there = std::fs::metadata(file).ok()?;
        Some((there.modified().ok()?, there.len()))
    })
}
