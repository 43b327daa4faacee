//! What a guard needs to read the home, used by one thread at a time: the home, and what could not
//! be stored in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Look, Seen};
use crate::home::{Home, Session, Stamp, Wait};
use olr_core::entitlement::{Cause, Count};
use olr_core::error::{Error, Result};
use olr_core::judge::Decision;
use olr_core::state::{Event, Listener, Overuse, State, Surroundings};
use olr_core::time::Instant;
use olr_core::wire::codec::{Set, Text};
use olr_core::wire::id::EventId;

pub(super) struct Desk {
    /// Home that accepts only the vendor compiled in.
    home: Arc<Home>,
    product: String,
    slot: Option<String>,
    look: Look,
    /// The last state that was read. Decisions use it while the home cannot be read.
    last: Option<State>,
    /// Stamp of that state.
    stamp: Option<Stamp>,
    /// Counts that the product reported and that are not stored yet.
    unsaved: Set<Count, 4096>,
    /// The slot's counts and overuse after the last unsaved report.
    kept: Option<(Set<Count, 4096>, Overuse)>,
    /// Events that the product acknowledged, even if the home could not store that.
    heard: Vec<EventId>,
    /// Events that the home could not store: they too are delivered until they are acknowledged.
    unstored: Vec<Event>,
}

/// Maximum number of unstored events that are kept, the same as in a state.
const KEPT: usize = 64;

impl Desk {
    pub fn new(home: Home, product: String, slot: Option<String>, look: Look) -> Self {
        let (home, last, stamp, unsaved) = (Arc::new(home), None, None, Set::default());
        let (kept, heard, unstored) = (None, Vec::new(), Vec::new());
        Self { home, product, slot, look, last, stamp, unsaved, kept, heard, unstored }
    }

    /// Judges again if the home was written to, or if the last decision is not `settled`.
    ///
    /// # Errors
    /// Why the home cannot be read, if the settled decision stays in use.
    pub fn look(&mut self, now: Instant, settled: bool) -> Result<Option<Seen>> {
        let home = Arc::clone(&self.home);
        if settled && self.stamp == Some(home.stamp()) {
            return Ok(None);
        }
        match home.require() {
            Err(fault) if settled => Err(fault),
            session => Ok(Some(self.judge_home(&home, session, now))),
        }
    }

    /// Judges at `now`, after reading the home again.
    pub fn judge(&mut self, now: Instant) -> Seen {
        let home = Arc::clone(&self.home);
        self.judge_home(&home, home.require(), now)
    }

    fn judge_home(&mut self, home: &Home, read: Result<Session<'_>>, now: Instant) -> Seen {
        let (session, fault) = self.or_last(home, read);
        let around = (self.look)(now);
        self.judge_session(session, fault, &around, now)
    }

    /// Applies reported counts and judges with them. The inner result says whether they were
    /// stored.
    pub fn report(&mut self, usage: &[(&str, u64)], now: Instant) -> Result<(Seen, Result<()>)> {
        let count =
            |(module, count): &(&str, u64)| Ok(Count { module: Text::new(module)?, count: *count });
        let usage: Set<Count, 4096> = Set::new(usage.iter().map(count).collect::<Result<_>>()?)?;
        let newest: BTreeMap<_, _> =
            self.unsaved.iter().chain(usage.iter()).map(|count| (&*count.module, count)).collect();
        let unsaved = Set::new(newest.into_values().cloned().collect())?;
        let home = Arc::clone(&self.home);
        let (session, fault) = self.or_last(&home, home.require());
        let mut session = session?;
        let around = (self.look)(now);
        // A count that no state could hold is refused before anything changes.
        let (product, slot) = (Some(self.product.as_str()), self.slot.as_deref());
        let name = session.state().slot(product, slot)?.name.clone();
        session.state().twin().overlay(&name, &unsaved, &around, self.kept.as_ref())?;
        // Other threads are waiting, so this thread waits only briefly for the lock. The next
        // report stores what this one cannot.
        let stored = session.report(Wait::Short, product, slot, &unsaved, &around);
        self.unsaved = if stored.is_ok() { Set::default() } else { unsaved };
        Ok((self.judge_session(Ok(session), fault, &around, now), stored))
    }

