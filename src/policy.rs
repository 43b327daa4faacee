//! Judgement: may this machine run? Obeys `docs/format.md`, section "Judgement".

use crate::error::{Error, Refusal, Result};
use crate::license::License;
use crate::machine::{Factor, Match};
use crate::state::{Slot, State};
use crate::time::Instant;

/// The answer for one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Nothing, or the refusal.
    pub refusal: Option<Error>,
    /// The license in force, or the one that was refused, where it could be verified.
    pub license: Option<License>,
    /// The license that takes over at its start.
    pub next: Option<License>,
    /// How the machine matches the policy of the license.
    pub machine: Option<Match>,
    /// The instant that was judged at.
    pub at: Instant,
}

impl Decision {
    /// `licensed` or `refused`.
    pub fn state(&self) -> &'static str {
        if self.refusal.is_some() { "refused" } else { "licensed" }
    }
}

/// Judges the installed license of `slot` at `clock`, on a machine where `found` was found.
pub fn decide(clock: Instant, found: &[Factor], state: &State, slot: &Slot) -> Decision {
    let at = clock.max(state.memory().mark);
    let mut decision = Decision { refusal: None, license: None, next: None, machine: None, at };
    let read = |held| state.license(&slot.name, held);
    let next = match slot.next.as_ref().map(read).transpose() {
        Ok(next) => next,
        Err(refusal) => return Decision { refusal: Some(refusal), ..decision },
    };
    // What has begun stands alone: the license before it may be revoked or undelegated by now.
    let (license, next) = match (next, &slot.installed) {
        (Some(next), _) if next.body().starts.begins() <= at => (next, None),
        (Some(next), None) => (next, None),
        (next, Some(installed)) => match read(installed) {
            Ok(installed) => (installed, next),
            Err(refusal) => return Decision { refusal: Some(refusal), next, ..decision },
        },
        (None, None) => {
            let fact = "no license is installed in this slot";
            decision.refusal = Some(Error::refuse(Refusal::NotActivated, fact));
            return decision;
        }
    };
    decision.next = next;
    let machine = compare(&license, state, found);
    decision.refusal = judge(&license, &machine, clock, state.memory().mark).err();
    decision.machine = Some(machine);
    decision.license = Some(license);
    decision
}

/// How this machine matches the policy of a license.
pub fn compare(license: &License, state: &State, found: &[Factor]) -> Match {
    let commitment_key = state.install().commitment_key(license.body().request);
    license.body().policy.compare(commitment_key.expose(), found)
}

/// Judges a license that was verified and is for this installation.
///
/// # Errors
/// `clock-rolled-back`, `wrong-machine`, `not-yet-valid`, `expired`, in this order.
pub fn judge(license: &License, machine: &Match, clock: Instant, mark: Instant) -> Result<()> {
    let body = license.body();
    if clock.seconds.saturating_add(body.tolerance.into()) < mark.seconds {
        let fact = format!("the clock says {clock}, but it was already {mark}");
        return Err(Error::refuse(Refusal::ClockRolledBack, fact));
    }
    machine.expect()?;
    let at = clock.max(mark);
    if at < body.starts.begins() {
        let fact = format!("this license starts on {}", body.starts);
        return Err(Error::refuse(Refusal::NotYetValid, fact));
    }
    match body.expires {
        Some(last) if at >= last.ends() => {
            Err(Error::refuse(Refusal::Expired, format!("this license ended on {last}")))
        }
        _ => Ok(()),
    }
}
