//! What happened to a license, for whoever tells people of it: each change once, until it is
//! acknowledged. Obeys `docs/format.md`, section "Events".

use crate::crypto::digest::tagged16;
use crate::crypto::label::EVENT;
use crate::entitlement::Cause;
use crate::error::Result;
use crate::state::{SlotName, State};
use crate::time::Instant;
use crate::wire::codec::{Keyed, List, Set, Text, numbered, record};
use crate::wire::id::{EventId, LicenseId};

numbered! {
    /// How far something has come.
    #[non_exhaustive]
    pub enum Stage {
        /// A license expires, or its maintenance ends, within 30 days.
        1 MonthLeft "30-days-left",
        /// Within 7 days.
        2 WeekLeft "7-days-left",
        /// Within a day.
        3 DayLeft "1-day-left",
        /// It is overlooked for now.
        4 Grace "grace",
        /// The server stops within an hour.
        5 Countdown "countdown",
        /// It is overlooked no longer: what the license says follows. Of maintenance: it has ended.
        6 Ended "ended",
        /// It is no more.
        7 Solved "solved",
    }
}

numbered! {
    /// Who is told.
    pub enum Listener {
        /// The product that asks.
        1 Product "product",
        /// The people who run the server.
        2 Operator "operator",
    }
}

record! {
    /// A change that not everybody has acknowledged yet.
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
        /// Names it: the same change has the same id.
        pub id: EventId,
        /// Where.
        pub slot: SlotName,
        /// Of which license.
        pub license: LicenseId,
        /// Why.
        pub cause: Cause,
        /// How far it has come.
        pub stage: Stage,
        /// When it was noticed.
        pub at: Instant,
        /// When the next stage comes, where one does.
        pub until: Option<Instant>,
        /// In words.
        pub fact: Text<2048>,
        /// Who has acknowledged it.
        pub heard: Set<Listener>,
    }
}

record! {
    /// What was last announced of a cause. Of a drift that is solved, when that was noticed.
    pub struct Announced {
        /// The cause.
        pub cause: Cause,
        /// How far it had come.
        pub stage: Stage,
        /// Since when it counted.
        pub since: Instant,
    }
}

impl Keyed for Announced {
    type Key = Cause;
    fn key(&self) -> &Cause {
        &self.cause
    }
}

/// How something stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveCause {
    /// The cause.
    pub cause: Cause,
    /// How far it has come.
    pub stage: Stage,
    /// Since when it counts.
    pub since: Instant,
    /// When the next stage comes.
    pub until: Option<Instant>,
    /// In words.
    pub fact: String,
}

impl State {
    /// Remembers how the license in a slot stands at `at`, and what of it is new; that the clock is far
    /// ahead, once for all slots. Returns whether anything is.
    ///
    /// # Errors
    /// Exit 2 when a cap is broken.
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
        // The clock is that of the home: told in one slot, and solved in any.
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
            let fact = format!("{}: solved", announced.cause);
            let (cause, stage) = (announced.cause, Stage::Solved);
            // By what is solved, not by when that was noticed: so it has the same id each time.
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
        // When a drift was solved is kept, so that one that comes and goes is not told each time.
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
        // Where nobody listens, the newest are kept.
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

    /// What `listener` has not acknowledged yet, oldest first.
    pub fn unheard(&self, listener: Listener) -> impl Iterator<Item = &Event> {
        self.memory.events.iter().filter(move |event| event.heard.get(&listener).is_none())
    }

    /// Remembers that `listener` dealt with these; what everybody acknowledged is forgotten. Returns
    /// whether anything changed.
    ///
    /// # Errors
    /// Exit 2 when a cap is broken.
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
