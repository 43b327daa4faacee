//! A command that is run for each change. It gets the alert as JSON on stdin and the main fields in
//! its environment, and reports success with exit status 0.

use std::io::{ErrorKind, Write};
use std::process::{Child, Command as Process, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::alert::notice::{Notice, Say};
use crate::alert::settings::Command;
use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};

/// Pause between two checks of whether the command has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a command failed.
pub struct Failed {
    /// The error; exit 2.
    pub error: Error,
    /// True if another run in this round would probably fail too.
    pub is_stuck: bool,
}

/// Runs the command, and kills it at its timeout.
///
/// # Errors
/// The command cannot be run, fails, or takes too long.
pub fn run(command: &Command, notice: &Notice, say: Say) -> Result<(), Failed> {
    let stuck = |how: &str| Failed { error: failed(command, how), is_stuck: true };
    let mut process = Process::new(&command.program);
    process.args(&command.args).envs(notice.environment());
    // Its output would mix with the result of olr; its errors go to the person who started olr.
    process.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::inherit());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut process, 0);
    let mut child = process.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            stuck("there is no such program, or the interpreter in its #! line is missing")
        }
        ErrorKind::PermissionDenied => stuck("it is not executable, or this user may not run it"),
        _ => stuck("it cannot be started"),
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        let json = format!("{}\n", notice.json(say));
        // A separate thread writes, since a command that does not read its stdin would block this
        // one.
        thread::spawn(move || stdin.write_all(json.as_bytes()));
    }
    let limit = Duration::from_secs(command.timeout.into());
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => {
                let how = status.code().map(|code| format!("it exited with status {code}"));
                let error = failed(command, &how.unwrap_or("a signal killed it".to_string()));
                return Err(Failed { error, is_stuck: false });
            }
            Ok(None) if started.elapsed() < limit => thread::sleep(PAUSE),
            Ok(None) => {
                end(&mut child);
                let unit = if command.timeout == 1 { "second" } else { "seconds" };
                return Err(stuck(&format!("it was killed after {} {unit}", command.timeout)));
            }
            Err(_) => return Err(stuck("olr cannot wait for it")),
        }
    }
}

/// Kills the command and, on Unix, every process in its group.
fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn failed(command: &Command, how: &str) -> Error {
    let fact = format!("{}: {how}", shown(&command.program));
    Error::unable(
        Problem::Content,
        fact,
        NextStep::new(
            "correct the command or its settings, then test the alerts",
            &[Remedy::TestAlerts],
        ),
    )
}
