//! The memory of time: a mark that a clock set back does not lower.
//! Obeys `docs/format.md`, section "Clock".

use crate::crypto::digest::sha256;
use crate::error::{Error, Refusal, Result};
use crate::state::{Sent, Slot, SlotName, State, Surroundings};
use crate::time::{DAY, Instant};
use crate::timestamp::Timestamp;
use crate::wire::codec::{Text, record};

/// A clock further past the mark than this is not believed at once: 400 days.
const FAR: u64 = 400 * DAY;
/// A boot that runs for so long with a far clock confirms it: 7 days.
const UPTIME: u64 = 7 * DAY;
/// Where boots have no names, a far clock confirms itself once it has gone on for so long: 30 days.
const BY_ITSELF: u64 = 30 * DAY;
/// So long may a time of the vendor travel; what has passed beyond it counts: 30 days.
const TRAVEL: u64 = 30 * DAY;
/// A mark that lags behind the clock by more than this is worth a writing: 15 minutes.
pub const LAG: u64 = 15 * 60;

record! {
    /// A clock far ahead of the mark that nothing confirmed yet.
    pub struct Pending {
        /// The earliest instant that it claimed.
        pub earliest: Instant,
        /// The latest.
        pub latest: Instant,
        /// Names the boot that claimed it last; empty when unknown.
        pub boot: Text,
        /// Seconds since that boot when it first claimed it; 0 when unknown.
        pub uptime: u64,
    }
}

record! {
    /// Since when something is so.
    #[derive(Copy, PartialOrd, Ord)]
    pub struct Noted {
        /// By the mark.
        pub mark: Instant,
        /// By the clock, where it was noted while that was far ahead: the earliest claim since.
        pub far: Option<Instant>,
    }
}

record! {
    /// A time of the vendor that was taken in.
    pub struct LastTimestamp {
        /// The number of the last request made before it was; none of those is answered by another.
        pub number: u64,
        /// SHA-256 of its binary form.
        pub hash: [u8; 32],
    }
}

/// What a state remembers of time.
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

    /// Adds one more far claim.
    fn claim(&mut self, around: &Surroundings) {
        self.earliest = self.earliest.min(around.clock);
        self.latest = self.latest.max(around.clock);
        if self.boot != around.boot {
            (self.boot, self.uptime) = (around.boot.clone(), around.uptime);
        }
    }

    /// Whether a week of one boot says the same, or another boot that went on where the last claim
    /// was, or 30 days of the clock itself where boots have no names.
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
    /// Since when it counts at `clock`. A clock that is far has its own; as much as has passed by
    /// the mark has passed by that one too.
    pub fn since(self, state: &State, clock: Instant) -> Instant {
        match state.is_far(clock) {
            true => self.by(clock, state.memory.mark),
            false => self.mark,
        }
    }

    /// Since when it counts at a clock that is far past `mark`.
    fn by(self, clock: Instant, mark: Instant) -> Instant {
        let passed = mark.seconds.saturating_sub(self.mark.seconds);
        let since = Instant::new(clock.seconds.saturating_sub(passed));
        self.far.map_or(self.mark, |far| far.min(since))
    }

    /// Nothing noted lies after `mark`.
    fn not_after(self, mark: Instant) -> Self {
        Self { mark: self.mark.min(mark), ..self }
    }
}

impl State {
    /// Takes in what the clock says. Before the first answer of the vendor there is no mark.
    pub fn observe(&mut self, around: &Surroundings) {
        if self.memory.mark == Instant::default() {
            return;
        }
        self.observe_clock(around);
        // After the clock, which may tell that a pending one was wrong.
        if let Some(evidence) = around.evidence.filter(|at| !self.is_far(*at)) {
            self.raise(evidence);
            self.observe_clock(around);
        }
        self.let_waiting_take_over();
    }

    /// Remembers of each waiting license that has begun by the mark that it took over. One that is
    /// revoked before never does; one that is revoked later stays in force.
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

    /// The mark was set back: a license that has not begun by it waits again.
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

    /// Raises the mark to what has passed for certain. A pending clock that is no longer far then
    /// is confirmed by it.
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

    /// Believes the earliest claim of the pending clock, then `clock` where that is no longer far,
    /// and what was noted by it, while the mark was `before`.
    fn confirm(&mut self, clock: Instant, before: Instant) {
        let Some(pending) = self.memory.pending.take() else { return };
        self.memory.mark = self.memory.mark.max(pending.earliest);
        self.memory.mark = self.memory.mark.max(self.believed(clock));
        let mark = self.memory.mark;
        self.change_notes(|note| Noted { mark: note.by(mark, before), far: None });
        self.change_slots(|slot| slot.over.confirm(mark));
    }

