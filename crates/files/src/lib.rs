//! Reading files under a size cap, writing them atomically, and parsing TOML that people write.

#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation
    )
)]

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::display::shown;
use crate::error::{Error, Problem, Refusal, Result};
#[cfg(feature = "toml")]
use olr_core::{armor, time, wire};
use olr_core::{display, error};

mod place;
mod temporary;
#[cfg(feature = "toml")]
pub mod toml_text;
mod words;
mod write;

use place::{From, Patient};

pub use place::{Place, place};
pub use temporary::Draft;
pub use temporary::{could_write, remove_left};
pub use words::{Access, failed, failed_saying};
pub use write::{Lock, Staged, open_lock, stage};
pub use write::{Writing, make_folder, make_private_folder, write};

/// Reads a file of at most `cap` bytes, and does not read a longer one to its end. `-` is standard
/// input, of any kind and without a timeout. Otherwise reads pipes too, with a timeout, and refuses
/// everything else that is not a regular file, without blocking on it.
///
/// # Errors
/// `malformed` when it is longer than `cap`; exit 2 when it cannot be read, or when standard input
/// was claimed before.
pub fn read(path: &Path, cap: usize) -> Result<Vec<u8>> {
    if is_standard(path, "stdin", 0) {
        take_stdin()?;
        let stdin = std::io::stdin().lock();
        return read_all(stdin, path, ROOM, cap);
    }
    let file = place::open(path, From::Pipe)?;
    if file.metadata().is_ok_and(|found| found.is_file()) {
        return read_file(&file, path, cap);
    }
    let bytes = read_all(Patient(&file), path, ROOM, cap)?;
    if bytes.is_empty() {
        let fact = format!("{}: it is a pipe, but no program wrote to it", name(path));
        return Err(Error::unable(
            Problem::Io,
            fact,
            "check the program that should write to it, then try again; or name a file",
        ));
    }
    Ok(bytes)
}

/// Returns the first bytes of a regular file, at most `len`. `None` if it cannot be read, and for
/// anything else: a pipe can be read only once, and opening it could block.
pub fn beginning(path: &Path, len: u64) -> Option<Vec<u8>> {
    if is_standard(path, "stdin", 0) {
        return None;
    }
    let mut start = Vec::new();
    place::open(path, From::File).ok()?.take(len).read_to_end(&mut start).ok()?;
    Some(start)
}

/// Opens one of this program's own files for reading. It must be a regular file; never blocks.
///
/// # Errors
/// Exit 2 when it cannot be opened, or is not a regular file.
pub fn open_own(path: &Path) -> Result<std::fs::File> {
    place::open(path, From::File)
}

/// True if a path is `-` or another name of standard output.
pub fn is_stdout(path: &Path) -> bool {
    is_standard(path, "stdout", 1)
}

fn is_standard(path: &Path, stream: &str, number: u8) -> bool {
    let names = [
        "-".to_string(),
        format!("/dev/{stream}"),
        format!("/dev/fd/{number}"),
        format!("/proc/self/fd/{number}"),
    ];
    let names = if cfg!(unix) { &names[..] } else { &names[..1] };
    path.to_str().is_some_and(|path| names.iter().any(|name| name == path))
}

/// Claims standard input for the caller.
///
/// # Errors
/// Exit 2 when it was claimed before: it can be read only once.
pub fn take_stdin() -> Result<()> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if !TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let fact = "standard input is needed twice, but can be read only once";
    Err(Error::unable(Problem::Usage, fact, "name a file instead of `-`"))
}

