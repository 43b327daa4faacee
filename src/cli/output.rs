//! Output of a verb: text or one JSON object, and the exit status.

use serde_json::Value;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use zeroize::Zeroizing;

use crate::file;
use crate::home::Home;
use olr_core::display::{is_shown, shown};
use olr_core::error::Error;
use olr_core::report::ErrorReport;

use super::env::{Env, Stream};
use super::hint;
use super::layout::{said, sentences};

/// Output of a verb.
pub struct Output {
    /// Text for people, without a final newline.
    pub text: String,
    /// JSON for programs.
    pub json: Value,
    /// Notes printed on stderr with both text and JSON.
    pub notes: Vec<String>,
    /// Exit status: 0, 1 if the answer is a proven no, or 2 if olr could not tell.
    pub status: u8,
    /// True if the text must not be wrapped: it is for a program, or it is already laid out.
    pub verbatim: bool,
    /// An artefact to write to stdout; the report then goes to stderr.
    pub artefact: Option<Zeroizing<Vec<u8>>>,
}

impl Output {
    /// Returns the output of a successful verb.
    pub fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            notes: Vec::new(),
            status: 0,
            verbatim: false,
            artefact: None,
        }
    }

    /// Returns the output of a command that ends with `error`.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        Self { status: error.exit_status(), ..Self::new("", error_json(error)) }
    }

    /// Adds the home that was used: to the notes and the JSON.
    pub fn at_home(mut self, home: &Home) -> Self {
        let place = file::name(home.folder());
        put(&mut self.json, "home", place.clone());
        self.notes.push(format!("home: {place}"));
        self
    }

    /// Adds the refusal or problem of `error` to the JSON, and takes its exit status.
    pub fn refused(mut self, error: &Error) -> Self {
        self.status = error.exit_status();
        if let (Value::Object(into), Value::Object(from)) = (&mut self.json, error_json(error)) {
            into.extend(from);
        }
        self
    }
}

/// Sets a field of a JSON object.
pub fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(object) = object {
        object.insert(name.to_string(), value.into());
    }
}

/// Returns `{"state": "refused", "refusal": …}` or `{"state": "unknown", "problem": …}`.
pub fn error_json(error: &Error) -> Value {
    let report = ErrorReport::new(error, hint::said);
    let mut json = serde_json::to_value(&report).unwrap_or_default();
    put(&mut json, "state", report.state());
    json
}

/// Prints the result of a verb and returns the exit status. An error in JSON names the home that
/// was used, and its vendor.
pub fn finish(
    result: Result<Output, Error>,
    home: Option<&Path>,
    as_json: bool,
    env: &mut Env,
) -> ExitCode {
    let (status, written) = match result {
        Ok(report) => (report.status, write_report(&report, as_json, env)),
        Err(error) if as_json => {
            let json = refused_at(&error, home).json;
            (error.exit_status(), env.stdout.line(&json_text(&json)))
        }
        Err(error) => (error.exit_status(), write_error(&error, &mut env.stderr)),
    };
    match written {
        Ok(()) => ExitCode::from(status),
        // A closed pipe means that the reader has seen enough, and a refusal stays one. Any other
        // error is likely a full disk.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(status),
        Err(_) => {
            let _ = note(&mut env.stderr, "the output cannot be written");
            let _ = note(
                &mut env.stderr,
                "hint: free some disk space, or check the program that reads the output; the other \
                 changes that this command made are kept",
            );
            ExitCode::from(2)
        }
    }
}

/// Prints a note on stderr.
pub fn note(stderr: &mut Stream, text: &str) -> io::Result<()> {
    let text = said(&shown(text), stderr.columns);
    stderr.line(&text)
}

fn write_report(report: &Output, as_json: bool, env: &mut Env) -> io::Result<()> {
    let text = match (as_json, report.verbatim) {
        (true, _) => json_text(&report.json),
        (false, true) => report.text.clone(),
        (false, false) => sentences(&report.text),
    };
    if let Some(artefact) = &report.artefact {
        // The report comes after the artefact, whose every byte is needed: a closed pipe is an
        // error here.
        let written = env.stdout.bytes(artefact);
        written.map_err(|_| io::Error::other("the artefact was not written"))?;
    }
    let written = match report.artefact {
        Some(_) => env.stderr.line(&text),
        None => env.stdout.line(&text),
    };
    // Notes are printed even if the reader has closed the pipe of the text, as `head` does.
    let stderr = &mut env.stderr;
    report.notes.iter().try_for_each(|note| {
        let text = said(note, stderr.columns);
        stderr.line(&text)
    })?;
    written
}

/// Returns the output of an error that ended the verb before it had a report.
fn refused_at(error: &Error, home: Option<&Path>) -> Output {
    let report = Output::of_error(error);
    let Some(home) = home.map(Home::at) else { return report };
    // A home that cannot be read does not reveal its vendor.
    match home.load() {
        Ok(Some(state)) => report.of_vendor(state.trust()).at_home(&home),
        _ => report.at_home(&home),
    }
}

fn write_error(error: &Error, stderr: &mut Stream) -> io::Result<()> {
    let (bold, plain) = if stderr.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let fact = shown(error.fact());
    let line = match error.refusal() {
        Some(word) => format!("{bold}{word}{plain}: {fact}"),
        None => fact.into_owned(),
    };
    let line = said(&line, stderr.columns);
    let hint = said(&format!("hint: {}", shown(&hint::said(error.next_step()))), stderr.columns);
    stderr.line(&format!("{line}\n{hint}"))
}

/// Formats JSON, with control, bidi and zero-width characters escaped.
fn json_text(value: &Value) -> String {
    let plain = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut text = String::with_capacity(plain.len());
    for c in plain.chars() {
        if is_shown(c) || c == '\n' {
            text.push(c);
        } else {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::show::{pairs, table};
    use serde_json::json;

    /// Fails if `text` contains a character that is not shown, or if its number of lines is not in
    /// `lines`. Tests of `olr-core` check [`is_shown`] itself.
    #[track_caller]
    fn lines_of_what_is_shown(text: &str, lines: std::ops::RangeInclusive<usize>) {
        assert_eq!(text.chars().find(|c| !is_shown(*c) && *c != '\n'), None);
        assert!(lines.contains(&text.lines().count()), "{}", text.lines().count());
    }

    #[test]
    fn every_character_stands_in_text_and_json_as_itself_or_escaped() {
        let chars: Vec<_> = ('\0'..=char::MAX).collect();
        for chunk in chars.chunks(4096) {
            let text: String = chunk.iter().collect();
            let value = json!({ &text: [&text] });
            let json = json_text(&value);
            lines_of_what_is_shown(&json, 5..=5);
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
            lines_of_what_is_shown(&pairs(&[("name", text.clone())]), 1..=1000);
            lines_of_what_is_shown(&table(&["name"], &[vec![text]], &[]), 1..=1000);
        }
        assert_eq!(chars.len(), 0x11_0000 - 0x800);
    }
}
