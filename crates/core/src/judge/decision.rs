//! Decision: what an installed license allows, until when, and why not.

use crate::entitlement::{Cause, Count, Operation, Operations, Outcome, Quotas};
use crate::error::Error;
use crate::license::License;
use crate::machine::{Assessment, Factor};
use crate::time::Instant;
use crate::wire::codec::Set;

/// What an installed license allows now, and what changes that.
///
/// ```
/// # mod olr { pub use olr_core::{judge::Decision}; }
/// use olr::Decision;
///
/// fn page(decision: &Decision) -> String {
///     let state = decision.condition();
///     match (decision.headline(), decision.comes_next()) {
///         (Some(headline), _) => format!("{state}: {headline}"),
///         (None, Some(next)) => format!("{state}; next: {next}"),
///         (None, None) => state.to_string(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a decision changes nothing until it is acted upon"]
pub struct Decision {
    pub(super) refusal: Option<Error>,
    pub(super) reasons: Vec<Blocked>,
    pub(super) grace: Option<Grace>,
    pub(super) graces: Vec<Grace>,
    pub(super) ended: Vec<Grace>,
    pub(super) usage: Set<Count, 4096>,
    /// State of every granted module against `usage`.
    pub(super) quotas: Quotas,
    pub(super) license: Option<License>,
    pub(super) next_license: Option<License>,
    pub(super) machine: Option<Assessment>,
    pub(super) enrolled: Vec<Factor>,
    pub(super) at: Instant,
    pub(super) remembered: Option<Box<Decision>>,
    pub(super) clock_memory: ClockMemory,
    pub(super) awaits_answer: bool,
    pub(super) awaits_time: bool,
}

/// What a rule that does not hold leaves allowed. All else is refused, also an operation that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
///
/// ```
/// # mod olr { pub use olr_core::{judge::{Decision, Grace}}; }
/// use olr::{Decision, Grace};
///
/// fn warnings(decision: &Decision) -> Vec<String> {
///     let text = |grace: &Grace| match grace.until {
///         Some(until) => format!("{} until {until}, then {}", grace.cause, grace.then),
///         None => format!("{}: only a warning", grace.cause),
///     };
///     decision.graces().iter().map(text).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Reason for which the server, or some of its operations, is refused. None where all are allowed.
    pub fn refusal(&self) -> Option<&Error> {
        self.refusal.as_ref()
    }

    /// Reasons for which operations are not allowed, each with what it leaves allowed.
    pub fn reasons(&self) -> &[Blocked] {
        &self.reasons
    }

    /// Grace period that ends first. None where the license is refused anyhow.
    pub fn grace(&self) -> Option<&Grace> {
        self.grace.as_ref()
    }

    /// All grace periods and warnings, the one that ends first before the others.
    pub fn graces(&self) -> &[Grace] {
        &self.graces
    }

    /// Grace periods that have ended.
    pub fn ended(&self) -> &[Grace] {
        &self.ended
    }

    /// Use of each module, as the product last reported it.
    pub fn usage(&self) -> &Set<Count, 4096> {
        &self.usage
    }

    /// License in force, or the one that was refused, where it could be verified.
    pub fn license(&self) -> Option<&License> {
        self.license.as_ref()
    }

    /// License that takes over once it starts.
    pub fn next_license(&self) -> Option<&License> {
        self.next_license.as_ref()
    }

    /// How the machine matches the policy of the license, factor by factor.
    pub fn machine(&self) -> Option<&Assessment> {
        self.machine.as_ref()
    }

    /// Factors that the license was issued for.
    pub fn enrolled(&self) -> &[Factor] {
        &self.enrolled
    }

    /// Instant that ends were judged at.
    pub fn judged_at(&self) -> Instant {
        self.at
    }

    /// Decision by what is remembered of time. None unless the clock is far ahead of that.
    pub fn remembered(&self) -> Option<&Self> {
        self.remembered.as_deref()
    }

    /// Whether the home remembers what the clock said.
    pub fn clock_memory(&self) -> ClockMemory {
        self.clock_memory
    }

    /// True if a request was made since, and its answer was not imported.
    pub fn awaits_answer(&self) -> bool {
        self.awaits_answer
    }

    /// True if that request may be answered with a time, too.
    pub fn awaits_time(&self) -> bool {
        self.awaits_time
    }

    /// Notes whether the home could remember what the clock said: only its owner knows.
    pub fn set_clock_memory(&mut self, memory: ClockMemory) {
        self.clock_memory = memory;
    }

    /// Forgets the license that would take over, unless `keep` accepts it: a product may believe
    /// only one vendor.
    pub fn retain_next(&mut self, keep: impl FnOnce(&License) -> bool) {
        self.next_license = self.next_license.take().filter(keep);
    }

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
        self.reasons.iter().find(blocks).map(|blocked| &blocked.why)
    }

    /// Nothing could be judged: the server stops.
    pub fn none(refusal: Error, at: Instant) -> Self {
        Self {
            reasons: vec![Blocked::stopped(refusal.clone())],
            refusal: Some(refusal),
            grace: None,
            graces: Vec::new(),
            ended: Vec::new(),
            usage: Set::default(),
            quotas: Quotas::default(),
            license: None,
            next_license: None,
            machine: None,
            enrolled: Vec::new(),
            at,
            remembered: None,
            clock_memory: ClockMemory::On,
            awaits_answer: false,
            awaits_time: false,
        }
    }

    /// Refuses everything: what the license says, and never blocks, is not to be believed.
    pub fn refuse(&mut self, refusal: Error) {
        self.reasons = vec![Blocked::stopped(refusal.clone())];
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
