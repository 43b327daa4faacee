//! `olr key sign`: shows a proposal to one custodian, and signs it.

use serde_json::json;
use std::path::PathBuf;

use crate::file;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::key_id;
use olr_office::folder::{Locked, open_signer};

use crate::cli::files::OutFile;
use crate::cli::output::{Output, put};
use crate::cli::passphrase::passphrase;
use crate::cli::proposal::{TrustArg, confirm, ensure_counts, ensure_free, read_proposal, written};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    output: OutFile,
    /// The proposal to sign; without -o, the signed one replaces it.
    proposal: PathBuf,
    /// The key that signs: a key file, a name in keys/ of the vendor's folder, pkcs11:… or, for an
    /// issuer key, ssh-agent:ID.
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The file with the passphrase of the key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Do not ask for confirmation.
    #[arg(long)]
    yes: bool,
}

pub fn run(args: &Args) -> Result<Output> {
    let trust = args.trust.trust()?;
    let trust = trust.as_ref();
    let proposal = read_proposal(&args.proposal, trust)?;
    if trust.is_none()
        && matches!(proposal.content(), olr_core::proposal::Content::Trust(next) if next.version > 1)
    {
        let fact = "olr can show what this proposal changes only if it has the current trust";
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "name that trust with --trust FILE or --vendor DIR",
        ));
    }
    // Without -o, the signed proposal replaces the one that was read.
    let name = args.proposal.to_string_lossy();
    ensure_free(&proposal, &name, &args.output)?;
    let path = match args.trust.folder() {
        Some(folder) => folder.key_path(&args.key),
        None => Some(PathBuf::from(&args.key)).filter(|path| path.is_file()),
    };
    if let Some(path) = &path {
        ensure_counts(path, &proposal, trust)?;
    }
    confirm(&proposal, trust, args.trust.folder().as_ref(), args.yes)?;
    let named = path.as_ref().map_or(args.key.clone().into(), |path| path.to_string_lossy());
    let mut ask = |locked: &Locked| passphrase(locked, args.passphrase_file.as_deref());
    let signer = open_signer(&named, proposal.role(), &mut ask)?;
    let key = key_id(proposal.role(), &signer.public());
    let before = proposal.signed_by().contains(&key);
    let signed = proposal.sign(&*signer, trust)?;
    let mut report = written(&signed, trust, &name, &args.output)?;
    let note = match before {
        true => format!("key {key} had already signed this proposal"),
        false => format!("signed with key {key}"),
    };
    report.notes.push(note);
    put(&mut report.json, "key_id", json!(key.to_string()));
    put(&mut report.json, "already", json!(before));
    put(&mut report.json, "read", json!(shown(&file::name(&args.proposal))));
    Ok(report)
}
