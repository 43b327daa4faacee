//! Passphrases, typed or read from files, and warnings about key files that others can read.

use rand::CryptoRng;
use std::collections::BTreeSet;
use std::path::Path;
use zeroize::Zeroizing;

use crate::file;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_office::folder::{Folder, Locked, read_passphrase};
use olr_office::key::token::PinWanted;
use olr_office::key::typed::Passphrase;

use super::context::Context;
use super::terminal::Terminal;
use super::unseen;

const CHOOSE: &str = "write a passphrase on the first line of this file";
const GIVE: &str = "give the passphrase of this key";

/// Returns a passphrase for new keys: read from a file, typed twice, or generated.
pub fn new_passphrase(
    whose: &str,
    path: Option<&Path>,
    flag: &'static str,
    context: &mut Context,
) -> Result<Passphrase> {
    if let Some(path) = path {
        let passphrase = from_file(path, CHOOSE)?;
        context.notes.extend(weakness(whose, &passphrase.nfc()));
        return Ok(passphrase);
    }
    let Some(mut terminal) = Terminal::open() else {
        let fact = format!("the {whose} passphrase is missing");
        return Err(Error::unable(
            Problem::NeedsPassphrase,
            fact,
            format!("give {flag} FILE, or run olr in a terminal"),
        ));
    };
    let mut first =
        ask(&format!("New {whose} passphrase (press only Enter, and olr generates six words): "))?;
    let said = if first.is_empty() {
        first = six_words(&mut context.rng);
        Zeroizing::new(format!("  {}\nWrite it down: it is shown only once.\n", *first))
    } else {
        let weakness = weakness(whose, &Passphrase::new(first.clone()).nfc());
        Zeroizing::new(weakness.map_or(String::new(), |weakness| format!("{weakness}\n")))
    };
    terminal.say(&said).map_err(|_| no_terminal())?;
    let (first, second) =
        (Passphrase::new(first), Passphrase::new(ask(&format!("The {whose} passphrase again: "))?));
    if first.nfc() != second.nfc() {
        return Err(Error::unable(
            Problem::WrongPassphrase,
            "the two passphrases differ",
            "try again",
        ));
    }
    Ok(first)
}

/// Returns a warning about a passphrase that is easy to guess. One word of random characters may be
/// strong; two or three words of a language are not.
fn weakness(whose: &str, text: &str) -> Option<String> {
    let (characters, words) = (text.chars().count(), text.split_whitespace().count());
    let different = text.chars().collect::<BTreeSet<_>>().len();
    let is_weak = characters < 12 || different < 6 || (2..4).contains(&words);
    is_weak.then(|| {
        format!(
            "warning: the {whose} passphrase is easy to guess; use at least four words, or twelve random \
             characters (`olr key passwd` changes that of a key file; press only Enter there, and \
             olr generates six words)"
        )
    })
}

/// Generates six words of 16 bits each that people can read aloud: consonant, vowel, consonant,
/// vowel, consonant (proquints, arXiv 0901.4016).
fn six_words(rng: &mut impl CryptoRng) -> Zeroizing<String> {
    const CONSONANTS: [char; 16] =
        ['b', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z'];
    const VOWELS: [char; 4] = ['a', 'i', 'o', 'u'];
    let mut drawn = Zeroizing::new([0; 12]);
    rng.fill_bytes(drawn.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(36));
    for pair in drawn.as_chunks::<2>().0 {
        let bits = usize::from(u16::from_be_bytes(*pair));
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend(CONSONANTS.get(bits >> 12 & 15));
        text.extend(VOWELS.get(bits >> 10 & 3));
        text.extend(CONSONANTS.get(bits >> 6 & 15));
        text.extend(VOWELS.get(bits >> 4 & 3));
        text.extend(CONSONANTS.get(bits & 15));
    }
    text
}

/// Returns what unlocks an existing key: its passphrase, or the PIN of its token. The passphrase in
/// the file is never tried on a token, which counts every wrong PIN.
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
            Err(Error::unable(
                Problem::NeedsPassphrase,
                fact,
                "give --passphrase-file FILE, or run olr in a terminal",
            ))
        }
    }
}

