//! The command without a process: with any clock and any machine, and its output as a value.

use olr::cli::{Env, Output, Stream};
use olr_core::crypto::digest::sha256;
use olr_core::error::Error;
use olr_core::machine::Machine;
use olr_core::time::Instant;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

/// Surroundings of a call. The same seed makes the same keys and files.
pub struct Around {
    pub now: Instant,
    pub seed: [u8; 32],
    pub found: Machine,
}

/// Buffer that collects the output of a stream.
#[derive(Clone, Default)]
struct Written(Rc<RefCell<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Around {
    fn env(self, out: &Written) -> Env {
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now.seconds);
        let next = Cell::new(self.seed);
        let fill = move |seed: &mut [u8]| {
            seed.copy_from_slice(&next.get());
            next.set(sha256(&next.get()));
            true
        };
        Env {
            clock: Box::new(move || clock),
            randomness: Box::new(fill),
            probe: Rc::new(move |_| self.found.clone()),
            stdout: Stream::plain(out.clone()),
            stderr: Stream::plain(out.clone()),
        }
    }

    /// Returns what the command would print, or the error that it ends with.
    pub fn call(self, words: impl IntoIterator<Item = OsString>) -> Result<Output, Error> {
        olr::cli::call(named(words), &self.env(&Written::default()))
    }

    /// Returns the exit status, and everything that the command prints.
    pub fn run(self, words: impl IntoIterator<Item = OsString>) -> (ExitCode, String) {
        let out = Written::default();
        let status = olr::cli::run(named(words), &mut self.env(&out));
        let text = String::from_utf8(out.0.take()).unwrap();
        (status, text)
    }
}

/// Prepends the program's name.
fn named(words: impl IntoIterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    std::iter::once("olr".into()).chain(words)
}

/// Returns exit status and JSON object, whether the call succeeded or not.
pub fn outcome(called: &Result<Output, Error>) -> (u8, Value) {
    match called {
        Ok(output) => (output.status, output.json.clone()),
        Err(error) => (error.exit_status(), Output::of_error(error).json),
    }
}
