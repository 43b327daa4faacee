//! `olr key export`: writes a private key for other programs.

use serde_json::json;
use std::path::PathBuf;

use crate::file::{self, Writing};
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_office::key::pkcs8;

use super::ensure_nothing_at;
use super::passwd::open_read;
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::passphrase::new_passphrase;

#[derive(clap::Args)]
pub struct Args {
    /// The key file of a root or an issuer.
    key: PathBuf,
    /// The file with the passphrase of the key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Write to this file, `-` for stdout [default: NAME.pem beside the key; stdout for a key from
    /// stdin].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The file with the passphrase for the exported key.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Export without a passphrase: anyone who reads the file can sign.
    #[arg(long, conflicts_with = "new_passphrase_file")]
    plain: bool,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    // A key from standard input has no file name to derive the output from.
    let beside = || match args.key.as_os_str() == "-" {
        true => args.key.clone(),
        false => args.key.with_extension("pem"),
    };
    let path = args.output.clone().unwrap_or_else(beside);
    let to_stdout = file::is_stdout(&path);
    if !to_stdout {
        ensure_nothing_at(&path)?;
    }
    let sealed = olr_office::key::store::read(&args.key)?;
    if sealed.role == Role::Sealing {
        let fact = "a sealing key cannot be exported: it could not be imported from PKCS#8 again";
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "copy the key file, or print it with `olr key paper`",
        ));
    }
    let (key, seed) = open_read(sealed, &args.key, args.passphrase_file.as_deref(), context)?;
    let new = match args.plain {
        true => None,
        false => {
            let file = args.new_passphrase_file.as_deref();
            Some(new_passphrase("export", file, "--new-passphrase-file", context)?)
        }
    };
    let pem = pkcs8::to_pem(&seed, new.as_ref(), &mut context.rng)?;
    let (role, id) = (key.role, key.id);
    let file = if to_stdout { "stdout".to_string() } else { file::name(&path) };
    let text = format!("Wrote the {role} key {id} to {file}, as PKCS#8.");
    let json = json!({
        "role": role.word(), "id": id.to_string(), "file": file, "passphrase": new.is_some(),
    });
    let mut report = Output::new(text, json);
    if to_stdout {
        report.artefact = Some(pem.as_bytes().to_vec().into());
    } else {
        file::write(&path, pem.as_bytes(), Writing::NewSecret)?;
    }
    if new.is_none() {
        report
            .notes
            .push("warning: the file has no passphrase: anyone who reads it can sign".to_string());
    }
    Ok(report)
}
