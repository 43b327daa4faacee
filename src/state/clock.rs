//! The memory of time: a mark that a clock set back does not lower.
//! Obeys `docs/format.md`, section "Clock".

use crate::anchor::Anchor;
use crate::crypto::digest::sha256;
use crate::error::{Error, Refusal, Result};
use crate::state::{Slot, SlotName, State, Surroundings};
use crate::time::Instant;
use crate::wire::codec::{Set, Text, record};

/// A clock further past the mark than this is not believed at once: 400 days.
const FAR: u64 = 400 * 86_400;
/// After so much uptime, or so much of its own time, a far clock is believed: 7 days.
const CONFIRMED: u64 = 7 * 86_400;
/// A mark that lags behind the clock by more than this is worth a writing: 15 minutes.
pub const LAG: u64 = 15 * 60;

record! {
    /// A clock far ahead of the mark, and when it was first seen.
    pub struct Pending {
        /// The earliest instant that it claimed.
        pub clock: Instant,
        /// Names the boot in which it was first seen; empty when unknown.
        pub boot: Text,
        /// Seconds since that boot, then; 0 when unknown.
        pub uptime: u64,
    }
}

record! {
    /// A time of the vendor that was taken in.
    pub struct Anchored {
        /// The number of the request that it answers.
        pub number: u64,
        /// SHA-256 of its binary form.
        pub hash: [u8; 32],
    }
}

/// What is remembered of time.
pub(crate) struct TimeMemory {
    mark: Instant,
    pending: Option<Pending>,
    matched: Vec<Instant>,
}

impl Pending {
    fn at(around: &Surroundings) -> Self {
        Self { clock: around.clock, boot: around.boot.clone(), uptime: around.uptime }
    }

    /// Whether another boot, a week of uptime or a week of the clock itself says the same.
    fn is_confirmed_by(&self, around: &Surroundings) -> bool {
        let other_boot =
            !self.boot.is_empty() && !around.boot.is_empty() && self.boot != around.boot;
        let same_boot = !self.boot.is_empty() && self.boot == around.boot;
        let ran = |from: u64, to: u64| to.saturating_sub(from) >= CONFIRMED;
        other_boot
            || (same_boot && ran(self.uptime, around.uptime))
            || ran(self.clock.seconds, around.clock.seconds)
    }
}

impl State {
    /// Takes in what the clock says. Before the first answer of the vendor there is no mark.
    pub fn observe(&mut self, around: &Surroundings) {
        let memory = &mut self.memory;
        if memory.mark == Instant::default() {
            return;
        }
        if let Some(evidence) = around.evidence.filter(|at| !is_far(*at, memory.mark)) {
            memory.mark = memory.mark.max(evidence);
        }
        if let Some(pending) = memory
            .pending
            .take_if(|pending| is_far(around.clock, memory.mark) && pending.is_confirmed_by(around))
        {
            // Both claims agree on the earlier of them.
            memory.mark = pending.clock.min(around.clock);
        }
        if !is_far(around.clock, memory.mark) {
            memory.mark = memory.mark.max(around.clock);
            memory.pending = None;
            return;
        }
        match &mut memory.pending {
            None => memory.pending = Some(Pending::at(around)),
            Some(pending) => pending.clock = pending.clock.min(around.clock),
        }
    }

    /// Takes in what the clock says where nothing can be remembered: a far clock is believed, since
    /// nobody would ever confirm it.
    pub fn observe_forgetfully(&mut self, clock: Instant) {
        self.memory.pending = None;
        if self.memory.mark != Instant::default() {
            self.memory.mark = self.memory.mark.max(clock);
        }
    }

    /// The instant that is judged at: the later of clock and mark, and the mark while the clock is
    /// far ahead and not confirmed.
    pub fn judged_at(&self, clock: Instant) -> Instant {
        match self.is_pending(clock) {
            true => self.memory.mark,
            false => self.memory.mark.max(clock),
        }
    }

    /// Whether `clock` is a far one that is not believed yet.
    pub fn is_pending(&self, clock: Instant) -> bool {
        self.memory.pending.is_some() && is_far(clock, self.memory.mark)
    }

