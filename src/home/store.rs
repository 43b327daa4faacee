//! The two copies of a state, read and written under a lock. Implements `docs/judgement.md`,
//! section "State".

use std::fs::TryLockError;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;
use zeroize::Zeroizing;

use crate::file::{self, Access, Lock, Writing};
use crate::home::Home;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::state::{STATE_CAP, STATE_FILE_CAP, State};
use olr_core::time::Instant;

/// The copies, in the order in which they are written.
const COPIES: [&str; 2] = ["state", "state.copy"];
/// Suffix of a copy that was set aside; the time in seconds follows it.
const ASIDE: &str = ".aside-";
/// Attempts to take the lock, and the pause between two of them: 5 seconds in total.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
/// The same while other threads wait: a tenth of a second in total.
const FEW_TRIES: u32 = 5;
const SHORT_PAUSE: Duration = Duration::from_millis(20);

/// How long to wait for another process that holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// As long as a person at a command line would wait.
    Long,
    /// As long as a program can wait while other threads need its answers.
    Short,
}

/// The newest valid state of the two copies.
pub(super) struct Copies {
    pub state: State,
    /// What is wrong with the other copy, in words.
    pub fault: Option<String>,
}

/// The digests at the ends of both copies. They show whether a state changed, without parsing it.
pub(crate) type Stamp = [Option<[u8; 32]>; 2];

/// One copy of the state.
enum Copy {
    Missing,
    Damaged(Error),
    Intact(Box<State>, Zeroizing<Vec<u8>>),
}

