//! `olr key show`: shows the public half of a key, and how its file is protected.

use data_encoding::HEXLOWER;
use serde_json::json;
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};
use olr_core::wire::frame::FILE_CAP;
use olr_office::folder::{is_uri, public_of};
use olr_office::key::file::KeyFile;
use olr_office::key::{public, store};

use super::list::{mode, protection};
use super::new::roles;
use crate::cli::context::Context;
use crate::cli::output::{Output, put};
use crate::cli::passphrase::{passphrase, warn_of_key};
use crate::cli::show;

#[derive(clap::Args)]
pub struct Args {
    /// A key file, a .pub file, pkcs11:… or ssh-agent:ID.
    key: PathBuf,
    /// The role of a key in a token (root or issuer) or in an agent (issuer only).
    #[arg(long, value_parser = roles(["root", "issuer"]))]
    role: Option<Role>,
    /// Print only the public key, in the form of NAME.pub.
    #[arg(long)]
    public: bool,
}

/// The key to show: its role, its public half, and its file if it has one.
struct Shown {
    role: Role,
    public: [u8; 32],
    kept: Option<KeyFile>,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let path = &args.key;
    let uri = path.to_str().filter(|text| is_uri(text));
    let Shown { role, public, kept } = match uri {
        Some(uri) => elsewhere(uri, args)?,
        None => in_file(path, context)?,
    };
    let id = key_id(role, &public).to_string();
    let pem = public::to_pem(role, &public);
    let hex = HEXLOWER.encode(&public);
    let mut pairs =
        vec![("role", role.to_string()), ("key id", id.clone()), ("public key", hex.clone())];
    let mut json = json!({
        "file": uri.is_none().then(|| file::name(path)), "role": role.word(), "id": id,
        "public_key": hex, "pem": pem, "private": kept.is_some(),
    });
    match &kept {
        Some(key) => {
            pairs.push(("protection", protection(key).to_string()));
            pairs.push(("mode", mode(path).unwrap_or("-".to_string())));
            put(&mut json, "passphrase", json!(key.needs_passphrase()));
            put(&mut json, "mode", json!(mode(path)));
        }
        None => pairs.push(("shown", "the public key only".to_string())),
    }
    let text = if args.public { pem.trim_end().to_string() } else { show::pairs(&pairs) };
    Ok(Output::new(text, json))
}

/// Reads the public half of a key that is not in a file; the roots need it for a delegation.
fn elsewhere(uri: &str, args: &Args) -> Result<Shown> {
    let Some(role) = args.role else {
        let fact = "a token or agent does not know the role of a key";
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "name the role with --role issuer or, in a token, --role root",
        ));
    };
    // A PIN is asked for only if the token hides public keys too.
    let public = public_of(uri, role, &mut |locked| passphrase(locked, None))?;
    Ok(Shown { role, public, kept: None })
}

fn in_file(path: &Path, context: &mut Context) -> Result<Shown> {
    let bytes = zeroize::Zeroizing::new(file::read(path, FILE_CAP)?);
    let text = str::from_utf8(&bytes).ok().filter(|text| text.contains("BEGIN PUBLIC KEY"));
    if let Some(text) = text {
        let (role, public) = public::read(text).map_err(|error| error.within(file::name(path)))?;
        return Ok(Shown { role, public, kept: None });
    }
    let key = store::parse_from(path, &bytes)?;
    warn_of_key(path, context);
    Ok(Shown { role: key.role, public: key.public, kept: Some(key) })
}
