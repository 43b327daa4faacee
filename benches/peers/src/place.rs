//! Where and when something was measured.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use olr_core::time::Instant;
use serde::Serialize;

/// Where and when.
#[derive(Serialize)]
pub struct Place {
    pub processor: String,
    pub date: String,
    /// The last commit that changed olr itself. Ends in `+` if its files were changed since.
    pub commit: String,
    pub compiler: String,
}

impl Place {
    /// Here and now.
    pub fn here() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        let git =
            |words: &[&str]| output("git", &[words, &["--", "../../crates", "../../src"]].concat());
        let commit = git(&["log", "-1", "--format=%h"]);
        let changed = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
        Self {
            processor: processor().unwrap_or_else(|| "unknown processor".to_string()),
            date: Instant::new(now.as_secs()).day().to_string(),
            commit: format!("{commit}{}", if changed { "+" } else { "" }),
            compiler: output("rustc", &["--version"]),
        }
    }
}

/// Name, family and model, and whether it has the instructions that curve25519-dalek uses.
fn processor() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let field = |name: &str| {
        let line = info.lines().find(|line| line.split(':').next().unwrap_or("").trim() == name)?;
        Some(line.split_once(':')?.1.trim().to_string())
    };
    let (name, family, model) = (field("model name")?, field("cpu family")?, field("model")?);
    let has = |flag: &str| field("flags").is_some_and(|all| all.split(' ').any(|is| is == flag));
    let vectors = match (has("avx512ifma"), has("avx2")) {
        (true, _) => ", AVX-512 IFMA",
        (false, true) => ", AVX2",
        (false, false) => "",
    };
    Some(format!("{name}, family {family}, model {model}{vectors}"))
}

/// What a program prints, without the end of the line.
fn output(program: &str, args: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_string()
}