#[cfg(test)]
thread_local! {
    /// How often this thread has read a state.
    pub(crate) static READS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

impl Home {
    /// Paths of the two copies. The first is the one to show when only one path is wanted.
    pub fn state_files(&self) -> [PathBuf; 2] {
        COPIES.map(|name| self.folder().join(name))
    }

    /// Loads the state, or `None` before the first request. Of two intact copies the newer is used;
    /// if one is damaged or missing, the other is used.
    ///
    /// # Errors
    /// `damaged-state`; exit 2 if a file cannot be read, or if another version of olr wrote it.
    pub fn load(&self) -> Result<Option<State>> {
        Ok(self.copies()?.map(|copies| copies.state))
    }

    /// Removes leftover temporary files. If one copy is damaged, missing or older, rewrites it from
    /// the other one, and returns what was wrong.
    ///
    /// # Errors
    /// See [`Home::load`]. A copy that cannot be rewritten is reported in the returned text.
    pub fn repair(&self) -> Result<Option<String>> {
        // Leftover temporary files hold the secret too. They are removed even if the state cannot
        // be read.
        file::remove_left(self.folder());
        Ok(self.open()?.and_then(|mut session| session.mend()))
    }

    /// Returns the stamp of the state on disk.
    pub(crate) fn stamp(&self) -> Stamp {
        self.state_files().map(|file| digest(&file))
    }

    pub(super) fn copies(&self) -> Result<Option<Copies>> {
        #[cfg(test)]
        READS.with(|reads| reads.set(reads.get().saturating_add(1)));
        let [first, second] = self.state_files();
        let other = |path: &Path, what: &str| format!("{} {what}", file::name(path));
        let read = match read_copy(&first)? {
            Copy::Intact(state, bytes) if holds(&second, &bytes) => {
                return Ok(Some(Copies { state: *state, fault: None }));
            }
            copy => (copy, read_copy(&second)?),
        };
        let (state, fault) = match read {
            (Copy::Missing, Copy::Missing) => return Ok(None),
            (Copy::Damaged(error), Copy::Damaged(_) | Copy::Missing)
            | (Copy::Missing, Copy::Damaged(error)) => return Err(error),
            (Copy::Intact(state, _), Copy::Missing) => (state, Some(other(&second, "was missing"))),
            (Copy::Missing, Copy::Intact(state, _)) => (state, Some(other(&first, "was missing"))),
            (Copy::Intact(state, _), Copy::Damaged(_)) => {
                (state, Some(other(&second, "was damaged")))
            }
            (Copy::Damaged(_), Copy::Intact(state, _)) => {
                (state, Some(other(&first, "was damaged")))
            }
            (Copy::Intact(a, _), Copy::Intact(b, _)) => match newer(&a, &b) {
                Newer::First => (a, Some(other(&second, "was older"))),
                Newer::Second => (b, Some(other(&first, "was older"))),
                Newer::Neither(why) => {
                    let place = file::name(self.folder());
                    let fact = format!("{place}: the two copies of the state {why}");
                    return Err(Error::refuse(Refusal::DamagedState, fact).rule("state-7"));
                }
            },
        };
        Ok(Some(Copies { state: *state, fault }))
    }

    /// Replaces the state of the old installation with that of a new one. The old state is kept
    /// under other names; returns the first of them. An interruption at any step leaves one of the
    /// two installations whole: first both old copies get a second name, then one of them loses its
    /// first name, then the new state replaces the other.
    pub(super) fn begin_again(&self, state: &State, now: Instant) -> Result<Option<PathBuf>> {
        // A damaged or missing copy is repaired first, since the other one is about to be replaced.
        if let Ok(Some(Copies { state: old, fault: Some(_) })) = self.copies() {
            self.save(&old)?;
        }
        let [first, second] = self.state_files();
        let bytes = self.bytes_of(state)?;
        let staged = file::stage(&first, &bytes, Writing::Secret)?;
        let staged_copy = file::stage(&second, &bytes, Writing::Secret)?;
        self.forget_second_names();
        let mut aside = Vec::new();
        let placed = self.set_aside(now, &mut aside).and_then(|()| staged.commit());
        if let Err(error) = placed {
            put_back(&aside);
            return Err(error);
        }
        // If this fails, a later repair writes the second copy: the first one is whole.
        let _ = staged_copy.commit();
        Ok(aside.into_iter().map(|(_, new)| new).next())
    }

    /// Removes second names that an interrupted attempt gave to the copies still in use.
    fn forget_second_names(&self) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let known = |path: &Path| std::fs::symlink_metadata(path).map(|f| (f.dev(), f.ino()));
            let counts = self.state_files().map(|path| known(&path).ok());
            for path in self.aside_files() {
                if counts.contains(&known(&path).ok()) {
                    let _ = std::fs::remove_file(path);
                }
            }
        }
    }

    fn aside_files(&self) -> Vec<PathBuf> {
        let mut paths = file::list(self.folder()).unwrap_or_default();
        paths.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            COPIES.iter().any(|copy| name.starts_with(&format!("{copy}{ASIDE}")))
        });
        paths
    }

    /// Returns the states of earlier installations.
    pub(super) fn aside(&self) -> Vec<State> {
        let read = |path: &PathBuf| {
            let bytes = file::read_if_there(path, STATE_CAP).ok().flatten().map(Zeroizing::new)?;
            State::parse(&bytes).ok()
        };
        self.aside_files().iter().filter_map(read).collect()
    }

    /// Gives both copies a second name, then removes the first name of the second copy.
    fn set_aside(&self, now: Instant, aside: &mut Vec<(PathBuf, PathBuf)>) -> Result<()> {
        let [first, second] = self.state_files();
        for path in [&first, &second] {
            if file::is_there(path)? {
                aside.push((path.clone(), second_name(path, now)?));
            }
        }
        if !(file::is_there(&first)? && file::is_there(&second)?) {
            return Ok(());
        }
        std::fs::remove_file(&second).map_err(|error| file::failed(Access::Write, &second, &error))
    }

    /// Stores a state. Both copies are written to temporary files before the first of them is put
    /// in place.
    pub(super) fn save(&self, state: &State) -> Result<()> {
        let bytes = self.bytes_of(state)?;
        let [first, second] = self.state_files();
        let first = file::stage(&first, &bytes, Writing::Secret)?;
        let second = file::stage(&second, &bytes, Writing::Secret)?;
        first.commit()?;
        // If this fails, a later repair writes the second copy: until then the first one is used,
        // because it is newer.
        let _ = second.commit();
        Ok(())
    }

    fn bytes_of(&self, state: &State) -> Result<Zeroizing<Vec<u8>>> {
        let bytes = state.to_bytes();
        if bytes.len() > STATE_CAP {
            let fact = format!("{}: the state would be too large", file::name(self.folder()));
            return Err(Error::unable(
                Problem::TooLarge,
                fact,
                "use a separate home for other products",
            ));
        }
        Ok(bytes)
    }

    /// Fails if another process has created this home since it was found missing.
    pub(super) fn ensure_still_new(&self) -> Result<()> {
        if self.load()?.is_none() {
            return Ok(());
        }
        let fact =
            format!("{}: another process has just created this home", file::name(self.folder()));
        Err(Error::unable(Problem::Locked, fact, "run this again"))
    }

    /// Takes the lock, which keeps other processes out until it is dropped.
    pub(super) fn lock_for(&self, wait: Wait) -> Result<Lock> {
        let (tries, pause) = match wait {
            Wait::Long => (TRIES, PAUSE),
            Wait::Short => (FEW_TRIES, SHORT_PAUSE),
        };
        for _ in 0..tries {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            sleep(pause);
        }
        let fact = format!("{}: another process is using this home", file::name(self.folder()));
        Err(Error::unable(Problem::Locked, fact, "wait until it is done, then run this again"))
    }

    /// Takes the lock, or returns `None` if another process holds it.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>> {
        make_private(self.folder())?;
        let path = self.folder().join("lock");
        let failed = |error: std::io::Error| {
            let say = |why: &str| format!("the home cannot be locked: {why}");
            elsewhere(file::failed_saying(Access::Lock, &path, &error, say))
        };
        let lock = file::open_lock(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Lock::held(lock))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// Gives a copy of the state a second name; it also keeps its first one.
