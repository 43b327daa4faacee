//! Memory of time: a high-water mark that does not fall when the clock is set back.
//! Implements `docs/judgement.md`, section "Clock".

use crate::crypto::digest::sha256;
use crate::error::{Error, NextStep, Refusal, Remedy, Result};
use crate::state::{Sent, Slot, SlotName, State, Surroundings};
use crate::time::{DAY, Instant};
use crate::timestamp::Timestamp;
use crate::wire::codec::{Text, record};

/// A clock further ahead of the mark than this is "far": it needs confirmation. 400 days.
const FAR: u64 = 400 * DAY;
/// A boot with a far clock confirms it after running this long: 7 days.
const UPTIME: u64 = 7 * DAY;
/// On a system without boot ids, a far clock confirms itself after advancing this much: 30 days.
const BY_ITSELF: u64 = 30 * DAY;
/// Delivery time allowed for a time file from the vendor. Any time beyond it counts as passed: 30
/// days.
const TRAVEL: u64 = 30 * DAY;
/// Seconds by which the mark may lag behind the clock before the state is saved again: 15 minutes.
pub const LAG: u64 = 15 * 60;

record! {
    /// A far clock that nothing has confirmed yet.
    pub struct Pending {
        /// Earliest time that it showed.
        pub earliest: Instant,
        /// Latest time that it showed.
        pub latest: Instant,
        /// Id of the boot in which it was last observed. Empty if unknown.
        pub boot: Text,
        /// Uptime in seconds when that boot first showed it. 0 if unknown.
        pub uptime: u64,
    }
}

record! {
    /// When a situation began, by the high-water mark and possibly by a far clock.
    #[derive(Copy, PartialOrd, Ord)]
    pub struct Noted {
        /// High-water mark when it began.
        pub mark: Instant,
        /// Time of a far clock, if the situation began while the clock was far ahead. Lowered if
        /// the far clock later shows an earlier time.
        pub far: Option<Instant>,
    }
}

record! {
    /// The time file from the vendor that was imported last.
    pub struct LastTimestamp {
        /// Number of the last request or deactivation before the import. No request up to this
        /// number can be answered with another time.
        pub number: u64,
        /// SHA-256 of the time file in its binary form.
        pub hash: [u8; 32],
    }
}

/// Snapshot of the memory of time.
pub struct TimeMemory {
    mark: Instant,
    pending: Option<Pending>,
    matched: Vec<Instant>,
    took_over: Vec<bool>,
}

impl Pending {
    fn new(around: &Surroundings) -> Self {
        let (earliest, latest) = (around.clock, around.clock);
        Self { earliest, latest, boot: around.boot.clone(), uptime: around.uptime }
    }

    /// Records one more observation of the far clock.
    fn claim(&mut self, around: &Surroundings) {
        self.earliest = self.earliest.min(around.clock);
        self.latest = self.latest.max(around.clock);
        if self.boot != around.boot {
            (self.boot, self.uptime) = (around.boot.clone(), around.uptime);
        }
    }

    /// True if the clock has run for a week in one boot, or another boot started no earlier than
    /// the latest time shown. On a system without boot ids, true if the clock has advanced by 30
    /// days.
    fn is_confirmed_by(&self, around: &Surroundings) -> bool {
        let ran = |from: u64, to: u64, span: u64| to.saturating_sub(from) >= span;
        if around.boot.is_empty() {
            return ran(self.earliest.seconds, around.clock.seconds, BY_ITSELF);
        }
        if self.boot == around.boot {
            return self.uptime > 0 && ran(self.uptime, around.uptime, UPTIME);
        }
        let began = around.clock.seconds.saturating_sub(around.uptime);
        !self.boot.is_empty() && around.uptime > 0 && began >= self.latest.seconds
    }
}

impl Noted {
    /// Returns when the situation began, as seen at `clock`. While `clock` is far ahead, returns
    /// the time recorded from the far clock, if there is one, moved back so that at least as much
    /// time has passed as by the mark. Otherwise, returns the recorded mark.
    pub fn since(self, state: &State, clock: Instant) -> Instant {
        match state.is_far(clock) {
            true => self.by(clock, state.memory.mark),
            false => self.mark,
        }
    }

