//! `olr key restore`: makes a key file from text typed from paper.

use std::io::IsTerminal;
use std::path::PathBuf;
use zeroize::Zeroizing;

use olr_core::error::{Error, Problem, Result};
use olr_office::key::paper::{PAGE_CAP, from_page};
use olr_office::key::typed::text_of;

use super::read_secret;
use super::save::{Protection, Save};
use crate::cli::context::Context;
use crate::cli::layout::{COLUMNS, said};
use crate::cli::output::Output;

#[derive(clap::Args)]
pub struct Args {
    /// The file with the text that was typed from the page [default: stdin].
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
    #[command(flatten)]
    save: Save,
    #[command(flatten)]
    protection: Protection,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let text = read(args)?;
    let (role, seed) = from_page(&text)?;
    args.save.ensure_free(role)?;
    let passphrase = args.protection.choose(role, context)?;
    args.save.write(role, &seed, passphrase.as_ref(), context)
}

fn read(args: &Args) -> Result<Zeroizing<String>> {
    if args.file.as_os_str() == "-" && std::io::stdin().is_terminal() {
        let ask = "type the five lines of the page, each with its number; end with Ctrl-D (on \
                   Windows: Ctrl-Z, Enter)";
        eprintln!("{}", said(ask, COLUMNS));
    }
    let bytes = read_secret(&args.file, PAGE_CAP)?;
    text_of(&bytes).map_err(|_| {
        Error::unable(
            Problem::Content,
            "the typed text is not UTF-8",
            "save it as UTF-8, or type it again",
        )
    })
}
