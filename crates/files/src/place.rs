//! What is at a path: a file, a pipe, a terminal, or what no program should write over.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{Error as IoError, ErrorKind, Read, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Problem, Result};
use crate::name;
use crate::words::{Access, failed};

/// What an output meets at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing is there.
    Free,
    /// A regular file.
    File,
    /// A file that this process or another has open, named by its descriptor: it is written into.
    Open,
    /// A pipe, a terminal, `/dev/null`: it is written into, and nothing of it can be replaced.
    Stream,
}

/// What an output meets at `path`.
///
/// # Errors
/// Exit 2 where nothing can be written: a folder, a disk, a socket.
pub fn place(path: &Path) -> Result<Place> {
    let Ok(own) = std::fs::symlink_metadata(path) else { return Ok(Place::Free) };
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        // A link that leads nowhere is replaced.
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

/// Whether a link is one of the kernel's to an open file: renamed over, it would be gone for
/// every program of this machine.
fn is_descriptor(path: &Path) -> bool {
    let of_kernel = |path: &Path| path.starts_with("/proc");
    let folder = path.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    std::fs::read_link(path).is_ok_and(|to| of_kernel(&to))
        || folder.is_some_and(|folder| of_kernel(&folder))
}

/// What is no regular file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Regular files only: what this program wrote itself.
    File,
    /// And pipes: what people name.
    Pipe,
}

/// A file opened for reading that is what `from` allows. A pipe without a writer, a terminal and a
/// tape keep nobody waiting: they are looked at first, and opened without blocking.
pub(super) fn open(path: &Path, from: From) -> Result<File> {
    let fits = |found: &Metadata| match Special::of(found.file_type()) {
        None => Ok(()),
        Some(Special::Pipe) if from == From::Pipe => Ok(()),
        Some(special) => Err(special.is_at(path)),
    };
    let unreadable = |error: IoError| failed(Access::Read, path, &error);
    fits(&std::fs::metadata(path).map_err(unreadable)?)?;
    let file = nonblocking(OpenOptions::new().read(true)).open(path).map_err(unreadable)?;
    // It may have been replaced meanwhile.
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

/// The program at the other end of a pipe may be silent for so long: 60 seconds.
const TRIES: u32 = 3000;
const PAUSE: Duration = Duration::from_millis(20);

/// Waits, as long as it may be, while the other end of a pipe is slow.
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

/// A reader that waits for the program at the other end of a pipe, and not for ever.
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

/// Writes into what is at `path`, and truncates nothing.
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
