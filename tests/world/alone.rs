//! Runs a process without a terminal, even if the tests have one: it would wait there for an
//! answer.

use std::process::Command;
use std::sync::LazyLock;

/// True if these tests have a terminal. In CI there is none to take away.
static HAS_TERMINAL: LazyLock<bool> = LazyLock::new(|| std::fs::File::open("/dev/tty").is_ok());

/// Returns a command that cannot ask questions, on systems with a tool for that.
pub fn alone(program: &str) -> Command {
    if !cfg!(target_os = "linux") || !*HAS_TERMINAL {
        return Command::new(program);
    }
    let mut command = Command::new("setsid");
    command.args(["--wait", program]);
    command
}
