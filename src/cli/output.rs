//! What goes out: text or one JSON object, and the exit status.

use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use zeroize::Zeroizing;

use olr::display::{is_shown, shown};
use olr::error::Error;
use olr::file;
use olr::home::Home;

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

    /// Names the home that was used, in both forms.
    pub fn at_home(mut self, home: &Home) -> Self {
        let place = file::name(home.folder());
        if let Value::Object(json) = &mut self.json {
            json.insert("home".to_string(), json!(place));
        }
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

/// `{"state": "refused", …}` or `{"state": "unknown", …}`.
pub fn error_json(error: &Error) -> Value {
    match error.refusal() {
        Some(word) => {
            json!({"state": "refused", "refusal": word.word(), "fact": error.fact(), "hint": error.next_step()})
        }
        None => json!({"state": "unknown", "fact": error.fact(), "hint": error.next_step()}),
    }
}

/// Prints the result of a verb; the exit status is the answer.
pub fn finish(result: Result<Output, Error>, as_json: bool) -> ExitCode {
    finish_at(result, None, as_json)
}

/// The same of a verb that used a home: a refusal names it, and its vendor.
pub fn finish_at(result: Result<Output, Error>, home: Option<&Path>, as_json: bool) -> ExitCode {
    let (status, written) = match result {
        Ok(report) => (report.status, write_report(&report, as_json)),
        Err(error) if as_json => {
            let json = refused_at(&error, home).json;
            (error.exit_status(), write_line(io::stdout(), &json_text(&json)))
        }
        Err(error) => (error.exit_status(), write_error(&error)),
    };
    match written {
        Ok(()) => ExitCode::from(status),
        // Whoever closed the pipe has seen enough, and a no stays one; anything else is a full disk.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(status),
        Err(_) => {
            let _ = write_line(io::stderr(), &said("the output cannot be written"));
            let hint = "hint: make room; what the command did stays done";
            let _ = write_line(io::stderr(), &said(hint));
            ExitCode::from(2)
        }
    }
}

/// Says something on stderr.
pub fn note(text: &str) {
    let _ = write_line(io::stderr(), &said(&shown(text)));
}

fn write_report(report: &Output, as_json: bool) -> io::Result<()> {
    let text = match (as_json, report.verbatim) {
        (true, _) => json_text(&report.json),
        (false, true) => report.text.clone(),
        (false, false) => sentences(&report.text),
    };
    if let Some(artefact) = &report.artefact {
        // What was done with it is said once it is out.
        write_artefact(artefact)?;
    }
    let written = match report.artefact {
        Some(_) => write_line(io::stderr(), &text),
        None => write_line(io::stdout(), &text),
    };
    // Also to one that has closed the pipe of the text, `| head`.
    report.notes.iter().try_for_each(|note| write_line(io::stderr(), &said(note)))?;
    written
}

/// Of an artefact every byte is needed: a closed pipe has lost some.
fn write_artefact(artefact: &[u8]) -> io::Result<()> {
    let written = io::stdout().write_all(artefact).and_then(|()| io::stdout().flush());
    written.map_err(|_| io::Error::other("the artefact was not written"))
}

/// A refusal before there was a report.
fn refused_at(error: &Error, home: Option<&Path>) -> Output {
    let report = Output::new("", error_json(error));
    let Some(home) = home.map(Home::at) else { return report };
    // A home that cannot be read knows no vendor.
    match home.load() {
        Ok(Some(state)) => report.of_vendor(state.trust()).at_home(&home),
        _ => report.at_home(&home),
    }
}

fn write_error(error: &Error) -> io::Result<()> {
    let (bold, plain) = if colour() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let fact = shown(error.fact());
    let hint = shown(error.next_step());
    let line = match error.refusal() {
        Some(word) => said(&format!("{bold}{word}{plain}: {fact}")),
        None => said(&fact),
    };
    write_line(io::stderr(), &format!("{line}\n{}", said(&format!("hint: {hint}"))))
}

fn write_line(mut to: impl Write, text: &str) -> io::Result<()> {
    writeln!(to, "{text}")?;
    to.flush()
}

/// Whether stderr shows colours.
pub fn colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
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
    use super::super::show::{pairs, table};
    use super::*;

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
