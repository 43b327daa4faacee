//! Answers to a command line that cannot be parsed.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::process::ExitCode;

use olr_core::display::{is_shown, shown};
use olr_core::error::{Error, Problem};

use super::Cli;
use super::env::Env;
use super::layout::{COLUMNS, hanging, sentences};
use super::output::{self, Output};

/// Words that people try as verbs, and a sentence that names the verbs that they need.
const OTHER_WORDS: &[(&[&str], &str)] = &[
    (
        &["activate", "install", "unlock", "register", "enroll", "apply", "load", "add"],
        "to activate a server, make a request with 'olr request', send it to your vendor, and 'olr import' the answer",
    ),
    (
        &["validate", "valid", "test", "try", "run"],
        "'olr verify' checks whether this machine is licensed",
    ),
    (&["version"], "'olr --version' prints the version"),
    (
        &["info", "show", "details", "list", "ls", "view", "summary"],
        "'olr status' shows the installed licenses, 'olr inspect FILE' shows what a file is",
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
        "'olr import FILE' installs a newer license; 'olr check --release DAY' checks whether a \
         release may be installed",
    ),
    (
        &["remove", "uninstall", "delete", "return", "release", "transfer", "unregister"],
        "'olr deactivate' ends a license here, so that its key can be used on another machine",
    ),
    (
        &["sign", "generate", "gen", "create", "new", "grant", "make", "answer", "approve"],
        "'olr issue' answers a request with a license, 'olr key new' creates a key",
    ),
    (
        &["init", "setup", "start", "begin"],
        "'olr vendor init' creates a vendor's folder; a server starts with 'olr request'",
    ),
    (&["keys", "keygen"], "see 'olr key --help'"),
    (
        &["trust", "publish"],
        "'olr vendor publish' puts a trust into effect at the vendor; on a server, 'olr request \
         --trust FILE' installs the first one, 'olr import FILE' a newer one",
    ),
    (&["issued", "licenses", "customers"], "'olr vendor issued' lists the issued licenses"),
    (
        &["catalog", "check-catalog"],
        "'olr vendor check-catalog' checks a catalog, 'olr explain catalog' describes its keys",
    ),
    (&["usage", "use", "count"], "'olr report MODULE=N' records how many of a module are in use"),
    (
        &["quota", "may", "can", "ask"],
        "'olr check MODULE' checks whether one more of a module may be added",
    ),
    (
        &["hwid", "hardware", "fingerprint", "id", "serial", "factors"],
        "'olr machine' shows what identifies this machine",
    ),
    (
        &["forecast", "predict", "preview", "timeline"],
        "'olr simulate' shows how the license will change",
    ),
    (&["notify", "mail", "alerts"], "'olr alert' notifies people of each change"),
    (&["blacklist", "ban", "cancel", "block"], "'olr revoke' revokes a license or an issuer key"),
    (
        &["doc", "docs", "manual", "error", "errors", "why"],
        "'olr explain WORD' explains a refusal or shows a page, 'olr man FOLDER' writes the manual",
    ),
    (&["completion"], "'olr completions SHELL' prints a completion script"),
    (&["receipt"], "'olr deactivate' writes a receipt"),
    (&["time", "clock"], "'olr vendor time-anchor' answers a request with the time"),
];

/// A command line that asks for help, or that cannot be parsed.
pub struct Unread {
    error: clap::Error,
    /// What was probably meant, in one sentence.
    step: Option<&'static str>,
    as_json: bool,
}

/// Parses the command line.
pub fn parse(args: &[OsString]) -> Result<Cli, Unread> {
    Cli::try_parse_from(args).map_err(|error| Unread::new(error, args))
}

impl Unread {
    /// Wraps an error of the parser. A usage error quotes the arguments, which may be file names of
    /// any origin: characters that could fake or hide a line are escaped first.
    fn new(error: clap::Error, args: &[OsString]) -> Self {
        let is_plain = |arg: &OsString| arg.to_str().is_some_and(|arg| arg.chars().all(is_shown));
        let mut error = match args.iter().all(is_plain) {
            true => error,
            false => {
                let escaped = args.iter().map(|arg| shown(&arg.to_string_lossy()).into_owned());
                match Cli::try_parse_from(escaped) {
                    Err(error) => error,
                    // Only arguments that are not valid Unicode parse after escaping.
                    Ok(_) => clap::Error::new(error.kind()).with_cmd(&Cli::command()),
                }
            }
        };
        let step = other_word(&error, args);
        if let Some(step) = step {
            error.remove(ContextKind::SuggestedSubcommand);
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![step.into()]));
        }
        Self { error, step, as_json: args.iter().any(|arg| arg == "--json") }
    }

    /// Prints help and version on stdout with status 0, and anything else as a usage error with
    /// status 2.
    pub fn print(self, env: &mut Env) -> ExitCode {
        if self.as_json && self.error.use_stderr() {
            return output::finish(self.output(), None, true, env);
        }
        let coloured = |colour| match colour {
            true => self.error.render().ansi().to_string(),
            false => self.error.render().to_string(),
        };
        if !self.error.use_stderr() {
            let text = coloured(env.stdout.colour);
            let _ = env.stdout.bytes(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        // Arguments may be long: indentation keeps them from faking a line of their own.
        let line = |line: &str| match line.starts_with(' ') {
            true => sentences(line),
            false => hanging("", "  ", line, COLUMNS),
        };
        let lines: Vec<_> = coloured(env.stderr.colour).split('\n').map(line).collect();
        let _ = env.stderr.bytes(lines.join("\n").as_bytes());
        ExitCode::from(2)
    }

    /// Returns what [`Unread::print`] would print, as a value: the requested text, or the error.
    pub fn output(self) -> Result<Output, Error> {
        let text = self.error.to_string();
        if !self.error.use_stderr() {
            let json = serde_json::json!({ "text": text });
            return Ok(Output { verbatim: true, ..Output::new(text, json) });
        }
        // Missing arguments are on lines of their own; tips and usage follow a blank line.
        let lines: Vec<_> =
            text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let fact = lines.join(" ");
        let fact = fact.trim_start_matches("error: ");
        Err(Error::unable(Problem::Usage, fact, self.step.unwrap_or("see `olr --help`")))
    }
}

/// Suggests a next step for a word that is not a verb, if people often try that word as one.
fn other_word(error: &clap::Error, args: &[OsString]) -> Option<&'static str> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let word = word.to_lowercase();
    // After `key` and `vendor`, these words have another meaning.
    let first = args.get(1);
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
                assert!(seen.insert(*word), "{word} appears twice");
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
