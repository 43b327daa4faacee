//! Runs the transcripts of the README, of `docs/ceremony.md` and of `docs/ledger.md`, each in an
//! empty folder from start to end.

#![cfg(all(feature = "cli", feature = "vendor", unix))]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A command and its output, with stdout and stderr interleaved as on a terminal.
struct Step {
    command: String,
    expected: String,
}

fn steps(readme: &str) -> Vec<Step> {
    let blocks = readme.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let mut steps: Vec<Step> = Vec::new();
    for line in lines {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push(Step { command: command.into(), expected: String::new() }),
            None => steps.last_mut().unwrap().expected += &format!("{line}\n"),
        }
    }
    steps
}

/// Runs all commands in one shell, so that `cd` and `export` persist. A mark ends each command's
/// output.
fn run(steps: &[Step], folder: &Path) -> Vec<String> {
    const MARK: &str = "\u{1}end of a step\u{1}";
    let bin = Path::new(env!("CARGO_BIN_EXE_olr")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.current_dir(folder).env("PATH", path).env("HOME", folder);
    shell.env_remove("OLR_HOME").env_remove("OLR_VENDOR");
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // The order of stderr and a pipe's stdout is not fixed, so print stderr first. Without a pipe,
    // the order is the program's own.
    let scratch = tempfile::tempdir().unwrap();
    let mut script = format!("exec 2>&1\nT={}\n", scratch.path().display());
    for Step { command, .. } in steps {
        script += &match command.contains(" | ") {
            true => format!(
                "{{ {command} ; }} </dev/null 2>\"$T/err\" >\"$T/out\"; cat \"$T/err\" \"$T/out\"\n"
            ),
            false => format!("{{ {command} ; }} </dev/null\n"),
        };
        script += &format!("printf '{MARK}'\n");
    }
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(MARK).map(str::to_string).collect()
}

/// Compares line by line; `[..]` matches any text, such as an id, a code, a date or a path.
fn fits(expected: &str, actual: &str) -> bool {
    let line_fits = |(expected, actual): (&str, &str)| match expected.split_once("[..]") {
        None => expected == actual,
        Some((before, after)) => actual.starts_with(before) && actual.ends_with(after),
    };
    expected.lines().count() == actual.lines().count()
        && expected.lines().zip(actual.lines()).all(line_fits)
}

fn expect_as_printed(page: &str, at_least: usize) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let steps = steps(&text);
    assert!(steps.len() >= at_least, "only {} commands found", steps.len());
    let folder = tempfile::tempdir().unwrap();
    let outputs = run(&steps, folder.path());
    for (step, output) in steps.iter().zip(&outputs) {
        assert!(
            fits(&step.expected, output),
            "$ {}\n--- {page} says\n{}--- it prints\n{output}",
            step.command,
            step.expected
        );
    }
    assert_eq!(outputs.len(), steps.len() + 1);
}

#[test]
fn every_transcript_runs_as_printed() {
    expect_as_printed("README.md", 20);
}

#[test]
fn the_ceremonies_run_from_first_to_last() {
    expect_as_printed("docs/ceremony.md", 70);
}

#[test]
fn a_day_with_the_ledger_runs_as_printed() {
    expect_as_printed("docs/ledger.md", 30);
}

#[test]
fn the_two_commands_stand_on_the_first_screen() {
    let readme = include_str!("../../README.md");
    let first_screen: Vec<_> = readme.lines().take(24).collect();
    assert!(first_screen.contains(&"cargo run --release -- demo"));
    assert!(first_screen.contains(&"cargo test"));
}
