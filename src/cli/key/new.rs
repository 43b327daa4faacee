//! `olr key new`: makes a key.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use olr_core::crypto::secret::Secret;
use olr_core::error::Result;
use olr_core::key::Role;

use super::save::{Protection, Save};
use crate::cli::context::Context;
use crate::cli::output::Output;

#[derive(clap::Args)]
pub struct Args {
    /// The role of the key, which can never change: root signs trusts and delegations, issuer signs
    /// licenses, revocations and times, sealing opens requests.
    #[arg(long, value_parser = roles(["root", "issuer", "sealing"]))]
    role: Role,
    #[command(flatten)]
    save: Save,
    #[command(flatten)]
    protection: Protection,
}

/// Returns a parser that accepts these roles.
pub fn roles<const N: usize>(words: [&'static str; N]) -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    args.save.ensure_free(args.role)?;
    let passphrase = args.protection.choose(args.role, context)?;
    let seed = Secret::random(&mut context.rng);
    args.save.write(args.role, &seed, passphrase.as_ref(), context)
}
