//! Events of a license, for programs that notify people. Each change is one event, kept until every
//! listener has acknowledged it, or 64 newer ones exist. Implements `docs/judgement.md`, section
//! "Events".

use crate::crypto::digest::tagged16;
use crate::crypto::label::EVENT;
use crate::entitlement::Cause;
use crate::error::Result;
use crate::state::{SlotName, State};
use crate::time::Instant;
use crate::wire::codec::{Keyed, List, Set, Text, numbered, record};
use crate::wire::id::{EventId, LicenseId};

numbered! {
    /// Stage of a cause.
    #[non_exhaustive]
    pub enum Stage {
        /// The license or its maintenance ends within 30 days.
        1 MonthLeft "30-days-left",
        /// The license or its maintenance ends within 7 days.
        2 WeekLeft "7-days-left",
        /// The license or its maintenance ends within a day.
        3 DayLeft "1-day-left",
        /// A grace period or a warning is active.
        4 Grace "grace",
        /// The server stops within an hour.
        5 Countdown "countdown",
        /// The grace period has ended, and the outcome stated in the license applies. For
        /// maintenance: it has ended.
        6 Ended "ended",
        /// The cause is resolved.
        7 Solved "solved",
    }
}

numbered! {
    /// Recipient of events.
    pub enum Listener {
        /// The product that asks for decisions.
        1 Product "product",
        /// The people who run the server.
        2 Operator "operator",
    }
}

record! {
    /// A change that at least one listener has not acknowledged yet.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{state::Event, wire::id::EventId, display::shown}; }
    /// use olr::{Event, EventId, shown};
    ///
    /// /// Logs each event, and names what may be acknowledged with `Guard::acknowledge`.
    /// fn log(events: &[Event]) -> Vec<EventId> {
    ///     for event in events {
    ///         println!("{} {} ({}): {}", event.at, event.cause, event.stage, shown(&event.fact));
    ///     }
    ///     events.iter().map(|event| event.id).collect()
    /// }
    /// ```
    pub struct Event {
        /// Id of the change. The same change always has the same id.
        pub id: EventId,
        /// Slot of the license.
        pub slot: SlotName,
        /// Id of the license.
        pub license: LicenseId,
        /// Cause of the change.
        pub cause: Cause,
        /// Stage that the cause has reached.
        pub stage: Stage,
        /// When the change was noticed.
        pub at: Instant,
        /// When the next stage begins. `None` if there is none.
        pub until: Option<Instant>,
        /// Description in words.
        pub fact: Text<2048>,
        /// Listeners that have acknowledged the event.
        pub heard: Set<Listener>,
    }
}

record! {
    /// Last announcement of a cause.
    pub struct Announced {
        /// The cause.
        pub cause: Cause,
        /// Stage that was announced.
        pub stage: Stage,
        /// Start of the cause. For a resolved drift, when the resolution was noticed.
        pub since: Instant,
    }
}

impl Keyed for Announced {
    type Key = Cause;
    fn key(&self) -> &Cause {
        &self.cause
    }
}

/// Current state of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveCause {
    /// The cause.
    pub cause: Cause,
    /// Stage that the cause has reached.
    pub stage: Stage,
    /// When it started.
    pub since: Instant,
    /// When the next stage begins. `None` if there is none.
    pub until: Option<Instant>,
    /// Description in words.
    pub fact: String,
}

