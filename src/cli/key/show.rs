//! `olr key show`: what a key file says of itself.

use data_encoding::HEXLOWER;
use serde_json::json;
use std::path::PathBuf;

use olr::error::{Error, Result};
use olr::file;
use olr::key::{Role, key_id, public, store};
use olr::vendor::{Locked, is_uri, public_of};
use olr::wire::frame::FILE_CAP;

use super::super::context::Context;
use super::super::output::Report;
use super::super::passphrase::{passphrase, warn_of_key};
use super::super::show;
use super::list::{mode, protection};

#[derive(clap::Args)]
pub struct Args {
    /// A key file, the public key of one, or pkcs11:… or ssh-agent:ID.
    key: PathBuf,
    /// What a key in a token or agent is for: root or issuer.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// The file with the PIN of a token that hides its public keys too.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Print the public key as it stands in NAME.pub.
    #[arg(long)]
    public: bool,
}

/// A key that lies in no file: its public half, as the roots need it to delegate it.
fn in_token(uri: &str, args: &Args) -> Result<Report> {
    let role = args.role.as_deref().and_then(Role::from_word);
    let Some(role) = role.filter(|role| matches!(role, Role::Root | Role::Issuer)) else {
        let fact = "a token or agent does not say what a key is for";
        return Err(Error::unable(fact, "say it with --role root or --role issuer"));
    };
    let mut ask = |locked: &Locked| passphrase(locked, args.passphrase_file.as_deref());
    let public = public_of(uri, role, &mut ask)?;
    let (id, hex) = (key_id(role, &public).to_string(), HEXLOWER.encode(&public));
    let pem = public::to_pem(role, &public);
    let pairs = [("role", role.to_string()), ("key id", id.clone()), ("public key", hex.clone())];
    let text = if args.public { pem.trim_end().to_string() } else { show::pairs(&pairs) };
    let json = json!({
        "file": null, "role": role.word(), "id": id, "public_key": hex, "pem": pem, "private": false,
    });
    Ok(Report::new(text, json))
}

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
    let path = &args.key;
    if let Some(uri) = path.to_str().filter(|text| is_uri(text)) {
        return in_token(uri, args);
    }
    let bytes = zeroize::Zeroizing::new(file::read(path, FILE_CAP)?);
    let text = str::from_utf8(&bytes).ok().filter(|text| text.contains("BEGIN PUBLIC KEY"));
    let (role, public, kept) = match text {
        Some(text) => {
            let read = public::read(text).map_err(|error| error.within(file::name(path)))?;
            (read.0, read.1, None)
        }
        None => {
            let key = store::read(path)?;
            warn_of_key(path, context);
            (key.role, key.public, Some(key))
        }
    };
    let id = key_id(role, &public).to_string();
    let pem = public::to_pem(role, &public);
    let hex = HEXLOWER.encode(&public);
    let mut pairs =
        vec![("role", role.to_string()), ("key id", id.clone()), ("public key", hex.clone())];
    let mut json = json!({
        "file": file::name(path), "role": role.word(), "id": id, "public_key": hex, "pem": pem,
        "private": kept.is_some(),
    });
    match &kept {
        Some(key) => {
            pairs.push(("protection", protection(key).to_string()));
            pairs.push(("mode", mode(path).unwrap_or("-".to_string())));
            json["passphrase"] = json!(key.needs_passphrase());
            json["mode"] = json!(mode(path));
        }
        None => pairs.push(("holds", "the public key only".to_string())),
    }
    let text = if args.public { pem.trim_end().to_string() } else { show::pairs(&pairs) };
    Ok(Report::new(text, json))
}
