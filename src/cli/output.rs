//! What goes out: text or one JSON object, and the exit status.

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

/// What a verb has to say.
pub struct Output {
    /// For people; without the last line end.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// Said on stderr in either form.
    pub notes: Vec<String>,
    /// 0, or 1 when the answer is a proved no.
    pub status: u8,
    /// Whether the text is for a program, and its lines stay as they are.
    pub verbatim: bool,
    /// An artefact for stdout; the report then goes to stderr.
    pub artefact: Option<Zeroizing<Vec<u8>>>,
}

impl Output {
    /// Text and object of a verb that did what it was asked.
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

    /// What is printed of a command that ends with `error`.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        Self { status: error.exit_status(), ..Self::new("", error_json(error)) }
    }

    /// Names the home that was used, in both forms.
    pub fn at_home(mut self, home: &Home) -> Self {
        let place = file::name(home.folder());
        put(&mut self.json, "home", place.clone());
        self.notes.push(format!("home: {place}"));
        self
    }

    /// An answer that is no, or could not be told, in the words of `error`.
    pub fn refused(mut self, error: &Error) -> Self {
        self.status = error.exit_status();
        if let (Value::Object(into), Value::Object(from)) = (&mut self.json, error_json(error)) {
            into.extend(from);
        }
        self
    }
}

/// Sets a field of an object.
pub fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(object) = object {
        object.insert(name.to_string(), value.into());
    }
}

/// `{"state": "refused", "refusal": …}` or `{"state": "unknown", "problem": …}`.
pub fn error_json(error: &Error) -> Value {
    let report = ErrorReport::new(error, hint::said);
    let mut json = serde_json::to_value(&report).unwrap_or_default();
    put(&mut json, "state", report.state());
    json
}

/// Prints the result of a verb; the exit status is the answer. A refusal names the home that was
/// used, and its vendor.
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
        // Whoever closed the pipe has seen enough, and a no stays one; anything else is a full disk.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(status),
        Err(_) => {
            let _ = note(&mut env.stderr, "the output cannot be written");
            let _ = note(&mut env.stderr, "hint: make room; what the command did stays done");
            ExitCode::from(2)
        }
    }
}

/// Says something on stderr.
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
        // What was done with it is said once it is out. Of an artefact every byte is needed: a
        // closed pipe has lost some.
        let written = env.stdout.bytes(artefact);
        written.map_err(|_| io::Error::other("the artefact was not written"))?;
    }
    let written = match report.artefact {
        Some(_) => env.stderr.line(&text),
        None => env.stdout.line(&text),
    };
    // Also to one that has closed the pipe of the text, `| head`.
    let stderr = &mut env.stderr;
    report.notes.iter().try_for_each(|note| {
        let text = said(note, stderr.columns);
        stderr.line(&text)
    })?;
    written
}

/// A refusal before there was a report.
fn refused_at(error: &Error, home: Option<&Path>) -> Output {
    let report = Output::of_error(error);
    let Some(home) = home.map(Home::at) else { return report };
    // A home that cannot be read knows no vendor.
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

/// JSON in which no control, bidi or zero-width character stands as itself.
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

    /// `src/display.rs` proves of each code point whether it is shown.
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
