//! The terminal itself, even if streams are redirected: `/dev/tty`, or `CONIN$` and `CONOUT$` on
//! Windows. All confirmations are asked for here.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};

use olr_core::error::{Error, Problem, Result};

use super::layout::sentences;

/// The controlling terminal of this process.
pub struct Terminal {
    input: File,
    output: File,
}

/// A question before an action that cannot be undone.
pub struct Confirmation<'a> {
    /// What the action affects, in lines that are already escaped.
    pub hits: &'a str,
    /// The question: `Deactivate this license?`
    pub ask: &'a str,
    /// Name of the action, for the error if there is no terminal: `deactivating a license`.
    pub deed: &'a str,
}

impl Terminal {
    /// Opens the terminal. Returns `None` if the process has none, as in a service, a cron job or a
    /// container without `-t`.
    pub fn open() -> Option<Self> {
        let (input, output) =
            if cfg!(windows) { ("CONIN$", "CONOUT$") } else { ("/dev/tty", "/dev/tty") };
        let open = |name| OpenOptions::new().read(true).write(true).open(name).ok();
        Some(Self { input: open(input)?, output: open(output)? })
    }

    /// Shows text on the terminal, even if stdout and stderr are redirected.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        // A question ends with a space, and the answer follows on the same line.
        self.output.write_all(sentences(text).as_bytes())?;
        self.output.flush()
    }

    /// Reads one answer. A terminal delivers one line at a time, so later lines stay for later
    /// questions.
    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        BufReader::new(&self.input).read_line(&mut line)?;
        Ok(line.trim().to_lowercase())
    }
}

impl Confirmation<'_> {
    /// Shows what is affected and asks, unless `--yes` was given.
    ///
    /// # Errors
    /// Exit 2 if the answer is neither `y` nor `yes`, or if there is no terminal.
    pub fn confirm(&self, yes: bool) -> Result<()> {
        if yes {
            return Ok(());
        }
        let Some(mut terminal) = Terminal::open() else {
            // A program may be reading stdout, so this goes to stderr.
            let _ = writeln!(io::stderr(), "{}", sentences(self.hits));
            let fact = format!("{} must be confirmed, but there is no terminal", self.deed);
            return Err(Error::unable(
                Problem::NotConfirmed,
                fact,
                "check what is affected (see above), then run this again with --yes",
            ));
        };
        let asked = terminal.say(&format!("{}\n\n{} [y/N] ", self.hits, self.ask));
        let answer = asked.and_then(|()| terminal.answer()).unwrap_or_default();
        if ["y", "yes"].contains(&answer.as_str()) {
            return Ok(());
        }
        Err(Error::unable(
            Problem::NotConfirmed,
            "not confirmed: nothing was changed",
            "to continue, run this again and answer y, or add --yes",
        ))
    }
}
