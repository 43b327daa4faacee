//! Reports of a decision and of an error. The caller puts each next step into words.

use crate::entitlement::{Cause, Operation};
use crate::error::{Error, NextStep, Problem, Refusal, Remedy};
use crate::judge::{ClockMemory, Coming, Condition, Decision, Headline, Next};
use crate::license::License;
use crate::machine::Assessment;
use crate::report::{ChangeReport, GraceReport, LicenseReport, MachineReport};
use crate::time::{Day, Instant};
use crate::wire::id::LicenseId;

/// Report of a decision about an installed license.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DecisionReport {
    /// The license, with its usage.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub license: Option<LicenseReport>,
    /// The answer: `licensed`, `grace`, `refused`, or `unknown` if it could not be determined.
    pub state: &'static str,
    /// Licensing status of the installation.
    pub condition: Condition,
    /// Instant at which ends are judged.
    pub judged_at: Instant,
    /// True if the clock is implausibly far ahead and not confirmed yet.
    pub clock_pending: bool,
    /// Whether the home can save the high-water mark of time.
    pub clock_memory: ClockMemory,
    /// End of the license, if a warning about it is due.
    pub expires_soon: Option<NearEndReport>,
    /// First line shown to a user.
    pub headline: Option<String>,
    /// Known operations that are blocked now.
    pub blocked: Vec<Operation>,
    /// Next change that time brings.
    pub next: Option<NextReport>,
    /// License that takes over later.
    pub waiting: Option<WaitingReport>,
    /// Comparison with the machine. `None` without a license.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub machine: Option<DriftReport>,
    /// Why the license is refused, or why the answer could not be determined.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub error: Option<ErrorReport>,
}

/// A last day for which a warning is due.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NearEndReport {
    /// The last day.
    pub last: Day,
    /// Days in the warning: 30, 7 or 1.
    pub days: u32,
}

/// Next change that time brings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NextReport {
    /// Word of a closed list.
    pub what: &'static str,
    /// When it happens.
    pub at: Instant,
    /// What happens and when, for people.
    pub text: String,
    /// Id of the license that takes over.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub license_id: Option<LicenseId>,
    /// Cause of the grace period that ends.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cause: Option<Cause>,
}

/// A license that waits for its start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WaitingReport {
    /// Id of the license.
    pub license_id: LicenseId,
    /// First day on which it is valid.
    pub starts: Day,
}

/// How well a machine matches its license, and what has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DriftReport {
    /// Points and factors.
    pub machine: MachineReport,
    /// Enrolled factors that are changed, missing or unreadable.
    pub drift: Vec<ChangeReport>,
    /// Points that may be lost while the machine still matches. `None` if it does not match.
    pub room: Option<u32>,
    /// What to do about it. Empty if there is nothing to do.
    pub next_step: String,
}

/// Why something was refused, or could not be determined.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ErrorReport {
    /// Word of the refusal.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub refusal: Option<Refusal>,
    /// What prevented an answer, if there is no refusal.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub problem: Option<Problem>,
    /// What happened.
    pub fact: String,
    /// What to do next.
    pub hint: String,
    /// Acts that the hint names.
    pub remedies: Vec<Remedy>,
}

impl ErrorReport {
    /// Makes the report of an error. `said` puts its next step into words.
    pub fn new(error: &Error, said: impl Fn(&NextStep) -> String) -> Self {
        let step = error.next_step();
        Self {
            refusal: error.refusal(),
            problem: error.problem(),
            fact: error.fact().to_string(),
            hint: said(step),
            remedies: step.remedies().to_vec(),
        }
    }

    /// Returns `refused`, or `unknown` if the answer could not be determined.
    pub fn state(&self) -> &'static str {
        if self.refusal.is_some() { "refused" } else { "unknown" }
    }
}

impl DecisionReport {
    /// Makes the report of a decision. `said` puts each next step into words.
    pub fn new(decision: &Decision, said: impl Fn(&NextStep) -> String) -> Self {
        let error = decision.refusal().map(|refusal| ErrorReport::new(refusal, &said));
        let license = decision.license().map(License::body);
        let license = license.map(|body| LicenseReport {
            grace: decision.grace().map(GraceReport::from),
            ..LicenseReport::new(body, Some(decision.usage()))
        });
        let soon = decision.expires_soon().map(|(last, days)| NearEndReport { last, days });
        let waiting = decision.next_license().map(|next| WaitingReport {
            license_id: next.body().license,
            starts: next.body().starts,
        });
        Self {
            license,
            state: error.as_ref().map_or(decision.state(), ErrorReport::state),
            condition: decision.condition(),
            judged_at: decision.judged_at(),
            clock_pending: decision.clock_is_pending(),
            clock_memory: decision.clock_memory(),
            expires_soon: soon,
            headline: decision.headline().map(|headline| headline.said(&said)),
            blocked: decision.blocked().to_vec(),
            next: decision.comes_next().as_ref().map(NextReport::from),
            waiting,
            machine: decision.machine().map(|machine| DriftReport::new(machine, &said)),
            error,
        }
    }
}

impl DriftReport {
    fn new(machine: &Assessment, said: impl Fn(&NextStep) -> String) -> Self {
        Self {
            machine: machine.into(),
            drift: machine.drift().into_iter().map(ChangeReport::from).collect(),
            room: machine.matches().then(|| machine.room()),
            next_step: machine.next_step().as_ref().map(said).unwrap_or_default(),
        }
    }
}

impl From<&Next> for NextReport {
    fn from(next: &Next) -> Self {
        let (license_id, cause) = match next.what {
            Coming::License(license, _) => (Some(license), None),
            Coming::Grace(cause, _) => (None, Some(cause)),
            Coming::Start(_) | Coming::Maintenance(_) | Coming::Expiry(_) => (None, None),
        };
        Self { what: next.what.word(), at: next.at, text: next.to_string(), license_id, cause }
    }
}

impl Headline {
    /// Returns the sentence with its next step, worded by `said`.
    pub fn said(&self, said: impl Fn(&NextStep) -> String) -> String {
        let step = self.next_step.as_ref().map(|step| format!("; {}", said(step)));
        self.fact.clone() + &step.unwrap_or_default()
    }
}
