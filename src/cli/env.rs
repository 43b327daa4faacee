//! What the command takes from its process: clock, randomness, the machine, two streams.

use rand::TryRng;
use rand::rngs::SysRng;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::time::SystemTime;

use crate::probe::probe;
use olr_core::machine::Machine;

use super::layout::COLUMNS;

/// Function that reads the machine; the argument asks for values that only root can read.
pub type Probe = Rc<dyn Fn(bool) -> Machine>;

/// Function that fills a buffer with random bytes, or returns `false`.
pub type Fill = dyn Fn(&mut [u8]) -> bool;

/// Environment of [`run`](super::run). Files, environment variables, and the terminal for questions
/// are always those of the process.
pub struct Env {
    /// The clock, read once per run.
    pub clock: Box<dyn Fn() -> SystemTime>,
    /// Randomness from the system.
    pub randomness: Box<Fill>,
    /// Reader of the machine.
    pub probe: Probe,
    /// Stream for results.
    pub stdout: Stream,
    /// Stream for everything else.
    pub stderr: Stream,
}

/// An output stream, and how to format text for it.
pub struct Stream {
    to: Box<dyn Write>,
    /// Maximum line length, in columns.
    pub columns: usize,
    /// True if it shows colours.
    pub colour: bool,
}

impl Env {
    /// Returns the environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            clock: Box::new(SystemTime::now),
            randomness: Box::new(|seed| SysRng.try_fill_bytes(seed).is_ok()),
            probe: Rc::new(probe),
            stdout: Stream::on(io::stdout()),
            stderr: Stream::on(io::stderr()),
        }
    }
}

impl Stream {
    /// Returns a stream with 80 columns and no colour, for a file, a pipe or a buffer.
    #[must_use]
    pub fn plain(to: impl Write + 'static) -> Self {
        Self { to: Box::new(to), columns: COLUMNS, colour: false }
    }

    fn on(stream: impl Write + IsTerminal + 'static) -> Self {
        let is_terminal = stream.is_terminal();
        let size = is_terminal.then(terminal_size::terminal_size).flatten();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            to: Box::new(stream),
            columns: size.map_or(COLUMNS, |(width, _)| COLUMNS.max(width.0.into())),
            colour: is_terminal && !no_colour,
        }
    }

    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.to.flush()
    }
}
