//! Temporary files and folders. On Unix, each is locked while in use, if the filesystem has locks.
//! An unlocked one was left by a killed process, and is removed, because it may contain a secret.

use std::fs::File;
use std::io::{Result as IoResult, Write};
use std::path::Path;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::{Builder, NamedTempFile};

/// Names are this prefix, six letters or digits, and for files the suffix.
const PREFIX: &str = ".olr-";
const SUFFIX: &str = ".tmp";

/// Number of attempts, in case another process removes the file before it is locked.
const TRIES: u32 = 10;

/// Creates a locked temporary file in `folder`, for its owner only or with the given mode.
pub(super) fn file(folder: &Path, mode: Option<u32>) -> IoResult<NamedTempFile> {
    remove_left(folder);
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    if let Some(mode) = mode {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let _ = mode;
    for _ in 1..TRIES {
        let file = builder.tempfile_in(folder)?;
        if is_held(file.as_file()) {
            return Ok(file);
        }
    }
    builder.tempfile_in(folder)
}

/// True if `length` bytes can be written in `folder` now. Tests it with a temporary file.
pub fn could_write(folder: &Path, length: usize) -> bool {
    file(folder, None).and_then(|mut file| file.write_all(&vec![0; length])).is_ok()
}

/// A folder that is renamed to its final path when it is complete. Deleted on drop.
pub struct Draft {
    folder: tempfile::TempDir,
    /// Held while the draft is in use.
    _lock: Option<File>,
}

impl Draft {
    /// Creates a draft in `parent`.
    pub fn new(parent: &Path) -> IoResult<Self> {
        remove_left(parent);
        for _ in 1..TRIES {
            let folder = private(parent)?;
            let Ok(lock) = File::open(folder.path()) else {
                return Ok(Self { folder, _lock: None });
            };
            if is_held(&lock) {
                return Ok(Self { folder, _lock: Some(lock) });
            }
        }
        Ok(Self { folder: private(parent)?, _lock: None })
    }

    /// Path of the temporary folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Renames the folder to `path`, where there must be nothing, or an empty folder.
    pub fn commit(self, path: &Path) -> IoResult<()> {
        // Only Unix replaces an empty folder by renaming.
        if cfg!(not(unix)) && path.is_dir() {
            std::fs::remove_dir(path)?;
        }
        std::fs::rename(self.folder.path(), path)?;
        // Keep it: it is no longer temporary.
        let _ = self.folder.keep();
        path.parent().into_iter().for_each(crate::write::sync_folder);
        Ok(())
    }
}

/// Creates a folder for its owner only, regardless of the umask.
fn private(parent: &Path) -> IoResult<tempfile::TempDir> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(parent)
}

/// True once a temporary file could not be locked. From then on this process removes no leftovers:
/// it could not tell them from its own files.
#[cfg(unix)]
static LOCKLESS: AtomicBool = AtomicBool::new(false);

/// Locks a temporary file, and returns whether it still exists. If the filesystem has no locks,
/// removal of leftovers is disabled instead. A process that holds the lock is about to remove the
/// file, so after a few attempts the link count decides.
#[cfg(unix)]
fn is_held(file: &File) -> bool {
    use std::fs::TryLockError;
    use std::os::unix::fs::MetadataExt;
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            Err(TryLockError::Error(_)) => {
                LOCKLESS.store(true, Ordering::Relaxed);
                break;
            }
            Ok(()) => break,
        }
    }
    file.metadata().is_ok_and(|found| found.nlink() > 0)
}

/// Takes no lock: on these systems a lock would block readers.
#[cfg(not(unix))]
fn is_held(_: &File) -> bool {
    true
}

/// Removes what killed processes left in `folder`, recognized by name, owner and missing lock. Best
/// effort.
#[cfg(unix)]
pub fn remove_left(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if LOCKLESS.load(Ordering::Relaxed) {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let drawn = name.strip_suffix(SUFFIX).unwrap_or(name);
        if drawn.len() == 6 && drawn.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let _ = remove_one(folder, &entry.path(), drawn.len() < name.len());
        }
    }
}

/// Does nothing: without locks, leftovers cannot be distinguished from files in use.
#[cfg(not(unix))]
pub fn remove_left(_: &Path) {}

#[cfg(unix)]
fn remove_one(folder: &Path, path: &Path, is_file: bool) -> IoResult<()> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = std::fs::OpenOptions::new();
    // Network filesystems lock only files that are open for writing.
    options.read(true).write(is_file).custom_flags(flags.bits().cast_signed());
    let file = options.open(path)?;
    let found = file.metadata()?;
    let me = rustix::process::geteuid().as_raw();
    // Root also cleans up for services: files that it creates in a service's home belong to the
    // service.
    let is_ours = found.uid() == me || (me == 0 && found.uid() == std::fs::metadata(folder)?.uid());
    let is_kind = match is_file {
        true => found.is_file() && found.nlink() == 1,
        false => found.is_dir() && is_draft(path),
    };
    if !is_ours || !is_kind || file.try_lock().is_err() {
        return Ok(());
    }
    // Another process may have replaced the file before it was locked here.
    let now = std::fs::symlink_metadata(path)?;
    if (now.dev(), now.ino()) != (found.dev(), found.ino()) {
        return Ok(());
    }
    if is_file { std::fs::remove_file(path) } else { std::fs::remove_dir_all(path) }
}

/// True if a folder contains only files and folders that this program puts into a draft.
#[cfg(unix)]
fn is_draft(path: &Path) -> bool {
    const PARTS: [&str; 12] = [
        "keys",
        "delegations",
        "revocations",
        "trusts",
        "vendor.trust",
        "catalog.toml",
        "grant.toml",
        "ledger.db",
        "ledger.db-journal",
        "ledger.db-shm",
        "ledger.db-wal",
        "ledger.lock",
    ];
    let is_part = |name: &std::ffi::OsStr| {
        let name = name.to_str().unwrap_or_default();
        PARTS.contains(&name) || (name.starts_with(PREFIX) && name.ends_with(SUFFIX))
    };
    std::fs::read_dir(path).is_ok_and(|mut entries| {
        entries.all(|entry| entry.is_ok_and(|entry| is_part(&entry.file_name())))
    })
}
