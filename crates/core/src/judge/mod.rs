//! Judgement: may this machine run? Obeys `docs/format.md`, section "Judgement".

use crate::entitlement::{Cause, Count, Operation, Operations, Outcome, Quotas, excess};
use crate::error::{Error, Refusal, Result};
use crate::license::License;
use crate::machine::{Assessment, Bound, Factor, Here};
use crate::state::{Held, Sent, Slot, State};
use crate::time::Instant;
use crate::wire::codec::Set;

mod change;
mod condition;
mod far;
mod headline;
mod next;
mod open;
mod question;
mod weigh;

pub use change::{COUNTDOWN, WARNINGS};
pub use condition::Condition;
use far::by_both;
pub use far::decide_license;
pub use headline::Headline;
pub(crate) use headline::left;
pub use next::{Coming, Next};
use open::asked_for;
pub use question::{Answer, Question};

/// The answer for one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Nothing, or the refusal.
    pub refusal: Option<Error>,
    /// What may not be done now, and why.
    pub blocked: Vec<Blocked>,
    /// What the license overlooks for now; nothing where it is refused.
    pub grace: Option<Grace>,
    /// Everything that it overlooks for now, what ends first before the others.
    pub graces: Vec<Grace>,
    /// What it overlooks no longer.
    pub ended: Vec<Grace>,
    /// What is in use, as the product last said.
    pub usage: Set<Count, 4096>,
    /// How every granted module stands against that.
    pub(crate) quotas: Quotas,
    /// The license in force, or the one that was refused, where it could be verified.
    pub license: Option<License>,
    /// The license that takes over at its start.
    pub next: Option<License>,
    /// How the machine matches the policy of the license, factor by factor.
    pub machine: Option<Assessment>,
    /// The factors that the license was issued for.
    pub enrolled: Vec<Factor>,
    /// The instant at which ends were judged.
    pub at: Instant,
    /// What would be answered by what is remembered; nothing unless the clock is far ahead of that.
    pub remembered: Option<Box<Decision>>,
    /// Whether the home remembers what the clock said.
    pub clock_memory: ClockMemory,
    /// Whether a request was made since, and its answer was not imported.
    pub awaits: bool,
    /// Whether a time may answer that request too.
    pub awaits_time: bool,
}

/// What a rule that does not hold leaves allowed. All else is refused, also an operation that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Operations that remain allowed.
    pub allowed: Operations,
    /// The refusal.
    pub why: Error,
}

impl Blocked {
    /// The server stops: only the import of a license is left, which is the way out.
    fn stopped(why: Error) -> Self {
        Self { allowed: Operations::of([Operation::UPDATE_LICENSE]), why }
    }
}

/// A grace period that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grace {
    /// Why.
    pub cause: Cause,
    /// From when it counts.
    pub since: Instant,
    /// When it ends; nothing where only a warning follows.
    pub until: Option<Instant>,
    /// What then.
    pub then: Outcome,
    /// Since when its time adds up, where it does so over several times: over the quota.
    pub adds_up: Option<Instant>,
    /// What would be refused without it.
    pub overlooked: Error,
}

impl Grace {
    /// One whose time does not add up over several times.
    pub(crate) fn new(
        cause: Cause,
        (since, until): (Instant, Option<Instant>),
        then: Outcome,
        overlooked: Error,
    ) -> Self {
        Self { cause, since, until, then, adds_up: None, overlooked }
    }

    /// What ends first comes first, a mere warning last.
    fn urgency(&self) -> (bool, Option<Instant>) {
        (self.until.is_none(), self.until)
    }
}

/// Whether the home can be written, so that a clock set back is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMemory {
    /// It remembers.
    On,
    /// It cannot be written: only what it remembered before counts.
    Off,
}

impl ClockMemory {
    /// `on` or `off`.
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl Decision {
    /// `licensed`, `grace` or `refused`.
    pub fn state(&self) -> &'static str {
        match (&self.refusal, &self.grace) {
            (Some(_), _) => "refused",
            (None, Some(grace)) if grace.until.is_some() => "grace",
            // Also with a warning.
            (None, _) => "licensed",
        }
    }

    /// The operations that the license knows, or without one those that are built in.
    pub fn known(&self) -> Operations {
        let own = self.license.as_ref().map(|license| license.body().known());
        own.unwrap_or_else(|| Operations::of(Operation::BUILT_IN))
    }

    /// Those of them that may not be done now.
    pub fn blocked(&self) -> Operations {
        Operations::of(
            self.known().iter().copied().filter(|known| self.refusal_of(*known).is_some()),
        )
    }

