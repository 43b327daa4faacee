//! `olr explain`: a word for "no", explained; and the pages that messages refer to.

use serde_json::json;

use olr::display::{listed, shown};
use olr::error::{Error, Refusal, Result};

use super::known::nearest;
use super::output::Report;

#[derive(clap::Args)]
pub struct Args {
    /// The word, or a page; without one, all are listed.
    word: Option<String>,
}

const TEXT: &str = include_str!("../../docs/refusals.md");

/// Pages for people who have this program and not its repository.
const PAGES: &[(&str, &str, &str)] = &[
    ("alerts", "who is told when a license needs somebody", include_str!("../../docs/alerts.md")),
    ("catalog", "every key of a catalog and a grant", include_str!("../../docs/catalog.md")),
    (
        "ceremony",
        "keys, roots and what to do when one is lost",
        include_str!("../../docs/ceremony.md"),
    ),
    ("couriers", "what mails and chats do to a file", include_str!("../../docs/couriers.md")),
    (
        "machines",
        "what identifies a machine, and what it survives",
        include_str!("../../docs/machines.md"),
    ),
];

pub fn run(args: &Args) -> Result<Report> {
    let words: Vec<_> = Refusal::ALL.iter().map(|word| word.word()).collect();
    let pages: Vec<_> = PAGES.iter().map(|(page, ..)| *page).collect();
    let Some(typed) = &args.word else {
        let width = pages.iter().map(|page| page.len()).max().unwrap_or(0);
        let line = |(page, what, _): &(&str, &str, &str)| format!("{page:width$}  {what}");
        let lines: Vec<_> = PAGES.iter().map(line).collect();
        let text = format!("{}\n\nPages:\n{}", words.join("\n"), lines.join("\n"));
        return Ok(Report::new(text, json!({"words": words, "pages": pages})));
    };
    let word = typed.trim().to_lowercase().replace([' ', '_'], "-");
    if let Some(refusal) = Refusal::from_word(&word) {
        let text = section(refusal.word()).unwrap_or_default();
        let json = json!({"word": refusal.word(), "number": refusal.number(), "text": text});
        return Ok(Report::new(text, json));
    }
    if let Some((page, _, text)) = PAGES.iter().find(|(page, ..)| *page == word) {
        let text = plain(text);
        return Ok(Report::new(&*text, json!({"page": page, "text": text})));
    }
    let all = words.iter().chain(&pages).copied();
    let hint = match nearest(&word, all) {
        Some(near) => format!("did you mean {near}? `olr explain` lists all"),
        None => format!("`olr explain` lists all; the pages are {}", listed(pages)),
    };
    Err(Error::unable(format!("there is no word {:?}", shown(typed)), hint))
}

/// What stands under the heading `## word`.
fn section(word: &str) -> Option<&'static str> {
    let heading = format!("## {word}\n");
    let (_, after) = TEXT.split_once(&heading)?;
    Some(after.split("\n## ").next().unwrap_or(after).trim())
}

/// A page without its links: those to another page name the command that shows it, where one does.
fn plain(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((target, next)) = after.split_once(')') else { break };
        // What stands in the brackets; an `[` of an array before it stays.
        let (head, label) = before.rsplit_once('[').unwrap_or((before, ""));
        text.push_str(head);
        text.push_str(label);
        let name = target.split('#').next().unwrap_or_default().trim_end_matches(".md");
        if PAGES.iter().any(|(page, ..)| *page == name) {
            text += &format!(" (`olr explain {name}`)");
        } else if target.starts_with("http") && label != target {
            text += &format!(" ({target})");
        }
        rest = next;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_no_file() {
        for (name, _, page) in PAGES {
            let text = plain(page);
            assert!(!text.contains("](") && text.len() > 2000, "{name}");
            assert!(!text.contains("docs/"), "{name} names a file of the repository");
        }
        let text =
            plain("See [the catalog](catalog.md#types), [x](y.md) and [TOML](https://toml.io).");
        assert_eq!(text, "See the catalog (`olr explain catalog`), x and TOML (https://toml.io).");
    }
}