/// Like [`read`], for a regular file that names a command to run. On Unix, only root or the user of
/// this process may own it, and nobody else may write to it.
///
/// # Errors
/// Same as [`read`]; exit 2 when others own it or may write to it.
pub fn read_own(path: &Path, cap: usize) -> Result<Vec<u8>> {
    let file = place::open(path, From::File)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let found = file.metadata().map_err(|error| failed(Access::Read, path, &error))?;
        let (name, me) = (name(path), rustix::process::geteuid().as_raw());
        if found.uid() != 0 && found.uid() != me {
            let or_me = if me == 0 { String::new() } else { format!(" or user {me}") };
            let fact = format!("{name}: it belongs to user {}, not to root{or_me}", found.uid());
            let hint = format!(
                "run this command as user {}; or check the file, then run as root: \
                 chown {me} {name}",
                found.uid()
            );
            return Err(Error::unable(Problem::Permission, fact, hint));
        }
        if found.mode() & 0o022 != 0 {
            let mode = found.mode() & 0o7777;
            let fact = format!(
                "{name}: other users can write to it (mode {mode:04o}), and it names a program to run"
            );
            return Err(Error::unable(
                Problem::Permission,
                fact,
                format!("check its content, then run: chmod go-w {name}"),
            ));
        }
    }
    read_file(&file, path, cap)
}

/// Buffer size if the length is not known, as for a pipe: large enough for any secret, such as a
/// key file.
const ROOM: usize = 64 * 1024;

/// Reads a regular file into a buffer of its size. A file whose size is above `cap` is not read at
/// all.
fn read_file(file: &File, path: &Path, cap: usize) -> Result<Vec<u8>> {
    let found = file.metadata().map_err(|error| failed(Access::Read, path, &error))?;
    match usize::try_from(found.len()) {
        // The files of /proc have no size.
        Ok(0) => read_all(file, path, ROOM, cap),
        Ok(length) if length <= cap => read_all(file, path, length, cap),
        _ => Err(too_long(path, cap)),
    }
}

fn read_all(from: impl Read, path: &Path, length: usize, cap: usize) -> Result<Vec<u8>> {
    let cap_and_one = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    // Reserve the room at once: a buffer that grows leaves copies of a secret in memory. Without
    // the extra byte, it would grow before the end of the file is noticed.
    let mut bytes = Vec::with_capacity(cap.min(length).saturating_add(1));
    let read = from.take(cap_and_one).read_to_end(&mut bytes);
    read.map_err(|error| failed(Access::Read, path, &error))?;
    if bytes.len() > cap { Err(too_long(path, cap)) } else { Ok(bytes) }
}

fn too_long(path: &Path, cap: usize) -> Error {
    let fact = format!("{}: longer than {cap} bytes", name(path));
    Error::refuse(Refusal::Malformed, fact).hint("check that you named the right file")
}

/// Reads one of this program's own files, which must be a regular file; `None` if it does not
/// exist.
///
/// # Errors
/// Same as [`read`].
pub fn read_if_there(path: &Path, cap: usize) -> Result<Option<Vec<u8>>> {
    if !is_there(path)? {
        return Ok(None);
    }
    read_file(&place::open(path, From::File)?, path, cap).map(Some)
}

/// True if something exists at `path`.
///
/// # Errors
/// Exit 2 when that cannot be determined: a path without permission is not a missing one.
pub fn is_there(path: &Path) -> Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(Access::Read, path, &error)),
    }
}

/// Lists the contents of a folder, sorted by name.
///
/// # Errors
/// Exit 2 when it cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = entries.map_err(|error| {
        let unreadable = |why: &str| format!("the folder cannot be read: {why}");
        if error.kind() == ErrorKind::NotFound {
            let fact = format!("{}: {}", name(folder), unreadable("there is no such folder"));
            return Error::unable(Problem::NotFound, fact, "check the name");
        }
        failed_saying(Access::Read, folder, &error, unreadable)
    })?;
    let mut paths: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Permissions of a file that users other than the owner can access, such as `0644`. `None` if they
/// cannot, if the system has no such permissions, or if there is no file.
pub fn open_to_others(path: &Path) -> Option<String> {
    permissions(path).filter(|mode| mode & 0o077 != 0).map(|mode| format!("{mode:04o}"))
}

/// Permissions of a file; `None` if there is no file or the system has no such permissions.
#[cfg(unix)]
pub fn permissions(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o7777)
}

/// Permissions of a file; `None`, because this system has no such permissions.
#[cfg(not(unix))]
pub fn permissions(_: &Path) -> Option<u32> {
    None
}

/// Formats a path for a message.
pub fn name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "standard input".to_string();
    }
    shown(&path.to_string_lossy()).into_owned()
}