    /// Why `operation` may not be done now.
    pub fn refusal_of(&self, operation: Operation) -> Option<&Error> {
        let blocks = |blocked: &&Blocked| !blocked.allowed.contains(operation);
        self.blocked.iter().find(blocks).map(|blocked| &blocked.why)
    }

    /// Nothing could be judged: the server stops.
    pub fn none(refusal: Error, at: Instant) -> Self {
        Self {
            blocked: vec![Blocked::stopped(refusal.clone())],
            refusal: Some(refusal),
            grace: None,
            graces: Vec::new(),
            ended: Vec::new(),
            usage: Set::default(),
            quotas: Quotas::default(),
            license: None,
            next: None,
            machine: None,
            enrolled: Vec::new(),
            at,
            remembered: None,
            clock_memory: ClockMemory::On,
            awaits: false,
            awaits_time: false,
        }
    }

    /// Refuses everything: what the license says, and never blocks, is not to be believed.
    pub fn refuse(&mut self, refusal: Error) {
        self.blocked = vec![Blocked::stopped(refusal.clone())];
        self.refusal = Some(refusal.clone());
        self.grace = None;
        if let Some(remembered) = &mut self.remembered {
            remembered.refuse(refusal);
        }
    }

    /// Whether the clock is so far ahead of what is remembered that it may be wrong.
    pub fn clock_is_pending(&self) -> bool {
        self.remembered.is_some()
    }

    /// How the machine has changed, where it still matches and something that was enrolled is known
    /// to be no longer as it was.
    pub fn drift(&self) -> Option<&Assessment> {
        self.machine.as_ref().filter(|machine| machine.has_drifted())
    }

    /// Whether the machine is the one that the license was issued for.
    pub fn matches(&self) -> bool {
        self.machine.as_ref().is_some_and(Assessment::matches)
    }
}

/// Judges the installed license of `slot` at `clock`, on the machine `here`: as it is by the clock,
/// and by what is remembered where the clock is far ahead of that.
pub fn decide(clock: Instant, here: Here<'_>, state: &State, slot: &Slot) -> Decision {
    by_both(clock, state, |clock| decide_by(clock, here, state, slot))
}

fn decide_by(clock: Instant, here: Here<'_>, state: &State, slot: &Slot) -> Decision {
    let at = state.judged_at(clock);
    let mut decision =
        Decision { usage: slot.usage.clone(), ..Decision::none(nothing_in(state, slot), at) };
    let read = |held: &Held| {
        state.license(&slot.name, held).map(|license| (license, held.enrolled.to_vec()))
    };
    // A license that waits takes over once it has begun; one that no longer verifies never does,
    // and never stops the one that is in force.
    let next = slot.next.as_ref().map(read);
    let counts = |next: &License| state.revocation(next).is_none();
    let has_begun = |next: &License| next.body().starts.begins() <= state.memory().mark;
    let takes_over = |next: &License| {
        slot.installed.is_none() || slot.has_taken_over() || (has_begun(next) && counts(next))
    };
    let (in_force, next) = match (next, slot.installed.as_ref().map(read)) {
        (Some(Ok((next, enrolled))), _) if takes_over(&next) => (Ok((next, enrolled)), None),
        (next, Some(installed)) if !slot.has_taken_over() => (installed, next.and_then(Result::ok)),
        (Some(next), _) => (next, None),
        (None, _) => return decision,
    };
    decision.next = next.map(|(next, _)| next);
    let (license, enrolled) = match in_force {
        Ok(in_force) => in_force,
        Err(refusal) => {
            decision.refuse(refusal);
            return decision;
        }
    };
    let machine = assess(&license, state, here);
    let judged = judge(&license, &machine, state, clock, Some(slot));
    (decision.refusal, decision.blocked) = (judged.refusal, judged.blocked);
    decision.grace = judged.graces.first().cloned().filter(|_| decision.refusal.is_none());
    (decision.graces, decision.ended) = (judged.graces, judged.ended);
    decision.quotas = Quotas::new(&license.body().grants, &decision.usage);
    decision.machine = Some(machine);
    decision.enrolled = enrolled;
    decision.license = Some(license);
    if let Some(sent) = state.awaited_in(slot) {
        decision.refer_to_request(state, sent);
    }
    decision
}

