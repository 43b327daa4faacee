//! Files of a system below a root directory, each read up to a size limit. See `docs/format.md`,
//! section "Factors".

use std::cell::{OnceCell, RefCell};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use olr_core::machine::Reason;
use rustix::fs::OFlags;

/// Maximum number of bytes read from a file.
const FILE_CAP: u64 = 64 * 1024;
/// Mode bit that lets every user read.
const WORLD_READABLE: u32 = 0o004;

pub(super) struct Tree<'a> {
    root: &'a Path,
    /// True to read files that an ordinary user could not read.
    privileged: bool,
    /// Cached list of mounts, because several readers need it.
    mounts: OnceCell<String>,
    /// What was read from the last file. Most files fit into it as it is created.
    bytes: RefCell<Vec<u8>>,
}

pub(super) enum Content {
    Text(String),
    Missing,
    /// The file exists, but was not read for this reason.
    Unreadable(Reason),
}

impl<'a> Tree<'a> {
    pub(super) fn below(root: &'a Path, privileged: bool) -> Self {
        let bytes = RefCell::new(Vec::with_capacity(4096));
        Self { root, privileged, mounts: OnceCell::new(), bytes }
    }

    /// Returns the content of `/proc/self/mountinfo`.
    pub(super) fn mounts(&self) -> &str {
        self.mounts.get_or_init(|| self.text("proc/self/mountinfo"))
    }

    /// Reads a file, trimmed and without NUL.
    pub(super) fn read(&self, path: &str) -> Content {
        self.read_up_to(path, FILE_CAP)
    }

    fn read_up_to(&self, path: &str, cap: u64) -> Content {
        let path = self.path(path);
        let opened = open(&path);
        let found = match &opened {
            Ok(file) => file.metadata(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Content::Missing,
            Err(_) => fs::metadata(&path),
        };
        match found {
            Ok(metadata) if !metadata.is_file() => return Content::Missing,
            // Root could read it, but the product may run as another user later.
            Ok(metadata) if self.is_withheld(metadata.permissions().mode()) => {
                return Content::Unreadable(Reason::NeedsPrivileged);
            }
            Ok(_) => {}
            Err(error) => return absent(error.kind()),
        }
        let mut bytes = self.bytes.borrow_mut();
        bytes.clear();
        match opened.and_then(|file| file.take(cap).read_to_end(&mut bytes)) {
            Ok(_) => Content::Text(plain(&mut bytes)),
            Err(error) => absent(error.kind()),
        }
    }

    /// True if a file with this mode must not be read, because an ordinary user could not read it.
    fn is_withheld(&self, mode: u32) -> bool {
        !self.privileged && mode & WORLD_READABLE == 0
    }

    /// Reads a file, trimmed; empty if it is missing or unreadable.
    pub(super) fn text(&self, path: &str) -> String {
        self.text_up_to(path, FILE_CAP)
    }

    /// Like [`Tree::text`], for a file that may be longer.
    pub(super) fn text_up_to(&self, path: &str, cap: u64) -> String {
        match self.read_up_to(path, cap) {
            Content::Text(text) => text,
            Content::Missing | Content::Unreadable(_) => String::new(),
        }
    }

    /// Returns the first line of a file, unless it is empty.
    pub(super) fn line(&self, path: &str) -> Option<String> {
        let text = self.text(path);
        text.lines().next().filter(|line| !line.is_empty()).map(str::to_string)
    }

    /// Returns whether the path exists, even as a dangling link.
    pub(super) fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path(path)).is_ok()
    }

    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }

    /// Returns the target of a link, whether or not it exists.
    pub(super) fn link_text(&self, link: &str) -> Option<String> {
        fs::read_link(self.path(link)).ok()?.to_str().map(str::to_string)
    }

    /// Returns the last component of a link's target.
    pub(super) fn target(&self, link: &str) -> Option<String> {
        self.link_text(link)?.rsplit('/').next().map(str::to_string)
    }

    /// Returns the mount in effect at `place`: the last one hides those before it.
    pub(super) fn mount(&self, place: &str) -> Option<String> {
        let at_place = |line: &&str| line.split(' ').nth(4) == Some(place);
        self.mounts().lines().rfind(at_place).map(str::to_string)
    }

    /// Returns the filesystem type mounted at `place`.
    pub(super) fn mounted(&self, place: &str) -> Option<String> {
        let mount = self.mount(place)?;
        mount.split_once(" - ")?.1.split(' ').next().map(str::to_string)
    }

    fn path(&self, path: &str) -> PathBuf {
        // An absolute path would escape the root.
        self.root.join(path.trim_start_matches('/'))
    }
}

/// Returns the text of a file, trimmed and without NUL.
fn plain(bytes: &mut Vec<u8>) -> String {
    if bytes.contains(&0) {
        bytes.retain(|byte| *byte != 0);
    }
    match str::from_utf8(bytes) {
        Ok(text) => text.trim().to_string(),
        Err(_) => String::from_utf8_lossy(bytes).trim().to_string(),
    }
}

/// Opens a file for reading. Returns at once even if it is a pipe.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn absent(kind: ErrorKind) -> Content {
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Content::Missing,
        ErrorKind::PermissionDenied => Content::Unreadable(Reason::NeedsRoot),
        _ => Content::Unreadable(Reason::Failed),
    }
}
