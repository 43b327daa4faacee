//! `olr key restore`: a key file of what was typed from paper.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use zeroize::Zeroizing;

use olr::error::{Error, Result};
use olr::key::paper::{PAGE_CAP, from_page};

use super::super::context::Context;
use super::super::output::{Report, note};
use super::read_secret;
use super::save::{Protection, Save};

#[derive(clap::Args)]
pub struct Args {
    /// What was typed from the page, `-` for stdin.
    #[arg(default_value = "-", hide_default_value = true)]
    file: PathBuf,
    #[command(flatten)]
    save: Save,
    #[command(flatten)]
    protection: Protection,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
    let text = read(args)?;
    let (role, seed) = from_page(&text)?;
    args.save.expect_free(role)?;
    let passphrase = args.protection.choose(role)?;
    args.save.write(role, &seed, passphrase.as_ref(), context)
}

fn read(args: &Args) -> Result<Zeroizing<String>> {
    let bytes = if args.file.as_os_str() == "-" {
        read_stdin()?
    } else {
        read_secret(&args.file, PAGE_CAP)?
    };
    str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_string())).map_err(|_| {
        Error::unable("what was typed is not UTF-8 text", "save it as UTF-8, or type it again")
    })
}

fn read_stdin() -> Result<Zeroizing<Vec<u8>>> {
    if std::io::stdin().is_terminal() {
        note("type the five lines of the page, each with its number; end with Ctrl-D");
    }
    let cap = u64::try_from(PAGE_CAP).unwrap_or(u64::MAX);
    // As large as it may get: it never grows, and leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(PAGE_CAP.saturating_add(64)));
    let read = std::io::stdin().take(cap.saturating_add(1)).read_to_end(&mut bytes);
    if read.is_err() || bytes.len() > PAGE_CAP {
        let fact = "what stands on stdin cannot be read, or is longer than a page";
        return Err(Error::unable(fact, "name a file with the five lines"));
    }
    Ok(bytes)
}
