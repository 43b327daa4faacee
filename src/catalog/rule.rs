//! What follows a cause, as catalogs and grants write it: `[type.meter.on.expired]`, `[on.conflict]`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::display::listed;
use crate::entitlement::{Cause, EnforcementRule, GraceRule, Model, Operation, Outcome};
use crate::error::{Error, Problem, Result};
use crate::toml_text::Written;
use crate::wire::codec::Set;

/// What follows a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// How long all goes on before it: hours or days; at once where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// `stop`, `block` or `warn`.
    pub then: String,
    /// The operations that `block` blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
}

/// Rules by the word of their cause.
pub type Rules = BTreeMap<String, Rule>;

/// The longest time before something follows, in days: longer is for ever.
const LONGEST: u64 = 36_500;

impl Rule {
    /// Seconds before it.
    ///
    /// # Errors
    /// Exit 2 when that is no span of hours or days.
    pub fn seconds(&self) -> Result<u64> {
        let Some(text) = &self.after else { return Ok(0) };
        let day: u64 = 86_400;
        let span = text.split_once(' ').and_then(|(count, unit)| {
            let is_number = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
            let unit = match unit {
                "hour" | "hours" => 3600,
                "day" | "days" => day,
                _ => return None,
            };
            count.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(unit)
        });
        span.filter(|seconds| *seconds <= LONGEST.saturating_mul(day)).ok_or_else(|| {
            let fact = format!("{text:?} is no span of hours or days");
            Error::unable(
                Problem::Content,
                fact,
                "write it like \"12 hours\" or \"14 days\", at most 100 years",
            )
        })
    }

    /// What follows.
    ///
    /// # Errors
    /// Exit 2 when it is another word than `stop`, `block` and `warn`.
    pub fn outcome(&self) -> Result<Outcome> {
        Outcome::from_word(&self.then).ok_or_else(|| {
            let fact = format!("{:?} is nothing that can follow", self.then);
            Error::unable(Problem::Content, fact, "write stop, block or warn")
        })
    }

    /// What a license says of it.
    ///
    /// # Errors
    /// Exit 2 when something in it is no word or span.
    pub fn wire(&self, cause: Cause) -> Result<(GraceRule, Option<EnforcementRule>)> {
        let outcome = self.outcome()?;
        let grace = GraceRule { cause, seconds: self.seconds()?, outcome };
        let blocked = self.blocks.iter().map(|word| operation(word)).collect::<Result<Vec<_>>>()?;
        let blocked = Set::new(blocked)?;
        Ok((grace, (outcome == Outcome::Block).then_some(EnforcementRule { cause, blocked })))
    }

    /// Whether it says what it does anyway where nothing is written: it stops at once.
    pub fn is_usual(&self, cause: Cause) -> bool {
        !matches!(cause, Cause::OverQuota | Cause::Upgraded)
            && self.outcome() == Ok(Outcome::Stop)
            && self.seconds() == Ok(0)
    }

    fn check(&self, of: &str, written: Written<'_>, path: &[&str]) -> Result<()> {
        let at = |key: &'static str| [path, &[key]].concat();
        let wrong = |key: &'static str, fact: &str, hint: &str| {
            Err(written.wrong(&at(key), &format!("{of}: {key}: {fact}"), hint))
        };
        let within = |key: &'static str| {
            move |error: Error| {
                error.within(format!("{}: {of}: {key}", written.place(&[path, &[key]].concat())))
            }
        };
        let outcome = self.outcome().map_err(within("then"))?;
        self.seconds().map_err(within("after"))?;
        if outcome == Outcome::Warn && self.after.is_some() {
            return wrong("after", "a warning is given at once", "leave `after` out");
        }
        match (outcome, self.blocks.is_empty()) {
            (Outcome::Block, true) => {
                let hint = "add blocks = [\"backup\"], or whatever is to be blocked";
                return wrong("then", "it blocks, but nothing is named to be blocked", hint);
            }
            (Outcome::Stop | Outcome::Warn, false) => {
                let hint = "write then = \"block\", or leave `blocks` out";
                return wrong("blocks", "only then = \"block\" blocks something", hint);
            }
            _ => {}
        }
        operations("blocks", &self.blocks, of, written, path)?;
        if self.blocks.iter().any(|word| word == Operation::Run.word()) {
            let hint = "write then = \"stop\"";
            return wrong("blocks", "a server that may not run has stopped", hint);
        }
        Ok(())
    }
}

/// Checks the rules that stand at `path`, for a type that never blocks `always` and has `model`.
pub(crate) fn check_rules(
    rules: &Rules,
    of: &str,
    written: Written<'_>,
    path: &[&str],
    always: &[String],
    model: Option<Model>,
) -> Result<()> {
    for (word, rule) in rules {
        let here = [path, &[word.as_str()]].concat();
        let of = if of.is_empty() { format!("on {word}") } else { format!("{of}: on {word}") };
        let wrong = |key: &'static str, fact: &str, hint: &str| {
            let here = [here.as_slice(), &[key]].concat();
            Err(written.wrong(&here, &format!("{of}: {fact}"), hint))
        };
        let Some(cause) = Cause::from_word(word).filter(|cause| cause.is_of_licenses()) else {
            let causes = Cause::ALL.iter().filter(|cause| cause.is_of_licenses());
            let hint = format!("the causes are {}", listed(causes.map(|c| c.word())));
            return wrong("", "there is no such cause", &hint);
        };
        rule.check(&of, written, &here)?;
        if let Some(both) = rule.blocks.iter().find(|word| always.contains(word)) {
            let fact = format!("it blocks {both}, which the type's `always` never blocks");
            return wrong("blocks", &fact, "take it out of one of the two");
        }
        let is_of_quota = matches!(cause, Cause::OverQuota | Cause::Upgraded);
        if is_of_quota && model == Some(Model::Evaluation) && rule.then != "warn" {
            let fact = "being over quota never does more than warn in an evaluation";
            return wrong("then", fact, "write then = \"warn\", or leave this table out");
        }
    }
    Ok(())
}

/// Checks that each of the words at `key` is an operation, and none stands twice.
pub(crate) fn operations(
    key: &'static str,
    words: &[String],
    of: &str,
    written: Written<'_>,
    path: &[&str],
) -> Result<()> {
    for (index, word) in words.iter().enumerate() {
        let at = index.to_string();
        let here = [path, &[key, at.as_str()]].concat();
        let place = || format!("{}: {of}: {key}", written.place(&here));
        operation(word).map_err(|error| error.within(place()))?;
        if words.iter().take(index).any(|earlier| earlier == word) {
            let fact = format!("{word} stands twice");
            return Err(Error::unable(Problem::Content, fact, "name each once").within(place()));
        }
    }
    Ok(())
}

/// The operation with this name.
///
/// # Errors
/// Exit 2 when there is none.
pub fn operation(word: &str) -> Result<Operation> {
    Operation::from_word(word).ok_or_else(|| {
        let known = listed(Operation::ALL.iter().map(|operation| operation.word()));
        let fact = format!("there is no operation {word:?}");
        Error::unable(Problem::Content, fact, format!("the operations are {known}"))
    })
}
