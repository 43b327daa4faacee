//! Files: read under a cap, written whole or not at all; and TOML that people write.

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
pub use write::{Lock, open_lock, stage};
pub use write::{Writing, make_folder, make_private_folder, write};

/// Reads a file of at most `cap` bytes; more is never read. `-` is standard input. A pipe is read
/// too; any other thing that is no regular file is refused, and nothing is waited for in vain.
///
/// # Errors
/// `malformed` when it is longer; exit 2 when it cannot be read.
pub fn read(path: &Path, cap: usize) -> Result<Vec<u8>> {
    if is_standard(path, "stdin", 0) {
        take_stdin()?;
        let stdin = std::io::stdin().lock();
        return read_all(stdin, path, cap);
    }
    let file = place::open(path, From::Pipe)?;
    if file.metadata().is_ok_and(|found| found.is_file()) {
        return read_all(file, path, cap);
    }
    let bytes = read_all(Patient(&file), path, cap)?;
    if bytes.is_empty() {
        let fact = format!("{}: it is a pipe, and no program writes into it", name(path));
        return Err(Error::unable(
            Problem::Io,
            fact,
            "start the program that writes it first, or name a file",
        ));
    }
    Ok(bytes)
}

/// The first bytes of a regular file, at most `len`; `None` for anything else. What came through a pipe
/// was read once: it is not opened again, and nobody waits for it.
pub fn beginning(path: &Path, len: u64) -> Option<Vec<u8>> {
    if is_standard(path, "stdin", 0) {
        return None;
    }
    let mut start = Vec::new();
    place::open(path, From::File).ok()?.take(len).read_to_end(&mut start).ok()?;
    Some(start)
}

/// Opens a regular file of this program's own for reading; for anything else it does not wait.
///
/// # Errors
/// As [`read`].
pub fn open_own(path: &Path) -> Result<std::fs::File> {
    place::open(path, From::File)
}

/// Whether a path is `-` or another name of standard output.
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

/// Says that standard input is read from now on.
///
/// # Errors
/// Exit 2 when it was read before: its end comes once.
pub fn take_stdin() -> Result<()> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if !TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let fact = "standard input is named twice, and can be read once";
    Err(Error::unable(Problem::Usage, fact, "name a file in one of the two places"))
}

/// As [`read`], for a file that says what is to be run: nobody but root and the user of this process
/// may have written it, where systems tell.
///
/// # Errors
/// As [`read`]; exit 2 when others may write it.
pub fn read_own(path: &Path, cap: usize) -> Result<Vec<u8>> {
    let file = place::open(path, From::File)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let found = file.metadata().map_err(|error| failed(Access::Read, path, &error))?;
        let (name, me) = (name(path), rustix::process::geteuid().as_raw());
        if found.uid() != 0 && found.uid() != me {
            let fact =
                format!("{name}: it belongs to user {}, not to root or user {me}", found.uid());
            let hint =
                format!("run this as user {}, or look at the file and chown it", found.uid());
            return Err(Error::unable(Problem::Permission, fact, hint));
        }
        if found.mode() & 0o022 != 0 {
            let mode = found.mode() & 0o7777;
            let fact =
                format!("{name}: others may write it (mode {mode:04o}), and it says what is run");
            return Err(Error::unable(
                Problem::Permission,
                fact,
                format!("look at it, then run: chmod go-w {name}"),
            ));
        }
    }
    read_all(file, path, cap)
}

/// Room for a file that holds a secret, such as a key.
const ROOM: usize = 64 * 1024;

fn read_all(from: impl Read, path: &Path, cap: usize) -> Result<Vec<u8>> {
    let cap_and_one = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    // Room for any secret at once: what grows leaves a copy behind.
    let mut bytes = Vec::with_capacity(cap.saturating_add(1).min(ROOM));
    let read = from.take(cap_and_one).read_to_end(&mut bytes);
    read.map_err(|error| failed(Access::Read, path, &error))?;
    if bytes.len() > cap {
        let fact = format!("{}: longer than {cap} bytes", name(path));
        return Err(Error::refuse(Refusal::Malformed, fact).hint("check which file you meant"));
    }
    Ok(bytes)
}

/// Reads a regular file of this program's own, where a missing one is nothing.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path, cap: usize) -> Result<Option<Vec<u8>>> {
    if !is_there(path)? {
        return Ok(None);
    }
    read_all(place::open(path, From::File)?, path, cap).map(Some)
}

/// Whether there is anything at `path`.
///
/// # Errors
/// Exit 2 when that cannot be told: what may not be looked at is not missing.
pub fn is_there(path: &Path) -> Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(Access::Read, path, &error)),
    }
}

/// What is in a folder, by name.
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

/// The permissions of a file that others than its owner may read or write, such as `0644`.
/// Nothing where systems have no such permissions, or there is no file.
pub fn open_to_others(path: &Path) -> Option<String> {
    permissions(path).filter(|mode| mode & 0o077 != 0).map(|mode| format!("{mode:04o}"))
}

/// The permissions of a file, where systems have them.
#[cfg(unix)]
pub fn permissions(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o7777)
}

/// The permissions of a file, where systems have them.
#[cfg(not(unix))]
pub fn permissions(_: &Path) -> Option<u32> {
    None
}

/// A path for a message.
pub fn name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "standard input".to_string();
    }
    shown(&path.to_string_lossy()).into_owned()
}
