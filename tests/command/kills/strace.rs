//! System calls by which a program changes something outside itself, and faults injected into them.

use std::fmt;
use std::fs;
use std::process::{Command, Output};

/// A system call: the n-th of its name in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    name: String,
    number: usize,
    said: String,
}

/// Fault to inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Kill,
    Error(&'static str),
}

/// Calls that change something; `?` marks those that some systems lack.
const CHANGING: &str = "?open,openat,?creat,write,pwrite64,writev,fsync,fdatasync,ftruncate,\
    ?rename,?renameat,renameat2,?link,linkat,symlinkat,?unlink,unlinkat,?rmdir,?mkdir,mkdirat,\
    flock,?chmod,fchmod,fchmodat,?chown,fchown,fchownat";

impl Call {
    /// Returns whether the call renames, links or unlinks a file, or creates or removes a folder.
    pub fn moves(&self) -> bool {
        ["rename", "link", "mkdir", "rmdir"].iter().any(|part| self.name.contains(part))
    }

    /// Returns the errors that a system may return for this call.
    pub fn faults(&self) -> &'static [Fault] {
        use Fault::Error;
        match self.name.as_str() {
            "write" | "pwrite64" | "writev" => &[Error("ENOSPC"), Error("EIO"), Error("EDQUOT")],
            "fsync" | "fdatasync" | "ftruncate" => &[Error("EIO"), Error("ENOSPC")],
            "flock" => &[Error("ENOLCK"), Error("EOPNOTSUPP")],
            name if name.contains("open") || name == "creat" => {
                &[Error("ENOSPC"), Error("EROFS"), Error("EMFILE"), Error("EACCES")]
            }
            name if name.contains("ch") => &[Error("EPERM")],
            _ => &[Error("ENOSPC"), Error("EROFS"), Error("EIO")],
        }
    }
}

impl Fault {
    /// Returns the words that the verb must print for this fault.
    pub fn words(self) -> &'static str {
        match self {
            Self::Error("ENOSPC") => "the disk is full",
            Self::Error("EDQUOT") => "the disk quota",
            Self::Error("EROFS") => "the filesystem is read-only",
            Self::Error("ENOLCK" | "EOPNOTSUPP") => "no file locks",
            Self::Error("EACCES" | "EPERM") => "permission denied",
            _ => "olr: ",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.number, self.said)
    }
}

/// Returns whether strace is installed and allowed to trace. If it is not, prints a warning, or
/// panics if `demanded` is true, as in a long test.
pub fn is_here(demanded: bool) -> bool {
    let run = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let is_here = run.is_ok_and(|status| status.success());
    assert!(is_here || !demanded, "strace is not installed, or not allowed to trace");
    if !is_here {
        eprintln!("SKIPPED: strace is not installed, or not allowed to trace");
    }
    is_here
}

/// Runs a command, and returns the calls by which it changed something.
pub fn calls(command: impl FnOnce(&[String]) -> Command) -> (Output, Vec<Call>) {
    let trace = tempfile::NamedTempFile::new().unwrap();
    let path = trace.path().to_str().unwrap();
    let set = format!("trace={CHANGING}");
    let before = ["strace", "-qq", "-s", "40", "-o", path, "-e", &set].map(str::to_string);
    let output = command(&before).output().unwrap();
    let (mut calls, mut counted) = (Vec::new(), std::collections::BTreeMap::new());
    for line in fs::read_to_string(path).unwrap().lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let number = counted.entry(name.to_string()).or_insert(0);
        *number += 1;
        let reads = name.contains("open")
            && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag));
        if !reads {
            let said = rest.chars().take(90).collect();
            calls.push(Call { name: name.to_string(), number: *number, said });
        }
    }
    (output, calls)
}

/// Returns the start of a command line that injects this fault.
pub fn inject(call: &Call, fault: Fault) -> Vec<String> {
    let what = match fault {
        Fault::Kill => "signal=KILL".to_string(),
        Fault::Error(error) => format!("error={error}"),
    };
    let (name, number) = (&call.name, call.number);
    let inject = format!("inject={name}:{what}:when={number}");
    let trace = format!("trace={name}");
    ["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject].map(str::to_string).to_vec()
}
