//! What a license grants: modules with quotas, grace periods, and what happens when they end.
//! Implements `docs/format.md`, section "Grants".

mod operation;
mod quota;
mod version;
pub use operation::{OPERATIONS_CAP, Operation, Operations};
pub use quota::{Excess, Quota, Quotas, excess, named, ungranted};
pub use version::is_older;

use crate::wire::codec::{Keyed, Limit, Set, Text, numbered, record};

numbered! {
    /// How a license is paid for.
    pub enum Model {
        /// Bought, permanently or for a time.
        1 Purchased "purchased",
        /// Paid as it is used.
        2 Meter "meter",
        /// A trial.
        3 Evaluation "evaluation",
        /// A license key from a partner's pool.
        4 Pool "pool",
    }
}

numbered! {
    /// The brand that the product carries.
    pub enum Edition {
        /// The vendor's own brand.
        1 Standard "standard",
        /// The partner's brand.
        2 Oem "oem",
    }
}

numbered! {
    /// Cause of a grace period, or of an event that people are notified of.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{entitlement::Cause}; }
    /// use olr::Cause;
    ///
    /// assert_eq!(Cause::OverQuota.word(), "over-quota");
    /// assert_eq!("over-quota".parse(), Ok(Cause::OverQuota));
    /// ```
    #[non_exhaustive]
    pub enum Cause {
        /// The license has passed its last day.
        1 Expired "expired",
        /// More is used than granted.
        2 OverQuota "over-quota",
        /// The machine is not, or no longer, the one for which the license was issued.
        3 Conflict "conflict",
        /// The license or one of its signers was revoked.
        4 Revoked "revoked",
        /// The license was added to a pool.
        5 Pooled "pooled",
        /// More is used than granted, on a server that was upgraded and whose license has no server
        /// module.
        6 Upgraded "upgraded",
        /// Maintenance ends soon or has ended. Used only by events.
        7 Maintenance "maintenance",
        /// The machine still matches, but an enrolled factor has changed or is missing. Used only
        /// by events.
        8 Drift "drift",
        /// The clock is implausibly far ahead of the high-water mark. Used only by events.
        9 Clock "clock",
    }
}

impl Cause {
    /// True if a license may have a rule for this cause. For the others, people are only notified.
    pub fn is_of_licenses(self) -> bool {
        self <= Self::Upgraded
    }
}

numbered! {
    /// What happens when a grace period ends.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{entitlement::Outcome}; }
    /// use olr::Outcome;
    ///
    /// assert_eq!(Outcome::Block.to_string(), "block");
    /// assert_eq!("block".parse(), Ok(Outcome::Block));
    /// ```
    pub enum Outcome {
        /// The server stops.
        1 Stop "stop",
        /// The operations in the enforcement table are blocked.
        2 Block "block",
        /// Nothing is blocked; a warning is shown.
        3 Warn "warn",
    }
}

record! {
    /// Grace period and outcome of a cause.
    pub struct GraceRule {
        /// The cause.
        pub cause: Cause,
        /// Length of the grace period in seconds.
        pub seconds: u64,
        /// What happens when it ends.
        pub outcome: Outcome,
    }
}

impl Keyed for GraceRule {
    type Key = Cause;
    fn key(&self) -> &Cause {
        &self.cause
    }
}

record! {
    /// Operations that a cause blocks.
    pub struct EnforcementRule {
        /// The cause.
        pub cause: Cause,
        /// The blocked operations.
        pub blocked: Set<Operation>,
    }
}

impl Keyed for EnforcementRule {
    type Key = Cause;
    fn key(&self) -> &Cause {
        &self.cause
    }
}

record! {
    /// Grant of one module.
    pub struct Grant {
        /// Id of the module in the catalog: `OBM`.
        pub module: Text,
        /// Name of the module, for people.
        pub name: Text,
        /// Heading under which the summary shows it.
        pub group: Text,
        /// What the quota counts: `device`.
        pub unit: Text,
        /// Number granted, or *any* for unlimited.
        pub quota: Limit<u64>,
        /// Maximum for one account, or *any*.
        pub account_cap: Limit<u64>,
        /// Maximum for one sub-administrator, or *any*.
        pub admin_cap: Limit<u64>,
        /// Pool of modules that share their quotas. Empty if there is none.
        pub pool: Text,
        /// Modules that must be granted too.
        pub requires: Set<Text>,
        /// Modules that are included without being counted.
        pub includes: Set<Text>,
        /// First product version to which the module is granted. Empty for all versions.
        pub minimum_version: Text,
    }
}

impl Keyed for Grant {
    type Key = str;
    fn key(&self) -> &str {
        &self.module
    }
}

record! {
    /// How many of one module are in use or wanted.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{entitlement::Count, display::shown}; }
    /// use olr::{Count, shown};
    ///
    /// /// For the log: what `Guard::report` says about names that no license grants.
    /// fn misspelled(ungranted: &[Count]) -> Vec<String> {
    ///     ungranted.iter().map(|count| format!("{}: {}", shown(&count.module), count.count)).collect()
    /// }
    /// ```
    pub struct Count {
        /// Id of the module.
        pub module: Text,
        /// The number.
        pub count: u64,
    }
}

impl Keyed for Count {
    type Key = str;
    fn key(&self) -> &str {
        &self.module
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_its_own_words_alone() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.word().parse(), Ok(*outcome));
        }
        for wrong in ["", "Stop", "stop ", "halt"] {
            let error = wrong.parse::<Outcome>().unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert_eq!(error.next_step().text(), "write one of stop, block, warn");
        }
    }
}
