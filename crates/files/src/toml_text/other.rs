//! Detects that a file is a different one than expected, and names its kind.

use toml::de::{DeTable, DeValue};

use crate::armor::foreign;
use crate::error::{Error, NextStep, Problem, Remedy};
use crate::wire::frame::Kind;

/// Kinds of TOML files, and the keys that identify them.
const WRITTEN: &[(&str, &[&str])] =
    &[("grant", &["licensee", "key"]), ("catalog", &["product", "type", "module"])];

/// Error if `text` is evidently something other than `what`, judging by its beginning or its keys.
pub(super) fn other(what: &str, text: &str) -> Option<Error> {
    let is = |fact: &str, step: NextStep| {
        Some(Error::unable(Problem::Content, format!("{fact}, not a {what}"), step))
    };
    let start = text.trim_start();
    if let Some(kind) = armored(start) {
        let step = NextStep::new(
            format!("name the {what}, or check what this file is"),
            &[Remedy::Inspect],
        );
        return is(&format!("this is an olr file ({kind})"), step);
    }
    if start.starts_with("olr ") && start.contains("-----BEGIN PUBLIC KEY") {
        return is("this is a public key (PEM)", name_it(what).into());
    }
    if let Some(found) = foreign(text.as_bytes()) {
        let step = match found.is_secret() {
            true => format!("keep it secret, and {}", name_it(what)),
            false => name_it(what),
        };
        return match text.trim_ascii().is_empty() {
            true => Some(Error::unable(Problem::Content, "it is empty", name_it(what))),
            false => is(&format!("this is {}", found.what), step.into()),
        };
    }
    if start.starts_with("{") && start.contains(':') {
        return is("this is JSON", format!("write the {what} as TOML: KEY = VALUE").into());
    }
    if start.starts_with("<?xml") || start.starts_with('<') {
        return is("this is XML", format!("write the {what} as TOML: KEY = VALUE").into());
    }
    let table = DeTable::parse(text).ok()?;
    let has = |key: &&str| {
        let mut entries = table.get_ref().iter();
        entries.any(|(name, value)| name.get_ref() == key && fits(key, value.get_ref()))
    };
    let (found, _) = WRITTEN.iter().find(|(_, keys)| keys.iter().all(has))?;
    if *found == what {
        return None;
    }
    is(&format!("this is a {found}"), name_it(what).into())
}

/// Kind named in the first line of an armored file.
fn armored(text: &str) -> Option<Kind> {
    let label = text.strip_prefix("-----BEGIN OLR ")?.split("-----").next()?;
    Kind::ALL.iter().copied().find(|kind| kind.word().eq_ignore_ascii_case(label))
}

fn name_it(what: &str) -> String {
    format!("name the {what}, a text such as {what}.toml")
}

/// A grant has texts under `product` and `type`, a catalog has tables.
fn fits(key: &str, value: &DeValue<'_>) -> bool {
    let is_text = matches!(value, DeValue::String(_));
    if ["licensee", "key"].contains(&key) { is_text } else { !is_text }
}
