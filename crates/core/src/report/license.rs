//! The report of a license.

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

/// Modules that are named where a license is to be recognised, not read.
const NAMED: usize = 8;

/// What a license says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct LicenseReport {
    /// Names the license.
    pub license_id: LicenseId,
    /// The product.
    pub product: Text,
    /// The slot.
    pub slot: Text,
    /// The license type of the catalog.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub type_id: Text,
    /// How it is paid for.
    pub model: Model,
    /// Whose name the product carries.
    pub edition: Edition,
    /// Whose it is.
    pub licensee: Text,
    /// When it was signed.
    pub issued: Instant,
    /// The first day.
    pub starts: Day,
    /// The last day; `None` where it does not end.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::last_day"))]
    pub expires: Option<Day>,
    /// The last day of maintenance; `None` where that does not end.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::last_day"))]
    pub maintenance: Option<Day>,
    /// How each module is licensed.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::modules"))]
    pub modules: Vec<ModuleReport>,
    /// Languages of the interface.
    pub languages: Vec<Text>,
    /// Operations of the vendor's own that it knows.
    pub operations: Vec<Operation>,
    /// What it tolerates for now, where it is in force; `None` outside a grace period.
    pub grace: Option<GraceReport>,
    /// What follows which cause, and after how long.
    pub grace_rules: Vec<RuleReport>,
    /// What is blocked by which cause.
    pub enforcement: Vec<EnforcementReport>,
    /// What is never blocked.
    pub always: Vec<Operation>,
    /// The license that it replaces.
    pub replaces: Option<LicenseId>,
    /// A note of the vendor.
    pub note: Note,
    /// Which machine it is for.
    pub policy: PolicyReport,
    /// Seconds that the clock may be behind what is known.
    pub tolerance: u32,
    /// The request that it answers.
    pub request: RequestId,
    /// The code of that request.
    pub code: String,
    /// The number of that request.
    pub number: u64,
    /// Counts the answers to that request.
    pub answer: u32,
    /// The installation that it is for.
    pub install_id: KeyId,
    /// Its extensions.
    pub extensions: Vec<ExtensionReport>,
}

/// A grace period that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct GraceReport {
    /// Why.
    pub cause: Cause,
    /// From when it counts.
    pub since: Instant,
    /// When it ends; `None` where only a warning follows.
    pub until: Option<Instant>,
    /// What then.
    pub then: Outcome,
    /// The refusal without it.
    pub overlooked: Option<Refusal>,
}

impl From<&Grace> for GraceReport {
    fn from(grace: &Grace) -> Self {
        // Over how many times its time adds up is for people alone.
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

/// What follows a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RuleReport {
    /// Why.
    pub cause: Cause,
    /// Seconds until the outcome.
    pub seconds: u64,
    /// What then.
    pub outcome: Outcome,
}

/// What a cause blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EnforcementReport {
    /// Why.
    pub cause: Cause,
    /// What is blocked.
    pub blocked: Vec<Operation>,
}

impl From<&LicenseBody> for LicenseReport {
    fn from(body: &LicenseBody) -> Self {
        Self::new(body, None)
    }
}

impl LicenseReport {
    /// The report of a license; with the usage also how each module stands.
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

    /// All of it but the modules: the terms and, behind them, the details.
    pub fn rows(&self) -> Vec<Row> {
        [self.terms(), self.details()].concat()
    }

    /// What licensee and operator ask for.
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
            (
                "maintenance",
                self.maintenance.map_or("no end date".to_string(), |day| last_day(Some(day))),
            ),
            ("languages", joined(self.languages.iter().map(|language| &**language))),
            ("operations", joined(&self.operations)),
        ];
        rows.extend(self.grace_rules.iter().map(|rule| self.follows(rule)));
        rows.extend(self.enforcement.iter().filter(|rule| self.is_unused(rule)).map(|rule| {
            ("without effect", format!("{} blocks {}", rule.cause, joined(&rule.blocked)))
        }));
        rows.extend(present([
            ("never blocked", joined(&self.always)),
            ("replaces", self.replaces.map(|id| id.to_string()).unwrap_or_default()),
            ("note", self.note.to_string()),
        ]));
        rows
    }

    /// What support staff ask for besides.
    pub fn details(&self) -> Vec<Row> {
        let mut rows = vec![
            ("policy", self.policy.text()),
            ("points", self.policy.points()),
            ("clock may lag", span(self.tolerance.into())),
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

    /// The modules.
    pub fn tables(&self) -> Vec<Table> {
        tables(&self.modules)
    }

    /// What the license is to somebody who is about to end it: whose, for what, how much, how long.
    pub fn summary(&self) -> Vec<Row> {
        let granted = self.modules.iter().filter(|module| module.granted);
        let mut quotas: Vec<_> =
            granted.map(|module| format!("{} {}", &*module.module, module.quota)).collect();
        let more = quotas.len().saturating_sub(NAMED);
        quotas.truncate(NAMED);
        if more > 0 {
            quotas.push(format!("{more} more modules"));
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

    /// What follows a cause, in the words of the license.
    fn follows(&self, rule: &RuleReport) -> Row {
        let when = match rule.cause {
            Cause::Expired => "when expired",
            Cause::OverQuota => "over quota",
            Cause::Conflict => "other machine",
            Cause::Revoked => "when revoked",
            Cause::Pooled => "when pooled",
            Cause::Upgraded => "upgraded, over",
            // The others are causes of events only.
            other => other.word(),
        };
        let blocked = self.enforcement.iter().find(|other| other.cause == rule.cause);
        let then = match rule.outcome {
            Outcome::Warn => return (when, "goes on, and says so".to_string()),
            Outcome::Stop => "stops".to_string(),
            Outcome::Block => {
                format!("blocks {}", blocked.map(|rule| joined(&rule.blocked)).unwrap_or_default())
            }
        };
        let text = match rule.seconds {
            0 => format!("{then} at once"),
            seconds => format!("goes on for {}, then {then}", span(seconds)),
        };
        (when, text)
    }

    /// Whether the cause of a rule blocks nothing: of a license that breaks a rule of its own.
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
