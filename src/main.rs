//! `olr`: the command-line tool. Sees only the public interface of the library.

#![forbid(unsafe_code)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
