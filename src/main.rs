//! `olr`: the command, as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    olr::cli::run(std::env::args_os(), &mut olr::cli::Env::of_process())
}