    /// Forgets the pending clock, and what was noted by it.
    fn drop_pending(&mut self) {
        self.memory.pending = None;
        self.change_notes(|note| Noted { far: None, ..note });
        let mark = self.memory.mark;
        self.change_slots(|slot| slot.over.forget_far(mark));
    }

    /// What is so from now on is noted by the mark, and by a clock that is far ahead too.
    pub(super) fn note(&self, clock: Instant) -> Noted {
        Noted { mark: self.memory.mark, far: self.is_far(clock).then_some(clock) }
    }

    /// Changes what is noted; none of it lies after the mark.
    fn change_notes(&mut self, change: impl Fn(Noted) -> Noted) {
        let mark = self.memory.mark;
        let change = |note| change(note).not_after(mark);
        self.change_slots(|slot| {
            slot.matched = slot.matched.min(mark);
            slot.revoked = slot.revoked.map(&change);
            slot.over.change(mark, change);
        });
    }

    /// The instant at which ends are judged: the later of clock and mark. Starts are judged at the
    /// mark; both differ only while the clock is far ahead.
    pub fn judged_at(&self, clock: Instant) -> Instant {
        self.memory.mark.max(clock)
    }

    /// Whether `clock` is so far past the mark that it does not raise it.
    pub fn is_far(&self, clock: Instant) -> bool {
        let mark = self.memory.mark;
        mark != Instant::default() && clock.seconds.saturating_sub(mark.seconds) > FAR
    }

    /// `clock`, or the mark where that is far ahead: what is stored is decided by it.
    pub fn believed(&self, clock: Instant) -> Instant {
        if self.is_far(clock) { self.memory.mark } else { clock }
    }

    /// The next time of this clock at which it counts otherwise, while it runs on: a clock that is
    /// behind has come as near to the mark as `tolerance` (seconds) allows, or one that is far ahead
    /// is confirmed.
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

    /// What is remembered of time, to be compared later.
    pub fn time_memory(&self) -> TimeMemory {
        let matched = self.memory.slots.iter().map(|slot| slot.matched).collect();
        let took_over = self.memory.slots.iter().map(|slot| slot.took_over).collect();
        let (mark, pending) = (self.memory.mark, self.memory.pending.clone());
        TimeMemory { mark, pending, matched, took_over }
    }

    /// Whether so much was learnt since `before` that it is worth a writing.
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

    /// Remembers that the machine matches what is installed in these slots.
    pub fn matches(&mut self, names: &[SlotName]) {
        let mark = self.memory.mark;
        self.change_slots(|slot| {
            if names.contains(&slot.name) {
                slot.matched = slot.matched.max(mark);
            }
        });
    }

    /// Counts a change of what is remembered of time.
    pub fn count(&mut self) {
        self.memory.counter = self.memory.counter.saturating_add(1);
    }

    /// Changes anything but the names of slots.
    pub(super) fn change_slots(&mut self, change: impl Fn(&mut Slot)) {
        self.memory.slots.change(change);
    }

    /// Whether a time may still answer this request: none was imported since it was made.
    pub(crate) fn takes_time(&self, sent: &Sent) -> bool {
        self.memory.last_timestamp.as_ref().is_none_or(|last| sent.number > last.number)
    }

    /// Whether a time that answers this request can take back the mark: it takes back only a mark that
    /// the request was made under.
    pub(crate) fn may_take_back(&self, sent: &Sent) -> bool {
        self.takes_time(sent) && sent.mark >= self.memory.mark
    }

    /// Sets the mark by a time of the vendor, back only by as much as it was ahead when the request
    /// was made. Returns whether it is new here.
    ///
    /// # Errors
    /// `wrong-machine`, `wrong-request`, `superseded`, in this order.
    pub fn accept_timestamp(&mut self, timestamp: &Timestamp) -> Result<bool> {
        let body = timestamp.body();
        if body.install_key != self.install_key() {
            let fact = "this time was issued for another installation";
            return Err(Error::refuse(Refusal::WrongMachine, fact).rule("time-4"));
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
            let fact = "this request was made before the last time was imported";
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
        // What was known of a future that is taken back is taken back too.
        self.drop_pending();
        self.let_begun_wait();
        self.remember(timestamp.bytes());
        Ok(true)
    }
}
