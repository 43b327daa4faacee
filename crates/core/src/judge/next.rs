//! The next change that comes by itself, in the same words everywhere.

use crate::entitlement::{Cause, Operation, Outcome};
use crate::judge::Decision;
use crate::time::{Day, Instant};
use crate::wire::id::LicenseId;

/// The next change that time brings to a license.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Next {
    /// What happens.
    pub what: Coming,
    /// When it happens.
    pub at: Instant,
}

/// A change that time alone brings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coming {
    /// The license starts.
    Start(Day),
    /// Another license takes over.
    License(LicenseId, Day),
    /// A grace period ends, with this outcome.
    Grace(Cause, Outcome),
    /// Maintenance ends after this day.
    Maintenance(Day),
    /// The license expires after this day.
    Expiry(Day),
}

impl Coming {
    /// Word of a closed list, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::License(..) => "license",
            Self::Grace(_, outcome) => outcome.word(),
            Self::Maintenance(_) => "maintenance",
            Self::Expiry(_) => "expiry",
        }
    }
}

impl std::fmt::Display for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.at;
        match &self.what {
            Coming::Start(day) => write!(f, "this license starts on {day}"),
            Coming::License(license, day) => write!(f, "license {license} takes effect on {day}"),
            Coming::Grace(cause, Outcome::Stop) => write!(f, "the server stops at {at} ({cause})"),
            Coming::Grace(cause, Outcome::Block) => {
                write!(f, "operations are blocked from {at} ({cause})")
            }
            Coming::Grace(cause, Outcome::Warn) => {
                write!(f, "only a warning remains after {at} ({cause})")
            }
            Coming::Maintenance(day) => write!(f, "maintenance ends on {day}"),
            Coming::Expiry(day) => {
                write!(f, "this license expires on {day}: ask for a renewal in time")
            }
        }
    }
}

impl Decision {
    /// Returns the first change after [`Decision::judged_at`]. If the server has stopped, only the
    /// start of a license is considered, because the other changes do not end the stop.
    pub fn comes_next(&self) -> Option<Next> {
        let body = self.license.as_ref().map(|license| license.body());
        let start = body.map(|body| (Coming::Start(body.starts), body.starts.begins()));
        let next = self.next_license.as_ref().map(|next| {
            let (license, day) = (next.body().license, next.body().starts);
            (Coming::License(license, day), day.begins())
        });
        let has_stopped = self.refusal_of(Operation::RUN).is_some();
        let graces = self
            .graces
            .iter()
            .filter_map(|grace| Some((Coming::Grace(grace.cause, grace.then), grace.until?)));
        let maintenance = body.and_then(|body| body.maintenance);
        let expiry = body.and_then(|body| body.expires);
        let ends = [expiry.map(Coming::Expiry), maintenance.map(Coming::Maintenance)];
        let ends = ends.into_iter().flatten().filter_map(|end| match end {
            Coming::Maintenance(day) | Coming::Expiry(day) => Some((end, day.ends())),
            _ => None,
        });
        let running = graces.chain(ends).filter(|_| !has_stopped);
        // At the same instant the earlier entry wins: a takeover comes before an end.
        let all = start.into_iter().chain(next).chain(running);
        all.filter(|(_, at)| *at > self.at)
            .min_by_key(|(_, at)| *at)
            .map(|(what, at)| Next { what, at })
    }
}