    /// Returns when the situation began, as seen at a clock that is far ahead of `mark`.
    fn by(self, clock: Instant, mark: Instant) -> Instant {
        let passed = mark.seconds.saturating_sub(self.mark.seconds);
        let since = Instant::new(clock.seconds.saturating_sub(passed));
        self.far.map_or(self.mark, |far| far.min(since))
    }

    /// Lowers the recorded mark to `mark` if it is later.
    fn not_after(self, mark: Instant) -> Self {
        Self { mark: self.mark.min(mark), ..self }
    }
}

impl State {
    /// Updates the high-water mark from the clock, and lets waiting licenses take over. Does
    /// nothing before the first answer from the vendor, because there is no mark yet.
    pub fn observe(&mut self, around: &Surroundings) {
        if self.memory.mark == Instant::default() {
            return;
        }
        self.observe_clock(around);
        // Raises the mark to the evidence only after observing the clock, which may show that a
        // pending far clock was wrong.
        if let Some(evidence) = around.evidence.filter(|at| !self.is_far(*at)) {
            self.raise(evidence);
            self.observe_clock(around);
        }
        self.let_waiting_take_over();
    }

    /// Records the takeover of each waiting license that has begun by the mark. A license does not
    /// take over while it is revoked; one that is revoked later stays in effect.
    pub(super) fn let_waiting_take_over(&mut self) {
        let mut slots = std::mem::take(&mut self.memory.slots);
        slots.change(|slot| {
            if slot.took_over || slot.installed.is_none() || !self.has_begun(slot) {
                return;
            }
            (slot.took_over, slot.revoked) = (true, None);
        });
        self.memory.slots = slots;
    }

    fn has_begun(&self, slot: &Slot) -> bool {
        let next = slot.next.as_ref().and_then(|held| self.license(&slot.name, held).ok());
        next.is_some_and(|next| {
            next.body().starts.begins() <= self.memory.mark && self.revocation(&next).is_none()
        })
    }

    /// Makes a license wait again if the mark was lowered to before its start.
    fn let_begun_wait(&mut self) {
        let mut slots = std::mem::take(&mut self.memory.slots);
        slots.change(|slot| {
            let next = slot.next.as_ref().and_then(|held| self.license(&slot.name, held).ok());
            let begins = next.map(|next| next.body().starts.begins());
            slot.took_over &= begins.is_none_or(|begins| begins <= self.memory.mark);
        });
        self.memory.slots = slots;
    }

    fn observe_clock(&mut self, around: &Surroundings) {
        if self.is_far(around.clock)
            && self.memory.pending.as_ref().is_some_and(|pending| pending.is_confirmed_by(around))
        {
            self.confirm(around.clock, self.memory.mark);
        }
        if !self.is_far(around.clock) {
            self.rise_to(around.clock);
            return self.drop_pending();
        }
        match &mut self.memory.pending {
            None => self.memory.pending = Some(Pending::new(around)),
            Some(pending) => pending.claim(around),
        }
        let far = |at: Instant| at.min(around.clock);
        self.change_notes(|note| Noted { far: note.far.map(far), ..note });
    }

    /// Raises the mark to an instant that has certainly passed. If a pending clock is then no
    /// longer far ahead, this confirms it.
    pub(crate) fn raise(&mut self, to: Instant) {
        let before = self.memory.mark;
        self.rise_to(to);
        let pending = self.memory.pending.as_ref();
        if pending.is_some_and(|pending| !self.is_far(pending.earliest)) {
            self.confirm(to, before);
        }
    }

    fn rise_to(&mut self, to: Instant) {
        let before = self.memory.mark;
        let mark = before.max(to);
        self.memory.mark = mark;
        self.change_slots(|slot| slot.over.rise(before, mark));
    }

