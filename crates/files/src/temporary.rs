//! Temporary files and folders. Each is locked while a process works on it: what is not locked was
//! left by one that was killed, and is removed, because it may hold a secret.

use std::fs::File;
use std::io::{Result as IoResult, Write};
use std::path::Path;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::{Builder, NamedTempFile};

/// Their names: this, six letters and digits, and for files the suffix.
const PREFIX: &str = ".olr-";
const SUFFIX: &str = ".tmp";

/// So often one is made once more that another process removed before it was locked.
const TRIES: u32 = 10;

/// A new temporary file in `folder`, locked, for its owner alone or with the given mode.
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

/// Whether `length` bytes could be written in `folder` now: they are, and are gone.
pub fn could_write(folder: &Path, length: usize) -> bool {
    file(folder, None).and_then(|mut file| file.write_all(&vec![0; length])).is_ok()
}

/// A folder that takes its place when it is whole; dropped, it is gone.
pub struct Draft {
    folder: tempfile::TempDir,
    /// Locked while the draft is at work.
    _lock: Option<File>,
}

impl Draft {
    /// A new one in `parent`.
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

    /// Where it is until then.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts it in its place, where nothing or an empty folder is.
    pub fn commit(self, path: &Path) -> IoResult<()> {
        // Elsewhere than on Unix an empty folder is in the way.
        if cfg!(not(unix)) && path.is_dir() {
            std::fs::remove_dir(path)?;
        }
        std::fs::rename(self.folder.path(), path)?;
        // It is no temporary folder any more.
        let _ = self.folder.keep();
        path.parent().into_iter().for_each(crate::write::sync_folder);
        Ok(())
    }
}

/// A new folder for its owner alone, whatever the umask.
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

/// Whether a temporary file of this process could not be locked: then it removes none, lest it take
/// its own for one that was left.
#[cfg(unix)]
static LOCKLESS: AtomicBool = AtomicBool::new(false);

/// Locks a temporary file, and says whether it is still there. Where a filesystem has no locks,
/// nothing is removed either; who else holds the lock is about to remove it, or has no business there.
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

/// Locks keep readers out there: none is taken.
#[cfg(not(unix))]
fn is_held(_: &File) -> bool {
    true
}

/// Removes what a killed process left in `folder`: by the name, by the owner, and because nobody
/// holds its lock. Best effort.
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

/// Removes nothing: files left there cannot be told from those in use.
#[cfg(not(unix))]
pub fn remove_left(_: &Path) {}

#[cfg(unix)]
fn remove_one(folder: &Path, path: &Path, is_file: bool) -> IoResult<()> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = std::fs::OpenOptions::new();
    // Over a network a lock wants a file that is open for writing.
    options.read(true).write(is_file).custom_flags(flags.bits().cast_signed());
    let file = options.open(path)?;
    let found = file.metadata()?;
    let me = rustix::process::geteuid().as_raw();
    // Root works in the homes of services, and gives them what it makes there.
    let is_ours = found.uid() == me || (me == 0 && found.uid() == std::fs::metadata(folder)?.uid());
    let is_kind = match is_file {
        true => found.is_file() && found.nlink() == 1,
        false => found.is_dir() && is_draft(path),
    };
    if !is_ours || !is_kind || file.try_lock().is_err() {
        return Ok(());
    }
    let now = std::fs::symlink_metadata(path)?;
    if (now.dev(), now.ino()) != (found.dev(), found.ino()) {
        return Ok(());
    }
    if is_file { std::fs::remove_file(path) } else { std::fs::remove_dir_all(path) }
}

/// What a draft of this program has in it, and nothing else.
#[cfg(unix)]
fn is_draft(path: &Path) -> bool {
    const PARTS: [&str; 8] = [
        "keys",
        "delegations",
        "issued",
        "revocations",
        "trusts",
        "vendor.trust",
        "catalog.toml",
        "grant.toml",
    ];
    let is_part = |name: &std::ffi::OsStr| {
        let name = name.to_str().unwrap_or_default();
        PARTS.contains(&name) || (name.starts_with(PREFIX) && name.ends_with(SUFFIX))
    };
    std::fs::read_dir(path).is_ok_and(|mut entries| {
        entries.all(|entry| entry.is_ok_and(|entry| is_part(&entry.file_name())))
    })
}
