//! `olr key`: what several custodians sign, each with a key of his own.

use clap::Subcommand;

use olr::error::Result;

use super::context::Context;
use super::output::Report;

mod changes;
mod combine;
mod delegate;
pub mod proposals;
mod propose;
pub mod roots;
mod rotate;
mod sign;

pub use changes::{changes, content_json, delegation_pairs, signature_pairs, trust_pairs};

#[derive(Subcommand)]
pub enum Key {
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

pub fn run(verb: &Key, context: &mut Context) -> Result<Report> {
    match verb {
        Key::Propose(args) => propose::run(args, context),
        Key::Sign(args) => sign::run(args),
        Key::Combine(args) => combine::run(args),
        Key::Delegate(args) => delegate::run(args),
        Key::Rotate(verb) => rotate::run(verb, context),
    }
}
