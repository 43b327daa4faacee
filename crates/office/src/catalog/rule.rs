//! Outcome of a cause, as written in catalogs and grants: `[type.meter.on.expired]`,
//! `[on.conflict]`.

use std::collections::BTreeMap;

use crate::catalog::raw;
use olr_core::display::listed;
use olr_core::entitlement::{
    Cause, EnforcementRule, GraceRule, Model, OPERATIONS_CAP, Operation, Operations, Outcome,
};
use olr_core::error::{Error, Problem, Result};
use olr_core::time::DAY;
use olr_core::wire::codec::Set;
use olr_files::toml_text::Written;

/// Outcome of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Grace period in seconds before the outcome takes effect.
    pub seconds: u64,
    /// The outcome.
    pub outcome: Outcome,
    /// Operations that [`Outcome::Block`] blocks; empty for other outcomes.
    pub blocks: Set<Operation>,
}

/// Rules by cause.
pub type Rules = BTreeMap<Cause, Rule>;

/// Maximum grace period in days. To tolerate a cause without limit, a rule says `then = "warn"`.
const LONGEST: u64 = 36_500;

impl Rule {
    /// Converts to the rules that a license carries.
    pub fn wire(&self, cause: Cause) -> (GraceRule, Option<EnforcementRule>) {
        let grace = GraceRule { cause, seconds: self.seconds, outcome: self.outcome };
        let blocked = self.blocks.clone();
        (grace, (self.outcome == Outcome::Block).then_some(EnforcementRule { cause, blocked }))
    }

    /// True if the rule equals the default for a cause without a rule: stop at once. Never true for
    /// the quota causes, whose default is different.
    pub fn is_usual(&self, cause: Cause) -> bool {
        !matches!(cause, Cause::OverQuota | Cause::Upgraded)
            && self.outcome == Outcome::Stop
            && self.seconds == 0
    }

    fn read(raw: &raw::Rule, of: &str, written: Written<'_>, path: &[&str]) -> Result<Self> {
        let at = |key: &'static str| [path, &[key]].concat();
        let wrong = |key: &'static str, fact: &str, hint: &str| {
            Err(written.wrong(&at(key), &format!("{of}: {key}: {fact}"), hint))
        };
        let within = |key: &'static str| {
            move |error: Error| {
                error.within(format!("{}: {of}: {key}", written.place(&[path, &[key]].concat())))
            }
        };
        let outcome = outcome(&raw.then).map_err(within("then"))?;
        let after = raw.after.as_deref().map(seconds).transpose().map_err(within("after"))?;
        if outcome == Outcome::Warn && after.is_some() {
            return wrong("after", "a warning has no delay", "leave `after` out");
        }
        match (outcome, raw.blocks.is_empty()) {
            (Outcome::Block, true) => {
                let hint = "add blocks = [\"backup\"], or the operations to block";
                return wrong("then", "it blocks, but no operation is listed", hint);
            }
            (Outcome::Stop | Outcome::Warn, false) => {
                let hint = "write then = \"block\", or leave `blocks` out";
                return wrong("blocks", "this list needs then = \"block\"", hint);
            }
            _ => {}
        }
        let what = format!("{of}: blocks");
        let blocks = read_operations(&raw.blocks, &what, written, &at("blocks"))?;
        if blocks.contains(&Operation::RUN) {
            let hint = "write then = \"stop\", and leave `blocks` out";
            return wrong("blocks", "blocking run is the same as stopping the server", hint);
        }
        Ok(Self { seconds: after.unwrap_or(0), outcome, blocks: Set::new(blocks)? })
    }
}

/// Parses a span of hours or days into seconds.
fn seconds(text: &str) -> Result<u64> {
    let span = text.split_once(' ').and_then(|(count, unit)| {
        let is_number = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        let unit = match unit {
            "hour" | "hours" => 3600,
            "day" | "days" => DAY,
            _ => return None,
        };
        count.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(unit)
    });
    let (fact, hint) = match span {
        Some(seconds) if seconds <= LONGEST.saturating_mul(DAY) => return Ok(seconds),
        Some(_) => (
            format!("{text:?} is longer than {LONGEST} days"),
            "to tolerate the cause without limit, write then = \"warn\" and leave `after` out",
        ),
        None => (
            format!("{text:?} is not a span of hours or days"),
            "write it like \"12 hours\" or \"14 days\"",
        ),
    };
    Err(Error::unable(Problem::Content, fact, hint))
}