fn second_name(path: &Path, now: Instant) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // An interrupted attempt may be repeated within the same second.
    for turn in 1..100_u8 {
        let turn = if turn == 1 { String::new() } else { format!("-{turn}") };
        let aside = path.with_file_name(format!("{name}{ASIDE}{}{turn}", now.seconds));
        match std::fs::hard_link(path, &aside) {
            Ok(()) => return Ok(aside),
            Err(_) if file::is_there(&aside)? => {}
            // The filesystem has no hard links.
            Err(_) => match file::read_if_there(path, STATE_CAP)?.map(Zeroizing::new) {
                Some(bytes) => {
                    return file::write(&aside, &bytes, Writing::Secret).map(|()| aside);
                }
                None => break,
            },
        }
    }
    let fact = format!("{}: it cannot be set aside", file::name(path));
    let hint = format!("move the files named *{ASIDE}* out of the home, then run this again");
    Err(Error::unable(Problem::Io, fact, hint))
}

/// Undoes [`Home::set_aside`].
fn put_back(aside: &[(PathBuf, PathBuf)]) {
    for (path, aside) in aside {
        let _ = match file::is_there(path) {
            Ok(true) => std::fs::remove_file(aside),
            _ => std::fs::rename(aside, path),
        };
    }
}

/// Adds to the next step that another home can be named.
fn elsewhere(error: Error) -> Error {
    let text = format!("{}, or name another home", error.next_step());
    error.hint(NextStep::new(text, &[Remedy::NameHome]))
}

/// Returns whether a file holds exactly these bytes, and so need not be parsed and verified again.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let read = file::read_if_there(path, STATE_FILE_CAP).ok().flatten().map(Zeroizing::new);
    read.is_some_and(|read| *read == *bytes)
}

fn read_copy(path: &Path) -> Result<Copy> {
    let bytes = match file::read_if_there(path, STATE_FILE_CAP) {
        Ok(None) => return Ok(Copy::Missing),
        Ok(Some(bytes)) => Zeroizing::new(bytes),
        Err(error) if error.refusal().is_some() => {
            return Ok(Copy::Damaged(error.become_refusal(Refusal::DamagedState).rule("state-1")));
        }
        Err(error) => return Err(elsewhere(error)),
    };
    match State::parse(&bytes).map_err(|error| error.within(file::name(path))) {
        Ok(state) => Ok(Copy::Intact(Box::new(state), bytes)),
        Err(error) if error.refusal().is_some() => Ok(Copy::Damaged(error)),
        Err(error) => Err(error),
    }
}

enum Newer {
    First,
    Second,
    Neither(&'static str),
}

/// Reads the digest at the end of a state file.
fn digest(path: &Path) -> Option<[u8; 32]> {
    let (mut file, mut digest) = (file::open_own(path).ok()?, [0; 32]);
    file.seek(SeekFrom::End(-32)).ok()?;
    file.read_exact(&mut digest).ok()?;
    Some(digest)
}

/// Decides which of two intact copies that differ is newer.
fn newer(a: &State, b: &State) -> Newer {
    if a.install_key() != b.install_key() {
        return Newer::Neither("belong to different installations");
    }
    match a.memory().counter.cmp(&b.memory().counter) {
        std::cmp::Ordering::Greater => Newer::First,
        std::cmp::Ordering::Less => Newer::Second,
        std::cmp::Ordering::Equal => Newer::Neither("differ, but are equally new"),
    }
}

/// Creates the folder if it does not exist, accessible to its owner only.
fn make_private(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    file::make_private_folder(folder)
}
