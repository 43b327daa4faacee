//! Report of a license.

use crate::display::code;
use crate::entitlement::{
    Cause, Count, Edition, EnforcementRule, GraceRule, Model, Operation, Outcome,
};
use crate::error::Refusal;
use crate::judge::Grace;
use crate::key::{Role, key_id};
use crate::license::LicenseBody;
use crate::report::module::{reports, tables};
use crate::report::{
    ExtensionReport, ModuleReport, PolicyReport, Row, Table, extension, joined, last_day, present,
    span,
};
use crate::time::{Day, Instant};
use crate::wire::codec::{Note, Set, Text};
use crate::wire::id::{KeyId, LicenseId, RequestId};

/// Maximum number of modules named in a summary. To identify a license, it need not list them all.
const NAMED: usize = 8;

/// Report of a license.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LicenseReport {
    /// Id of the license.
    pub license_id: LicenseId,
    /// The product.
    pub product: Text,
    /// The slot.
    pub slot: Text,
    /// Id of the license type in the catalog.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub type_id: Text,
    /// How the license is paid for.
    pub model: Model,
    /// The brand that the product carries.
    pub edition: Edition,
    /// Name of the licensee.
    pub licensee: Text,
    /// When the license was issued.
    pub issued: Instant,
    /// First day on which it is valid.
    pub starts: Day,
    /// Last day on which it is valid. `None` if it does not expire.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::last_day"))]
    pub expires: Option<Day>,
    /// Last day of maintenance. `None` if maintenance does not end.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::last_day"))]
    pub maintenance: Option<Day>,
    /// Modules, with their quotas and usage.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::modules"))]
    pub modules: Vec<ModuleReport>,
    /// Interface languages.
    pub languages: Vec<Text>,
    /// Operations of the vendor's product, besides the built-in ones.
    pub operations: Vec<Operation>,
    /// The grace period that ends first, or a warning if there is no grace period. `None` if there
    /// is neither, if something is refused, or without a decision.
    pub grace: Option<GraceReport>,
    /// Grace period and outcome for each cause.
    pub grace_rules: Vec<RuleReport>,
    /// Operations that each cause blocks.
    pub enforcement: Vec<EnforcementReport>,
    /// Operations that are never blocked.
    pub always: Vec<Operation>,
    /// Id of the license that it replaces.
    pub replaces: Option<LicenseId>,
    /// Message from the vendor.
    pub note: Note,
    /// Machine policy.
    pub policy: PolicyReport,
    /// Seconds that the clock may be behind the high-water mark.
    pub tolerance: u32,
    /// Id of the request that it answers.
    pub request: RequestId,
    /// Code of that request.
    pub code: String,
    /// Number of that request.
    pub number: u64,
    /// Number of this answer to that request.
    pub answer: u32,
    /// Id of the installation that it is for.
    pub install_id: KeyId,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

/// A grace period that is running, or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GraceReport {
    /// Why it runs.
    pub cause: Cause,
    /// When it started.
    pub since: Instant,
    /// When it ends. `None` if the cause only leads to a warning.
    pub until: Option<Instant>,
    /// What happens when it ends.
    pub then: Outcome,
    /// Refusal that applies once it has ended.
    pub overlooked: Option<Refusal>,
}

impl From<&Grace> for GraceReport {
    fn from(grace: &Grace) -> Self {
        // The instant at which time began to accumulate is only shown to people.
        let Grace { cause, since, until, then, adds_up: _, overlooked } = grace;
        Self {
            cause: *cause,
            since: *since,
            until: *until,
            then: *then,
            overlooked: overlooked.refusal(),
        }
    }
}

/// Grace period and outcome of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RuleReport {
    /// The cause.
    pub cause: Cause,
    /// Length of the grace period in seconds.
    pub seconds: u64,
    /// What happens when it ends.
    pub outcome: Outcome,
}

/// Operations that a cause blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EnforcementReport {
    /// The cause.
    pub cause: Cause,
    /// The blocked operations.
    pub blocked: Vec<Operation>,
}

impl From<&LicenseBody> for LicenseReport {
    fn from(body: &LicenseBody) -> Self {
        Self::new(body, None)
    }
}

impl LicenseReport {
    /// Makes the report of a license. With `usage`, it includes the use of each module.
    pub fn new(body: &LicenseBody, usage: Option<&Set<Count, 4096>>) -> Self {
        let LicenseBody {
            license,
            request,
            request_hash,
            number,
            answer,
            install_key,
            licensee,
            product,
            slot,
            type_id,
            model,
            edition,
            grants,
            languages,
            issued,
            starts,
            expires,
            maintenance,
            tolerance,
            policy,
            grace,
            enforcement,
            always,
            operations,
            replaces,
            note,
            extensions,
        } = body;
        Self {
            license_id: *license,
            product: product.clone(),
            slot: slot.clone(),
            type_id: type_id.clone(),
            model: *model,
            edition: *edition,
            licensee: licensee.clone(),
            issued: *issued,
            starts: *starts,
            expires: *expires,
            maintenance: *maintenance,
            modules: reports(grants, usage),
            languages: languages.to_vec(),
            operations: operations.to_vec(),
            grace: None,
            grace_rules: grace.iter().map(RuleReport::from).collect(),
            enforcement: enforcement.iter().map(EnforcementReport::from).collect(),
            always: always.to_vec(),
            replaces: *replaces,
            note: note.clone(),
            policy: policy.into(),
            tolerance: *tolerance,
            request: *request,
            code: code(request_hash),
            number: *number,
            answer: *answer,
            install_id: key_id(Role::Install, install_key),
            extensions: extension::reports(extensions),
        }
    }

