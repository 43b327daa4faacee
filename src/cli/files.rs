//! Files that people name: artefacts in binary or armored form, and outputs that must not be lost.

use std::path::{Path, PathBuf};

use crate::file::{self, Place, Writing, place};
use olr_core::armor::{armor, dearmor, dearmor_answer, foreign};
use olr_core::error::{Error, Problem, Refusal, Result};
use olr_core::state::State;
use olr_core::wire::frame::{FILE_CAP, Header, Kind};

use super::output::Output;

/// Reads a file. If it is too long, the error says what it is, as far as its first bytes tell.
fn read(path: &Path) -> Result<Vec<u8>> {
    file::read(path, FILE_CAP).map_err(|error| {
        let other = || foreign(&file::beginning(path, START_LEN)?);
        match error.refusal().and_then(|_| other()) {
            Some(other) => error.hint(format!(
                "this is {}: look for the .olr file, or ask for it again",
                other.what
            )),
            None => error,
        }
    })
}

/// Enough bytes to tell a picture from an archive.
const START_LEN: u64 = 512;

/// Reads an artefact, binary or armored, and names the file in errors.
pub fn read_artefact(wanted: Option<Kind>, path: &Path) -> Result<Vec<u8>> {
    let bytes = read(path)?;
    let binary = dearmor(wanted, &bytes).map_err(|error| error.within(file::name(path)))?;
    Ok(binary.into_owned())
}

/// Reads an answer from the vendor. A mail may also quote the request: the license is preferred.
pub fn read_answer(path: &Path) -> Result<Vec<u8>> {
    let bytes = read(path)?;
    let binary = dearmor_answer(&bytes).map_err(|error| error.within(file::name(path)))?;
    Ok(binary.into_owned())
}

/// Adds the name of a file to an error about its content.
pub fn of_file(path: &Path) -> impl Fn(Error) -> Error {
    let name = file::name(path);
    move |error| match error.refusal() {
        Some(Refusal::Malformed | Refusal::UnknownVersion) => error.within(&name),
        _ => error,
    }
}

// The output file for an artefact.
#[derive(clap::Args)]
pub struct OutFile {
    /// Write to this file instead of the usual place, such as req.olr or license.olr in the current
    /// folder. With `-`, write to stdout, and the messages to stderr.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace an existing file, but never a private key, a state, the ledger or a text file in a
    /// vendor's folder, or another kind of olr file (except a proposal by a license, trust or
    /// delegation).
    #[arg(long)]
    force: bool,
}

/// Returns whether writing would overwrite something: a regular file, by its path or by an open
/// descriptor. Writing to a pipe or a terminal overwrites nothing.
fn is_file(path: &Path) -> Result<bool> {
    Ok(matches!(place(path)?, Place::File | Place::Open))
}

/// Names what is at `path` if no output of this kind may replace it, even with --force: a state, a
/// key file, another artefact of a different kind, or a file of a vendor's folder that is not an
/// artefact. Some of these cannot be made again.
fn kept_at(path: &Path, output: Option<Kind>) -> Option<String> {
    if State::is_one(&file::beginning(path, HEADER_LEN)?) {
        return Some(format!("a {}", Kind::State));
    }
    if file::beginning(path, PEM_LEN)?.windows(PRIVATE.len()).any(|part| part == PRIVATE) {
        return Some("a private key".to_string());
    }
    match read_artefact(None, path).and_then(|bytes| Header::peek(&bytes)) {
        Ok(Kind::KeyFile) => Some(format!("a {}", Kind::KeyFile)),
        Ok(there) if Some(there) == output => None,
        // A proposal may be replaced by its result.
        Ok(Kind::Proposal)
            if matches!(output, Some(Kind::License | Kind::Trust | Kind::Delegation)) =>
        {
            None
        }
        Ok(there) => Some(format!("another kind of file ({there})")),
        Err(_) => is_of_vendor(path).then(|| "a file of a vendor's folder".to_string()),
    }
}

/// Returns whether a file is in a vendor's folder, or in one of its subfolders.
fn is_of_vendor(path: &Path) -> bool {
    let real = path.canonicalize();
    let path = real.as_deref().unwrap_or(path);
    let is_vendor =
        |at: &Path| ["vendor.trust", "catalog.toml"].iter().all(|n| at.join(n).is_file());
    path.ancestors().skip(1).take(2).any(is_vendor)
}

