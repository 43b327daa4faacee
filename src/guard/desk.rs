//! What the one thread knows that looks: the home, and what could not be stored in it.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::{Look, Seen};
use crate::entitlement::{Cause, Count};
use crate::error::{Error, Result};
use crate::file;
use crate::home::{Home, Wait};
use crate::judge::Decision;
use crate::state::{Event, Listener, Overuse, State, Surroundings};
use crate::time::Instant;
use crate::wire::codec::{Set, Text};
use crate::wire::id::EventId;

pub(super) struct Desk {
    /// Of the vendor that is compiled in.
    home: Home,
    product: String,
    slot: Option<String>,
    look: Look,
    /// The state as it was last read: judged again where it cannot be read any more.
    last: Option<Zeroizing<Vec<u8>>>,
    /// What told it from others.
    stamp: Stamp,
    /// What the product reported and is not stored.
    unsaved: Set<Count, 4096>,
    /// What was in use by that, and how it was noted.
    kept: Option<(Set<Count, 4096>, Overuse)>,
    /// What the product acknowledged, stored or not.
    heard: Vec<EventId>,
    /// Events that the home does not remember: told until they are acknowledged all the same.
    unstored: Vec<Event>,
}

/// So many events are kept, as in a state.
const KEPT: usize = 64;

/// The digests at the ends of both copies of the state.
type Stamp = [Option<[u8; 32]>; 2];

impl Desk {
    pub fn new(home: Home, product: String, slot: Option<String>, look: Look) -> Self {
        let (last, stamp, unsaved) = (None, Stamp::default(), Set::default());
        let (kept, heard, unstored) = (None, Vec::new(), Vec::new());
        Self { home, product, slot, look, last, stamp, unsaved, kept, heard, unstored }
    }

    /// Judges anew where the home was written, or what was seen is not `settled`.
    ///
    /// # Errors
    /// Why the home cannot be read, where what was seen goes on.
    pub fn look(&mut self, now: Instant, settled: bool) -> Result<Option<Seen>> {
        if settled {
            if self.last.is_some() && self.stamp == stamp(&self.home) {
                return Ok(None);
            }
            self.home.require_state()?;
        }
        Ok(Some(self.judge(now)))
    }

    /// Judges at `now`.
    pub fn judge(&mut self, now: Instant) -> Seen {
        let (state, fault) = self.read();
        let around = (self.look)(now);
        self.judge_state(state, fault, &around, now)
    }

    /// Takes in what is in use, and judges by it. Returns also whether it was stored.
    pub fn report(&mut self, usage: &[(&str, u64)], now: Instant) -> Result<(Seen, Result<()>)> {
        let count =
            |(module, count): &(&str, u64)| Ok(Count { module: Text::new(module)?, count: *count });
        let usage: Set<Count, 4096> = Set::new(usage.iter().map(count).collect::<Result<_>>()?)?;
        let newest: BTreeMap<_, _> =
            self.unsaved.iter().chain(usage.iter()).map(|count| (&*count.module, count)).collect();
        let unsaved = Set::new(newest.into_values().cloned().collect())?;
        // What no state could hold is refused before it counts.
        let state = self.read().0?;
        let around = (self.look)(now);
        self.overlaid(state, &unsaved, &around)?;
        // Other threads ask meanwhile: what is not stored now is stored with the next report.
        let (product, slot) = (Some(self.product.as_str()), self.slot.as_deref());
        let stored = self.home.report_within(Wait::Short, product, slot, &unsaved, &around);
        self.unsaved = if stored.is_ok() { Set::default() } else { unsaved };
        let (state, fault) = self.read();
        Ok((self.judge_state(state, fault, &around, now), stored))
    }

    /// Remembers what was dealt with, also what could not be stored before.
    pub fn acknowledge(&mut self, events: &[EventId]) -> Result<()> {
        self.heard.extend(events);
        self.home.acknowledge_within(Wait::Short, Listener::Product, &self.heard)
    }

