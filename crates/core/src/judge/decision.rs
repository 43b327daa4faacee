//! Decision: what an installed license allows, until when, and why it refuses the rest.

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
    /// Quota and use of every granted module, computed from `usage`.
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

/// A rule that fails, and the operations that it still allows. It blocks all others, including
/// unknown ones.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocked {
    /// Operations that remain allowed.
    pub allowed: Operations,
    /// The refusal.
    pub why: Error,
}

impl Blocked {
    /// Creates a reason that stops the server. Only importing a license stays allowed, because that
    /// is the way out.
    pub(super) fn stopped(why: Error) -> Self {
        Self { allowed: Operations::of([Operation::UPDATE_LICENSE]), why }
    }
}

/// A grace period, running or ended, or a warning, which has no end.
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
    /// Why it runs.
    pub cause: Cause,
    /// When it started.
    pub since: Instant,
    /// When it ends. `None` if the cause only leads to a warning.
    pub until: Option<Instant>,
    /// What happens when it ends.
    pub then: Outcome,
    /// When time over the quota began to accumulate, for a grace period that adds up several
    /// excesses. See [`Spent::first`](crate::state::Spent::first).
    pub adds_up: Option<Instant>,
    /// Refusal that applies once this grace period has ended.
    pub overlooked: Error,
}

impl Grace {
    /// Creates a grace period whose time does not accumulate.
    pub(crate) fn new(
        cause: Cause,
        (since, until): (Instant, Option<Instant>),
        then: Outcome,
        overlooked: Error,
    ) -> Self {
        Self { cause, since, until, then, adds_up: None, overlooked }
    }

    /// Sort key: the grace period that ends first comes first, warnings with no end date come last.
    pub(super) fn urgency(&self) -> (bool, Option<Instant>) {
        (self.until.is_none(), self.until)
    }
}

/// Whether the home could remember the time, so that a clock that is set back will be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMemory {
    /// The home holds the high-water mark of time, or can be written to.
    On,
    /// The home cannot be written to, or another process held its lock: the high-water mark stays
    /// where it was last saved.
    Off,
}

impl ClockMemory {
    /// Returns `on` or `off`.
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

impl Decision {
    /// Why the server or some operations are refused. `None` if every operation is allowed.
    pub fn refusal(&self) -> Option<&Error> {
        self.refusal.as_ref()
    }

    /// All refusals, each with the operations that it still allows.
    pub fn reasons(&self) -> &[Blocked] {
        &self.reasons
    }

    /// Grace period that ends first, or a warning if there is no grace period. `None` if there is
    /// neither, or something is refused.
    pub fn grace(&self) -> Option<&Grace> {
        self.grace.as_ref()
    }

    /// All grace periods and warnings. Those that end first come first.
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

    /// License in effect, or the refused license if it could be verified.
    pub fn license(&self) -> Option<&License> {
        self.license.as_ref()
    }

    /// License that takes over once it starts.
    pub fn next_license(&self) -> Option<&License> {
        self.next_license.as_ref()
    }

    /// Comparison of the machine with the policy of the license, factor by factor.
    pub fn machine(&self) -> Option<&Assessment> {
        self.machine.as_ref()
    }

    /// Factors for which the license was issued.
    pub fn enrolled(&self) -> &[Factor] {
        &self.enrolled
    }

    /// Instant at which ends are judged: the later of the clock and the high-water mark.
    pub fn judged_at(&self) -> Instant {
        self.at
    }

    /// Decision made at the high-water mark. `None` unless the clock is implausibly far ahead of
    /// it.
    pub fn remembered(&self) -> Option<&Self> {
        self.remembered.as_deref()
    }

    /// Whether the home can save the high-water mark of time.
    pub fn clock_memory(&self) -> ClockMemory {
        self.clock_memory
    }

    /// True if a request for this slot is still waiting for its answer.
    pub fn awaits_answer(&self) -> bool {
        self.awaits_answer
    }

    /// True if a request for this slot is waiting, and the vendor may also answer it with a time.
    pub fn awaits_time(&self) -> bool {
        self.awaits_time
    }

    /// Records whether the home could remember the time, which only the caller knows.
    pub fn set_clock_memory(&mut self, memory: ClockMemory) {
        self.clock_memory = memory;
    }

    /// Drops the license that would take over, unless `keep` accepts it: a product may accept
    /// licenses from one vendor only.
    pub fn retain_next(&mut self, keep: impl FnOnce(&License) -> bool) {
        self.next_license = self.next_license.take().filter(keep);
    }

    /// Returns `licensed`, `grace` or `refused`.
    pub fn state(&self) -> &'static str {
        match (&self.refusal, &self.grace) {
            (Some(_), _) => "refused",
            (None, Some(grace)) if grace.until.is_some() => "grace",
            // Also if there is a warning, which blocks nothing.
            (None, _) => "licensed",
        }
    }

    /// Operations that the license knows. Without a license, the built-in ones.
    pub fn known(&self) -> Operations {
        let own = self.license.as_ref().map(|license| license.body().known());
        own.unwrap_or_else(|| Operations::of(Operation::BUILT_IN))
    }

    /// Known operations that are blocked now.
    pub fn blocked(&self) -> Operations {
        Operations::of(
            self.known().iter().copied().filter(|known| self.refusal_of(*known).is_some()),
        )
    }

    /// Returns why `operation` is blocked now, or `None` if it is allowed.
    pub fn refusal_of(&self, operation: Operation) -> Option<&Error> {
        let blocks = |blocked: &&Blocked| !blocked.allowed.contains(operation);
        self.reasons.iter().find(blocks).map(|blocked| &blocked.why)
    }

    /// Creates a decision without a license: the server stops.
    pub fn none(refusal: Error, at: Instant) -> Self {
        Self {
            reasons: vec![Blocked::stopped(refusal.clone())],
            refusal: Some(refusal),
            ..Self::blank(at)
        }
    }

    /// A decision without content, to be filled in: it refuses nothing yet.
    pub(super) fn blank(at: Instant) -> Self {
        Self {
            refusal: None,
            reasons: Vec::new(),
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

    /// Blocks everything except importing a license. The list of operations that the license
    /// never blocks is ignored: a refused license may state anything.
    pub fn refuse(&mut self, refusal: Error) {
        self.reasons = vec![Blocked::stopped(refusal.clone())];
        self.refusal = Some(refusal.clone());
        self.grace = None;
        if let Some(remembered) = &mut self.remembered {
            remembered.refuse(refusal);
        }
    }

    /// True if the clock is implausibly far ahead of the high-water mark and not confirmed yet.
    pub fn clock_is_pending(&self) -> bool {
        self.remembered.is_some()
    }

    /// Returns the comparison with the machine if the machine still matches, but an enrolled factor
    /// is known to be changed or missing.
    pub fn drift(&self) -> Option<&Assessment> {
        self.machine.as_ref().filter(|machine| machine.has_drifted())
    }

    /// True if this is the machine for which the license was issued.
    pub fn matches(&self) -> bool {
        self.machine.as_ref().is_some_and(Assessment::matches)
    }
}
