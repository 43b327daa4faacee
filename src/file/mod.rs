//! Files: read under a cap, written whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use crate::display::shown;
use crate::error::{Error, Refusal, Result};

/// Reads a file of at most `cap` bytes; more is never read.
///
/// # Errors
/// `malformed` when it is longer; exit 2 when it cannot be read.
pub fn read(path: &Path, cap: usize) -> Result<Vec<u8>> {
    read_open(File::open(path).map_err(|error| unreadable(path, &error))?, path, cap)
}

/// As [`read`], for a file that says what is to be run: nobody but root and the user of this process
/// may have written it, where systems tell.
///
/// # Errors
/// As [`read`]; exit 2 when others may write it.
#[cfg(feature = "alert")]
pub(crate) fn read_own(path: &Path, cap: usize) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let found = file.metadata().map_err(|error| unreadable(path, &error))?;
        let (name, me) = (name(path), rustix::process::geteuid().as_raw());
        if found.uid() != 0 && found.uid() != me {
            let fact =
                format!("{name}: it belongs to user {}, not to root or user {me}", found.uid());
            let hint =
                format!("run this as user {}, or look at the file and chown it", found.uid());
            return Err(Error::unable(fact, hint));
        }
        if found.mode() & 0o022 != 0 {
            let mode = found.mode() & 0o7777;
            let fact =
                format!("{name}: others may write it (mode {mode:04o}), and it says what is run");
            return Err(Error::unable(fact, format!("look at it, then run: chmod go-w {name}")));
        }
    }
    read_open(file, path, cap)
}

fn read_open(file: File, path: &Path, cap: usize) -> Result<Vec<u8>> {
    let cap_and_one = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    file.take(cap_and_one).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() > cap {
        let fact = format!("{}: longer than {cap} bytes", name(path));
        return Err(Error::refuse(Refusal::Malformed, fact).hint("check which file you meant"));
    }
    Ok(bytes)
}

/// As [`read`], where a missing file is nothing.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path, cap: usize) -> Result<Option<Vec<u8>>> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
        Ok(_) => read(path, cap).map(Some),
    }
}

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
/// writing leaves nothing behind and nothing old damaged.
///
/// # Errors
/// Exit 2.
pub fn write(path: &Path, bytes: &[u8], how: Writing) -> Result<()> {
    stage(path, bytes, how)?.commit()
}

/// A file that is written and synced and has not taken its place yet; dropped, it is gone.
pub(crate) struct Staged<'a> {
    file: tempfile::NamedTempFile,
    path: &'a Path,
    how: Writing,
}

/// The first half of [`write`].
///
/// # Errors
/// Exit 2.
pub(crate) fn stage<'a>(path: &'a Path, bytes: &[u8], how: Writing) -> Result<Staged<'a>> {
    let folder = folder_of(path)?;
    let failed = |error: &std::io::Error| unwritable(path, error);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".olr-").suffix(".tmp");
    #[cfg(unix)]
    if let Writing::New | Writing::Public = how {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.tempfile_in(folder).map_err(|error| failed(&error))?;
    file.write_all(bytes).map_err(|error| failed(&error))?;
    #[cfg(unix)]
    if how == Writing::Secret {
        take_owner_of(folder, file.as_file());
    }
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    Ok(Staged { file, path, how })
}

impl Staged<'_> {
    /// Where it stands until then.
    #[cfg(feature = "vendor")]
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The second half of [`write`].
    ///
    /// # Errors
    /// Exit 2.
    pub(crate) fn commit(self) -> Result<()> {
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
        None => Err(Error::unable(format!("{} is no file", name(path)), "name a file")),
    }
}

/// Opens a file for locking, made where there is none. A link is not followed: its owner could
/// have root make a file anywhere.
pub(crate) fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
        Ok(file) => {
            #[cfg(unix)]
            take_owner_of(path.parent().unwrap_or(path), &file);
            Ok(file)
        }
    }
}

/// Root may work in a home that belongs to a service: its files go on belonging to the service.
#[cfg(unix)]
pub(crate) fn take_owner_of(folder: &Path, file: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    if let (Ok(folder), Ok(own)) = (std::fs::metadata(folder), file.metadata())
        && (folder.uid(), folder.gid()) != (own.uid(), own.gid())
    {
        let _ = fchown(file, Some(folder.uid()), Some(folder.gid()));
    }
}

/// Best effort: some filesystems and systems cannot.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = OpenOptions::new().read(true).open(folder).and_then(|folder| folder.sync_all());
    }
}

/// Makes a folder and those above it.
///
/// # Errors
/// Exit 2.
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|error| unwritable(path, &error))
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
    shown(&path.to_string_lossy()).into_owned()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let (why, hint) = match error.kind() {
        ErrorKind::NotFound => ("there is no such file", "check the name"),
        ErrorKind::PermissionDenied => ("permission denied", "run as the owner of the file"),
        ErrorKind::IsADirectory => ("it is a folder", "name a file in it"),
        ErrorKind::NotADirectory => ("a part of the path is no folder", "check the path"),
        _ => ("it cannot be read", "check the disk"),
    };
    Error::unable(format!("{}: {why}", name(path)), hint)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let (why, hint) = match error.kind() {
        ErrorKind::AlreadyExists => ("it is there already", "choose another name"),
        ErrorKind::NotFound => ("there is no such folder", "make the folder first"),
        ErrorKind::PermissionDenied => ("permission denied", "choose a folder you may write to"),
        ErrorKind::ReadOnlyFilesystem => ("the filesystem is read-only", "choose another folder"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ("the disk is full", "make room"),
        ErrorKind::IsADirectory => ("it is a folder", "name a file in it"),
        ErrorKind::NotADirectory => ("a part of the path is no folder", "check the path"),
        _ => ("it cannot be written", "check the disk"),
    };
    Error::unable(format!("{}: {why}", name(path)), hint)
}
