//! Licensing status of an installation as one word of a closed list, the same everywhere.

use crate::entitlement::Operation;
use crate::judge::Decision;

/// Licensing status of an installation.
///
/// ```
/// # mod olr { pub use olr_core::{judge::Condition}; }
/// use olr::Condition;
///
/// fn color(condition: Condition) -> &'static str {
///     match condition {
///         Condition::InEffect => "green",
///         Condition::Warned | Condition::Grace | Condition::Countdown => "yellow",
///         Condition::Blocked | Condition::Stopped | Condition::Off => "red",
///     }
/// }
///
/// assert_eq!(color(Condition::Grace), "yellow");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Licensed, and no rule fails. A warning before the end of the license or of maintenance may
    /// be due.
    InEffect,
    /// Licensed, with a warning that blocks nothing.
    Warned,
    /// In a grace period: licensed until it ends.
    Grace,
    /// In the last hour before the server stops.
    Countdown,
    /// Some operations are blocked.
    Blocked,
    /// All operations are blocked, except importing a license and those that the license never
    /// blocks.
    Stopped,
    /// The server is not running. [`Decision::condition`] never returns this.
    Off,
}

impl Condition {
    /// All conditions, best first.
    pub const ALL: [Self; 7] = [
        Self::InEffect,
        Self::Warned,
        Self::Grace,
        Self::Countdown,
        Self::Blocked,
        Self::Stopped,
        Self::Off,
    ];

    /// Word used in text and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::InEffect => "in-effect",
            Self::Warned => "warned",
            Self::Grace => "grace",
            Self::Countdown => "countdown",
            Self::Blocked => "blocked",
            Self::Stopped => "stopped",
            Self::Off => "off",
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl Decision {
    /// Returns the licensing status of an installation whose server is running.
    pub fn condition(&self) -> Condition {
        let always = self.license.as_ref().map(|license| &*license.body().always);
        let all = self.known().without(&[Operation::UPDATE_LICENSE]);
        let all = all.without(always.unwrap_or_default());
        match (&self.refusal, &self.grace) {
            (Some(_), _) if all.iter().all(|each| self.refusal_of(*each).is_some()) => {
                Condition::Stopped
            }
            _ if self.graces.iter().any(|grace| grace.counts_down(self.at)) => Condition::Countdown,
            (Some(_), _) => Condition::Blocked,
            (None, Some(grace)) if grace.until.is_some() => Condition::Grace,
            (None, Some(_)) => Condition::Warned,
            (None, None) => Condition::InEffect,
        }
    }
}
