//! `olr key passwd`: changes the passphrase of a key file.

use serde_json::json;
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::crypto::secret::Secret;
use olr_core::error::{Error, Problem, Result};
use olr_office::folder::Locked;
use olr_office::key::file::KeyFile;
use olr_office::key::store;

use super::save::{NewProtection, unprotected};
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::passphrase::{passphrase, warn_of_key};

#[derive(clap::Args)]
pub struct Args {
    /// The key file.
    key: PathBuf,
    /// The file with the current passphrase of the key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    protection: NewProtection,
}

/// Opens a key file, and asks for its passphrase if it has one.
pub fn open(
    path: &Path,
    passphrase_file: Option<&Path>,
    context: &mut Context,
) -> Result<(KeyFile, Secret)> {
    open_read(store::read(path)?, path, passphrase_file, context)
}

/// Opens a key file that was already read from `path`.
pub fn open_read(
    key: KeyFile,
    path: &Path,
    passphrase_file: Option<&Path>,
    context: &mut Context,
) -> Result<(KeyFile, Secret)> {
    warn_of_key(path, context);
    let entered = if key.needs_passphrase() {
        Some(passphrase(&Locked::from(&key), passphrase_file)?)
    } else {
        None
    };
    let seed = key.open_seed(entered.as_ref()).map_err(|error| error.within(file::name(path)))?;
    Ok((key, seed))
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    if args.key.as_os_str() == "-" {
        let fact = "a key on standard input cannot be replaced";
        return Err(Error::unable(Problem::Usage, fact, "name the key file"));
    }
    let (key, seed) = open(&args.key, args.passphrase_file.as_deref(), context)?;
    let new = args.protection.choose(key.role, context)?;
    store::replace(&args.key, &seed, new.as_ref(), &mut context.rng)?;
    let (file, role, id) = (file::name(&args.key), key.role, key.id);
    let text = match new {
        Some(_) => format!("{file}, the {role} key {id}, now has the new passphrase."),
        None => format!("{file}, the {role} key {id}, now has no passphrase."),
    };
    let text = text + "\nOlder copies of the file are unchanged: they still open as before.";
    let json = json!({
        "file": file, "role": role.word(), "id": id.to_string(), "passphrase": new.is_some(),
    });
    let mut report = Output::new(text, json);
    if new.is_none() {
        report.notes.push(unprotected(role));
    }
    Ok(report)
}
