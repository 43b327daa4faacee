//! What is said to a command line that cannot be read.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use std::io::Write;
use std::process::ExitCode;

use olr::display::{is_shown, shown};
use olr::error::Error;

use super::layout::{hanging, sentences};
use super::{Cli, output};

/// Words that people try, and what they are looking for.
const OTHER_WORDS: &[(&[&str], &str)] = &[
    (
        &["activate", "install", "license", "unlock", "register", "enroll", "apply", "load", "add"],
        "to activate a server, make a request with 'olr request', send it to your vendor, and 'olr import' the answer",
    ),
    (
        &["validate", "valid", "test", "try", "run"],
        "'olr verify' says whether this machine may run",
    ),
    (&["version"], "'olr --version' says it"),
    (
        &["info", "show", "details", "list", "ls", "view", "summary"],
        "'olr status' shows what is installed here, 'olr inspect FILE' what a file is",
    ),
    (
        &["decode", "dump", "cat", "open", "read", "parse"],
        "'olr inspect FILE' shows what a file is",
    ),
    (
        &["renew", "refresh", "extend"],
        "'olr request --renew' asks for a license that replaces the installed one",
    ),
    (
        &["upgrade", "update"],
        "'olr import FILE' installs a newer license; 'olr check --release DAY' says whether a release may be installed",
    ),
    (
        &["remove", "uninstall", "delete", "return", "release", "transfer", "move", "unregister"],
        "'olr deactivate' ends a license here, so that its key can be used on another machine",
    ),
    (
        &["sign", "generate", "gen", "create", "new", "grant", "make", "answer", "approve"],
        "'olr issue' answers a request with a license, 'olr key new' makes a key",
    ),
    (
        &["init", "setup", "start", "begin"],
        "'olr vendor init' makes a vendor's folder; a server begins with 'olr request'",
    ),
    (&["keys", "keygen"], "see 'olr key --help'"),
    (
        &["trust", "publish"],
        "'olr vendor publish' publishes a trust, 'olr import' takes a newer one",
    ),
    (&["issued", "licenses", "customers"], "'olr vendor issued' lists what was issued"),
    (
        &["catalog", "check-catalog"],
        "'olr vendor check-catalog' checks one, 'olr explain catalog' describes it",
    ),
    (&["usage", "use", "count"], "'olr report MODULE=N' says how many are in use"),
    (&["quota", "may", "can", "ask"], "'olr check MODULE' says whether one more may be added"),
    (
        &["hwid", "hardware", "fingerprint", "id", "serial", "factors"],
        "'olr machine' shows what identifies this machine",
    ),
    (&["forecast", "predict", "preview", "timeline"], "'olr simulate' looks ahead"),
    (&["notify", "mail", "alerts"], "'olr alert' tells people what changed"),
    (
        &["blacklist", "ban", "cancel", "block"],
        "'olr revoke' takes a license or an issuer key back",
    ),
    (
        &["doc", "docs", "manual", "error", "errors", "why"],
        "'olr explain WORD' explains a refusal or shows a page, 'olr man FOLDER' writes the manual",
    ),
    (&["completion"], "'olr completions SHELL' prints a script"),
    (&["receipt"], "'olr deactivate' writes a receipt"),
    (&["time", "clock"], "'olr vendor time-anchor' answers a request with the time"),
];

/// A usage error quotes what was typed, names of files from anywhere included: what could fake or
/// hide a line is escaped, as if it had been typed so.
pub fn usage(error: clap::Error) -> ExitCode {
    let is_plain =
        |arg: std::ffi::OsString| arg.to_str().is_some_and(|arg| arg.chars().all(is_shown));
    if std::env::args_os().all(is_plain) {
        return print(error);
    }
    let escaped = std::env::args_os().map(|arg| shown(&arg.to_string_lossy()).into_owned());
    match Cli::try_parse_from(escaped) {
        Err(error) => print(error),
        // Only what is no text at all becomes right by it.
        Ok(_) => print(clap::Error::new(error.kind()).with_cmd(&Cli::command())),
    }
}

/// Help and version go to stdout with status 0; anything else is a usage error with status 2.
fn print(mut error: clap::Error) -> ExitCode {
    let step = other_word(&error);
    if let Some(step) = step {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![step.into()]));
    }
    let json = std::env::args_os().any(|arg| arg == "--json");
    if json && error.use_stderr() {
        let text = error.to_string();
        // What is missing stands on lines of its own; tips and usage come after a blank line.
        let lines: Vec<_> =
            text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let fact = lines.join(" ");
        let fact = fact.trim_start_matches("error: ");
        let hint = step.unwrap_or("see `olr --help`");
        return output::finish(Err(Error::unable(fact, hint)), true);
    }
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = match output::colour() {
        true => error.render().ansi().to_string(),
        false => error.render().to_string(),
    };
    // What was typed may be long: no part of it begins a line.
    let line = |line: &str| match line.starts_with(' ') {
        true => sentences(line),
        false => hanging("", "  ", line, 80),
    };
    let lines: Vec<_> = text.split('\n').map(line).collect();
    let _ = write!(std::io::stderr(), "{}", lines.join("\n"));
    ExitCode::from(2)
}

/// What somebody looks for who tries another word at the place of a verb.
fn other_word(error: &clap::Error) -> Option<&'static str> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let word = word.to_lowercase();
    // Below `key` and `vendor` the words of the top mean something else.
    let first = std::env::args_os().nth(1);
    let at_top = first.is_some_and(|first| first.to_string_lossy().to_lowercase() == word);
    let known = OTHER_WORDS.iter().find(|(words, _)| words.contains(&word.as_str()));
    known.filter(|_| at_top).map(|(_, step)| *step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_a_verb_or_stands_twice_and_each_step_names_a_verb() {
        let command = Cli::command();
        let mut seen = std::collections::BTreeSet::new();
        for (words, step) in OTHER_WORDS {
            for word in *words {
                assert!(command.find_subcommand(word).is_none(), "{word} is a verb");
                assert!(seen.insert(*word), "{word} stands twice");
            }
            let named: Vec<_> = step.split("'olr ").skip(1).collect();
            assert!(!named.is_empty(), "{step}");
            for rest in named {
                let verb = rest.split([' ', '\'']).next().unwrap();
                let is_verb = verb.starts_with("--") || command.find_subcommand(verb).is_some();
                assert!(is_verb, "{verb} of {step:?} is no verb");
            }
        }
        assert!(seen.len() > 60, "{}", seen.len());
    }
}
