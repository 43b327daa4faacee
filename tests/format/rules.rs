//! Every rule of the specification has a fixture that breaks it and is named by the library, and
//! every refused fixture names its rule. `tests/format/fixtures` checks that a fixture breaks
//! exactly the rules that it names.
#![cfg(feature = "vendor")]

use crate::world::sources::all_sources;
use olr_core::error::Refusal;
use std::collections::{BTreeMap, BTreeSet};

use crate::world::scenario::{Scenario, committed, root};
use crate::world::specification::{self, PAGES, Rule, without_links};

/// Minimum number of rules: with fewer, the page was parsed incorrectly.
const AT_LEAST: usize = 181;

/// Each rule with its refusal words. The set is empty if other rules give the words.
fn rules() -> BTreeMap<String, BTreeSet<Refusal>> {
    let words = |rule: Rule| {
        // Other rules end with "the words they give".
        let words = match rule.text.ends_with('`') {
            true => {
                let quoted = rule.text.split('`').skip(1).step_by(2);
                quoted.filter_map(|word| word.parse().ok()).collect()
            }
            false => BTreeSet::new(),
        };
        (rule.id, words)
    };
    let rules: BTreeMap<_, _> = specification::rules().into_iter().map(words).collect();
    assert!(rules.len() >= AT_LEAST, "only {} rules", rules.len());
    rules
}

#[test]
fn every_rule_that_a_fixture_names_stands_on_the_page_and_gives_its_word() {
    let rules = rules();
    for scenario in committed() {
        for rule in scenario.rules() {
            let words = rules
                .get(rule)
                .unwrap_or_else(|| panic!("{}: there is no rule {rule}", scenario.name));
            let Some(word) = scenario.expected() else {
                panic!("{}: it breaks {rule} and is not refused", scenario.name);
            };
            // Some rules state that they give no word.
            let Some(word) = word else { continue };
            // In a state, an invalid body counts as a damaged state.
            let fits = words.is_empty() || words.contains(&word) || word == Refusal::DamagedState;
            assert!(fits, "{}: a breach of {rule} does not give {word}", scenario.name);
        }
    }
}

#[test]
fn every_rule_is_broken_by_a_fixture() {
    let fixtures = committed();
    let broken: BTreeSet<_> = fixtures.iter().flat_map(Scenario::rules).collect();
    for rule in rules().keys() {
        assert!(broken.contains(&**rule), "{rule} has no fixture");
    }
}

/// Every refusal word of the page is given by at least one rule.
#[test]
fn every_word_is_given_by_a_rule() {
    let given: BTreeSet<_> = rules().into_values().flatten().collect();
    let all = Refusal::ALL.iter().copied().collect();
    assert_eq!(given, all);
}

/// A range such as "frame-1 to frame-6" must be unambiguous.
#[test]
fn a_range_is_the_same_by_number_and_by_place() {
    let ids: Vec<_> = specification::rules().iter().map(Rule::group).collect();
    let id = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
        let (group, number) = word.rsplit_once('-')?;
        Some((group.to_string(), number.parse::<u32>().ok()?))
    };
    let text: String = PAGES.iter().map(|(_, page)| without_links(page)).collect();
    let words: Vec<_> = text.split_whitespace().collect();
    let mut ranges = 0;
    for three in words.windows(3) {
        let [from, "to", to] = three else { continue };
        let (Some(from), Some(to)) = (id(from), id(to)) else { continue };
        let place = |id| ids.iter().position(|other| *other == id);
        let (Some(first), Some(last)) = (place(from.clone()), place(to.clone())) else { continue };
        let by_place = &ids[first..=last];
        let by_number: Vec<_> = (from.1..=to.1).map(|number| (from.0.clone(), number)).collect();
        assert_eq!(by_place, by_number, "{from:?} to {to:?}");
        ranges += 1;
    }
    assert!(ranges >= 30, "only {ranges} ranges");
}

/// Rules are numbered in the order in which they apply, without a gap.
#[test]
fn the_rules_of_a_group_ascend() {
    let mut last: BTreeMap<String, u32> = BTreeMap::new();
    for (group, number) in specification::rules().iter().map(Rule::group) {
        let before = last.insert(group.clone(), number).unwrap_or(0);
        assert_eq!(number, before + 1, "{group}-{number} follows {group}-{before}");
    }
}

/// Collects the rule ids that a source file names: all literals that look like one.
fn in_source(text: &str, ids: &mut BTreeSet<String>, groups: &BTreeSet<String>) {
    // Splitting at quotation marks covers every literal, whatever the parity of the first one.
    for literal in text.split('"') {
        let Some((group, number)) = literal.rsplit_once('-') else { continue };
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty();
        if is_number && groups.contains(group) {
            ids.insert(literal.to_string());
        }
    }
}

#[test]
fn the_library_names_every_rule_and_no_other() {
    let rules: BTreeSet<_> = rules().into_keys().collect();
    let groups = rules.iter().map(|id| id.rsplit_once('-').unwrap().0.to_string()).collect();
    let mut named = BTreeSet::new();
    for path in all_sources() {
        in_source(&std::fs::read_to_string(root().join(path)).unwrap(), &mut named, &groups);
    }
    let silent: Vec<_> = rules.difference(&named).collect();
    assert!(silent.is_empty(), "no refusal names {silent:?}");
    let unknown: Vec<_> = named.difference(&rules).collect();
    assert!(unknown.is_empty(), "the page has no {unknown:?}");
}

/// After its conventions, the specification contains no words of RFC 2119: a requirement is a rule,
/// which is a statement with an id.
#[test]
fn what_a_reader_must_do_stands_in_a_rule() {
    for (name, page) in PAGES {
        let after = page.find("### Refusal words").unwrap_or(0);
        for word in ["MUST", "SHALL", "SHOULD", "REQUIRED"] {
            let found = page[after..].lines().find(|line| line.contains(word));
            assert_eq!(found, None, "{name}: write a rule in place of {word}");
        }
    }
}

#[test]
fn every_refused_fixture_names_its_rule() {
    for scenario in committed() {
        let refused = matches!(scenario.expected(), Some(Some(_)));
        let names = scenario.rules().next().is_some();
        // "Could not tell" may also break a rule, one that gives no word.
        let is_right = names == refused || (names && scenario.expected() == Some(None));
        assert!(is_right, "{}: exactly the refused fixtures have a line `rule`", scenario.name);
    }
}
