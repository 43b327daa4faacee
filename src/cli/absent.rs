//! The vendor's verbs in a build that lacks them: each says so.

use clap::Subcommand;

use olr_core::error::{Error, Problem, Result};

use super::output::Output;

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Verb {
    /// This build has no vendor commands.
    #[command(hide = true)]
    Vendor(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Key(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Issue(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Revoke(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Ledger(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Party(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Buy(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Stock(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Withdraw(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Refund(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Move(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Exchange(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    License(Args),
    /// This build has no vendor commands.
    #[command(hide = true)]
    Pool(Args),
}

// All arguments of a verb that this build lacks.
#[derive(clap::Args)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

impl Verb {
    /// Returns whether `--json` was given. The verb swallows all its arguments.
    pub fn wants_json(&self) -> bool {
        let args = match self {
            Self::Vendor(args)
            | Self::Key(args)
            | Self::Issue(args)
            | Self::Revoke(args)
            | Self::Ledger(args)
            | Self::Party(args)
            | Self::Buy(args)
            | Self::Stock(args)
            | Self::Withdraw(args)
            | Self::Refund(args)
            | Self::Move(args)
            | Self::Exchange(args)
            | Self::License(args)
            | Self::Pool(args) => args,
        };
        args.rest.iter().any(|arg| arg == "--json")
    }
}

pub fn run() -> Result<Output> {
    let fact = "this build of olr is for servers: it has no vendor commands";
    Err(Error::unable(Problem::Unsupported, fact, "use the vendor's build of olr"))
}
