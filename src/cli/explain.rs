//! `olr explain`: explains a refusal word, and shows the pages that messages refer to.

use serde_json::json;

use olr_core::display::{listed, shown};
use olr_core::error::{Error, Problem, Refusal, Result};

#[cfg(test)]
use super::Cli;
use super::known::nearest;
use super::output::Output;
use super::page;

#[derive(clap::Args)]
pub struct Args {
    /// The refusal word or page to explain [default: list them all].
    word: Option<String>,
}

const TEXT: &str = include_str!("../../docs/refusals.md");

/// Pages included for people who have this program but not its repository.
const PAGES: &[(&str, &str, &str)] = &[
    (
        "alerts",
        "who is notified when a license needs attention",
        include_str!("../../docs/alerts.md"),
    ),
    ("catalog", "every key of a catalog and a grant", include_str!("../../docs/catalog.md")),
    (
        "ceremony",
        "keys and roots, and what to do if one is lost",
        include_str!("../../docs/ceremony.md"),
    ),
    (
        "couriers",
        "what mail and chat programs do to a file",
        include_str!("../../docs/couriers.md"),
    ),
    (
        "machines",
        "what identifies a machine, and what a license survives",
        include_str!("../../docs/machines.md"),
    ),
];

/// Link targets that are not included here, and what they are.
const ELSEWHERE: &[(&str, &str)] = &[
    ("format.md", "the specification of the format"),
    ("../examples/catalogs/self-hosted.toml", "the first example"),
    ("../examples/catalogs/managed.toml", "the second example"),
];

pub fn run(args: &Args) -> Result<Output> {
    let words: Vec<_> = Refusal::ALL.iter().map(|word| word.word()).collect();
    let pages: Vec<_> = PAGES.iter().map(|(page, ..)| *page).collect();
    let Some(typed) = &args.word else {
        let width = pages.iter().map(|page| page.len()).max().unwrap_or(0);
        let line = |(page, what, _): &(&str, &str, &str)| format!("{page:width$}  {what}");
        let lines: Vec<_> = PAGES.iter().map(line).collect();
        let text = format!("{}\n\nPages:\n{}", words.join("\n"), lines.join("\n"));
        return Ok(Output::new(text, json!({"words": words, "pages": pages})));
    };
    let word = typed.trim().to_lowercase().replace([' ', '_'], "-");
    if let Ok(refusal) = word.parse::<Refusal>() {
        let text = plain(section(refusal.word()).unwrap_or_default());
        let json = json!({"word": refusal.word(), "number": refusal.number(), "text": text});
        return Ok(shown_page(&text, json));
    }
    if let Some((page, _, text)) = PAGES.iter().find(|(page, ..)| *page == word) {
        let text = plain(text);
        return Ok(shown_page(&text, json!({"page": page, "text": text})));
    }
    let all = words.iter().chain(&pages).copied();
    let hint = match nearest(&word, all) {
        Some(near) => format!("did you mean {near}? `olr explain` lists all words and pages"),
        None => format!("`olr explain` lists all words; the pages are {}", listed(pages)),
    };
    Err(Error::unable(Problem::Usage, format!("there is no word or page {:?}", shown(typed)), hint))
}

fn shown_page(text: &str, json: serde_json::Value) -> Output {
    Output { verbatim: true, ..Output::new(page::in_columns(text), json) }
}

/// Returns the section with the heading `## word`.
fn section(word: &str) -> Option<&'static str> {
    let heading = format!("## {word}\n");
    let (_, after) = TEXT.split_once(&heading)?;
    Some(after.split("\n## ").next().unwrap_or(after).trim())
}

/// Returns a page without its links.
fn plain(page: &str) -> String {
    page::plain(page, &|label, target| leads(label, target).unwrap_or_default())
}

/// Replaces a link with its label, and the command or place that shows its target. Returns `None`
/// for a page of olr that cannot be shown.
fn leads(label: &str, target: &str) -> Option<String> {
    let name = target.split('#').next().unwrap_or_default();
    let page = name.trim_end_matches(".md");
    let command = match () {
        () if name.is_empty() => return Some(label.to_string()),
        () if target.starts_with("http") => target.to_string(),
        () if page == "refusals" => "`olr explain WORD`".to_string(),
        () if PAGES.iter().any(|(known, ..)| *known == page) => format!("`olr explain {page}`"),
        () => {
            let (_, what) = ELSEWHERE.iter().find(|(known, _)| *known == name)?;
            return Some(format!(
                "{what} ({name}, with the source of olr)",
                name = page_name(name)
            ));
        }
    };
    // A file name alone does not help people who lack the file.
    Some(if label == name { command } else { format!("{label} ({command})") })
}

