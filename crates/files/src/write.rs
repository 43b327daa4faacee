//! Atomic writes: a temporary file in the same folder, synced and then renamed.

use std::fs::{File, OpenOptions};
use std::io::{Error as IoError, ErrorKind, Write};
use std::path::Path;

use crate::error::{Error, Problem, Result};
use crate::place::{Place, place, write_into};
use crate::words::{Access, failed};
use crate::{is_standard, name, temporary};

/// Permissions of a new file, and treatment of an existing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// Secret (mode 0600); fails if a file exists.
    NewSecret,
    /// Secret (mode 0600); replaces an existing file.
    Secret,
    /// Readable by everyone; fails if a file exists.
    New,
    /// Readable by everyone; replaces an existing file.
    Public,
}

/// Writes a temporary file in the same folder, syncs it, renames it, and syncs the folder. On
/// failure, an existing file is unchanged and no temporary file remains. With [`Writing::Public`],
/// `path` may also be a pipe, a terminal, a device such as `/dev/null`, or an open file named by
/// its descriptor: these are written to instead of replaced, and a failure may leave a part.
///
/// # Errors
/// Exit 2 when writing fails, or something exists that must not be replaced.
pub fn write(path: &Path, bytes: &[u8], how: Writing) -> Result<()> {
    if how == Writing::Public && is_standard(path, "stderr", 2) {
        // Reopening standard error would start at offset 0 and overwrite what was printed before.
        let written = std::io::stderr().write_all(bytes);
        return written.map_err(|error| unwritable(path, &error));
    }
    match (how, place(path)?) {
        (Writing::Public, Place::Stream | Place::Open) => write_into(path, bytes),
        _ => stage(path, bytes, how)?.commit(),
    }
}

/// A written and synced file that is not yet renamed to its path. Deleted on drop.
pub struct Staged<'a> {
    file: tempfile::NamedTempFile,
    path: &'a Path,
    how: Writing,
}

/// Writes and syncs the temporary file: the first half of [`write()`].
///
/// # Errors
/// Exit 2 when the file cannot be written, or what it would replace is not a regular file.
pub fn stage<'a>(path: &'a Path, bytes: &[u8], how: Writing) -> Result<Staged<'a>> {
    let folder = folder_of(path)?;
    if let (Writing::Secret | Writing::Public, Place::Stream | Place::Open) = (how, place(path)?) {
        let fact = format!("{}: it is not a regular file", name(path));
        return Err(Error::unable(
            Problem::Io,
            fact,
            "move it away: olr needs a regular file there",
        ));
    }
    let failed = |error: IoError| unwritable(path, &error);
    let mode = match how {
        Writing::New | Writing::Public => Some(0o644),
        Writing::NewSecret | Writing::Secret => None,
    };
    let mut file = temporary::file(folder, mode).map_err(failed)?;
    file.as_file_mut().write_all(bytes).map_err(failed)?;
    #[cfg(unix)]
    if how == Writing::Secret {
        take_owner(path, folder, file.as_file());
    }
    file.as_file().sync_all().map_err(failed)?;
    Ok(Staged { file, path, how })
}

impl Staged<'_> {
    /// Path of the temporary file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Renames the file to its path: the second half of [`write()`].
    ///
    /// # Errors
    /// Exit 2 when it cannot be renamed, or a file exists that must not be replaced.
    pub fn commit(self) -> Result<()> {
        let persisted = match self.how {
            Writing::NewSecret | Writing::New => self.file.persist_noclobber(self.path),
            Writing::Secret | Writing::Public => self.file.persist(self.path),
        };
        persisted.map_err(|error| unwritable(self.path, &error.error))?;
        sync_folder(folder_of(self.path)?);
        Ok(())
    }
}

fn folder_of(path: &Path) -> Result<&Path> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(folder) => Ok(folder),
        None => Err(Error::unable(
            Problem::Usage,
            format!("{} is not a file", name(path)),
            "name a file",
        )),
    }
}

/// A file lock, released on drop. Unlocks explicitly, because closing the file is not enough: a
/// child process that was just forked still has it open until it calls `exec`, and would hold the
/// lock.
pub struct Lock(File);

impl Lock {
    /// Wraps a file that is already locked.
    pub fn held(file: File) -> Self {
        Self(file)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Opens a file for locking, and creates it atomically and with its final owner if it is missing,
/// so that a killed process never leaves a lock file that the owner cannot open. Symbolic links are
/// not followed: otherwise, the owner of the folder could make root create a file anywhere. Never
/// blocks on a pipe or a device.
pub fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let made = temporary::file(folder, None)?;
    #[cfg(unix)]
    take_owner(path, folder, made.as_file());
    match made.persist_noclobber(path) {
        // It is still locked as a temporary file.
        Ok(made) => drop(Lock(made)),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    options.open(path)
}

/// Sets owner and group to those of the file being replaced, or else those of the folder. Root may
/// work in a home that belongs to a service, and its files must stay accessible to the service.
#[cfg(unix)]
fn take_owner(path: &Path, folder: &Path, file: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let replaced = std::fs::symlink_metadata(path).ok().filter(|replaced| replaced.is_file());
    let Some(like) = replaced.or_else(|| std::fs::metadata(folder).ok()) else { return };
    if file.metadata().is_ok_and(|own| (like.uid(), like.gid()) != (own.uid(), own.gid())) {
        let _ = fchown(file, Some(like.uid()), Some(like.gid()));
    }
}

/// Syncs a folder. Best effort: some systems and filesystems do not support it.
pub(super) fn sync_folder(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) {
        let _ = OpenOptions::new().read(true).open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Creates a folder and its missing parents. Only the owner can write to the new folders,
/// regardless of the umask.
///
/// # Errors
/// Exit 2 when it cannot be created.
pub fn make_folder(path: &Path) -> Result<()> {
    folder_builder(0o755).create(path).map_err(|error| unwritable(path, &error))
}

/// Creates a folder that only its owner can access, and its parents. An existing folder keeps its
/// permissions.
///
/// # Errors
/// Exit 2 when it cannot be created.
pub fn make_private_folder(path: &Path) -> Result<()> {
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above)?;
    }
    folder_builder(0o700).create(path).map_err(|error| unwritable(path, &error))
}

/// Sets the mode on creation, so that the folder never has wider permissions, not even at first.
#[cfg_attr(not(unix), allow(unused_variables))]
fn folder_builder(mode: u32) -> std::fs::DirBuilder {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    builder
}

fn unwritable(path: &Path, error: &IoError) -> Error {
    failed(Access::Write, path, error)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A child process has every file of its parent open until it calls `exec`, and so holds the
    /// locks on them.
    #[test]
    fn a_new_lock_is_free_while_other_programs_are_started() {
        let folder = tempfile::tempdir().unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::process::Command::new("true").status().unwrap();
                }
            });
            let held = (0..1000).filter(|number| {
                let lock = open_lock(&folder.path().join(format!("{number}.lock"))).unwrap();
                let held = lock.try_lock().is_err();
                drop(Lock::held(lock));
                held
            });
            let held = held.count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(held, 0);
        });
    }
}
