//! What keeps a ledger in SQLite safe from outside: a filesystem of this machine, and one writer.

use std::fs::TryLockError;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::file::{self, Access, Lock};
use olr_core::error::{Error, Problem, Result};

/// Pause between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(5);

/// Takes the lock of the ledger at `path`. Waits for another process until `patience` is over.
pub(super) fn take(path: &Path, patience: Duration) -> Result<Lock> {
    let path = path.with_extension("lock");
    let failed = |error: std::io::Error| {
        let say = |why: &str| format!("the ledger cannot be locked: {why}");
        file::failed_saying(Access::Lock, &path, &error, say)
    };
    let lock = file::open_lock(&path).map_err(failed)?;
    let mut waited = Duration::ZERO;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Lock::held(lock)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if waited < patience => {
                sleep(PAUSE);
                waited = waited.saturating_add(PAUSE);
            }
            Err(TryLockError::WouldBlock) => {
                let fact = format!("{}: another process is using this ledger", file::name(&path));
                return Err(Error::unable(Problem::Locked, fact, "wait until it is done"));
            }
        }
    }
}

/// Checks that `folder` is on a filesystem of this machine. The write-ahead log of SQLite is shared
/// through memory, which two machines do not have in common.
pub(super) fn ensure_local(folder: &Path) -> Result<()> {
    if !is_network(folder) {
        return Ok(());
    }
    let fact = format!(
        "{}: this folder is on a network filesystem, where SQLite can lose changes",
        file::name(folder)
    );
    let hint = "move the ledger to a disk of this machine, or keep it in PostgreSQL";
    Err(Error::unable(Problem::Unsupported, fact, hint))
}

#[cfg(target_os = "linux")]
fn is_network(folder: &Path) -> bool {
    // Only the low 32 bits are the number; its type depends on the processor.
    let number = |found: rustix::fs::StatFs| u64::try_from(found.f_type).unwrap_or(0) & 0xffff_ffff;
    rustix::fs::statfs(folder).is_ok_and(|found| is_network_type(number(found)))
}

/// True for filesystems that several machines share, by the number that Linux gives them.
#[cfg(target_os = "linux")]
fn is_network_type(number: u64) -> bool {
    const NETWORK: [u64; 14] = [
        0x6969,      // NFS
        0x517b,      // SMB
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB 2
        0x564c,      // NCP
        0x7375_7245, // Coda
        0x5346_414f, // AFS
        0x6b41_4653, // kAFS
        0x0102_1997, // 9P
        0x00c3_6400, // Ceph
        0x0bd0_0bd0, // Lustre
        0x4750_4653, // GPFS
        0x0116_1970, // GFS2
        0x7461_636f, // OCFS2
    ];
    NETWORK.contains(&number)
}

#[cfg(target_vendor = "apple")]
fn is_network(folder: &Path) -> bool {
    const LOCAL: u32 = 0x1000; // MNT_LOCAL
    rustix::fs::statfs(folder).is_ok_and(|found| found.f_flags & LOCAL == 0)
}

/// A drive letter may hide a share; a path that names one does not.
#[cfg(windows)]
fn is_network(folder: &Path) -> bool {
    use std::path::{Component, Prefix};
    let full = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    matches!(
        full.components().next(),
        Some(Component::Prefix(prefix))
            if matches!(prefix.kind(), Prefix::UNC(..) | Prefix::VerbatimUNC(..))
    )
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple", windows)))]
fn is_network(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_waits_and_gives_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let first = take(&path, Duration::ZERO).unwrap();
        let error = take(&path, Duration::from_millis(20)).map(|_| ()).unwrap_err();
        assert_eq!(error.problem(), Some(Problem::Locked));
        let waits = std::thread::spawn(move || take(&path, Duration::from_secs(20)).map(|_| ()));
        sleep(Duration::from_millis(30));
        drop(first);
        waits.join().unwrap().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_filesystems_are_known_and_local_ones_are_not_refused() {
        assert!(is_network_type(0x6969) && is_network_type(0xff53_4d42));
        for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x2fc1_2fc1, 0x794c_7630] {
            assert!(!is_network_type(local), "{local:x}"); // ext4 XFS Btrfs tmpfs ZFS overlay
        }
        ensure_local(tempfile::tempdir().unwrap().path()).unwrap();
    }
}
