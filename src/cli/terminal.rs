//! The terminal itself, whatever is redirected: `/dev/tty`, or `CONIN$` and `CONOUT$` on Windows.
//! Questions are asked here and nowhere else.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};

use olr_core::error::{Error, Problem, Result};

use super::layout::sentences;

/// The terminal that this process belongs to.
pub struct Terminal {
    input: File,
    output: File,
}

/// Something that cannot be undone, as it is asked about.
pub struct Confirmation<'a> {
    /// Whom and what it hits, in lines that are escaped already.
    pub hits: &'a str,
    /// What is asked: `Deactivate this license?`
    pub ask: &'a str,
    /// What it is, where nobody can be asked: `deactivating a license`.
    pub deed: &'a str,
}

impl Terminal {
    /// `None` where the process has no terminal: in a service, a cron job, a container without `-t`.
    pub fn open() -> Option<Self> {
        let (input, output) =
            if cfg!(windows) { ("CONIN$", "CONOUT$") } else { ("/dev/tty", "/dev/tty") };
        let open = |name| OpenOptions::new().read(true).write(true).open(name).ok();
        Some(Self { input: open(input)?, output: open(output)? })
    }

    /// Shows text on the terminal, even where stdout and stderr go elsewhere.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        // A question ends in a blank, behind which the answer stands.
        self.output.write_all(sentences(text).as_bytes())?;
        self.output.flush()
    }

    /// One answer. A terminal hands out a line at a time: what was typed ahead is for the next question.
    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        BufReader::new(&self.input).read_line(&mut line)?;
        Ok(line.trim().to_lowercase())
    }
}

impl Confirmation<'_> {
    /// Shows what is hit and asks, unless `--yes` was given.
    ///
    /// # Errors
    /// Exit 2: the answer is not yes, or there is no terminal to ask on.
    pub fn confirm(&self, yes: bool) -> Result<()> {
        if yes {
            return Ok(());
        }
        let Some(mut terminal) = Terminal::open() else {
            // Stdout may be read by a program: what is hit goes where people look.
            let _ = writeln!(io::stderr(), "{}", sentences(self.hits));
            let fact =
                format!("{} cannot be undone, and there is no terminal to ask on", self.deed);
            return Err(Error::unable(
                Problem::NotConfirmed,
                fact,
                "check what it hits, then repeat this with --yes",
            ));
        };
        let asked = terminal.say(&format!("{}\n\n{} [y/N] ", self.hits, self.ask));
        let answer = asked.and_then(|()| terminal.answer()).unwrap_or_default();
        if ["y", "yes"].contains(&answer.as_str()) {
            return Ok(());
        }
        Err(Error::unable(
            Problem::NotConfirmed,
            "nothing was changed",
            "answer y, or add --yes, to go on",
        ))
    }
}
