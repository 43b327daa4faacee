//! The report of a decision, and of an error. A surface says in its own words what to do next.

use crate::entitlement::{Cause, Operation};
use crate::error::{Error, NextStep, Problem, Refusal, Remedy};
use crate::judge::{ClockMemory, Coming, Condition, Decision, Headline, Next};
use crate::license::License;
use crate::machine::Assessment;
use crate::report::{ChangeReport, GraceReport, LicenseReport, MachineReport};
use crate::time::{Day, Instant};
use crate::wire::id::LicenseId;

/// How an installed license is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DecisionReport {
    /// The license, with what is in use.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub license: Option<LicenseReport>,
    /// The answer: `licensed`, `grace`, `refused`, or `unknown` where nobody could tell.
    pub state: &'static str,
    /// How the installation stands.
    pub condition: Condition,
    /// The instant that was decided for.
    pub judged_at: Instant,
    /// Whether the clock is too far ahead to be believed yet.
    pub clock_pending: bool,
    /// Whether the home remembers the time.
    pub clock_memory: ClockMemory,
    /// The end, where it is near.
    pub expires_soon: Option<NearEndReport>,
    /// What a user is shown first.
    pub headline: Option<String>,
    /// Operations that the license knows and that are refused now.
    pub blocked: Vec<Operation>,
    /// What comes first by itself.
    pub next: Option<NextReport>,
    /// The license that takes over.
    pub waiting: Option<WaitingReport>,
    /// How the machine matches; `None` without a license.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub machine: Option<DriftReport>,
    /// Why it is refused.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub error: Option<ErrorReport>,
}

/// A last day that is near.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NearEndReport {
    /// The last day.
    pub last: Day,
    /// Days that are left.
    pub days: u32,
}

/// What time brings first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NextReport {
    /// One word of a closed list.
    pub what: &'static str,
    /// When.
    pub at: Instant,
    /// What and when, for people.
    pub text: String,
    /// The license that takes over.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub license_id: Option<LicenseId>,
    /// The cause of the grace period that ends.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cause: Option<Cause>,
}

/// A license that waits for its start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WaitingReport {
    /// The license.
    pub license_id: LicenseId,
    /// Its first day.
    pub starts: Day,
}

/// How a machine matches its license, and what changed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DriftReport {
    /// Points and factors.
    pub machine: MachineReport,
    /// What changed.
    pub drift: Vec<ChangeReport>,
    /// The points that may still be lost; `None` where the machine does not match.
    pub room: Option<u32>,
    /// What to do about it; empty for nothing.
    pub next_step: String,
}

/// Why something was refused, or could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ErrorReport {
    /// The word of a refusal.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub refusal: Option<Refusal>,
    /// What stood in the way, where it could not be told.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub problem: Option<Problem>,
    /// What happened.
    pub fact: String,
    /// What to do next.
    pub hint: String,
    /// The acts that the hint names.
    pub remedies: Vec<Remedy>,
}

impl ErrorReport {
    /// The report of an error; `said` words its next step.
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

    /// `refused`, or `unknown` where it could not be told.
    pub fn state(&self) -> &'static str {
        if self.refusal.is_some() { "refused" } else { "unknown" }
    }
}

impl DecisionReport {
    /// The report of a decision; `said` words each next step.
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
    /// The sentence with its next step, which `said` words.
    pub fn said(&self, said: impl Fn(&NextStep) -> String) -> String {
        let step = self.next_step.as_ref().map(|step| format!("; {}", said(step)));
        self.fact.clone() + &step.unwrap_or_default()
    }
}
