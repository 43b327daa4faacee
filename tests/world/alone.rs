//! Runs a process without a terminal, even if the tests have one: it would wait there for an
//! answer.

use std::process::Command;

/// Returns a command that cannot ask questions, on systems with a tool for that.
pub fn alone(program: &str) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("setsid");
    command.args(["--wait", program]);
    command
}
