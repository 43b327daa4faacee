//! Runs the Python reader, and this library's `inspect`.

use data_encoding::BASE64;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::world::scenario::{Scenario, root};

/// The fixtures, from the folder of the Python reader.
const KIT: &str = "../../fixtures";

/// The Python reader: one line of JSON per question, one line per answer.
pub struct Other;

impl Other {
    /// Answers, in the order of the questions.
    pub fn answer(questions: Vec<Value>) -> Vec<Value> {
        let lines = Self::run(&["answer", "--kit", KIT], questions.iter().map(Value::to_string));
        assert_eq!(lines.len(), questions.len(), "an answer for each question");
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Requests that the Python reader sealed.
    pub fn seal(orders: Vec<Value>) -> Vec<Vec<u8>> {
        let sealed = Self::run(&["seal"], orders.iter().map(Value::to_string));
        assert_eq!(sealed.len(), orders.len(), "a request for each order");
        let bytes = |line: &String| {
            let sealed: Value = serde_json::from_str(line).unwrap();
            BASE64.decode(sealed["request"].as_str().unwrap().as_bytes()).unwrap()
        };
        sealed.iter().map(bytes).collect()
    }

    /// Lets the Python reader compare its answers with the index of the fixtures. Returns the lines
    /// that it prints.
    pub fn check() -> Vec<String> {
        Self::run(&["check", "--kit", KIT], std::iter::empty())
    }

    fn run(args: &[&str], lines: impl Iterator<Item = String>) -> Vec<String> {
        let lines: Vec<_> = lines.collect();
        let python = std::env::var("OLR_PYTHON").unwrap_or("python3".to_string());
        let mut child = Command::new(python)
            .args(["-m", "reader"])
            .args(args)
            .current_dir(root().join("tests/interop"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3: see tests/interop/run");
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            for line in lines {
                writeln!(stdin, "{line}").unwrap();
            }
        });
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let answers: Vec<String> = stdout.lines().map(|line| line.unwrap()).collect();
        writer.join().unwrap();
        assert!(child.wait().unwrap().success(), "{answers:#?}");
        answers
    }
}

/// The question of `scenario` about `file`, in the form that the Python reader expects.
pub fn question(scenario: &Scenario, file: &[u8]) -> Value {
    json!({
        "artefact": scenario.expect("artefact"),
        "question": crate::world::question::question(scenario),
        "file": BASE64.encode(file),
    })
}

/// A folder of the vendor of `keys/snakeoil`, without records of issued licenses.
static VENDOR: LazyLock<PathBuf> = LazyLock::new(|| {
    let vendor = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interop");
    for folder in ["keys", "delegations"] {
        std::fs::create_dir_all(vendor.join(folder)).unwrap();
    }
    for file in [
        "vendor.trust",
        "catalog.toml",
        "grant.toml",
        "keys/root.key",
        "keys/issuer.key",
        "keys/sealing.key",
        "delegations/issuer.olr",
    ] {
        std::fs::copy(root().join("keys/snakeoil").join(file), vendor.join(file)).unwrap();
    }
    olr_office::folder::Folder::at(&vendor).create_ledger().unwrap();
    vendor
});

/// The report of this library on `file`, as printed by `olr inspect`.
pub fn report(file: &[u8]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, file).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_olr"))
        .args(["inspect", "--json", "--vendor"])
        .args([&*VENDOR, &path])
        .arg("--home")
        .arg(folder.path())
        .output()
        .unwrap();
    comparable(serde_json::from_slice(&output.stdout).unwrap())
}

/// The report without texts whose wording is free.
pub fn comparable(mut report: Value) -> Value {
    if let Value::Object(report) = &mut report {
        for own in ["fact", "hint", "changes", "problem", "remedies"] {
            report.remove(own);
        }
        if report.get("proposes").is_some_and(|kind| kind != "license") {
            report.remove("content");
        }
    }
    report
}