    /// Accepts the earliest time of the pending clock, then `clock` if that is no longer far ahead.
    /// Converts every instant recorded from the pending clock; `before` is the mark under which
    /// they were recorded.
    fn confirm(&mut self, clock: Instant, before: Instant) {
        let Some(pending) = self.memory.pending.take() else { return };
        self.memory.mark = self.memory.mark.max(pending.earliest);
        self.memory.mark = self.memory.mark.max(self.believed(clock));
        let mark = self.memory.mark;
        self.change_notes(|note| Noted { mark: note.by(mark, before), far: None });
        self.change_slots(|slot| slot.over.confirm(mark));
    }

    /// Discards the pending clock and every instant recorded from it.
    fn drop_pending(&mut self) {
        self.memory.pending = None;
        self.change_notes(|note| Noted { far: None, ..note });
        let mark = self.memory.mark;
        self.change_slots(|slot| slot.over.forget_far(mark));
    }

    /// Returns the current instant: by the mark, and by the clock if that is far ahead.
    pub(super) fn note(&self, clock: Instant) -> Noted {
        Noted { mark: self.memory.mark, far: self.is_far(clock).then_some(clock) }
    }

    /// Changes every recorded instant and keeps them all at or before the mark.
    fn change_notes(&mut self, change: impl Fn(Noted) -> Noted) {
        let mark = self.memory.mark;
        let change = |note| change(note).not_after(mark);
        self.change_slots(|slot| {
            slot.matched = slot.matched.min(mark);
            slot.revoked = slot.revoked.map(&change);
            slot.over.change(mark, change);
        });
    }

    /// Returns the instant at which ends are judged: the later of clock and mark. Starts are judged
    /// at the mark. Once the clock has been observed, this instant is after the mark only while the
    /// clock is far ahead.
    pub fn judged_at(&self, clock: Instant) -> Instant {
        self.memory.mark.max(clock)
    }

    /// True if `clock` is so far ahead that it does not raise the mark.
    pub fn is_far(&self, clock: Instant) -> bool {
        let mark = self.memory.mark;
        mark != Instant::default() && clock.seconds.saturating_sub(mark.seconds) > FAR
    }

    /// Returns `clock`, or the mark if the clock is far ahead. Decisions that are stored use this.
    pub fn believed(&self, clock: Instant) -> Instant {
        if self.is_far(clock) { self.memory.mark } else { clock }
    }

    /// Returns the next time of this clock, as it keeps running, at which it is treated
    /// differently: a clock that is behind has come within `tolerance` seconds of the mark, or a
    /// far clock is confirmed.
    pub fn next_clock_change(&self, around: &Surroundings, tolerance: u32) -> Option<Instant> {
        let now = around.clock.seconds;
        if self.is_far(around.clock) {
            let pending = self.memory.pending.as_ref()?;
            if around.boot.is_empty() {
                return Some(Instant::new(pending.earliest.seconds.saturating_add(BY_ITSELF)));
            }
            let ran = around.uptime.saturating_sub(pending.uptime);
            let confirmed = Instant::new(now.saturating_add(UPTIME.saturating_sub(ran)));
            return Some(confirmed).filter(|_| around.uptime > 0 && pending.boot == around.boot);
        }
        let caught_up = self.memory.mark.seconds.saturating_sub(tolerance.into());
        Some(Instant::new(caught_up)).filter(|_| caught_up > now)
    }

    /// Returns a snapshot of the memory of time, for a later comparison.
    pub fn time_memory(&self) -> TimeMemory {
        let matched = self.memory.slots.iter().map(|slot| slot.matched).collect();
        let took_over = self.memory.slots.iter().map(|slot| slot.took_over).collect();
        let (mark, pending) = (self.memory.mark, self.memory.pending.clone());
        TimeMemory { mark, pending, matched, took_over }
    }

