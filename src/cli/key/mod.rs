//! `olr key`: creates, stores and rotates keys, and signs proposals.

use clap::Subcommand;
use std::path::Path;
use zeroize::Zeroizing;

use crate::file;
use olr_core::error::{Error, Problem, Result};

use crate::cli::context::Context;
use crate::cli::output::Output;

mod combine;
mod delegate;
mod export;
mod import;
mod list;
mod new;
mod paper;
mod passwd;
mod propose;
mod restore;
mod rotate;
mod save;
mod show;
mod sign;

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Key {
    /// Create a key: NAME.key stays secret, NAME.pub is public.
    New(new::Args),
    /// List key files, and the state of each in the newest trust.
    List(list::Args),
    /// Show the public half of a key; this needs no passphrase.
    Show(show::Args),
    /// Change the passphrase of a key file.
    Passwd(passwd::Args),
    /// Write a private key as PKCS#8, for other programs.
    Export(export::Args),
    /// Create a key file from a private key in PKCS#8, such as OpenSSL writes.
    Import(import::Args),
    /// Print a key for a safe: five lines that can be typed in again.
    Paper(paper::Args),
    /// Create a key file from a printed page that was typed in.
    Restore(restore::Args),
    /// Propose a first or next trust, as a file for the root custodians to sign.
    Propose(propose::Args),
    /// Show a proposal, and sign it.
    Sign(sign::Args),
    /// Combine the signatures of several custodians, or list those missing.
    Combine(combine::Args),
    /// Allow an issuer key to sign, within limits.
    Delegate(delegate::Args),
    /// Replace a key with a new one.
    #[command(subcommand)]
    Rotate(rotate::Rotate),
}

pub fn run(verb: &Key, context: &mut Context) -> Result<Output> {
    match verb {
        Key::New(args) => new::run(args, context),
        Key::List(args) => list::run(args),
        Key::Show(args) => show::run(args, context),
        Key::Passwd(args) => passwd::run(args, context),
        Key::Export(args) => export::run(args, context),
        Key::Import(args) => import::run(args, context),
        Key::Paper(args) => paper::run(args, context),
        Key::Restore(args) => restore::run(args, context),
        Key::Propose(args) => propose::run(args, context),
        Key::Sign(args) => sign::run(args),
        Key::Combine(args) => combine::run(args),
        Key::Delegate(args) => delegate::run(args, context),
        Key::Rotate(verb) => rotate::run(verb, context),
    }
}

/// Reads a file that may hold a secret; a file over the limit is probably the wrong one.
fn read_secret(path: &Path, cap: usize) -> Result<Zeroizing<Vec<u8>>> {
    file::read(path, cap).map(Zeroizing::new).map_err(|error| match error.refusal() {
        Some(_) => {
            Error::unable(Problem::Content, error.fact(), "check that you named the right file")
        }
        None => error,
    })
}

/// Fails if a file exists at `path`: keys are never overwritten.
fn ensure_nothing_at(path: &Path) -> Result<()> {
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let fact = format!("{}: this file already exists", file::name(path));
    Err(Error::unable(
        Problem::Exists,
        fact,
        "name another file with -o: this command overwrites no file",
    ))
}