    /// The state as it is stored; where it cannot be read, as it was read last, and why.
    fn read(&mut self) -> (Result<State>, Option<Error>) {
        // A writing between the two is met by the next look.
        let stamp = stamp(&self.home);
        match self.home.require_state() {
            Ok(state) => {
                (self.last, self.stamp) = (Some(state.to_bytes()), stamp);
                (Ok(state), None)
            }
            Err(fault) => {
                let last = self.last.as_deref().map(|bytes| State::parse(bytes));
                (last.unwrap_or_else(|| Err(fault.clone())), Some(fault))
            }
        }
    }

    /// `state`, with what was reported and is not stored in it.
    fn overlaid(
        &self,
        mut state: State,
        unsaved: &Set<Count, 4096>,
        around: &Surroundings,
    ) -> Result<State> {
        if !unsaved.is_empty() {
            let name = state.slot(Some(&self.product), self.slot.as_deref())?.name.clone();
            state.overlay(&name, unsaved, around, self.kept.as_ref())?;
        }
        Ok(state)
    }

    fn judge_state(
        &mut self,
        state: Result<State>,
        fault: Option<Error>,
        around: &Surroundings,
        now: Instant,
    ) -> Seen {
        let judged = state.and_then(|state| self.watch(state, around));
        let (decision, events, changes) = judged.unwrap_or_else(|refusal| {
            let decision = Decision::none(refusal, now);
            (decision, Vec::new(), None)
        });
        let (decision, events) = (Arc::new(decision), events.into());
        Seen { decision, events, fault, looked: now, judged: now, changes }
    }

    /// The decision, what is to be told, and when time changes the decision.
    fn watch(
        &mut self,
        state: State,
        around: &Surroundings,
    ) -> Result<(Decision, Vec<Event>, Option<Instant>)> {
        let (product, slot) = (Some(self.product.as_str()), self.slot.as_deref());
        let state = self.overlaid(state, &self.unsaved, around)?;
        let before: Vec<_> = state.memory().events.iter().map(|event| event.id).collect();
        let (mut state, decision, is_stored) = self.home.watch(state, product, slot, around)?;
        let known = &state.memory().events;
        // What could not be stored is told until it is acknowledged, also when it is no longer so.
        let has = |events: &[Event], id: EventId| events.iter().any(|event| event.id == id);
        self.unstored.retain(|event| !has(known, event.id) && !self.heard.contains(&event.id));
        self.heard.retain(|heard| has(known, *heard));
        let new = known.iter().filter(|event| !is_stored && !before.contains(&event.id));
        let new: Vec<_> = new.cloned().collect();
        state.acknowledge(Listener::Product, &self.heard)?;
        let slot = state.slot(product, slot)?;
        let is_unsaved = !self.unsaved.is_empty();
        self.kept = is_unsaved.then(|| (slot.usage.clone(), slot.over.clone()));
        // The clock is that of the home, whichever of its slots noticed it.
        let is_ours = |event: &Event| event.slot == slot.name || event.cause == Cause::Clock;
        let told = state.unheard(Listener::Product).filter(|event| is_ours(event));
        let mut ours: Vec<_> = self.unstored.iter().chain(told).cloned().collect();
        ours.sort_by_key(|event| event.at);
        let tolerance = decision.license.as_ref().map_or(0, |license| license.body().tolerance);
        let of_clock = state.next_clock_change(around, tolerance);
        let changes = decision.next_change().into_iter().chain(of_clock);
        let changes = changes.filter(|change| *change > around.clock).min();
        self.unstored.extend(new.into_iter().filter(is_ours));
        let surplus = self.unstored.len().saturating_sub(KEPT);
        self.unstored.drain(..surplus);
        Ok((decision, ours, changes))
    }
}

fn stamp(home: &Home) -> Stamp {
    home.state_files().map(|file| digest(&file))
}

/// A state ends with its digest.
fn digest(path: &Path) -> Option<[u8; 32]> {
    let (mut file, mut digest) = (file::open_own(path).ok()?, [0; 32]);
    file.seek(SeekFrom::End(-32)).ok()?;
    file.read_exact(&mut digest).ok()?;
    Some(digest)
}