fn pin(wanted: &PinWanted) -> Result<Passphrase> {
    let token = shown(&wanted.token);
    if !can_ask() {
        let fact = format!("token {token} needs its PIN");
        let hint = "add pin-source=file:PATH to its URI, or run olr in a terminal";
        return Err(Error::unable(Problem::NeedsPassphrase, fact, hint));
    }
    let last = if wanted.last_try { ", the last try before the token locks" } else { "" };
    let pin = ask(&format!("The PIN of token {token}{last}: "))?;
    if pin.is_empty() {
        return Err(Error::unable(Problem::Usage, "the PIN is empty", "try again"));
    }
    Ok(Passphrase::new(pin))
}

/// Returns whose passphrase protects a key of this role.
pub fn whose(role: Role) -> &'static str {
    if role == Role::Root { "root" } else { "staff" }
}

/// Returns the passphrase of a private key that another program wrote.
pub fn pem_passphrase(path: Option<&Path>) -> Result<Passphrase> {
    match path {
        Some(path) => from_file(path, GIVE),
        None if can_ask() => checked(ask("The passphrase of the PEM file: ")?, GIVE),
        None => {
            let hint = "give --passphrase-file FILE, or run olr in a terminal";
            Err(Error::unable(
                Problem::NeedsPassphrase,
                "this private key needs a passphrase",
                hint,
            ))
        }
    }
}

/// Returns whether there is a terminal for questions, even if streams are redirected.
fn can_ask() -> bool {
    Terminal::open().is_some()
}

fn ask(prompt: &str) -> Result<Zeroizing<String>> {
    unseen::ask(prompt).map(Zeroizing::new).map_err(|_| no_terminal())
}

fn no_terminal() -> Error {
    Error::unable(
        Problem::Io,
        "the passphrase or PIN cannot be read",
        "run olr in a terminal, or name a file that contains it",
    )
}

/// Reads the passphrase from the first line of a file.
fn from_file(path: &Path, hint: &'static str) -> Result<Passphrase> {
    read_passphrase(path)?.ok_or_else(|| {
        Error::unable(
            Problem::Usage,
            format!("{}: the passphrase is empty", file::name(path)),
            hint,
        )
    })
}

fn checked(text: Zeroizing<String>, hint: &'static str) -> Result<Passphrase> {
    if text.is_empty() {
        return Err(Error::unable(Problem::Usage, "the passphrase is empty", hint));
    }
    Ok(Passphrase::new(text))
}

/// Warns about keys of the folder that other users of this computer can read.
pub fn warn_of_keys(folder: &Folder, context: &mut Context) {
    for (path, mode) in folder.keys_open_to_others() {
        context.notes.push(open_key(&path, &mode));
    }
}

/// Warns about one key file, if other users of this computer can read it.
pub fn warn_of_key(path: &Path, context: &mut Context) {
    if let Some(mode) = file::open_to_others(path) {
        context.notes.push(open_key(path, &mode));
    }
}

fn open_key(path: &Path, mode: &str) -> String {
    let path = file::name(path);
    format!(
        "warning: {path}: other users of this computer can read this key (mode {mode}); run \
         `chmod 600 {path}`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha20Rng;

    #[test]
    fn what_is_soon_guessed_is_warned_of() {
        for weak in [
            "abc",
            "",
            "hunter2",
            "elevenchars",
            "correct horse",
            "one two three",
            "a b c d",
            "aaaaaaaaaaaa",
            "ababababababababab",
            "1111 1111 1111 1111",
            "ab cd ef gh",
            "größe",
        ] {
            assert!(weakness("root", weak).is_some(), "{weak:?}");
        }
        for strong in [
            "correct horse battery staple",
            "twelvechars!",
            "kX2#pQ9z!mW4",
            "größere straße am meer",
            "correct-horse-battery",
        ] {
            assert_eq!(weakness("root", strong), None, "{strong:?}");
        }
        for text in ["abc", "correct horse"] {
            assert!(!weakness("root", text).unwrap().contains(text));
        }
    }

    #[test]
    fn six_words_are_drawn_and_can_be_read_out() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let words = six_words(&mut rng);
        assert_ne!(*words, *six_words(&mut rng));
        assert_eq!(words.split(' ').count(), 6);
        assert!(words.split(' ').all(|word| word.len() == 5), "{}", *words);
        assert_eq!(weakness("root", &words), None);
    }
}