/// Fails if the file at `path` must never be replaced.
fn ensure_not_kept(path: &Path, output: Option<Kind>, hint: &'static str) -> Result<()> {
    let Some(kept) = kept_at(path, output) else { return Ok(()) };
    let fact = format!("{}: this is {kept}; it stays, even with --force", file::name(path));
    Err(Error::unable(Problem::Exists, fact, hint))
}

/// Numbers below this one are tried in names, so that the search in a folder full of old outputs
/// ends.
#[cfg(feature = "vendor")]
const NAMES: u32 = 1000;

/// End of the first line of every private key in PEM (RFC 7468), encrypted or not.
const PRIVATE: &[u8] = b"PRIVATE KEY-----";

/// Number of bytes in which that line begins and ends, even below a comment.
const PEM_LEN: u64 = 4096;

/// Length of magic, version, suite and kind.
const HEADER_LEN: u64 = 7;

/// Fails if writing would replace anything that `is_older` does not accept as an older output of
/// the same verb: always if that file must be kept, otherwise only without `force`.
pub fn ensure_replaceable(
    path: &Path,
    force: bool,
    is_older: impl FnOnce(&Path) -> bool,
) -> Result<()> {
    if !is_file(path)? {
        return Ok(());
    }
    if is_older(path) {
        return Ok(());
    }
    ensure_not_kept(path, None, "name another file")?;
    if force {
        return Ok(());
    }
    let fact = format!("{}: a different file of this name already exists", file::name(path));
    Err(Error::unable(Problem::Exists, fact, "name another file, or replace this one with --force"))
}

impl OutFile {
    /// Returns whether an output file was given.
    #[cfg(feature = "vendor")]
    pub fn is_named(&self) -> bool {
        self.output.is_some()
    }

    /// Returns the file, by default `name` in the current folder, or `None` for stdout.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let path = self.output.clone().unwrap_or_else(|| PathBuf::from(name));
        (!file::is_stdout(&path)).then_some(path)
    }

    /// Fails early if writing would replace a file that must be kept or, without `--force`,
    /// anything but a file of the same kind that `same` accepts as an older output.
    pub fn ensure_free(
        &self,
        name: &str,
        kind: Kind,
        same: impl FnOnce(&[u8]) -> bool,
    ) -> Result<()> {
        let Some(path) = self.path(name) else { return Ok(()) };
        if !is_file(&path)? {
            return Ok(());
        }
        ensure_not_kept(&path, Some(kind), "name another file with -o")?;
        if self.force {
            return Ok(());
        }
        let old = read_artefact(Some(kind), &path).ok();
        let is_kind = |bytes: &Vec<u8>| Header::peek(bytes) == Ok(kind);
        if old.filter(is_kind).is_some_and(|bytes| same(&bytes)) {
            return Ok(());
        }
        let fact = format!("{}: a different file of this name already exists", file::name(&path));
        Err(Error::unable(
            Problem::Exists,
            fact,
            "name another file with -o, or replace this one with --force",
        ))
    }

    /// Returns the name to write to if none was given: `name.olr`, or `name-2.olr` and so on if
    /// another file is there. A given name must be free, as for [`OutFile::ensure_free`].
    #[cfg(feature = "vendor")]
    pub fn free_name(
        &self,
        name: &str,
        kind: Kind,
        same: impl Fn(&[u8]) -> bool,
    ) -> Result<String> {
        let taken = match self.ensure_free(name, kind, &same) {
            Ok(()) => return Ok(name.to_string()),
            Err(error) if self.is_named() => return Err(error),
            Err(error) => error,
        };
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "olr"));
        let mut others = (2..NAMES).map(|number| format!("{stem}-{number}.{extension}"));
        others.find(|name| self.ensure_free(name, kind, &same).is_ok()).ok_or(taken)
    }

    /// Writes the artefact as armor, or adds it to the report for stdout.
    pub fn write(&self, name: &str, kind: Kind, bytes: &[u8], report: &mut Output) -> Result<()> {
        let text = armor(kind, bytes);
        match self.path(name) {
            Some(path) => file::write(&path, text.as_bytes(), Writing::Public),
            None => {
                report.artefact = Some(text.into_bytes().into());
                Ok(())
            }
        }
    }

    /// Returns the file's name for a message.
    pub fn name(&self, name: &str) -> String {
        self.path(name).map_or("stdout".to_string(), |path| file::name(&path))
    }

    /// Returns the file's name for a command that a message names: `FILE` if the output goes to
    /// stdout.
    #[cfg(feature = "vendor")]
    pub fn typed_name(&self, name: &str) -> String {
        self.path(name).map_or("FILE".to_string(), |path| file::name(&path))
    }
}
