//! Converts I/O errors to messages with a reason and one next step.

use std::io::{Error as IoError, ErrorKind};
use std::path::Path;

use crate::error::{Error, Problem};
use crate::name;

/// The access that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Locking.
    Lock,
}

/// Builds the error for `path`: the reason, and one next step.
pub fn failed(access: Access, path: &Path, error: &IoError) -> Error {
    failed_saying(access, path, error, |why| why.to_string())
}

/// Like [`failed`], with the reason put into a sentence by `say`. The path is put in front of it.
pub fn failed_saying(
    access: Access,
    path: &Path,
    error: &IoError,
    say: impl FnOnce(&str) -> String,
) -> Error {
    let (why, hint) = why(access, path, error);
    Error::unable(problem(error), format!("{}: {}", name(path), say(&why)), hint)
}

/// Maps the system's error to a kind of problem.
fn problem(error: &IoError) -> Problem {
    match error.kind() {
        ErrorKind::NotFound => Problem::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Problem::Permission,
        ErrorKind::AlreadyExists => Problem::Exists,
        ErrorKind::WouldBlock => Problem::Locked,
        _ => Problem::Io,
    }
}

/// Reason, and one next step.
fn why(access: Access, path: &Path, error: &IoError) -> (String, String) {
    if error.kind() == ErrorKind::PermissionDenied {
        return denied(access, path);
    }
    let (why, hint) = plain(access, error);
    (why.to_string(), hint.to_string())
}

/// Reason and next step for errors that do not depend on owner and mode.
fn plain(access: Access, error: &IoError) -> (&'static str, &'static str) {
    if let Some(words) = by_number(access, error) {
        return words;
    }
    match (error.kind(), access) {
        (ErrorKind::NotFound, Access::Read) => ("there is no such file", "check the name"),
        (ErrorKind::NotFound, _) => ("there is no such folder", "create the folder first"),
        (ErrorKind::AlreadyExists, _) => ("it already exists", "choose another name"),
        (ErrorKind::IsADirectory, _) => ("it is a folder", "name a file in it"),
        (ErrorKind::NotADirectory, _) => ("a part of the path is not a folder", "check the path"),
        (ErrorKind::InvalidFilename, _) => (
            "the name is too long, or not allowed on this filesystem",
            "choose a shorter name without special characters",
        ),
        (ErrorKind::ReadOnlyFilesystem, _) => (
            "the filesystem is read-only",
            "mount it for writing, or choose a folder on another filesystem",
        ),
        (ErrorKind::StorageFull, _) => ("the disk is full", "free some space on it"),
        (ErrorKind::QuotaExceeded, _) => (
            "the disk quota of this user is used up",
            "free some space, or ask for a larger disk quota",
        ),
        (ErrorKind::FileTooLarge, _) => (
            "the file would be larger than this system allows",
            "raise the limit: ulimit -f unlimited",
        ),
        (ErrorKind::StaleNetworkFileHandle, _) => {
            ("the network filesystem has lost this file", "mount the network filesystem again")
        }
        (ErrorKind::ResourceBusy, _) => (
            "it is in use, maybe as a mount point",
            "name a folder in it; if it is a mounted file, mount its folder instead",
        ),
        (ErrorKind::TimedOut, Access::Read) => (
            "the program at the other end of the pipe sends no data",
            "check that program, or name a file",
        ),
        (ErrorKind::TimedOut, _) => (
            "the program at the other end of the pipe does not read",
            "check that program, or name a file",
        ),
        (ErrorKind::BrokenPipe, _) => (
            "the program at the other end of the pipe has closed it",
            "check that program, or name a file",
        ),
        (ErrorKind::Unsupported, Access::Lock) => NO_LOCKS,
        (_, Access::Read) => ("it cannot be read", "check the disk"),
        (_, Access::Write) => ("it cannot be written", "check the disk"),
        (_, Access::Lock) => ("the system cannot lock it", "check the disk"),
    }
}

const NO_LOCKS: (&str, &str) = (
    "this filesystem has no file locks",
    "keep this folder on a local disk, or mount the network filesystem with its lock service",
);

/// Error numbers of filesystems without locks.
#[cfg(unix)]
const LOCKLESS: [rustix::io::Errno; 4] = {
    use rustix::io::Errno;
    [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP]
};

