//! Questions that a product asks before it acts. Asking neither allocates nor reads a file.
//! Implements `docs/judgement.md`, section "Questions".

use crate::display::shown;
use crate::entitlement::{Count, Excess, Grant, Operation, Quota, Quotas, is_older, ungranted};
use crate::error::{Error, NextStep, Refusal, Remedy, Result};
use crate::judge::Decision;
use crate::license::{License, LicenseBody};
use crate::time::Day;
use crate::wire::codec::{Limit, Set};

/// An action, and how much of each module it would add.
///
/// ```
/// # mod olr { pub use olr_core::{judge::Question, entitlement::Operation}; }
/// use olr::{Operation, Question};
///
/// const CREATE_USER: Operation = Operation::new("create-user").unwrap(); // as in your catalog
///
/// let question = Question { adds: &[("OBM", 1)], ..Question::about(CREATE_USER) };
/// assert_eq!(question.operation.word(), "create-user");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a question has no effect until it is passed to `Guard::ask` or `Decision::ask`"]
pub struct Question<'a> {
    /// Operation that the product is about to do.
    pub operation: Operation,
    /// Modules, and how many more of each the action would use.
    pub adds: &'a [(&'a str, u64)],
    /// Modules, and the total of each that the account would have after the action.
    pub account: &'a [(&'a str, u64)],
    /// Running release. Empty if it does not matter.
    pub version: &'a str,
    /// Day on which the release to be installed came out.
    pub release: Option<Day>,
}

impl Question<'_> {
    /// Creates a question about an operation that adds nothing.
    pub fn about(operation: Operation) -> Self {
        Self { operation, adds: &[], account: &[], version: "", release: None }
    }

    /// Returns how many more the question wants of the modules that share a quota with `grant`.
    fn wants(&self, grant: &Grant, grants: &Set<Grant, 4096>) -> u64 {
        let shares = |module: &str| grants.get(module).is_some_and(|other| other.shares(grant));
        let adds = self.adds.iter().filter(|(module, _)| shares(module));
        adds.fold(0, |sum, (_, more)| sum.saturating_add(*more))
    }
}