fn outcome(word: &str) -> Result<Outcome> {
    word.parse().map_err(|_| {
        let fact = format!("{word:?} is not a valid outcome");
        Error::unable(Problem::Content, fact, "write stop, block or warn")
    })
}

/// Description of a rule for errors: `type oem: on expired`.
fn named(of: &str, cause: &str) -> String {
    if of.is_empty() { format!("on {cause}") } else { format!("{of}: on {cause}") }
}

/// Reads the rules at `path`.
///
/// # Errors
/// Exit 2, naming the line and the reason.
pub(crate) fn read_rules(
    raw: &BTreeMap<String, raw::Rule>,
    of: &str,
    written: Written<'_>,
    path: &[&str],
) -> Result<Rules> {
    let mut rules = Rules::new();
    for (word, rule) in raw {
        let here = [path, &[word.as_str()]].concat();
        let of = named(of, word);
        let cause = word.parse().ok().filter(|cause: &Cause| cause.is_of_licenses());
        let Some(cause) = cause else {
            let causes = Cause::ALL.iter().filter(|cause| cause.is_of_licenses());
            let hint = format!("write one of {}", listed(causes.map(|c| c.word())));
            let fact = format!("{of}: `on` does not accept this cause");
            return Err(written.wrong(&here, &fact, &hint));
        };
        rules.insert(cause, Rule::read(rule, &of, written, &here)?);
    }
    Ok(rules)
}

/// The parts of the catalog and of a license type that rules are checked against.
#[derive(Clone, Copy)]
pub(crate) struct Fits<'a> {
    /// Operations of the catalog.
    pub known: &'a Set<Operation, OPERATIONS_CAP>,
    /// Operations that the type never blocks.
    pub always: &'a Set<Operation>,
    /// Model of the type.
    pub model: Model,
}

/// Checks that the rules at `path` fit the catalog and the license type.
///
/// # Errors
/// Exit 2, naming the line and the reason.
pub(crate) fn ensure_rules_fit(
    rules: &Rules,
    of: &str,
    written: Written<'_>,
    path: &[&str],
    fits: Fits<'_>,
) -> Result<()> {
    for (cause, rule) in rules {
        let of = named(of, cause.word());
        let wrong = |key: &'static str, fact: &str, hint: &str| {
            let here = [path, &[cause.word(), key]].concat();
            Err(written.wrong(&here, &format!("{of}: {fact}"), hint))
        };
        let here = [path, &[cause.word(), "blocks"]].concat();
        ensure_known(&rule.blocks, fits.known, &format!("{of}: blocks"), written, &here)?;
        if let Some(both) = rule.blocks.iter().find(|word| fits.always.contains(word)) {
            let fact = format!("it blocks {both}, but `always` of the type says never to block it");
            return wrong("blocks", &fact, "remove it from one of the two");
        }
        let is_of_quota = matches!(cause, Cause::OverQuota | Cause::Upgraded);
        if is_of_quota && fits.model == Model::Evaluation && rule.outcome != Outcome::Warn {
            let fact = "in an evaluation, exceeding a quota can only warn";
            return wrong("then", fact, "write only then = \"warn\", or leave this table out");
        }
    }
    Ok(())
}

/// Reads the operations at `path`, which must not contain duplicates.
pub(super) fn read_operations(
    words: &[String],
    what: &str,
    written: Written<'_>,
    path: &[&str],
) -> Result<Vec<Operation>> {
    let mut read = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let index = index.to_string();
        let place = || format!("{}: {what}", written.place(&[path, &[index.as_str()]].concat()));
        let operation = word.parse().map_err(|error: Error| error.within(place()))?;
        if read.contains(&operation) {
            let fact = format!("{word} appears twice");
            return Err(Error::unable(Problem::Content, fact, "list it only once").within(place()));
        }
        read.push(operation);
    }
    Ok(read)
}

/// Checks that the catalog has each of these operations, which were read from `path`.
pub(super) fn ensure_known(
    operations: &[Operation],
    known: &Set<Operation, OPERATIONS_CAP>,
    what: &str,
    written: Written<'_>,
    path: &[&str],
) -> Result<()> {
    let known = Operations::known(known);
    let Some(unknown) = operations.iter().find(|operation| !known.contains(**operation)) else {
        return Ok(());
    };
    let fact = format!("{what}: the catalog has no operation {:?}", unknown.word());
    let known = listed(known.iter().map(Operation::word));
    let hint = format!("add it to `operations` in the catalog, or write one of these: {known}");
    Err(written.wrong(path, &fact, &hint))
}
