//! The command line, one file per verb. Results go to stdout, everything else to stderr. Exit
//! status: 0 done, licensed or in grace; 1 refused (a proven no); 2 could not tell.

use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

#[cfg(not(feature = "vendor"))]
mod absent;
mod alert;
mod args;
#[cfg(feature = "vendor")]
mod booking;
mod check;
#[cfg(feature = "vendor")]
mod check_catalog;
#[cfg(feature = "vendor")]
mod compare;
#[cfg(feature = "vendor")]
mod concern;
mod context;
mod deactivate;
mod decision;
mod demo;
mod env;
mod explain;
mod files;
mod hint;
mod import;
mod inspect;
#[cfg(feature = "vendor")]
mod issue;
#[cfg(feature = "vendor")]
mod key;
mod known;
mod layout;
#[cfg(feature = "vendor")]
mod ledger;
#[cfg(feature = "vendor")]
mod license;
mod machine;
mod manual;
mod output;
mod page;
#[cfg(feature = "vendor")]
mod party;
#[cfg(feature = "vendor")]
mod passphrase;
#[cfg(feature = "vendor")]
mod pool;
#[cfg(feature = "vendor")]
mod proposal;
#[cfg(feature = "vendor")]
mod publish;
#[cfg(all(test, feature = "vendor"))]
mod reads;
mod report;
mod request;
#[cfg(feature = "vendor")]
mod revoke;
#[cfg(feature = "vendor")]
mod sales;
mod show;
mod simulate;
mod status;
mod terminal;
#[cfg(feature = "vendor")]
mod time_anchor;
mod unseen;
mod usage;
#[cfg(feature = "vendor")]
mod vendor;
mod verify;

use olr_core::error::{Error, Result};

use context::Context;

pub use env::{Env, Fill, Probe, Stream};
pub use output::Output;

