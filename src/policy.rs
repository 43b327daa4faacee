//! Judgement: may this machine run? Obeys `docs/format.md`, section "Judgement".

use crate::entitlement::{Cause, Outcome};
use crate::error::{Error, Refusal, Result};
use crate::license::License;
use crate::machine::probe::Unreadable;
use crate::machine::{Comparison, Factor, Match};
use crate::state::{Held, Slot, State};
use crate::time::Instant;

/// The answer for one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Nothing, or the refusal.
    pub refusal: Option<Error>,
    /// What the license overlooks for now; nothing where it is refused.
    pub grace: Option<Grace>,
    /// The license in force, or the one that was refused, where it could be verified.
    pub license: Option<License>,
    /// The license that takes over at its start.
    pub next: Option<License>,
    /// How the machine matches the policy of the license.
    pub machine: Option<Match>,
    /// The factors that the license was issued for.
    pub enrolled: Vec<Factor>,
    /// The instant that was judged at.
    pub at: Instant,
    /// Whether the clock is far ahead and not believed yet: judged was at the mark.
    pub clock_is_pending: bool,
    /// Whether the home remembers what the clock said.
    pub clock_memory: ClockMemory,
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
    /// What would be refused without it.
    pub overlooked: Error,
}

impl Grace {
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

    /// Whether the machine is the one that the license was issued for.
    pub fn matches(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.expect().is_ok())
    }
}

/// Judges the installed license of `slot` at `clock`, on a machine where `found` was found.
pub fn decide(clock: Instant, found: &[Factor], state: &State, slot: &Slot) -> Decision {
    let at = state.judged_at(clock);
    let mut decision = Decision {
        refusal: None,
        grace: None,
        license: None,
        next: None,
        machine: None,
        enrolled: Vec::new(),
        at,
        clock_is_pending: state.is_pending(clock),
        clock_memory: ClockMemory::On,
    };
    let read = |held: &Held| {
        state.license(&slot.name, held).map(|license| (license, held.enrolled.to_vec()))
    };
    // A license that waits takes over once it has begun; one that no longer verifies never does,
    // and never stops the one that is in force.
    let next = slot.next.as_ref().map(read);
    let counts = |next: &License| state.revocation(slot, next).is_none();
    let takes_over = |next: &License| {
        slot.installed.is_none() || (next.body().starts.begins() <= at && counts(next))
    };
    let (in_force, next) = match (next, slot.installed.as_ref().map(read)) {
        (Some(Ok((next, enrolled))), _) if takes_over(&next) => (Ok((next, enrolled)), None),
        (next, Some(installed)) => (installed, next.and_then(Result::ok)),
        (Some(next), None) => (next, None),
        (None, None) => (Err(nothing_in(slot)), None),
    };
    decision.next = next.map(|(next, _)| next);
    let (license, enrolled) = match in_force {
        Ok(in_force) => in_force,
        Err(refusal) => return Decision { refusal: Some(refusal), ..decision },
    };
    let machine = compare(&license, state, found);
    let revoked = state.revocation(slot, &license);
    match judge(&license, &machine, state, clock, Some((slot.matched, revoked))) {
        Ok(grace) => decision.grace = grace,
        Err(refusal) => decision.refusal = Some(refusal),
    }
    decision.machine = Some(machine);
    decision.enrolled = enrolled;
    decision.license = Some(license);
    decision
}

fn nothing_in(slot: &Slot) -> Error {
    match slot.receipt {
        None => {
            let fact = "no license is installed in this slot";
            Error::refuse(Refusal::NotActivated, fact)
        }
        Some(_) => {
            let fact = "the license in this slot was deactivated here";
            Error::refuse(Refusal::Deactivated, fact)
        }
    }
}

/// How this machine matches the policy of a license.
pub fn compare(license: &License, state: &State, found: &[Factor]) -> Match {
    let commitment_key = state.install().commitment_key(license.body().request);
    license.body().policy.compare(commitment_key.expose(), found)
}

/// What became of each factor that a verified license of this installation was issued for, where
/// `found` is found now. The factors themselves are known of a license that is held here and of one
/// that answers a request remembered here.
pub fn explain(
    license: &License,
    state: &State,
    found: &[Factor],
    unreadable: &[Unreadable],
) -> Comparison {
    let (body, memory) = (license.body(), state.memory());
    let held = memory.slots.iter().flat_map(|slot| [&slot.installed, &slot.next]).flatten();
    let held = held.into_iter().find(|held| *held.license == *license.bytes());
    let sent = memory.requests.iter().find(|sent| sent.hash == body.request_hash);
    let then = held.map(|held| &held.enrolled).or(sent.map(|sent| &sent.found));
    let then = then.map(|factors| factors.as_ref()).unwrap_or_default();
    let commitment_key = state.install().commitment_key(body.request);
    Comparison::new(&body.policy, commitment_key.expose(), then, found, unreadable)
}

/// Judges a license that was verified and is for this installation. One that is installed may have a
/// grace: `installed` says when its machine was last seen, and whether it is revoked.
///
/// # Errors
/// `revoked`, `clock-rolled-back`, `wrong-machine`, `not-yet-valid`, `expired`, in this order.
pub fn judge(
    license: &License,
    machine: &Match,
    state: &State,
    clock: Instant,
    installed: Option<(Instant, Option<(Instant, Error)>)>,
) -> Result<Option<Grace>> {
    let (body, mark, at) = (license.body(), state.memory().mark, state.judged_at(clock));
    let (matched, revoked) = installed.map_or((None, None), |(matched, r)| (Some(matched), r));
    let revoked = match revoked {
        Some((since, refusal)) => Some(grace(license, Cause::Revoked, Some(since), at, refusal)?),
        None => None,
    };
    if clock.seconds.saturating_add(body.tolerance.into()) < mark.seconds {
        let fact = format!("the clock says {clock}, but it was already {mark}");
        return Err(Error::refuse(Refusal::ClockRolledBack, fact));
    }
    let conflict = match machine.expect() {
        Ok(()) => None,
        Err(refusal) => Some(grace(license, Cause::Conflict, matched, at, refusal)?),
    };
    if at < body.starts.begins() {
        let fact = format!("this license starts on {}", body.starts);
        return Err(Error::refuse(Refusal::NotYetValid, fact));
    }
    match body.expires {
        Some(last) if at >= last.ends() => {
            Err(Error::refuse(Refusal::Expired, format!("this license ended on {last}")))
        }
        _ => Ok([revoked, conflict].into_iter().flatten().min_by_key(Grace::urgency)),
    }
}

/// The grace that a license has for `cause`. For a machine that no longer matches it counts from when
/// it was last seen: a snapshot that is restored brings no new one.
fn grace(
    license: &License,
    cause: Cause,
    since: Option<Instant>,
    at: Instant,
    refusal: Error,
) -> Result<Grace> {
    let rule = license.body().grace.get(&cause);
    let (Some(rule), Some(since)) = (rule, since) else { return Err(refusal) };
    let until = Instant::new(since.seconds.saturating_add(rule.seconds));
    if rule.outcome == Outcome::Warn {
        return Ok(Grace { cause, since, until: None, then: rule.outcome, overlooked: refusal });
    }
    if at >= until {
        return Err(refusal.within(format!("the grace period ended at {until}")));
    }
    Ok(Grace { cause, since, until: Some(until), then: rule.outcome, overlooked: refusal })
}
