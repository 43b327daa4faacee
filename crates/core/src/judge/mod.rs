//! Judgement: may this machine run? Implements `docs/judgement.md`, section "Judgement".

use crate::entitlement::{Cause, Quotas};
use crate::error::{Error, Refusal, Result};
use crate::license::License;
use crate::machine::{Assessment, Bound, Here};
use crate::state::{Held, Sent, Slot, State};
use crate::time::Instant;
use crate::wire::codec::Set;

mod change;
mod condition;
mod decision;
mod far;
mod headline;
mod next;
mod open;
mod question;
mod weigh;

pub use change::{COUNTDOWN, WARNINGS};
pub use condition::Condition;
pub use decision::{Blocked, ClockMemory, Decision, Grace};
use far::by_both;
pub use far::decide_license;
pub use headline::Headline;
pub(crate) use headline::left;
pub use next::{Coming, Next};
use open::asked_for;
pub use question::{Answer, Question};

/// Judges the license of `slot` at `clock`, on the machine `here`: the installed license, or the
/// waiting one if it has taken over or nothing is installed. If the clock is implausibly far ahead,
/// [`Decision::remembered`] holds a second decision, made at the high-water mark.
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
    // A waiting license takes over once it has begun. While it is revoked or does not verify, it
    // does not take over, and does not stop the license in effect.
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
    decision.next_license = next.map(|(next, _)| next);
    let (license, enrolled) = match in_force {
        Ok(in_force) => in_force,
        Err(refusal) => {
            decision.refuse(refusal);
            return decision;
        }
    };
    let machine = assess(&license, state, here);
    let judged = judge(&license, &machine, state, clock, Some(slot));
    (decision.refusal, decision.reasons) = (judged.refusal, judged.reasons);
    decision.grace = judged.graces.first().cloned().filter(|_| decision.refusal.is_none());
    (decision.graces, decision.ended) = (judged.graces, judged.ended);
    decision.quotas = judged.quotas;
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
            Error::refuse(Refusal::Deactivated, fact).rule("judgement-2")
        }
    };
    match state.awaited_in(slot) {
        Some(sent) => error.hint(sent.next_step()),
        None => error,
    }
}

/// Compares the machine `here` with the one for which a verified license of this installation was
/// issued. The enrolled values are known only if the license is held here, or answers a request
/// that this installation remembers.
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

/// Result of judging one license.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Judgement {
    /// First refusal, or `None`.
    pub refusal: Option<Error>,
    /// All refusals, each with the operations that it still allows.
    pub reasons: Vec<Blocked>,
    /// Running grace periods and warnings. Those that end first come first.
    pub graces: Vec<Grace>,
    /// Grace periods that have ended.
    pub ended: Vec<Grace>,
    /// Quota of every granted module, and its use in the slot.
    pub quotas: Quotas,
}

/// Judges a verified license of this installation, which is held in `slot`. With `None`, the
/// license is not installed: it has no grace periods, and neither revocations nor usage are
/// considered.
///
/// The refusal is the first of `revoked`, `clock-rolled-back`, `wrong-machine`, `not-yet-valid`,
/// `expired` and `quota-exceeded` that applies and is not tolerated.
pub(crate) fn judge(
    license: &License,
    machine: &Assessment,
    state: &State,
    clock: Instant,
    slot: Option<&Slot>,
) -> Judgement {
    let (body, mark, at) = (license.body(), state.memory().mark, state.judged_at(clock));
    let none = Set::default();
    let usage = slot.map_or(&none, |slot| &slot.usage);
    let quotas = Quotas::new(&body.grants, usage);
    let excess = quotas.excesses(&body.grants, usage).next();
    let mut judged = Judgement::default();
    if let Some(slot) = slot
        && let Some((cause, refusal)) = state.revocation(license)
    {
        let since = slot.revoked.map_or(mark, |noted| noted.since(state, clock));
        let terms = license.as_revoked(state.trust());
        judged.weigh(&terms, cause, Some(since), at, refusal.rule("judgement-3"));
    }
    if clock.seconds.saturating_add(body.tolerance.into()) < mark.seconds {
        let fact = format!("the clock says {clock}, but the latest known time is {mark}");
        judged.stop(license, Error::refuse(Refusal::ClockRolledBack, fact).rule("judgement-4"));
    }
    if let Err(refusal) = machine.ensure() {
        let matched = slot.map(|slot| slot.matched);
        judged.weigh(license, Cause::Conflict, matched, at, refusal.rule("judgement-5"));
    }
    if mark < body.starts.begins() {
        let fact = format!("this license starts on {}", body.starts);
        judged.stop(license, Error::refuse(Refusal::NotYetValid, fact).rule("judgement-6"));
    }
    if let Some(last) = body.expires.filter(|last| at >= last.ends()) {
        let refusal = Error::refuse(Refusal::Expired, format!("this license expired on {last}"));
        let refusal = refusal.rule("judgement-7");
        judged.weigh(license, Cause::Expired, slot.map(|_| last.ends()), at, refusal);
    }
    if let Some(slot) = slot
        && let Some(excess) = excess
    {
        // If this license has taken over at its start, and the state has not recorded that yet,
        // time over the quota counts from that start. Time accumulated earlier counts too.
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
    Judgement { quotas, ..judged }
}