/// Reasons for errors that have no `ErrorKind` of their own.
#[cfg(unix)]
fn by_number(access: Access, error: &IoError) -> Option<(&'static str, &'static str)> {
    use rustix::io::Errno;
    // Errors of temporary files keep their kind, but lose their number.
    let is_loop = error.kind() == IoError::from(Errno::LOOP).kind();
    let number = Errno::from_io_error(error).or(is_loop.then_some(Errno::LOOP))?;
    Some(match (number, access) {
        (number, Access::Lock) if LOCKLESS.contains(&number) => NO_LOCKS,
        (Errno::LOOP, Access::Lock) => (
            "it is a symbolic link, and olr does not follow it",
            "remove the link: olr will create the file again",
        ),
        (Errno::LOOP, _) => {
            ("the symbolic links in this path form a loop", "check where the links point")
        }
        (Errno::NXIO, Access::Read) => ("no program answers there", "name a file"),
        (Errno::NXIO, _) => (
            "it is a pipe, but no program reads from it",
            "start the program that reads from it, then try again; or name a file",
        ),
        (Errno::MFILE, _) => {
            ("too many files are open", "raise the limit for open files: ulimit -n 4096")
        }
        (Errno::NFILE, _) => {
            ("too many files are open on this system", "close other programs, then try again")
        }
        (Errno::IO, _) => ("the disk reports an error", "check the system log and the disk"),
        (Errno::NOMEM, _) => ("the system has no memory left", "close other programs"),
        _ => return None,
    })
}

#[cfg(not(unix))]
fn by_number(_: Access, _: &IoError) -> Option<(&'static str, &'static str)> {
    None
}

/// Explains a permission error: the file may belong to another user, its mode may lock out its
/// owner, or the filesystem may refuse even root.
#[cfg(unix)]
fn denied(access: Access, path: &Path) -> (String, String) {
    use std::os::unix::fs::MetadataExt;
    let me = rustix::process::geteuid().as_raw();
    let place = blocker(access, path);
    let Ok(found) = std::fs::metadata(&place) else {
        return ("permission denied".into(), "run as the owner of its folder".into());
    };
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    let it = if place == path { "it".to_string() } else { name(&place) };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
    let around = folder.and_then(|folder| std::fs::metadata(folder).ok()).map(|f| f.uid());
    let needed = if found.is_dir() { 0o700 } else { 0o600 };
    denied_words(&Denied { me, owner, mode, needed, around, it, place: name(&place) })
}

#[cfg(not(unix))]
fn denied(access: Access, _: &Path) -> (String, String) {
    let hint = match access {
        Access::Read => "run as the owner of the file",
        Access::Write | Access::Lock => "choose a folder that you can write to",
    };
    ("permission denied".to_string(), hint.to_string())
}

/// Facts about the place where access was denied.
#[cfg(unix)]
struct Denied {
    me: u32,
    owner: u32,
    mode: u32,
    /// The part of the mode that lets its owner read and write it, and enter it if it is a folder.
    needed: u32,
    /// Owner of the folder that contains the place.
    around: Option<u32>,
    /// The place as the subject of a sentence that already named the path.
    it: String,
    place: String,
}

#[cfg(unix)]
fn denied_words(found: &Denied) -> (String, String) {
    let Denied { me, owner, mode, needed, around, it, place } = found;
    if *me == 0 && *owner == 0 {
        let why = format!("permission denied, even to root (mode {mode:04o})");
        return (
            why,
            format!(
                "run `lsattr -d` on {place} and on its folder (an i means immutable); a network \
                 filesystem may also refuse root"
            ),
        );
    }
    if *me == 0 {
        let why = format!("permission denied, even to root: {it} belongs to user {owner}");
        return (why, format!("run as user {owner}: a network filesystem may refuse root"));
    }
    if owner == me && mode & needed != *needed {
        let why = format!(
            "permission denied: {it} has mode {mode:04o}, which denies access to its owner"
        );
        return (why, format!("run: chmod u+rwX {place}"));
    }
    if owner == me {
        let why =
            format!("permission denied, although {it} belongs to this user (mode {mode:04o})");
        return (
            why,
            format!(
                "run `lsattr -d` on {place} and on its folder (an i means immutable); security \
                 rules (such as SELinux) may also deny access"
            ),
        );
    }
    if *around == Some(*me) {
        let why = format!(
            "permission denied: {it} belongs to user {owner}, but its folder belongs to user \
             {me}: the owners are mixed"
        );
        return (why, format!("as root, give it to the owner of the folder: chown {me} {place}"));
    }
    let why = format!("permission denied: {it} belongs to user {owner}, but this is user {me}");
    (why, format!("run as user {owner}"))
}

