//! Module names in licenses and in reported usage, to check names that an operator typed.

use std::collections::BTreeSet;

use olr_core::display::{Shows, difference, listed, shown};
use olr_core::entitlement::named;
use olr_core::error::{Error, Problem, Result};
use olr_core::license::read_unverified;
use olr_core::state::Slot;

// Whether to accept a module that no license names.
#[derive(clap::Args)]
pub struct UnlistedArg {
    /// Accept a module that the license does not name; use this if you did not misspell it.
    #[arg(long)]
    unlisted: bool,
}

/// The modules that an operator may type.
#[derive(Default)]
pub struct Known {
    names: BTreeSet<String>,
    /// False without a license: then any name is accepted.
    is_licensed: bool,
}

impl Known {
    /// Returns the modules that the licenses of a slot name, and those reported there.
    pub fn in_slot(slot: &Slot) -> Self {
        let mut known = Self::default();
        for held in [&slot.installed, &slot.next].into_iter().flatten() {
            known.add_license(&held.license);
        }
        known.names.extend(slot.usage.iter().map(|count| count.module.to_string()));
        known
    }

    /// Adds the modules that a license names. Adds none if `bytes` is another kind of file.
    pub fn add_license(&mut self, bytes: &[u8]) {
        let Ok(body) = read_unverified(bytes) else { return };
        self.names.extend(named(&body.grants).into_iter().map(str::to_string));
        self.is_licensed = true;
    }

    /// Fails if one of the modules `typed` is unknown, and suggests the nearest one. Accepts any
    /// name with `--unlisted`, or if there is no license.
    pub fn ensure<'a>(
        &self,
        typed: impl IntoIterator<Item = &'a str>,
        arg: &UnlistedArg,
    ) -> Result<()> {
        if !self.is_licensed || arg.unlisted {
            return Ok(());
        }
        match typed.into_iter().find(|module| !self.names.contains(*module)) {
            None => Ok(()),
            Some(module) => Err(self.unknown(module)),
        }
    }

    /// Returns the typed text and its number if it is `MODULE=N`, unless a module has that whole
    /// name.
    pub fn as_count(&self, typed: &str) -> Option<(String, u64)> {
        let (_, count) = typed.rsplit_once('=').filter(|_| !self.names.contains(typed))?;
        Some((typed.to_string(), count.trim().parse().ok()?))
    }

    /// Returns the known name that was most likely meant.
    pub fn nearest(&self, typed: &str) -> Option<&str> {
        nearest(typed, self.names.iter().map(String::as_str))
    }

    fn unknown(&self, module: &str) -> Error {
        let mut fact = format!("the license has no module {}", shown(module));
        let or = "add --unlisted to use this name anyway";
        let Some(near) = nearest(module, self.names.iter().map(String::as_str)) else {
            let known = listed(self.names.iter().map(String::as_str));
            let hint = match self.names.is_empty() {
                true => or.to_string(),
                false => format!("name a known module: {known}; or {or}"),
            };
            return Error::unable(Problem::Usage, fact, hint);
        };
        let told = difference(("what you typed", module), ("the license", near), Shows::Whole);
        fact += &told.map(|told| format!(": {told}")).unwrap_or_default();
        Error::unable(Problem::Usage, fact, format!("did you mean {}? Otherwise {or}", shown(near)))
    }
}

/// Returns the name most likely meant: one that differs only in upper and lower case, or else one
/// within a few edits.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let folded = |text: &str| text.to_lowercase();
    let lower = folded(typed);
    if let Some(same) = names.clone().find(|name| folded(name) == lower) {
        return Some(same);
    }
    let length = typed.chars().count();
    let most = length.div_ceil(3).clamp(1, 8);
    let near = names.filter(|name| name.chars().count().abs_diff(length) <= most);
    let edits = near.map(|name| (strsim::damerau_levenshtein(&folded(name), &lower), name));
    edits.filter(|(edits, _)| *edits <= most).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_same_in_another_case_or_a_few_edits_away() {
        let names = ["OBM", "ACB", "Hyper-V", "Café", "CBS", "obx"];
        for (typed, near) in [
            ("obm", Some("OBM")),
            ("OBN", Some("OBM")),
            ("OMB", Some("OBM")),
            ("0BM", Some("OBM")),
            ("hyperv", Some("Hyper-V")),
            ("HYPER–V", Some("Hyper-V")),
            ("OBM\u{200b}", Some("OBM")),
            ("CAFÉ", Some("Café")),
            ("Cafe\u{301}", Some("Café")),
            ("Exchange", None),
            ("X", None),
            ("Hyper-V-2019-Server", None),
        ] {
            assert_eq!(nearest(typed, names.into_iter()), near, "{typed}");
        }
        let long = "x".repeat(256);
        let many: Vec<_> = (0..4096).map(|n| format!("{n:0>256}")).collect();
        assert_eq!(nearest(&long, many.iter().map(String::as_str)), None);
    }
}
