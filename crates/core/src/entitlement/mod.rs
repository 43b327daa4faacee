//! What a license grants, in the words that judgement and `status` need.
//! Obeys `docs/format.md`, section "Grants".

mod operation;
mod quota;
mod version;
pub use operation::{OPERATIONS_CAP, Operation, Operations};
pub use quota::{Excess, Quota, Quotas, excess, named, ungranted};
pub use version::is_older;

use crate::wire::codec::{Keyed, Limit, Set, Text, numbered, record};

numbered! {
    /// How a license is paid for and how long it lives.
    pub enum Model {
        /// Perpetual.
        1 Purchased "purchased",
        /// Pay as you go.
        2 Meter "meter",
        /// A trial.
        3 Evaluation "evaluation",
        /// A key of a partner's pool.
        4 Pool "pool",
    }
}

numbered! {
    /// Whose name the product carries.
    pub enum Edition {
        /// The vendor's own.
        1 Standard "standard",
        /// The partner's.
        2 Oem "oem",
    }
}

numbered! {
    /// Why a grace period runs, or people are told something.
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
        /// The end day has passed.
        1 Expired "expired",
        /// More is used than granted.
        2 OverQuota "over-quota",
        /// The machine no longer matches, or another one uses the key.
        3 Conflict "conflict",
        /// The license or a signer was revoked.
        4 Revoked "revoked",
        /// The license was added to a pool.
        5 Pooled "pooled",
        /// The product was upgraded without the server module.
        6 Upgraded "upgraded",
        /// Maintenance ends, or has ended. Only events have this cause.
        7 Maintenance "maintenance",
        /// The machine still matches, but not wholly. Only events have this cause.
        8 Drift "drift",
        /// The clock is far ahead of what is remembered. Only events have this cause.
        9 Clock "clock",
    }
}

impl Cause {
    /// Whether a license may say what follows it. People are only told of the others.
    pub fn is_of_licenses(self) -> bool {
        self <= Self::Upgraded
    }
}

numbered! {
    /// What follows when a grace period ends.
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
        /// The operations of the enforcement table are blocked.
        2 Block "block",
        /// Only a warning.
        3 Warn "warn",
    }
}

record! {
    /// What a cause leads to, and after how long.
    pub struct GraceRule {
        /// Why.
        pub cause: Cause,
        /// Seconds until the outcome.
        pub seconds: u64,
        /// What then.
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
    /// The operations that a cause blocks.
    pub struct EnforcementRule {
        /// Why.
        pub cause: Cause,
        /// What is blocked.
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
    /// So many CALs of one module.
    pub struct Grant {
        /// The module's id in the catalog: `OBM`.
        pub module: Text,
        /// Its name for people.
        pub name: Text,
        /// The heading it stands under in the summary.
        pub group: Text,
        /// What one CAL counts: `device`.
        pub unit: Text,
        /// How many, or *any* for unlimited.
        pub quota: Limit<u64>,
        /// At most so many per account, or *any*.
        pub account_cap: Limit<u64>,
        /// At most so many for one sub-administrator, or *any*.
        pub admin_cap: Limit<u64>,
        /// Modules of one pool share their quotas; empty for none.
        pub pool: Text,
        /// Modules that must be granted too.
        pub requires: Set<Text>,
        /// What comes with it and is never counted.
        pub includes: Set<Text>,
        /// The first product version that counts it; empty for all.
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
    /// A count of one module: in use, or wanted.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{entitlement::Count, display::shown}; }
    /// use olr::{Count, shown};
    ///
    /// /// For the log: what `Guard::report` says of names that no license grants.
    /// fn misspelled(ungranted: &[Count]) -> Vec<String> {
    ///     ungranted.iter().map(|count| format!("{}: {}", shown(&count.module), count.count)).collect()
    /// }
    /// ```
    pub struct Count {
        /// The module's id.
        pub module: Text,
        /// How many.
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
