//! A process without a terminal, also where the tests run on one: it would wait there for an answer.

use std::process::Command;

/// A command that nobody can be asked by, where there is a tool to see to it.
pub fn alone(program: &str) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("setsid");
    command.args(["--wait", program]);
    command
}