    /// The next time of this clock at which it counts otherwise, while it runs on: a clock that is
    /// behind has come as near to the mark as `tolerance` (seconds) allows, or one that is far ahead
    /// is believed.
    pub fn next_clock_change(&self, around: &Surroundings, tolerance: u32) -> Option<Instant> {
        let now = around.clock.seconds;
        if let Some(pending) =
            self.memory.pending.as_ref().filter(|_| self.is_pending(around.clock))
        {
            let by_itself = pending.clock.seconds.saturating_add(CONFIRMED);
            let same_boot = !pending.boot.is_empty() && pending.boot == around.boot;
            let ran = around.uptime.saturating_sub(pending.uptime);
            let by_uptime = now.saturating_add(CONFIRMED.saturating_sub(ran));
            let believed = if same_boot { by_itself.min(by_uptime) } else { by_itself };
            return Some(Instant::new(believed));
        }
        let caught_up = self.memory.mark.seconds.saturating_sub(tolerance.into());
        Some(Instant::new(caught_up)).filter(|_| caught_up > now)
    }

    /// What is remembered of time, to be compared later.
    pub(crate) fn time_memory(&self) -> TimeMemory {
        let matched = self.memory.slots.iter().map(|slot| slot.matched).collect();
        TimeMemory { mark: self.memory.mark, pending: self.memory.pending.clone(), matched }
    }

    /// Whether so much was learnt since `before` that it is worth a writing.
    pub(crate) fn is_ahead_of(&self, before: &TimeMemory) -> bool {
        let lags = |old: Instant, new: Instant| new.seconds.saturating_sub(old.seconds) > LAG;
        let now = self.time_memory();
        let mut matched = before.matched.iter().zip(&now.matched);
        before.pending != now.pending
            || lags(before.mark, now.mark)
            || matched.any(|(old, new)| lags(*old, *new))
    }

    /// Remembers that the machine matches what is installed in these slots.
    ///
    /// # Errors
    /// Exit 2 when a cap is broken.
    pub fn matches(&mut self, names: &[SlotName]) -> Result<()> {
        let mark = self.memory.mark;
        self.change_slots(|slot| {
            if names.contains(&slot.name) {
                slot.matched = slot.matched.max(mark);
            }
        })
    }

    /// Counts a change of what is remembered of time.
    pub(crate) fn count(&mut self) {
        self.memory.counter = self.memory.counter.saturating_add(1);
    }

    fn change_slots(&mut self, change: impl Fn(&mut Slot)) -> Result<()> {
        let mut slots = self.memory.slots.to_vec();
        slots.iter_mut().for_each(change);
        self.memory.slots = Set::new(slots)?;
        Ok(())
    }

    /// Sets the mark to a time of the vendor, in either direction. Returns whether it is new here.
    ///
    /// # Errors
    /// `wrong-machine`, `wrong-request`, `superseded`, in this order.
    pub fn anchor(&mut self, anchor: &Anchor) -> Result<bool> {
        let body = anchor.body();
        if body.install_key != self.install_key() {
            let fact = "this time was issued for another installation";
            return Err(Error::refuse(Refusal::WrongMachine, fact).rule("time-4"));
        }
        let hash = sha256(anchor.bytes());
        if self.memory.anchored.as_ref().is_some_and(|last| last.hash == hash) {
            return Ok(false);
        }
        let sent = self.memory.requests.iter().find(|sent| sent.hash == body.request_hash);
        if sent.is_none_or(|sent| (sent.request, sent.number) != (body.request, body.number)) {
            let fact = "this time answers none of the last 16 requests of this installation";
            return Err(Error::refuse(Refusal::WrongRequest, fact).rule("time-5"));
        }
        if self.memory.anchored.as_ref().is_some_and(|last| body.number <= last.number) {
            let fact = "a time for this request or a later one was imported here already";
            return Err(Error::refuse(Refusal::Superseded, fact)
                .hint("make a new request and ask the vendor for a time that answers it")
                .rule("time-6"));
        }
        self.memory.mark = body.time;
        self.memory.pending = None;
        self.memory.anchored = Some(Anchored { number: body.number, hash });
        // What was known of a future that is taken back is taken back too.
        self.change_slots(|slot| {
            slot.matched = slot.matched.min(body.time);
            slot.revoked = slot.revoked.map(|since| since.min(body.time));
            slot.over = slot.over.map(|since| since.min(body.time));
        })?;
        self.remember(anchor.bytes());
        Ok(true)
    }
}

fn is_far(clock: Instant, mark: Instant) -> bool {
    clock.seconds.saturating_sub(mark.seconds) > FAR
}
