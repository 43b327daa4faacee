//! `olr completions` and `olr man`, generated from the definition of the commands.

use clap_complete::Shell;
use serde_json::json;
use std::path::PathBuf;

use crate::file::{self, Writing};
use olr_core::error::{Error, Problem, Result};

use super::output::Output;

#[derive(clap::Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

#[derive(clap::Args)]
pub struct Man {
    /// The folder for the pages.
    folder: PathBuf,
}

pub fn completions(args: &Completions, mut command: clap::Command) -> Output {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "olr", &mut script);
    let text = String::from_utf8_lossy(&script).trim_end().to_string();
    let json = json!({"shell": args.shell.to_string(), "script": text});
    Output { verbatim: true, ..Output::new(text, json) }
}

pub fn man(args: &Man, command: clap::Command) -> Result<Output> {
    file::make_folder(&args.folder)?;
    let mut pages = Vec::new();
    page(&command, "olr", args, &mut pages)?;
    let text = format!("Wrote {} pages into {}.", pages.len(), file::name(&args.folder));
    Ok(Output::new(text, json!({"pages": pages})))
}

fn page(command: &clap::Command, name: &str, args: &Man, pages: &mut Vec<String>) -> Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone().name(name.to_string())).render(&mut text).map_err(
        |_| {
            Error::unable(Problem::Fault, "a manual page cannot be created", "report this as a bug")
        },
    )?;
    let file = format!("{name}.1");
    file::write(&args.folder.join(&file), &text, Writing::Public)?;
    pages.push(file);
    let shown = |sub: &&clap::Command| !sub.is_hide_set();
    command
        .get_subcommands()
        .filter(shown)
        .try_for_each(|sub| page(sub, &format!("{name}-{}", sub.get_name()), args, pages))
}