/// Returns the first place on the way to `path` that denies access: a folder that cannot be
/// entered, else the file, or the folder in which a file would be created.
#[cfg(unix)]
fn blocker(access: Access, path: &Path) -> std::path::PathBuf {
    use rustix::fs::{Access as Right, AtFlags, CWD, accessat};
    let may = |place: &Path, right| {
        let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        accessat(CWD, place, right, AtFlags::EACCESS) != Err(rustix::io::Errno::ACCESS)
    };
    let folder = path.parent().unwrap_or(path);
    let mut folders: Vec<_> = folder.ancestors().collect();
    folders.reverse();
    if let Some(shut) = folders.iter().find(|folder| !may(folder, Right::EXEC_OK)) {
        return shut.to_path_buf();
    }
    let there = std::fs::symlink_metadata(path).is_ok();
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match access {
        Access::Write if !may(folder, Right::WRITE_OK) => folder.to_path_buf(),
        Access::Lock if !there => folder.to_path_buf(),
        _ if there => path.to_path_buf(),
        _ => folder.to_path_buf(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::io::Errno;

    fn said(access: Access, number: Errno) -> (&'static str, &'static str) {
        plain(access, &IoError::from(number))
    }

    #[test]
    fn each_fault_of_a_disk_has_its_own_words() {
        let faults = [
            (Errno::NOENT, "no such"),
            (Errno::ISDIR, "folder"),
            (Errno::NOTDIR, "not a folder"),
            (Errno::NAMETOOLONG, "too long"),
            (Errno::ROFS, "read-only"),
            (Errno::NOSPC, "full"),
            (Errno::DQUOT, "quota"),
            (Errno::FBIG, "larger"),
            (Errno::LOOP, "link"),
            (Errno::MFILE, "too many files"),
            (Errno::NFILE, "too many files"),
            (Errno::IO, "reports an error"),
            (Errno::STALE, "network filesystem"),
            (Errno::BUSY, "in use"),
            (Errno::NOMEM, "memory"),
            (Errno::PIPE, "closed"),
        ];
        let mut all = std::collections::BTreeSet::new();
        for (number, says) in faults {
            for access in [Access::Read, Access::Write, Access::Lock] {
                let (why, hint) = said(access, number);
                assert!(why.contains(says) && !hint.is_empty(), "{number:?}: {why}; {hint}");
                assert!(!hint.contains("run as"), "{number:?} does not depend on the user: {hint}");
            }
            all.insert(said(Access::Write, number).0);
        }
        assert_eq!(all.len(), faults.len(), "each has words of its own");
    }

    #[test]
    fn a_filesystem_without_locks_says_so() {
        for number in LOCKLESS {
            assert_eq!(said(Access::Lock, number), NO_LOCKS);
            assert_ne!(said(Access::Write, number), NO_LOCKS);
        }
    }

    /// User, owner, mode and owner of the folder, with the expected reason and hint.
    #[test]
    fn who_may_is_said_to_whom_it_concerns() {
        for (me, owner, mode, around, why, hint) in [
            (
                1000,
                1001,
                0o600,
                Some(1001),
                "belongs to user 1001, but this is",
                "run as user 1001",
            ),
            (1000, 0, 0o600, Some(1000), "the owners are mixed", "chown 1000 home/state"),
            (1000, 0, 0o700, None, "belongs to user 0", "run as user 0"),
            (1000, 1000, 0o400, Some(1000), "denies access to its owner", "chmod u+rwX home/state"),
            (1000, 1000, 0o000, Some(1000), "denies access to its owner", "chmod u+rwX home/state"),
            (1000, 1000, 0o600, Some(1000), "although it belongs to this user", "lsattr"),
            (0, 0, 0o644, Some(0), "even to root", "lsattr"),
            (0, 1000, 0o600, Some(1000), "even to root: it belongs to user 1000", "as user 1000"),
        ] {
            let (it, place) = ("it".to_string(), "home/state".to_string());
            let needed = 0o600;
            let said = denied_words(&Denied { me, owner, mode, needed, around, it, place });
            assert!(said.0.contains(why) && said.1.contains(hint), "{said:?}");
            // The hint never says to run as the user who is running it already.
            assert!(!said.1.contains(&format!("run as user {me}")), "{said:?}");
        }
        // A folder of one's own must be entered, too.
        for (mode, hint) in [(0o600, "chmod u+rwX home"), (0o700, "lsattr -d")] {
            let (it, place) = ("it".to_string(), "home".to_string());
            let (me, owner, around, needed) = (1000, 1000, Some(1000), 0o700);
            let said = denied_words(&Denied { me, owner, mode, needed, around, it, place });
            assert!(said.1.contains(hint), "{said:?}");
        }
    }
}
