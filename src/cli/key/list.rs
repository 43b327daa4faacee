//! `olr key list`: lists key files, and what the newest trust says about each.

use serde_json::{Value, json};
use std::path::PathBuf;

use crate::file;
use olr_core::error::Result;
use olr_office::folder::{Folder, FoundKey, KeyStatus, keys_in};
use olr_office::key::file::KeyFile;

use crate::cli::args::vendor::VendorArg;
use crate::cli::hint;
use crate::cli::output::Output;
use crate::cli::show;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    /// A folder with key files [default: keys/ in the vendor's folder].
    folder: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Output> {
    let (folder, keys) = match &args.folder {
        None => {
            let folder = args.vendor.folder()?;
            let keys = folder.path().join("keys");
            (Some(folder), keys)
        }
        Some(given) if given.join("vendor.trust").exists() => {
            (Some(Folder::at(given)), given.join("keys"))
        }
        Some(given) => (args.vendor.given(), given.clone()),
    };
    let standings = folder.as_ref().map(Folder::standings).transpose()?;
    let standing = |key: &KeyFile| standings.as_ref().map(|standing| standing(key));
    let found = keys_in(&keys)?;
    let rows: Vec<_> = found.iter().map(|found| row(found, &standing)).collect();
    let place = file::name(&keys);
    let text = if rows.is_empty() {
        format!("There are no key files in {place}.")
    } else {
        show::table(&["file", "role", "key id", "protection", "mode", "trust"], &rows, &[])
    };
    let entries: Vec<_> = found.iter().map(|found| entry(found, &standing)).collect();
    let mut report = Output::new(text, json!({"folder": place, "keys": entries}));
    for found in &found {
        let (name, mode) = (name(found), file::open_to_others(&found.path));
        if let Err(error) = &found.key {
            report.notes.push(format!("{}; {}", error.fact(), hint::said(error.next_step())));
        }
        if let Some(mode) = mode {
            let path = file::name(&found.path);
            report.notes.push(format!(
                "warning: {name}: other users of this computer can read this key (mode {mode}); \
                 run `chmod 600 {path}`"
            ));
        }
    }
    Ok(report)
}

fn name(found: &FoundKey) -> String {
    found.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Returns how a key file protects its seed.
pub fn protection(key: &KeyFile) -> &'static str {
    if key.needs_passphrase() { "passphrase" } else { "none" }
}

/// Returns the permissions of a file, on systems that have them.
pub fn mode(path: &std::path::Path) -> Option<String> {
    file::permissions(path).map(|mode| format!("{mode:04o}"))
}

fn row(found: &FoundKey, standing: &impl Fn(&KeyFile) -> Option<KeyStatus>) -> Vec<String> {
    let mode = mode(&found.path).unwrap_or("-".to_string());
    let Ok(key) = &found.key else {
        let blank = || "-".to_string();
        return vec![name(found), "unreadable".to_string(), blank(), blank(), mode, blank()];
    };
    vec![
        name(found),
        key.role.to_string(),
        key.id.to_string(),
        protection(key).to_string(),
        mode,
        standing(key).map_or("-", KeyStatus::word).to_string(),
    ]
}

fn entry(found: &FoundKey, standing: &impl Fn(&KeyFile) -> Option<KeyStatus>) -> Value {
    let open = file::open_to_others(&found.path).is_some();
    match &found.key {
        Ok(key) => json!({
            "file": name(found), "role": key.role.word(), "id": key.id.to_string(),
            "passphrase": key.needs_passphrase(), "mode": mode(&found.path), "open_to_others": open,
            "trust": standing(key).map(KeyStatus::word),
        }),
        Err(error) => json!({
            "file": name(found), "mode": mode(&found.path), "open_to_others": open,
            "fact": error.fact(), "hint": hint::said(error.next_step()),
        }),
    }
}
