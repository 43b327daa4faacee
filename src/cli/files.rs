//! Files that people name: artefacts in either form, and outputs that are not lost.

use std::path::{Path, PathBuf};

use crate::file::{self, Place, Writing, place};
use olr_core::armor::{armor, dearmor, dearmor_answer, foreign};
use olr_core::error::{Error, Problem, Refusal, Result};
use olr_core::state::State;
use olr_core::wire::frame::{FILE_CAP, Header, Kind};

use super::output::Output;

/// The bytes of a file; one that is too long is named by its beginning, where that tells what it is.
fn read(path: &Path) -> Result<Vec<u8>> {
    file::read(path, FILE_CAP).map_err(|error| {
        let other = || foreign(&file::beginning(path, START_LEN)?);
        match error.refusal().and_then(|_| other()) {
            Some(other) => error.hint(format!("this is {}: look for the .olr file", other.what)),
            None => error,
        }
    })
}

/// What tells a picture from an archive.
const START_LEN: u64 = 512;

/// Reads an artefact, binary or armored, and says in errors which file it was.
pub fn read_artefact(wanted: Option<Kind>, path: &Path) -> Result<Vec<u8>> {
    let bytes = read(path)?;
    let binary = dearmor(wanted, &bytes).map_err(|error| error.within(file::name(path)))?;
    Ok(binary.into_owned())
}

/// Reads what a vendor sent. A mail may quote the request: of several kinds the license is meant.
pub fn read_answer(path: &Path) -> Result<Vec<u8>> {
    let bytes = read(path)?;
    let binary = dearmor_answer(&bytes).map_err(|error| error.within(file::name(path)))?;
    Ok(binary.into_owned())
}

/// Says which file it was that cannot be read any further.
pub fn of_file(path: &Path) -> impl Fn(Error) -> Error {
    let name = file::name(path);
    move |error| match error.refusal() {
        Some(Refusal::Malformed | Refusal::UnknownVersion) => error.within(&name),
        _ => error,
    }
}

/// Where an artefact goes.
#[derive(clap::Args)]
pub struct OutFile {
    /// Write to this file; `-` for stdout: what is said of it goes to stderr.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file that is there; never a key, a state, or an olr file of another kind.
    #[arg(long)]
    force: bool,
}

/// Whether a regular file is there, or what is written into as if it were one. Nothing of a pipe or
/// a terminal is replaced.
fn is_file(path: &Path) -> Result<bool> {
    Ok(matches!(place(path)?, Place::File | Place::Open))
}

/// What is there that no output of this kind replaces, forced or not: a state, an artefact of another
/// kind, or what a vendor's folder keeps in other forms. Not all of it can be made again.
fn kept_at(path: &Path, output: Option<Kind>) -> Option<String> {
    if State::is_one(&file::beginning(path, HEADER_LEN)?) {
        return Some(format!("a {}", Kind::State));
    }
    match read_artefact(None, path).and_then(|bytes| Header::peek(&bytes)) {
        Ok(Kind::KeyFile) => Some(format!("a {}", Kind::KeyFile)),
        Ok(there) if Some(there) == output => None,
        // What was proposed makes room for what came of it.
        Ok(Kind::Proposal)
            if matches!(output, Some(Kind::License | Kind::Trust | Kind::Delegation)) =>
        {
            None
        }
        Ok(there) => Some(format!("another kind of file ({there})")),
        Err(_) => is_of_vendor(path).then(|| "a file of a vendor's folder".to_string()),
    }
}

/// Whether a file lies in the folder of a vendor, or in one of the folders there.
fn is_of_vendor(path: &Path) -> bool {
    let real = path.canonicalize();
    let path = real.as_deref().unwrap_or(path);
    let is_vendor =
        |at: &Path| ["vendor.trust", "catalog.toml"].iter().all(|n| at.join(n).is_file());
    path.ancestors().skip(1).take(2).any(is_vendor)
}

/// Fails where something is there that is never replaced.
fn ensure_not_kept(path: &Path, output: Option<Kind>, hint: &'static str) -> Result<()> {
    let Some(kept) = kept_at(path, output) else { return Ok(()) };
    let fact = format!("{}: {kept} is there, which is never replaced", file::name(path));
    Err(Error::unable(Problem::Exists, fact, hint))
}

/// So many names are tried before a folder is called full of old outputs.
#[cfg(feature = "vendor")]
const NAMES: u32 = 1000;

/// Magic, version, suite, kind.
const HEADER_LEN: u64 = 7;

/// Fails where writing would replace what is kept, or something else than what `is_older` knows for an
/// older output of the same verb, unless that is forced.
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
    let fact = format!("{}: another file is there already", file::name(path));
    Err(Error::unable(Problem::Exists, fact, "name another, or replace it with --force"))
}

impl OutFile {
    /// Whether it was said where to write.
    #[cfg(feature = "vendor")]
    pub fn is_named(&self) -> bool {
        self.output.is_some()
    }

    /// The file, by default `name` in the current folder; nothing for stdout.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let path = self.output.clone().unwrap_or_else(|| PathBuf::from(name));
        (!file::is_stdout(&path)).then_some(path)
    }

    /// Fails early where writing would replace something else than an older file of the same kind
    /// for the same installation, as `same` tells.
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
        let fact = format!("{}: another file is there already", file::name(&path));
        Err(Error::unable(
            Problem::Exists,
            fact,
            "name another with -o, or replace it with --force",
        ))
    }

    /// The name to write under where none was given: `name.olr`, or `name-2.olr`, … where something
    /// else is in the way, which stays. A name that was given has to be free, as for
    /// [`OutFile::ensure_free`].
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

    /// Writes the artefact as armor, or hands it to the report for stdout.
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

    /// The file's name for a message.
    pub fn name(&self, name: &str) -> String {
        self.path(name).map_or("stdout".to_string(), |path| file::name(&path))
    }
}
