//! Decision: what an installed license allows, until when, and why not.

use crate::entitlement::{Cause, Count, Operation, Operations, Outcome, Quotas};
use crate::error::Error;
use crate::license::License;
use crate::machine::{Assessment, Factor};
use crate::time::Instant;
use crate::wire::codec::Set;

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
    pub(super) fn stopped(why: Error) -> Self {
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
    pub(super) fn urgency(&self) -> (bool, Option<Instant>) {
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
