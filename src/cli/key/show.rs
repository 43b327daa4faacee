//! `olr key show`: what a key file says of itself.

use data_encoding::HEXLOWER;
use serde_json::json;
use std::path::PathBuf;

use olr::error::Result;
use olr::file;
use olr::key::{key_id, public, store};
use olr::wire::frame::FILE_CAP;

use super::super::context::Context;
use super::super::output::Report;
use super::super::passphrase::warn_of_key;
use super::super::show;
use super::list::{mode, protection};

#[derive(clap::Args)]
pub struct Args {
    /// A key file, or the public key of one.
    key: PathBuf,
    /// Print the public key as it stands in NAME.pub.
    #[arg(long)]
    public: bool,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
    let path = &args.key;
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