    /// Returns all rows except the modules: the terms, then the details.
    pub fn rows(&self) -> Vec<Row> {
        [self.terms(), self.details()].concat()
    }

    /// Returns the rows that licensee and operator ask for.
    pub fn terms(&self) -> Vec<Row> {
        let mut rows = vec![
            ("license", self.license_id.to_string()),
            ("licensee", self.licensee.to_string()),
            ("product", self.product.to_string()),
            ("slot", self.slot.to_string()),
            ("type", format!("{} ({} {})", &*self.type_id, self.model, self.edition)),
            ("issued", self.issued.to_string()),
            ("starts", self.starts.to_string()),
            ("expires", last_day(self.expires)),
            ("maintenance", last_day(self.maintenance)),
            ("languages", joined(self.languages.iter().map(|language| &**language))),
            ("operations", joined(&self.operations)),
        ];
        rows.extend(self.grace_rules.iter().map(|rule| self.follows(rule)));
        rows.extend(self.enforcement.iter().filter(|rule| self.is_unused(rule)).map(|rule| {
            ("unused rule", format!("{} blocks {}", rule.cause, joined(&rule.blocked)))
        }));
        rows.extend(present([
            ("never blocked", joined(&self.always)),
            ("replaces", self.replaces.map(|id| id.to_string()).unwrap_or_default()),
            ("note", self.note.to_string()),
        ]));
        rows
    }

    /// Returns the rows that support staff ask for in addition.
    pub fn details(&self) -> Vec<Row> {
        let mut rows = vec![
            ("policy", self.policy.text()),
            ("points", self.policy.points()),
            ("clock tolerance", span(self.tolerance.into())),
            (
                "answers request",
                format!("{} (number {}, answer {})", self.code, self.number, self.answer),
            ),
            ("request id", self.request.to_string()),
            ("install id", self.install_id.to_string()),
        ];
        rows.extend(extension::row(&self.extensions));
        rows
    }

    /// Returns the tables of modules.
    pub fn tables(&self) -> Vec<Table> {
        tables(&self.modules)
    }

    /// Returns a summary for somebody who is about to deactivate the license: its id, licensee,
    /// product, slot, type, quotas and end.
    pub fn summary(&self) -> Vec<Row> {
        let granted = self.modules.iter().filter(|module| module.granted);
        let mut quotas: Vec<_> =
            granted.map(|module| format!("{} {}", &*module.module, module.quota)).collect();
        let more = quotas.len().saturating_sub(NAMED);
        quotas.truncate(NAMED);
        if more > 0 {
            quotas.push(format!("and {more} more"));
        }
        vec![
            ("license", self.license_id.to_string()),
            ("licensee", self.licensee.to_string()),
            ("product", format!("{}, slot {}", &*self.product, &*self.slot)),
            ("type", self.type_id.to_string()),
            ("quota", quotas.join(", ")),
            ("expires", last_day(self.expires)),
        ]
    }

    /// Describes the consequence of a cause, as the license states it.
    fn follows(&self, rule: &RuleReport) -> Row {
        let when = match rule.cause {
            Cause::Expired => "when expired",
            Cause::OverQuota => "over quota",
            Cause::Conflict => "other machine",
            Cause::Revoked => "when revoked",
            Cause::Pooled => "when pooled",
            Cause::Upgraded => "over, upgraded",
            // The others are causes of events only.
            other => other.word(),
        };
        let blocked = self.enforcement.iter().find(|other| other.cause == rule.cause);
        let then = match rule.outcome {
            Outcome::Warn => return (when, "continues with a warning".to_string()),
            Outcome::Stop => "stops".to_string(),
            Outcome::Block => {
                format!("blocks {}", blocked.map(|rule| joined(&rule.blocked)).unwrap_or_default())
            }
        };
        let text = match rule.seconds {
            0 => format!("{then} at once"),
            seconds => format!("continues for {}, then {then}", span(seconds)),
        };
        (when, text)
    }

    /// True if a rule names operations but its cause blocks none, which makes the license invalid.
    fn is_unused(&self, rule: &EnforcementReport) -> bool {
        let blocks =
            |other: &RuleReport| other.cause == rule.cause && other.outcome == Outcome::Block;
        !self.grace_rules.iter().any(blocks)
    }
}

impl From<&GraceRule> for RuleReport {
    fn from(rule: &GraceRule) -> Self {
        let GraceRule { cause, seconds, outcome } = rule;
        Self { cause: *cause, seconds: *seconds, outcome: *outcome }
    }
}

impl From<&EnforcementRule> for EnforcementReport {
    fn from(rule: &EnforcementRule) -> Self {
        let EnforcementRule { cause, blocked } = rule;
        Self { cause: *cause, blocked: blocked.to_vec() }
    }
}