    /// Stores acknowledgements, including those that could not be stored before.
    pub fn acknowledge(&mut self, events: &[EventId]) -> Result<()> {
        self.heard.extend(events);
        self.home.require()?.acknowledge(Wait::Short, Listener::Product, &self.heard)
    }

    /// Returns the stored state or, if it cannot be read, the last one that was read, and why the
    /// stored one cannot be read.
    fn or_last<'h>(
        &mut self,
        home: &'h Home,
        read: Result<Session<'h>>,
    ) -> (Result<Session<'h>>, Option<Error>) {
        match read {
            Ok(session) => {
                (self.last, self.stamp) = (Some(session.state().twin()), session.stamp());
                (Ok(session), None)
            }
            Err(fault) => {
                let last = self.last.as_ref().map(|last| home.resume(last.twin()));
                (last.ok_or_else(|| fault.clone()), Some(fault))
            }
        }
    }

    fn judge_session(
        &mut self,
        session: Result<Session<'_>>,
        fault: Option<Error>,
        around: &Surroundings,
        now: Instant,
    ) -> Seen {
        let judged = session.and_then(|session| self.watch(session, around));
        let (decision, events, changes) = judged.unwrap_or_else(|refusal| {
            let decision = Decision::none(refusal, now);
            (decision, Vec::new(), None)
        });
        let (decision, events) = (Arc::new(decision), events.into());
        Seen { decision, events, fault, looked: now, judged: now, changes }
    }

    /// Returns the decision, the events to deliver, and when time changes the decision.
    fn watch(
        &mut self,
        mut session: Session<'_>,
        around: &Surroundings,
    ) -> Result<(Decision, Vec<Event>, Option<Instant>)> {
        let (product, slot) = (Some(self.product.as_str()), self.slot.as_deref());
        if !self.unsaved.is_empty() {
            session.overlay((product, slot), &self.unsaved, around, self.kept.as_ref())?;
        }
        let before = session.state().memory().events.iter().map(|event| event.id);
        let before: Vec<_> = before.collect();
        let (decision, is_stored) = session.watch(product, slot, around)?;
        if let Some(stamp) = session.stamp() {
            (self.last, self.stamp) = (Some(session.stored().twin()), Some(stamp));
        }
        let mut state = session.into_state();
        let known = &state.memory().events;
        // An unstored event is delivered until it is acknowledged, even if it no longer applies.
        let has = |events: &[Event], id: EventId| events.iter().any(|event| event.id == id);
        self.unstored.retain(|event| !has(known, event.id) && !self.heard.contains(&event.id));
        self.heard.retain(|heard| has(known, *heard));
        let new = known.iter().filter(|event| !is_stored && !before.contains(&event.id));
        let new: Vec<_> = new.cloned().collect();
        state.acknowledge(Listener::Product, &self.heard)?;
        let slot = state.slot(product, slot)?;
        let is_unsaved = !self.unsaved.is_empty();
        self.kept = is_unsaved.then(|| (slot.usage.clone(), slot.over.clone()));
        // All slots share the clock of the home, so the clock's events concern every product.
        let is_ours = |event: &Event| event.slot == slot.name || event.cause == Cause::Clock;
        let told = state.unheard(Listener::Product).filter(|event| is_ours(event));
        let mut ours: Vec<_> = self.unstored.iter().chain(told).cloned().collect();
        ours.sort_by_key(|event| event.at);
        let tolerance = decision.license().map_or(0, |license| license.body().tolerance);
        let of_clock = state.next_clock_change(around, tolerance);
        let changes = decision.next_change().into_iter().chain(of_clock);
        let changes = changes.filter(|change| *change > around.clock).min();
        self.unstored.extend(new.into_iter().filter(is_ours));
        let surplus = self.unstored.len().saturating_sub(KEPT);
        self.unstored.drain(..surplus);
        Ok((decision, ours, changes))
    }
}
