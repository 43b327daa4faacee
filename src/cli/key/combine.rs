//! `olr key combine`: merges the signatures of several custodians.

use serde_json::Value;
use std::path::PathBuf;

use olr_core::error::{Error, Problem, Result};
use olr_core::trust::Trust;
use olr_core::wire::frame::{Frame, Kind};

use crate::cli::files::OutFile;
use crate::cli::output::{Output, put};
use crate::cli::proposal::{TrustArg, described, finished_name, json, read_copies};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    output: OutFile,
    /// The signed copies of one proposal, one from each custodian.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub fn run(args: &Args) -> Result<Output> {
    let trust = args.trust.trust()?;
    let trust = trust.as_ref();
    let Some(proposal) = read_copies(&args.files, trust)? else {
        return Err(Error::unable(
            Problem::Usage,
            "no proposal was named",
            "name one or more files",
        ));
    };
    let kind = proposal.kind();
    if kind == Kind::License {
        let fact =
            "a license can be finished only with the vendor's folder, which keeps its record";
        let hint = "run `olr issue REQUEST --grant GRANT --signed FILE` there";
        return Err(Error::unable(Problem::Usage, fact, hint));
    }
    let bytes = proposal.finish(trust)?;
    let name = finished_name(kind);
    // The same file may be replaced, even if it has other signatures.
    args.output.ensure_free(name, kind, |old| {
        let body = |bytes: &[u8]| Frame::parse(kind, bytes).map(|frame| frame.body.to_vec()).ok();
        body(old) == body(&bytes)
    })?;
    let file = args.output.name(name);
    let mut report = Output::new("", Value::Null);
    args.output.write(name, kind, &bytes, &mut report)?;
    let typed = args.output.typed_name(name);
    let next = match kind {
        Kind::Trust if trust.is_none() => format!(
            "Its vendor code is {}. Create the vendor's folder with `olr vendor publish {typed} \
             --vendor DIR`.",
            Trust::pin(&bytes)?.vendor_code()
        ),
        _ => format!("Put it into effect with `olr vendor publish {typed}`."),
    };
    report.text =
        format!("{}\n\nSignatures complete. Wrote {file}. {next}", described(&proposal, trust));
    report.json = json(&proposal, trust)?;
    put(&mut report.json, "file", Value::from(file));
    Ok(report)
}
