//! Entry point of the `olr` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    olr::cli::run(std::env::args_os(), &mut olr::cli::Env::of_process())
}
