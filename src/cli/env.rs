//! What the command takes from its process: clock, randomness, the machine, two streams.

use rand::TryRng;
use rand::rngs::SysRng;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;
use std::time::SystemTime;

use crate::probe::probe;
use olr_core::machine::Machine;

use super::layout::COLUMNS;

/// Looks at the machine; the argument is whether what only root may read is wanted.
pub type Probe = Rc<dyn Fn(bool) -> Machine>;

/// Fills bytes; `false` where it cannot.
pub type Fill = dyn Fn(&mut [u8]) -> bool;

/// What [`run`](super::run) finds around it. Files, the variables that the help names and the
/// terminal that questions are asked on are those of the process.
pub struct Env {
    /// The clock, read once a run.
    pub clock: Box<dyn Fn() -> SystemTime>,
    /// The randomness of the system.
    pub randomness: Box<Fill>,
    /// The machine.
    pub probe: Probe,
    /// Where results go.
    pub stdout: Stream,
    /// Where everything else goes.
    pub stderr: Stream,
}

/// A stream that is written to, and how it shows text.
pub struct Stream {
    to: Box<dyn Write>,
    /// How wide a line may be.
    pub columns: usize,
    /// Whether colours are shown.
    pub colour: bool,
}

impl Env {
    /// What is around this process.
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
    /// Lines of 80 columns without colour: a file, a pipe, a buffer.
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