impl State {
    /// Compares the causes that are active at `at` with those announced before, and adds an event
    /// for each change. A far clock is announced only once for all slots. Returns whether there is
    /// a new event.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    pub fn announce(
        &mut self,
        name: &SlotName,
        license: LicenseId,
        at: Instant,
        standing: &[ActiveCause],
    ) -> Result<bool> {
        let Some(slot) = self.memory.slots.get(name) else { return Ok(false) };
        let mut slot = slot.clone();
        let now = |cause: Cause| standing.iter().find(|standing| standing.cause == cause);
        // The clock belongs to the home: it is announced in one slot and may be resolved in any.
        let mut others = self.memory.slots.iter().filter(|other| other.name != *name);
        let elsewhere = others.find_map(|other| other.announced.get(&Cause::Clock)).cloned();
        let is_here = |cause: Cause| cause != Cause::Clock || elsewhere.is_none();
        let here = || standing.iter().filter(|standing| is_here(standing.cause));
        let mut new: Vec<ActiveCause> = Vec::new();
        let known = || {
            let elsewhere = elsewhere.iter().filter(|e| slot.announced.get(&e.cause).is_none());
            slot.announced.iter().chain(elsewhere)
        };
        let gone = || known().filter(|announced| now(announced.cause).is_none());
        for announced in gone().filter(|announced| announced.stage != Stage::Solved) {
            let fact = format!("{}: resolved", announced.cause);
            let (cause, stage) = (announced.cause, Stage::Solved);
            // Uses the start of the cause, not the time of the resolution, so that the id stays the
            // same.
            new.push(ActiveCause { cause, stage, since: announced.since, until: None, fact });
        }
        let is_new = |standing: &&ActiveCause| {
            let before = slot.announced.get(&standing.cause);
            before.is_none_or(|announced| announced.stage != standing.stage)
        };
        new.extend(here().filter(is_new).cloned());
        if new.is_empty() {
            return Ok(false);
        }
        let announced =
            |s: &ActiveCause| Announced { cause: s.cause, stage: s.stage, since: s.since };
        // Keeps when a drift was resolved, so that a drift that comes and goes is not announced
        // each time.
        let solved = gone().filter(|announced| announced.cause == Cause::Drift).map(|drift| {
            let since = if drift.stage == Stage::Solved { drift.since } else { at };
            Announced { cause: Cause::Drift, stage: Stage::Solved, since }
        });
        let mut announced: Vec<_> = here().map(announced).chain(solved).collect();
        announced.sort_by_key(|announced| announced.cause);
        slot.announced = Set::new(announced)?;
        let mut events = self.memory.events.to_vec();
        for standing in new {
            let (cause, stage) = (standing.cause.number(), standing.stage.number());
            let since = standing.since.seconds.to_le_bytes();
            let pieces: [&[u8]; 5] =
                [EVENT, &license.0, &cause.to_le_bytes(), &stage.to_le_bytes(), &since];
            events.push(Event {
                id: EventId(tagged16(&pieces)),
                slot: name.clone(),
                license,
                cause: standing.cause,
                stage: standing.stage,
                at,
                until: standing.until,
                fact: Text::truncated(&standing.fact),
                heard: Set::default(),
            });
        }
        // Drops the oldest events if nobody acknowledges them.
        let surplus = events.len().saturating_sub(64);
        self.memory.events = List::new(events.split_off(surplus))?;
        self.put(slot)?;
        if now(Cause::Clock).is_none() {
            self.change_slots(|slot| {
                let left = slot.announced.iter().filter(|one| one.cause != Cause::Clock);
                slot.announced = Set::new(left.cloned().collect()).unwrap_or_default();
            });
        }
        self.count();
        Ok(true)
    }

    /// Returns the events that `listener` has not acknowledged yet, oldest first.
    pub fn unheard(&self, listener: Listener) -> impl Iterator<Item = &Event> {
        self.memory.events.iter().filter(move |event| event.heard.get(&listener).is_none())
    }

    /// Records that `listener` has handled these events, and drops events that every listener has
    /// acknowledged. Returns whether anything changed.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    pub fn acknowledge(&mut self, listener: Listener, ids: &[EventId]) -> Result<bool> {
        let mut events = self.memory.events.to_vec();
        for event in events.iter_mut().filter(|event| ids.contains(&event.id)) {
            let heard = Listener::ALL.iter().copied();
            let heard = heard.filter(|l| *l == listener || event.heard.get(l).is_some());
            event.heard = Set::new(heard.collect())?;
        }
        events.retain(|event| event.heard.len() < Listener::ALL.len());
        let events = List::new(events)?;
        let changed = events != self.memory.events;
        self.memory.events = events;
        if changed {
            self.count();
        }
        Ok(changed)
    }
}