fn page_name(target: &str) -> &str {
    target.rsplit('/').next().unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the labels and targets of the links of a page.
    fn links(page: &str) -> Vec<(String, String)> {
        let mut links = Vec::new();
        let mut rest = page;
        while let Some((before, after)) = rest.split_once("](") {
            let Some((target, next)) = after.split_once(')') else { break };
            let label = before.rsplit_once('[').map_or("", |(_, label)| label);
            links.push((label.to_string(), target.to_string()));
            rest = next;
        }
        links
    }

    /// Returns the anchors of the headings: in lower case, with dashes in place of spaces, and
    /// without punctuation except dashes and underscores.
    fn anchors(page: &str) -> Vec<String> {
        let headings = page.lines().filter(|line| line.starts_with('#'));
        let anchor = |line: &str| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        };
        headings.map(anchor).collect()
    }

    #[test]
    fn every_reference_of_a_page_leads_somewhere() {
        let mut seen = 0;
        let pages = PAGES.iter().map(|(name, _, page)| (*name, *page));
        // The text above the first word is for people who read the file.
        let (_, words) = TEXT.split_once("\n## ").unwrap();
        let all: Vec<_> = pages.chain([("refusals", words)]).collect();
        for (name, page) in &all {
            for (label, target) in links(page) {
                seen += 1;
                let said = leads(&label, &target);
                assert!(
                    said.is_some(),
                    "{name}: {target} is in no page, and nothing says what it is"
                );
                let Some((file, anchor)) = target.split_once('#') else { continue };
                let other = file.trim_end_matches(".md");
                let found =
                    all.iter().find(|(n, _)| if file.is_empty() { n == name } else { *n == other });
                if let Some((_, other)) = found {
                    assert!(
                        anchors(other).iter().any(|a| a == anchor),
                        "{name}: no heading {target}"
                    );
                }
            }
            let text = plain(page);
            assert!(!text.contains("](") && text.len() > 2000, "{name}");
            let bare = text.replace("(format.md, with the source of olr)", "");
            for file in [["docs", "/"].concat().as_str(), "README", ".md", "examples/"] {
                assert!(!bare.contains(file), "{name} refers to {file}");
            }
        }
        assert!(seen > 10, "only {seen} links");
        let text =
            plain("See [the catalog](catalog.md#types), [x](#y) and [TOML](https://toml.io).");
        assert_eq!(text, "See the catalog (`olr explain catalog`), x and TOML (https://toml.io).");
        let text = plain("[machines.md](machines.md) and [format.md](format.md#frame)");
        let source = "the specification of the format (format.md, with the source of olr)";
        assert_eq!(text, format!("`olr explain machines` and {source}"));
    }

    #[test]
    fn no_line_of_a_page_is_wider_than_80_columns() {
        let mut lines = 0;
        for (name, _, page) in PAGES.iter().chain([&("refusals", "", TEXT)]) {
            // Commands and files are there to be copied, and stay unwrapped.
            let copied: Vec<_> = page.split("```").skip(1).step_by(2).collect();
            for line in page::in_columns(&plain(page)).lines() {
                lines += 1;
                let is_copied = copied.iter().any(|block| block.contains(line.trim()));
                assert!(is_copied || line.chars().count() <= 80, "{name}: {line}");
            }
        }
        assert!(lines > 900, "only {lines} lines");
    }

    /// Every command on a page names an existing verb, and every `olr explain` an existing word or
    /// page.
    #[test]
    fn every_command_of_a_page_is_one() {
        let command = <Cli as clap::CommandFactory>::command();
        let words: Vec<_> = Refusal::ALL.iter().map(|word| word.word()).collect();
        let mut seen = 0;
        for (name, _, page) in PAGES.iter().chain([&("refusals", "", TEXT)]) {
            for rest in page.split("`olr ").skip(1) {
                let typed = rest.split('`').next().unwrap_or_default();
                let typed: Vec<_> = typed.split_whitespace().collect();
                let verb = typed.first().copied().unwrap_or_default();
                seen += 1;
                let is_verb = verb.starts_with("--") || command.find_subcommand(verb).is_some();
                assert!(is_verb, "{name}: olr {verb}");
                let explained = typed.get(1).filter(|_| verb == "explain");
                let is_there = explained.is_none_or(|word| {
                    *word == "WORD" || words.contains(word) || PAGES.iter().any(|(p, ..)| p == word)
                });
                assert!(is_there, "{name}: olr explain {explained:?}");
            }
        }
        assert!(seen > 40, "only {seen} commands");
    }
}
