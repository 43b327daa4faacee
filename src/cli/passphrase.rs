//! Passphrases, asked for or out of files; and what is said of key files that others may read.

use std::path::Path;
use zeroize::Zeroizing;

use olr::crypto::secret::Passphrase;
use olr::crypto::token::PinWanted;
use olr::display::shown;
use olr::error::{Error, Result};
use olr::file;
use olr::key::Role;
use olr::vendor::{Folder, Locked, read_text};

use super::context::Context;
use super::terminal::Terminal;

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

/// What opens an existing key: its passphrase, or the PIN of the token that it is in. A token never
/// gets what is in the file: to it, every wrong word is a try less.
pub fn passphrase(locked: &Locked, path: Option<&Path>) -> Result<Passphrase> {
    let role = match locked {
        Locked::KeyFile { role, .. } => *role,
        Locked::Token(wanted) => return pin(wanted),
    };
    let whose = whose(role);
    match path {
        Some(path) => from_file(path, GIVE),
        None if can_ask() => checked(ask(&format!("The {whose} passphrase ({role} key): "))?, GIVE),
        None => {
            let fact = format!("the {role} key needs the {whose} passphrase");
            Err(Error::unable(fact, "give --passphrase-file FILE, or run on a terminal"))
        }
    }
}

fn pin(wanted: &PinWanted) -> Result<Passphrase> {
    let token = shown(&wanted.token);
    if !can_ask() {
        let fact = format!("token {token} needs its PIN");
        let hint = "add pin-source=file:PATH to its URI, or run on a terminal";
        return Err(Error::unable(fact, hint));
    }
    let last = if wanted.last_try { ", the last try before it locks" } else { "" };
    let pin = ask(&format!("The PIN of token {token}{last}: "))?;
    if pin.is_empty() {
        return Err(Error::unable("the PIN is empty", "try again"));
    }
    Ok(Passphrase::new(pin))
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

/// Questions are asked on the terminal itself, whatever is redirected.
fn can_ask() -> bool {
    Terminal::open().is_some()
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