/// The answer to a question.
///
/// ```
/// # mod olr { pub use olr_core::{judge::{Answer, Decision, Question}, entitlement::Operation}; }
/// use olr::{Answer, Decision, Operation, Question};
///
/// fn text(decision: &Decision) -> String {
///     match decision.ask(&Question::about(Operation::RUN)) {
///         Answer::Allowed => "go on".to_string(),
///         Answer::Exceeds { granted, used, .. } => format!("{used} of {granted} are in use"),
///         no => no.refusal().map(|error| error.to_string()).unwrap_or_default(),
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "an answer that is not read forbids nothing"]
pub enum Answer<'a> {
    /// The operation is allowed.
    Allowed,
    /// The judgement refuses the operation.
    Refused(&'a Error),
    /// The license does not know this operation.
    Unknown(Operation),
    /// The module is not granted.
    NotGranted(&'a str),
    /// The module is not granted, so a sub-administrator cannot be given any of it.
    NoneToGive(&'a str),
    /// The module is granted only to later releases than the running one.
    TooOld {
        /// Id of the module.
        module: &'a str,
        /// First release to which it is granted.
        first: &'a str,
    },
    /// The quota would be exceeded.
    Exceeds {
        /// Id of the module.
        module: &'a str,
        /// Quota of the module, or of its pool if it has one.
        granted: u64,
        /// How many of the quota are in use.
        used: u64,
        /// How many more are wanted.
        wanted: u64,
    },
    /// The limit is below what the sub-administrator uses, or above what may be given.
    OutOfBounds {
        /// Id of the module.
        module: &'a str,
        /// How many the sub-administrator uses.
        least: u64,
        /// How many may be given at most.
        most: Limit<u64>,
        /// The limit that is wanted.
        wanted: u64,
    },
    /// The account would exceed its limit.
    AccountFull {
        /// Id of the module.
        module: &'a str,
        /// How many an account may have.
        cap: u64,
        /// How many it would have.
        wanted: u64,
    },
    /// The release came out after the end of maintenance.
    TooNew {
        /// Last day of maintenance.
        last: Day,
        /// Day on which the release came out.
        release: Day,
    },
}

impl Answer<'_> {
    /// True if the operation is allowed.
    pub fn is_yes(&self) -> bool {
        *self == Self::Allowed
    }

    /// Returns the refusal in words, or `None` if the operation is allowed.
    pub fn refusal(&self) -> Option<Error> {
        let refuse = |rule, word, fact: String| Some(Error::refuse(word, fact).rule(rule));
        match *self {
            Self::Allowed => None,
            Self::Refused(error) => Some(error.clone().rule("question-1")),
            Self::Unknown(operation) => {
                let fact = format!("the license does not list operation {operation}");
                let step = "name an operation that the license lists, or ask the vendor for a \
                            license that lists this operation";
                refuse("question-2", Refusal::NotEntitled, fact)
                    .map(|error| error.hint(NextStep::new(step, &[Remedy::ShowStatus])))
            }
            Self::NotGranted(module) | Self::NoneToGive(module) => {
                let fact = format!("module {} is not granted", shown(module));
                let asked = matches!(self, Self::NotGranted(_));
                refuse(if asked { "question-3" } else { "question-8" }, Refusal::NotEntitled, fact)
            }
            Self::TooOld { module, first } => {
                let (module, first) = (shown(module), shown(first));
                let fact = format!("module {module} is granted only for release {first} and later");
                let step = "update the product, or ask the vendor for a license for this release";
                refuse("question-4", Refusal::NotEntitled, fact).map(|error| error.hint(step))
            }
            Self::Exceeds { module, granted, used, wanted } => refuse(
                "question-5",
                Refusal::QuotaExceeded,
                format!("{}: {granted} granted, {used} used, {wanted} more wanted", shown(module)),
            ),
            Self::OutOfBounds { module, least, most, wanted } => {
                let module = shown(module);
                let most = match most {
                    Limit::Only(most) => format!("to {most}"),
                    Limit::Any => "or more".to_string(),
                };
                let may = format!("{module}: a sub-administrator may be given {least} {most}");
                let step = "choose a number in this range; for a wider range, remove what is \
                            no longer used, or ask the vendor for more";
                refuse("question-9", Refusal::QuotaExceeded, format!("{may}, not {wanted}"))
                    .map(|error| error.hint(step))
            }
            Self::AccountFull { module, cap, wanted } => refuse(
                "question-6",
                Refusal::QuotaExceeded,
                format!("{}: an account may have {cap}, but would have {wanted}", shown(module)),
            ),
            Self::TooNew { last, release } => refuse(
                "question-7",
                Refusal::MaintenanceEnded,
                format!(
                    "that release came out on {release}, but maintenance covers releases until {last}"
                ),
            ),
        }
    }
}

impl Decision {
    /// Returns this decision with another reported use of one module. Refusals and grace periods
    /// stay as they are.
    ///
    /// # Errors
    /// Exit 2 if there are too many modules.
    pub fn with_usage(mut self, count: Count) -> Result<Self> {
        let others = self.usage.iter().filter(|other| other.module != count.module).cloned();
        self.usage = Set::new(others.chain([count.clone()]).collect())?;
        if let Some(license) = &self.license {
            self.quotas = Quotas::new(&license.body().grants, &self.usage);
        }
        Ok(self)
    }

    /// Returns quota and use of a module. A module without a grant has a quota of 0, unless it is
    /// included in a granted one. `None` without a license.
    pub fn quota(&self, module: &str) -> Option<Quota> {
        let grants = &self.license.as_ref()?.body().grants;
        Some(self.quotas.standing(grants, &self.usage, module))
    }

    /// Returns the modules in use whose quota, or that of their pool, is exceeded, in the order of
    /// their ids.
    pub fn excesses(&self) -> Vec<Excess<'_>> {
        let Some(license) = &self.license else { return Vec::new() };
        self.quotas.excesses(&license.body().grants, &self.usage).collect()
    }

    /// Returns the modules in use that the license neither grants nor includes. Each has a quota of
    /// 0. The usual cause is a misspelled name.
    pub fn ungranted(&self) -> Vec<Count> {
        let Some(license) = &self.license else { return Vec::new() };
        let uncovered = |count: &&Count| !self.quotas.includes(&count.module);
        ungranted(&license.body().grants, &self.usage).filter(uncovered).cloned().collect()
    }

    /// Answers a question for the instant [`Decision::judged_at`].
    pub fn ask<'a>(&'a self, question: &Question<'a>) -> Answer<'a> {
        let body = match self.allows(question.operation) {
            Ok(Some(body)) => body,
            Ok(None) => return Answer::Allowed,
            Err(no) => return no,
        };
        for (module, _) in question.adds {
            let Some((grant, quota)) = self.quotas.of(&body.grants, module) else {
                if self.quotas.includes(module) {
                    continue;
                }
                return Answer::NotGranted(module);
            };
            if is_older(question.version, &grant.minimum_version) {
                return Answer::TooOld { module, first: &grant.minimum_version };
            }
            let wanted = question.wants(grant, &body.grants);
            if let Limit::Only(granted) = quota.granted
                && wanted > 0
                && !quota.has_room(wanted)
            {
                return Answer::Exceeds { module, granted, used: quota.used, wanted };
            }
        }
        for (module, wanted) in question.account {
            let cap = body.grants.get(*module).map(|grant| grant.account_cap);
            if let Some(Limit::Only(cap)) = cap
                && *wanted > cap
            {
                return Answer::AccountFull { module, cap, wanted: *wanted };
            }
        }
        match (question.release, body.maintained_to()) {
            (Some(release), Limit::Only(last)) if release > last => {
                Answer::TooNew { last, release }
            }
            _ => Answer::Allowed,
        }
    }

    /// Returns the body of the license, or `None` if there is no license. If the operation is
    /// blocked, or the license does not know it, returns the answer that says so.
    fn allows(&self, operation: Operation) -> Result<Option<&LicenseBody>, Answer<'_>> {
        if let Some(refusal) = self.refusal_of(operation) {
            return Err(Answer::Refused(refusal));
        }
        match self.license.as_ref().map(License::body) {
            Some(body) if !body.knows(operation) => Err(Answer::Unknown(operation)),
            body => Ok(body),
        }
    }

    /// Answers whether `operation` may give a sub-administrator `wanted` of a module, of which that
    /// sub-administrator already uses `used`.
    pub fn ask_admin<'a>(
        &'a self,
        operation: Operation,
        module: &'a str,
        used: u64,
        wanted: u64,
    ) -> Answer<'a> {
        let body = match self.allows(operation) {
            Ok(Some(body)) => body,
            Ok(None) => return Answer::NoneToGive(module),
            Err(no) => return no,
        };
        let Some((grant, quota)) = self.quotas.of(&body.grants, module) else {
            return Answer::NoneToGive(module);
        };
        let most = quota.granted.min(grant.admin_cap);
        if wanted < used || Limit::Only(wanted) > most {
            return Answer::OutOfBounds { module, least: used, most, wanted };
        }
        Answer::Allowed
    }
}
