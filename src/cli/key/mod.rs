//! `olr key`: makes keys, keeps them, and signs with several of them.

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
pub enum Key {
    /// Make a new key: NAME.key, and NAME.pub for everyone.
    New(new::Args),
    /// List key files, and what the newest trust says of each.
    List(list::Args),
    /// Show what a key file says of itself; no passphrase is needed.
    Show(show::Args),
    /// Change the passphrase of a key file.
    Passwd(passwd::Args),
    /// Write a private key as PKCS#8, for other programs.
    Export(export::Args),
    /// Make a key file of a private key in PKCS#8, such as OpenSSL writes.
    Import(import::Args),
    /// Print a key for a safe: five lines that can be typed again.
    Paper(paper::Args),
    /// Make a key file of what was typed from paper.
    Restore(restore::Args),
    /// Propose a first or next trust to the roots: a file that each of them signs.
    Propose(propose::Args),
    /// Show what is proposed, and sign it.
    Sign(sign::Args),
    /// Put the signatures of several together, and say who is still missing.
    Combine(combine::Args),
    /// Let an issuer key sign, within limits.
    Delegate(delegate::Args),
    /// Put a new key in the place of an old one.
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
        Some(_) => Error::unable(Problem::Content, error.fact(), "check which file you meant"),
        None => error,
    })
}

/// Keys are never overwritten.
fn ensure_nothing_at(path: &Path) -> Result<()> {
    if std::fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let fact = format!("{}: it is there already", file::name(path));
    Err(Error::unable(Problem::Exists, fact, "name another with -o: keys are never written over"))
}