    /// True if enough has changed since `before` to save the state.
    pub fn is_ahead_of(&self, before: &TimeMemory) -> bool {
        let lags = |old: Instant, new: Instant| new.seconds.saturating_sub(old.seconds) > LAG;
        let now = self.time_memory();
        let mut matched = before.matched.iter().zip(&now.matched);
        let claims_more = match (&before.pending, &now.pending) {
            (Some(old), Some(new)) => {
                let of = |pending: &Pending| (pending.earliest, pending.boot.clone());
                of(old) != of(new) || lags(old.latest, new.latest)
            }
            (old, new) => old != new,
        };
        let takes_over = before.took_over != now.took_over;
        claims_more
            || takes_over
            || lags(before.mark, now.mark)
            || matched.any(|(old, new)| lags(*old, *new))
    }

    /// Records that the machine matches the licenses in these slots.
    pub fn matches(&mut self, names: &[SlotName]) {
        let mark = self.memory.mark;
        self.change_slots(|slot| {
            if names.contains(&slot.name) {
                slot.matched = slot.matched.max(mark);
            }
        });
    }

    /// Increments the counter of saved changes.
    pub fn count(&mut self) {
        self.memory.counter = self.memory.counter.saturating_add(1);
    }

    /// Changes every slot. The names of slots must stay the same.
    pub(super) fn change_slots(&mut self, change: impl Fn(&mut Slot)) {
        self.memory.slots.change(change);
    }

    /// True if the vendor may still answer this request with a time: none was imported since the
    /// request was made.
    pub(crate) fn takes_time(&self, sent: &Sent) -> bool {
        self.memory.last_timestamp.as_ref().is_none_or(|last| sent.number > last.number)
    }

    /// True if a time that answers this request can lower the mark: the mark has not risen since
    /// the request was made. A request from before such a rise may have been made while the mark
    /// was still right.
    pub(crate) fn may_take_back(&self, sent: &Sent) -> bool {
        self.takes_time(sent) && sent.mark >= self.memory.mark
    }

    /// Adjusts the mark to a time from the vendor. Lowers it at most by the time it was ahead when
    /// the request was made, plus 30 days for the delivery. Returns whether the time is new here.
    ///
    /// # Errors
    /// `wrong-machine`, `wrong-request`, `superseded`, in this order.
    pub fn accept_timestamp(&mut self, timestamp: &Timestamp) -> Result<bool> {
        let body = timestamp.body();
        if body.install_key != self.install_key() {
            let fact = "this time was issued for another installation";
            return Err(Error::refuse(Refusal::WrongMachine, fact)
                .hint(NextStep::new(
                    "use a time that was issued for this home; if there is none, make a new \
                     request here and have it answered with a time",
                    &[Remedy::MakeRequest, Remedy::AnswerTime],
                ))
                .rule("time-4"));
        }
        let hash = sha256(timestamp.bytes());
        if self.memory.last_timestamp.as_ref().is_some_and(|last| last.hash == hash) {
            return Ok(false);
        }
        let sent = self.memory.requests.iter().find(|sent| sent.hash == body.request_hash);
        let sent = sent.filter(|sent| (sent.request, sent.number) == (body.request, body.number));
        let Some(sent) = sent else {
            let answers = ("time", body.number, body.request_hash);
            return Err(self.answers_another(answers).rule("time-5"));
        };
        if !self.takes_time(sent) {
            let fact = "this time answers a request made before the newest time here was imported";
            return Err(Error::refuse(Refusal::Superseded, fact)
                .hint("make a new request and ask the vendor for a time that answers it")
                .rule("time-6"));
        }
        let mark = self.memory.mark;
        let passed = mark.seconds.saturating_sub(sent.mark.seconds);
        self.memory.mark = if sent.mark <= body.time {
            mark.max(body.time)
        } else {
            let passed = passed.saturating_sub(TRAVEL);
            Instant::new(body.time.seconds.saturating_add(passed))
        };
        self.memory.last_timestamp = Some(LastTimestamp { number: self.memory.number, hash });
        // What was recorded at a time that turned out to be wrong is discarded too.
        self.drop_pending();
        self.let_begun_wait();
        self.remember(timestamp.bytes());
        Ok(true)
    }
}
