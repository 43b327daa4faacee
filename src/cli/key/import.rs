//! `olr key import`: makes a key file from another program's private key.

use std::path::PathBuf;

use crate::file;
use olr_core::error::{Error, Result};
use olr_core::key::Role;
use olr_office::key::pkcs8::{PEM_CAP, PrivatePem};

use super::new::roles;
use super::read_secret;
use super::save::{NewProtection, Save};
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::passphrase::{pem_passphrase, warn_of_key};

#[derive(clap::Args)]
pub struct Args {
    /// A private Ed25519 key: PKCS#8 as PEM, with or without a passphrase.
    file: PathBuf,
    /// The role of the key, which can never change.
    #[arg(long, value_parser = roles(["root", "issuer"]))]
    role: Role,
    #[command(flatten)]
    save: Save,
    /// The file with the passphrase of FILE.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    protection: NewProtection,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    args.save.ensure_free(args.role)?;
    let bytes = read_secret(&args.file, PEM_CAP)?;
    let within = |error: Error| error.within(file::name(&args.file));
    let pem = PrivatePem::parse(&bytes).map_err(within)?;
    warn_of_key(&args.file, context);
    let passphrase = match pem.needs_passphrase() {
        true => Some(pem_passphrase(args.passphrase_file.as_deref())?),
        false => None,
    };
    let seed = pem.open(passphrase.as_ref()).map_err(within)?;
    let new = args.protection.choose(args.role, context)?;
    let mut report = args.save.write(args.role, &seed, new.as_ref(), context)?;
    if args.file.as_os_str() != "-" {
        let pem = file::name(&args.file);
        report
            .notes
            .push(format!("{pem} still contains the private key: keep it secret, or destroy it"));
    }
    Ok(report)
}
