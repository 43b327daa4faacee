//! `olr key paper`: prints a key for a safe.

use serde_json::json;
use std::path::PathBuf;

use crate::file::{self, Writing};
use olr_core::error::{Error, Problem, Result};
use olr_office::key::paper;

use super::ensure_nothing_at;
use super::passwd::open;
use crate::cli::context::Context;
use crate::cli::output::Output;

#[derive(clap::Args)]
pub struct Args {
    /// The key file.
    key: PathBuf,
    /// The file with the passphrase of the key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Write the page to this file [default: stdout, for a printer].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let path = args.output.as_ref().filter(|path| !file::is_stdout(path));
    if context.as_json && args.output.is_none() {
        let fact = "with --json, stdout is for the JSON object, which does not contain the page";
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "name a file for the page with -o, or print the page with -o -",
        ));
    }
    path.map_or(Ok(()), |path| ensure_nothing_at(path))?;
    let (key, seed) = open(&args.key, args.passphrase_file.as_deref(), context)?;
    let page = paper::to_page(key.role, &seed);
    let (role, id) = (key.role, key.id);
    let file = path.map_or("stdout".to_string(), |path| file::name(path));
    let text = format!("Wrote the page of the {role} key {id} to {file}.");
    let json = json!({"role": role.word(), "id": id.to_string(), "file": file});
    let mut report = Output::new(text, json);
    report
        .notes
        .push("warning: the page has no passphrase: anyone who reads it has the key".to_string());
    match path {
        Some(path) => file::write(path, page.as_bytes(), Writing::NewSecret)?,
        None => report.artefact = Some(page.as_bytes().to_vec().into()),
    }
    Ok(report)
}
