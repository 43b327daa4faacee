//! Passphrases, asked for or out of files; and what is said of key files that others may read.

use std::io::IsTerminal;
use std::path::Path;
use zeroize::Zeroizing;

use olr::crypto::secret::Passphrase;
use olr::error::{Error, Result};
use olr::file;
use olr::key::Role;
use olr::key::file::KeyFile;
use olr::vendor::{Folder, read_text};

use super::context::Context;

const CHOOSE: &str = "choose one, or say --no-passphrase";
const GIVE: &str = "give the passphrase that was chosen for this key";

/// A passphrase for new keys: from a file, or typed twice.
pub fn new_passphrase(whose: &str, path: Option<&Path>, flag: &'static str) -> Result<Passphrase> {
    if let Some(path) = path {
        return from_file(path, CHOOSE);
    }
    if !can_ask() {
        let fact = format!("the {whose} passphrase is missing");
        return Err(Error::unable(fact, format!("give {flag} FILE, or run on a terminal")));
    }
    let first = ask(&format!("New {whose} passphrase: "))?;
    if first.is_empty() {
        return checked(first, CHOOSE);
    }
    if *first != *ask(&format!("The {whose} passphrase once more: "))? {
        return Err(Error::unable("the two passphrases differ", "try again"));
    }
    checked(first, CHOOSE)
}

/// The passphrase that opens an existing key.
pub fn passphrase(key: &KeyFile, path: Option<&Path>) -> Result<Passphrase> {
    let whose = whose(key.role);
    match path {
        Some(path) => from_file(path, GIVE),
        None if can_ask() => {
            checked(ask(&format!("The {whose} passphrase ({} key): ", key.role))?, GIVE)
        }
        None => {
            let fact = format!("the {} key needs the {whose} passphrase", key.role);
            Err(Error::unable(fact, "give --passphrase-file FILE, or run on a terminal"))
        }
    }
}

/// Whose passphrase a key of this role has.
pub fn whose(role: Role) -> &'static str {
    if role == Role::Root { "root" } else { "staff" }
}

/// The passphrase of a private key that another program wrote.
pub fn pem_passphrase(path: Option<&Path>) -> Result<Passphrase> {
    match path {
        Some(path) => from_file(path, GIVE),
        None if can_ask() => checked(ask("The passphrase of the PEM file: ")?, GIVE),
        None => {
            let hint = "give --passphrase-file FILE, or run on a terminal";
            Err(Error::unable("this private key needs a passphrase", hint))
        }
    }
}

/// Questions are asked on a terminal only.
fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn ask(prompt: &str) -> Result<Zeroizing<String>> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|_| {
        Error::unable("the passphrase cannot be read", "run on a terminal, or give a file")
    })
}

/// The first line of a file.
fn from_file(path: &Path, hint: &'static str) -> Result<Passphrase> {
    let text = Zeroizing::new(read_text(path)?);
    let line = text.lines().next().unwrap_or_default();
    checked(Zeroizing::new(line.to_string()), hint).map_err(|error| error.within(file::name(path)))
}

fn checked(text: Zeroizing<String>, hint: &'static str) -> Result<Passphrase> {
    if text.is_empty() {
        return Err(Error::unable("the passphrase is empty", hint));
    }
    Ok(Passphrase::new(text))
}

/// Says which keys of the folder other users of this computer may read.
pub fn warn_of_keys(folder: &Folder, context: &mut Context) {
    for (path, mode) in folder.keys_open_to_others() {
        context.notes.push(open_key(&path, &mode));
    }
}

/// Says so of one key file.
pub fn warn_of_key(path: &Path, context: &mut Context) {
    if let Some(mode) = file::open_to_others(path) {
        context.notes.push(open_key(path, &mode));
    }
}

fn open_key(path: &Path, mode: &str) -> String {
    let path = file::name(path);
    format!(
        "warning: {path}: other users of this computer may use this key (mode {mode}); run: chmod 600 {path}"
    )
}
