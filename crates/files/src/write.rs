//! Writing: a temporary file beside its place, synced and renamed.

use std::fs::{File, OpenOptions};
use std::io::{Error as IoError, ErrorKind, Write};
use std::path::Path;

use crate::error::{Error, Problem, Result};
use crate::place::{Place, place, write_into};
use crate::words::{Access, failed};
use crate::{is_standard, name, temporary};

/// Who may read what is written, and what is done with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// A secret, 0600; a file that is there stays, and the writing fails.
    NewSecret,
    /// A secret, 0600; a file that is there is replaced.
    Secret,
    /// For everyone; a file that is there stays, and the writing fails.
    New,
    /// For everyone; a file that is there is replaced.
    Public,
}

/// Writes a temporary file in the same folder, syncs it, renames it, syncs the folder. A failed
/// writing leaves nothing behind and nothing old damaged. What is for everyone may also go into a
/// pipe, a terminal or a device such as `/dev/null`: that is written into, and stays what it is.
///
/// # Errors
/// Exit 2.
pub fn write(path: &Path, bytes: &[u8], how: Writing) -> Result<()> {
    if how == Writing::Public && is_standard(path, "stderr", 2) {
        // Opened once more, it would begin where the rest of what is said there begins.
        let written = std::io::stderr().write_all(bytes);
        return written.map_err(|error| unwritable(path, &error));
    }
    match (how, place(path)?) {
        (Writing::Public, Place::Stream | Place::Open) => write_into(path, bytes),
        _ => stage(path, bytes, how)?.commit(),
    }
}

/// A file that is written and synced and has not taken its place yet; dropped, it is gone.
pub struct Staged<'a> {
    file: tempfile::NamedTempFile,
    path: &'a Path,
    how: Writing,
}

/// The first half of [`write()`].
///
/// # Errors
/// Exit 2.
pub fn stage<'a>(path: &'a Path, bytes: &[u8], how: Writing) -> Result<Staged<'a>> {
    let folder = folder_of(path)?;
    if let (Writing::Secret | Writing::Public, Place::Stream | Place::Open) = (how, place(path)?) {
        let fact = format!("{}: it is no regular file", name(path));
        return Err(Error::unable(Problem::Io, fact, "move it away: a regular file belongs there"));
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
    /// Where it stands until then.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The second half of [`write`].
    ///
    /// # Errors
    /// Exit 2.
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
        None => {
            Err(Error::unable(Problem::Usage, format!("{} is no file", name(path)), "name a file"))
        }
    }
}

/// A file that this process has locked, until this is dropped. Closing the file would not do: a child
/// process that was just forked has it open too until it becomes another program, and would keep the
/// lock meanwhile.
pub struct Lock(File);

impl Lock {
    /// Takes over a file that is locked.
    pub fn held(file: File) -> Self {
        Self(file)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Opens a file for locking, made where there is none: whole, with its owner, so that who is killed
/// meanwhile leaves none that the owner cannot open. A link is not followed: its owner could have
/// root make a file anywhere. A pipe or a device is not waited for.
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
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error),
        // Its lock as a temporary file ends here.
        made => {
            drop(made);
            options.open(path)
        }
    }
}

/// Root may work in a home that belongs to a service: its files go on belonging to the service. Owner
/// and group are those of the file that is replaced, else those of the folder.
#[cfg(unix)]
fn take_owner(path: &Path, folder: &Path, file: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let replaced = std::fs::symlink_metadata(path).ok().filter(|replaced| replaced.is_file());
    let Some(like) = replaced.or_else(|| std::fs::metadata(folder).ok()) else { return };
    if file.metadata().is_ok_and(|own| (like.uid(), like.gid()) != (own.uid(), own.gid())) {
        let _ = fchown(file, Some(like.uid()), Some(like.gid()));
    }
}

/// Best effort: some filesystems and systems cannot.
pub(super) fn sync_folder(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) {
        let _ = OpenOptions::new().read(true).open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Makes a folder and those above it. Others than its owner may never write there, whatever the umask
/// says.
///
/// # Errors
/// Exit 2.
pub fn make_folder(path: &Path) -> Result<()> {
    folder_builder(0o755).create(path).map_err(|error| unwritable(path, &error))
}

/// Makes a folder for its owner alone, and those above it. One that is there stays as it is.
///
/// # Errors
/// Exit 2.
pub fn make_private_folder(path: &Path) -> Result<()> {
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above)?;
    }
    folder_builder(0o700).create(path).map_err(|error| unwritable(path, &error))
}

/// The mode is set when the folder is made: before, nobody else could have got in.
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