fn nothing_in(state: &State, slot: &Slot) -> Error {
    let error = match slot.receipt {
        None => {
            let fact = "no license is installed in this slot";
            Error::refuse(Refusal::NotActivated, fact).rule("judgement-1")
        }
        Some(_) => {
            let fact = "the license in this slot was deactivated here";
            Error::refuse(Refusal::Deactivated, fact).rule("judgement-6")
        }
    };
    match state.awaited_in(slot) {
        Some(sent) => error.hint(sent.next_step()),
        None => error,
    }
}

/// Whether the machine `here` is the one that a verified license of this installation was issued
/// for, and what became of each of its factors. The factors themselves are known of a license that
/// is held here and of one that answers a request remembered here.
pub fn assess(license: &License, state: &State, here: Here<'_>) -> Assessment {
    let (body, memory) = (license.body(), state.memory());
    let held = memory.slots.iter().flat_map(|slot| [&slot.installed, &slot.next]).flatten();
    let held = held.into_iter().find(|held| *held.license == *license.bytes());
    let sent = memory.requests.iter().find(|sent| sent.hash == body.request_hash);
    let enrolled = held.map(|held| &held.enrolled).or(sent.map(|sent| &sent.found));
    let enrolled = enrolled.map(|factors| factors.as_ref()).unwrap_or_default();
    let commitment_key = state.install().commitment_key(body.request);
    let bound = Bound { commitment_key: commitment_key.expose(), enrolled };
    let asked = asked_for(state, body, here.factors).map(Sent::sending);
    Assessment { asked, ..body.policy.assess(bound, here) }
}

/// What was found of a license.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// Nothing, or the first refusal.
    pub refusal: Option<Error>,
    /// What may not be done, and why.
    pub blocked: Vec<Blocked>,
    /// What is overlooked for now, what ends first before the others.
    pub graces: Vec<Grace>,
    /// What is overlooked no longer.
    pub ended: Vec<Grace>,
}

/// Judges a license that was verified and is for this installation. One that is installed in `slot`
/// may have graces; one that is to be imported has none.
///
/// The refusal is `revoked`, `clock-rolled-back`, `wrong-machine`, `not-yet-valid`, `expired` or
/// `quota-exceeded`, the first of these that applies.
pub fn judge(
    license: &License,
    machine: &Assessment,
    state: &State,
    clock: Instant,
    slot: Option<&Slot>,
) -> Judgement {
    let (body, mark, at) = (license.body(), state.memory().mark, state.judged_at(clock));
    let mut judged = Judgement::default();
    if let Some(slot) = slot
        && let Some((cause, refusal)) = state.revocation(license)
    {
        let since = slot.revoked.map_or(mark, |noted| noted.since(state, clock));
        let terms = license.as_revoked(state.trust());
        judged.weigh(&terms, cause, Some(since), at, refusal.rule("judgement-7"));
    }
    if clock.seconds.saturating_add(body.tolerance.into()) < mark.seconds {
        let fact = format!("the clock says {clock}, but it was already {mark}");
        judged.stop(license, Error::refuse(Refusal::ClockRolledBack, fact).rule("judgement-2"));
    }
    if let Err(refusal) = machine.ensure() {
        let matched = slot.map(|slot| slot.matched);
        judged.weigh(license, Cause::Conflict, matched, at, refusal.rule("judgement-3"));
    }
    if mark < body.starts.begins() {
        let fact = format!("this license starts on {}", body.starts);
        judged.stop(license, Error::refuse(Refusal::NotYetValid, fact).rule("judgement-4"));
    }
    if let Some(last) = body.expires.filter(|last| at >= last.ends()) {
        let refusal = Error::refuse(Refusal::Expired, format!("this license ended on {last}"));
        let refusal = refusal.rule("judgement-5");
        judged.weigh(license, Cause::Expired, slot.map(|_| last.ends()), at, refusal);
    }
    if let Some(slot) = slot
        && let Some(excess) = excess(&body.grants, &slot.usage)
    {
        // What was within the quota until this license took over is not within it from its start,
        // also where nobody has noted that yet; what was spent before counts.
        let over = state.over_by_now(slot);
        let spent = over.of(body);
        let noted = spent.and_then(|spent| spent.since);
        let since = noted.map_or(body.starts.begins(), |noted| noted.since(state, clock));
        judged.weigh_quota(license, since, at, excess);
        let adds_up = spent.map_or(since, |spent| spent.first);
        for grace in judged.graces.iter_mut().chain(&mut judged.ended) {
            if grace.cause == body.cause_of_overuse() {
                grace.adds_up = Some(adds_up);
            }
        }
    }
    judged.graces.sort_by_key(Grace::urgency);
    judged
}