/// Licenses for machines that never go online.
///
/// A server seals a request that only its vendor can read; the vendor answers with a license that
/// only that server can use. Almost everywhere that a command reads a file, `-` means standard
/// input. Exit status: 0 done or licensed, 1 refused, 2 could not tell.
#[derive(Parser)]
#[command(name = "olr", version, max_term_width = 80)]
struct Cli {
    /// Print one JSON object on stdout instead of text; on stderr if a file goes to stdout.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

// Each run builds one value, so its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Subcommand)]
#[command(defer = true)] // only the arguments of the verb that is run are defined
enum Verb {
    /// Show the whole exchange on this machine, in a temporary folder, step by step.
    #[cfg_attr(not(feature = "vendor"), command(hide = true))]
    Demo(demo::Args),
    /// Show what identifies this machine, and which values are ignored.
    Machine(machine::Args),
    /// Create a sealed request for your vendor (on the server).
    Request(request::Args),
    /// Verify and install an answer from your vendor (on the server).
    Import(import::Args),
    /// Check whether this machine is licensed (on the server).
    Verify(verify::Args),
    /// Show the license, its end, and the next change (on the server).
    Status(status::Args),
    /// Check whether an action is allowed (on the server).
    Check(check::Args),
    /// Record how many of each module are in use (on the server).
    Report(report::Args),
    /// Preview how the license will change, and when (on the server).
    Simulate(simulate::Args),
    /// Notify people of each change, once (on the server).
    Alert(alert::Args),
    /// Deactivate a license here, and write a receipt (on the server).
    Deactivate(deactivate::Args),
    /// Show what a file is, what it contains, and whether it verifies.
    Inspect(inspect::Args),
    /// Explain a refusal word and what to do, or show a page.
    Explain(explain::Args),
    /// Manage the vendor folder; compare requests (at the vendor).
    #[cfg(feature = "vendor")]
    #[command(subcommand)]
    Vendor(vendor::Vendor),
    /// Create, store and rotate keys; sign proposals (at the vendor).
    #[cfg(feature = "vendor")]
    #[command(subcommand)]
    Key(key::Key),
    /// Answer a request with a license (at the vendor).
    #[cfg(feature = "vendor")]
    Issue(issue::Args),
    /// Revoke a license or an issuer key (at the vendor).
    #[cfg(feature = "vendor")]
    Revoke(revoke::Args),
    /// Add, list and show customers and partners (at the vendor).
    #[cfg(feature = "vendor")]
    #[command(subcommand)]
    Party(party::Verb),
    /// Record a sale, to stock or to a license key (at the vendor).
    #[cfg(feature = "vendor")]
    Buy(sales::buy::Args),
    /// List what is in stock, with days left (at the vendor).
    #[cfg(feature = "vendor")]
    Stock(sales::stock::Args),
    /// Withdraw from stock to a license key (at the vendor).
    #[cfg(feature = "vendor")]
    Withdraw(sales::withdraw::Args),
    /// Record a refund (at the vendor).
    #[cfg(feature = "vendor")]
    Refund(sales::refund::Args),
    /// Move CALs from one license key to another (at the vendor).
    #[cfg(feature = "vendor")]
    Move(sales::transfer::MoveArgs),
    /// Exchange CALs of one module for another (at the vendor).
    #[cfg(feature = "vendor")]
    Exchange(sales::transfer::ExchangeArgs),
    /// List, find and count licenses and CALs (at the vendor).
    #[cfg(feature = "vendor")]
    #[command(subcommand)]
    License(license::Verb),
    /// Manage a partner's pools and pool keys (at the vendor).
    #[cfg(feature = "vendor")]
    #[command(subcommand)]
    Pool(pool::Verb),
    /// Check, back up and restore the ledger (at the vendor).
    #[cfg(feature = "vendor")]
    #[command(subcommand)]
    Ledger(ledger::Verb),
    #[cfg(not(feature = "vendor"))]
    #[command(flatten)]
    Absent(absent::Verb),
    /// Print a completion script for a shell.
    Completions(manual::Completions),
    /// Write the manual pages into a folder.
    Man(manual::Man),
}

/// Returns whether `--json` was given to a verb that this build lacks, which swallows all its
/// arguments.
fn wants_json(verb: &Verb) -> bool {
    #[cfg(not(feature = "vendor"))]
    if let Verb::Absent(verb) = verb {
        return verb.wants_json();
    }
    let _ = verb;
    false
}

/// Returns whether the verb is run in the vendor's office, and needs next steps for the office.
fn is_at_vendor(verb: &Verb) -> bool {
    match verb {
        Verb::Inspect(args) => args.is_at_vendor(),
        #[cfg(feature = "vendor")]
        Verb::Vendor(_)
        | Verb::Key(_)
        | Verb::Issue(_)
        | Verb::Revoke(_)
        | Verb::Ledger(_)
        | Verb::License(_)
        | Verb::Pool(_)
        | Verb::Party(_)
        | Verb::Buy(_)
        | Verb::Stock(_)
        | Verb::Withdraw(_)
        | Verb::Refund(_)
        | Verb::Move(_)
        | Verb::Exchange(_) => true,
        #[cfg(not(feature = "vendor"))]
        Verb::Absent(_) => true,
        _ => false,
    }
}

/// Parses, runs and prints; other code prints only questions and what they are about. The first
/// argument is the program's name. Exit status: 0 done, licensed or in grace; 1 refused; 2 could
/// not tell.
pub fn run(args: impl IntoIterator<Item = OsString>, env: &mut Env) -> ExitCode {
    let args: Vec<_> = args.into_iter().collect();
    layout::set_columns(env.stdout.columns);
    let cli = match usage::parse(&args) {
        Ok(cli) => cli,
        Err(unread) => return unread.print(env),
    };
    let as_json = cli.json || wants_json(&cli.verb);
    let mut context = match Context::new(env, as_json) {
        Ok(context) => context,
        Err(error) => return output::finish(Err(error), None, as_json, env),
    };
    let result = answer(&cli.verb, &mut context);
    for text in &context.notes {
        // A full disk or a closed pipe is reported when the result is printed.
        let _ = output::note(&mut env.stderr, text);
    }
    output::finish(result, context.home.as_deref(), as_json, env)
}

/// Like [`run`], but returns what it would print.
///
/// # Errors
/// Any error that ends the command before it has output.
pub fn call(args: impl IntoIterator<Item = OsString>, env: &Env) -> Result<Output> {
    let args: Vec<_> = args.into_iter().collect();
    layout::set_columns(env.stdout.columns);
    let cli = match usage::parse(&args) {
        Ok(cli) => cli,
        Err(unread) => return unread.output(),
    };
    let mut context = Context::new(env, cli.json || wants_json(&cli.verb))?;
    let mut output = answer(&cli.verb, &mut context)?;
    output.notes.splice(0..0, context.notes);
    Ok(output)
}

/// Returns the definition of the command line: verbs, arguments and help.
#[must_use]
pub fn command() -> clap::Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn answer(verb: &Verb, context: &mut Context) -> Result<Output> {
    let result = run_verb(verb, context);
    if is_at_vendor(verb) { result.map_err(Error::at_vendor) } else { result }
}

fn run_verb(verb: &Verb, context: &mut Context) -> Result<Output> {
    match verb {
        Verb::Demo(args) => demo::run(args, context),
        Verb::Machine(args) => machine::run(args, context),
        Verb::Request(args) => request::run(args, context),
        Verb::Import(args) => import::run(args, context),
        Verb::Check(args) => check::run(args, context),
        Verb::Report(args) => report::run(args, context),
        Verb::Simulate(args) => simulate::run(args, context),
        Verb::Alert(args) => alert::run(args, context),
        Verb::Deactivate(args) => deactivate::run(args, context),
        Verb::Verify(args) => verify::run(args, context),
        Verb::Status(args) => status::run(args, context),
        Verb::Inspect(args) => inspect::run(args, context),
        Verb::Explain(args) => explain::run(args),
        #[cfg(feature = "vendor")]
        Verb::Vendor(verb) => vendor::run(verb, context),
        #[cfg(feature = "vendor")]
        Verb::Key(verb) => key::run(verb, context),
        #[cfg(feature = "vendor")]
        Verb::Issue(args) => issue::run(args, context),
        #[cfg(feature = "vendor")]
        Verb::Revoke(args) => revoke::run(args, context),
        #[cfg(feature = "vendor")]
        Verb::Party(verb) => party::run(verb, context),
        #[cfg(feature = "vendor")]
        Verb::Buy(args) => sales::buy::run(args, context),
        #[cfg(feature = "vendor")]
        Verb::Stock(args) => sales::stock::run(args, context),
        #[cfg(feature = "vendor")]
        Verb::Withdraw(args) => sales::withdraw::run(args, context),
        #[cfg(feature = "vendor")]
        Verb::Refund(args) => sales::refund::run(args, context),
        #[cfg(feature = "vendor")]
        Verb::Move(args) => sales::transfer::run_move(args, context),
        #[cfg(feature = "vendor")]
        Verb::Exchange(args) => sales::transfer::run_exchange(args, context),
        #[cfg(feature = "vendor")]
        Verb::License(verb) => license::run(verb, context),
        #[cfg(feature = "vendor")]
        Verb::Pool(verb) => pool::run(verb, context),
        #[cfg(feature = "vendor")]
        Verb::Ledger(verb) => ledger::run(verb, context),
        #[cfg(not(feature = "vendor"))]
        Verb::Absent(_) => absent::run(),
        Verb::Completions(args) => Ok(manual::completions(args, Cli::command())),
        Verb::Man(args) => manual::man(args, command()),
    }
}
