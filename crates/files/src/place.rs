//! Kind of file at a path: a regular file, a pipe, a terminal, or something that must not be
//! overwritten.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Error as IoError, ErrorKind, Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Problem, Result};
use crate::name;
use crate::words::{Access, failed};

/// What exists at the path of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing.
    Free,
    /// A regular file, or a link to nothing. It is replaced.
    File,
    /// A regular file that a process has open, named by its descriptor, such as `/dev/stdout`. It
    /// is written to, not replaced.
    Open,
    /// A pipe, a terminal or a device such as `/dev/null`. It is written to, and cannot be
    /// replaced.
    Stream,
}

/// Determines what exists at `path`.
///
/// # Errors
/// Exit 2 for a folder, a block device or a socket: an output cannot be written there.
pub fn place(path: &Path) -> Result<Place> {
    let Ok(own) = std::fs::symlink_metadata(path) else { return Ok(Place::Free) };
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        // A dangling link is replaced.
        Err(_) => return Ok(Place::File),
    };
    if found.is_file() {
        return Ok(if own.is_symlink() && is_descriptor(path) { Place::Open } else { Place::File });
    }
    match Special::of(found.file_type()) {
        Some(Special::Pipe | Special::Device) => Ok(Place::Stream),
        Some(special) => Err(special.is_at(path)),
        None => Ok(Place::File),
    }
}

/// True if a link is one of the kernel's links to an open file, such as `/dev/stdout`. Replacing it
/// would break it for every program on the machine.
fn is_descriptor(path: &Path) -> bool {
    let of_kernel = |path: &Path| path.starts_with("/proc");
    let folder = path.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    std::fs::read_link(path).is_ok_and(|to| of_kernel(&to))
        || folder.is_some_and(|folder| of_kernel(&folder))
}

/// Kinds of files that are not regular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "elsewhere, only folders can be recognized"))]
enum Special {
    Folder,
    Pipe,
    /// A character device.
    Device,
    /// A block device.
    Disk,
    Socket,
}

impl Special {
    fn of(found: FileType) -> Option<Self> {
        if found.is_dir() {
            return Some(Self::Folder);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            let of = |is: bool, kind: Self| is.then_some(kind);
            of(found.is_fifo(), Self::Pipe)
                .or(of(found.is_char_device(), Self::Device))
                .or(of(found.is_block_device(), Self::Disk))
                .or(of(found.is_socket(), Self::Socket))
        }
        #[cfg(not(unix))]
        None
    }

    fn is_at(self, path: &Path) -> Error {
        let (what, hint) = match self {
            Self::Folder => ("it is a folder", "name a file in it"),
            Self::Pipe => ("it is a pipe", "put a regular file there"),
            Self::Device => ("it is a device", "name a file, or - for standard input or output"),
            Self::Disk => ("it is a disk", "name a file on it"),
            Self::Socket => ("it is a socket", "name a file"),
        };
        Error::unable(Problem::Io, format!("{}: {what}", name(path)), hint)
    }
}

/// What may be opened for reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Regular files only: for files that this program wrote.
    File,
    /// Regular files and pipes: for files that people name.
    Pipe,
}

/// Opens a file for reading, if `from` allows its kind. Checks first and opens without blocking, so
/// that a pipe without a writer, a terminal or a tape cannot make it hang.
pub(super) fn open(path: &Path, from: From) -> Result<File> {
    let fits = |found: &Metadata| match Special::of(found.file_type()) {
        None => Ok(()),
        Some(Special::Pipe) if from == From::Pipe => Ok(()),
        Some(special) => Err(special.is_at(path)),
    };
    let unreadable = |error: IoError| failed(Access::Read, path, &error);
    fits(&std::fs::metadata(path).map_err(unreadable)?)?;
    let file = nonblocking(OpenOptions::new().read(true)).open(path).map_err(unreadable)?;
    // Check again: it may have been replaced in the meantime.
    fits(&file.metadata().map_err(unreadable)?)?;
    Ok(file)
}

fn nonblocking(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    options
}

/// Number of pauses before the program at the other end of a pipe times out: 60 seconds in total.
const TRIES: u32 = 3000;
const PAUSE: Duration = Duration::from_millis(20);

/// Remaining time to wait for the other end of a pipe.
struct Patience(u32);

impl Patience {
    fn new() -> Self {
        Self(TRIES)
    }

    fn wait(&mut self) -> std::io::Result<()> {
        self.0 = self.0.checked_sub(1).ok_or(ErrorKind::TimedOut)?;
        sleep(PAUSE);
        Ok(())
    }
}

/// Reader that waits for the program at the other end of a pipe, with a timeout.
pub(super) struct Patient<'a>(pub &'a File);

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (mut file, mut patience) = (self.0, Patience::new());
        loop {
            match file.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => patience.wait()?,
                read => return read,
            }
        }
    }
}

/// Appends to whatever is at `path`, without truncating it.
pub(super) fn write_into(path: &Path, bytes: &[u8]) -> Result<()> {
    let unwritable = |error: IoError| failed(Access::Write, path, &error);
    let opened = nonblocking(OpenOptions::new().append(true)).open(path);
    let mut file = opened.map_err(unwritable)?;
    if let Some(special @ (Special::Folder | Special::Disk | Special::Socket)) =
        Special::of(file.metadata().map_err(unwritable)?.file_type())
    {
        return Err(special.is_at(path));
    }
    let (mut rest, mut patience) = (bytes, Patience::new());
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(unwritable(ErrorKind::WriteZero.into())),
            Ok(count) => {
                rest = rest.get(count..).unwrap_or_default();
                patience = Patience::new();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                patience.wait().map_err(unwritable)?;
            }
            Err(error) => return Err(unwritable(error)),
        }
    }
    Ok(())
}
