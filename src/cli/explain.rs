//! `olr explain`: a word for "no", explained.

use serde_json::json;

use olr::error::{Error, Refusal, Result};

use super::output::Report;

#[derive(clap::Args)]
pub struct Args {
    /// The word; without one, all words are listed.
    word: Option<String>,
}

const TEXT: &str = include_str!("../../docs/refusals.md");

pub fn run(args: &Args) -> Result<Report> {
    let words: Vec<_> = Refusal::ALL.iter().map(|word| word.word()).collect();
    let Some(word) = &args.word else {
        return Ok(Report::new(words.join("\n"), json!({"words": words})));
    };
    let Some(refusal) = Refusal::from_word(&word.trim().to_lowercase()) else {
        let fact = format!("there is no word {word:?}");
        return Err(Error::unable(fact, "`olr explain` lists the words"));
    };
    let text = section(refusal.word()).unwrap_or_default();
    Ok(Report::new(text, json!({"word": refusal.word(), "number": refusal.number(), "text": text})))
}

/// What stands under the heading `## word`.
fn section(word: &str) -> Option<&'static str> {
    let heading = format!("## {word}\n");
    let (_, after) = TEXT.split_once(&heading)?;
    Some(after.split("\n## ").next().unwrap_or(after).trim())
}
