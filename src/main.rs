//! Entry point of the `olr` command.

use std::process::ExitCode;

/// musl's own allocator gives memory back to the system at each turn: see `docs/design.md`,
/// section "Packages".
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    olr::cli::run(std::env::args_os(), &mut olr::cli::Env::of_process())
}
