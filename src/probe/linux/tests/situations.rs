//! The situations in `fixtures/machine/`, and the exact factors found in each.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::made::{Made, lines, unreadable};

/// Minimum number of files, so that the test fails if its path is wrong.
const AT_LEAST: usize = 60;
const TREE: &str = "\n--- tree\n";
const FOUND: &str = "\n--- identity\n";
const MORE: &str = "\n--- with --privileged also\n";

/// With `OLR_MINT` set, this writes the factors into the files, for review.
#[test]
fn every_situation_gives_its_identity() {
    let mint = std::env::var_os("OLR_MINT").is_some();
    let (mut seen, mut faults) = (0, String::new());
    for path in situations() {
        let text = fs::read_to_string(&path).unwrap();
        let (head, rest) = text.split_once(TREE).unwrap_or_else(|| panic!("{}", path.display()));
        let (tree, _) = rest.split_once(FOUND).unwrap_or((rest.trim_end(), ""));
        for key in ["source: ", "shows: "] {
            assert!(head.lines().any(|line| line.starts_with(key)), "{}: {key}", path.display());
        }
        let made = Made::new();
        Tree(&made).grow(tree);
        let now = format!("{head}{TREE}{tree}{FOUND}{}", identity(&made));
        if mint {
            fs::write(&path, now).unwrap();
        } else if now != text {
            let found = now.split_once(FOUND).unwrap().1;
            write!(faults, "\n{} gives\n{found}", path.display()).unwrap();
        }
        seen += 1;
    }
    assert!(faults.is_empty(), "{faults}");
    assert!(seen >= AT_LEAST, "only {seen} situations");
}

fn situations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/machine");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| !path.ends_with("README.md")).collect();
    files.sort();
    files
}

/// Lists what an ordinary user finds, and what root finds in addition.
fn identity(made: &Made) -> String {
    let (ordinary, root) = (made.read(false), made.read(true));
    let mut text = String::new();
    // A license that was requested as an ordinary user must match for root too.
    for factor in ordinary.factors.iter().filter(|factor| factor.counts()) {
        assert!(root.factors.contains(factor), "root does not find {factor:?}");
    }
    let known = lines(&ordinary);
    for line in known.iter().cloned().chain(unreadable(&ordinary)) {
        writeln!(text, "{line}").unwrap();
    }
    let more: Vec<_> = lines(&root).into_iter().filter(|line| !known.contains(line)).collect();
    if !more.is_empty() {
        writeln!(text, "{MORE}{}", more.join("\n")).unwrap();
    }
    text
}

/// Reader of the notation in `fixtures/README.md`, section "Machines".
struct Tree<'a>(&'a Made);

impl Tree<'_> {
    fn grow(&self, tree: &str) {
        // Open folders, each with the indentation of its line.
        let mut open: Vec<(usize, String)> = Vec::new();
        for line in tree.lines().filter(|line| !line.trim().is_empty()) {
            let depth = line.len() - line.trim_start().len();
            open.retain(|(at, _)| *at < depth);
            let above: String = open.iter().map(|(_, folder)| folder.as_str()).collect();
            let line = line.trim_start();
            if let Some((name, target)) = line.split_once(" -> ") {
                self.0.link(&format!("{above}{name}"), target);
            } else if let Some((name, content)) = line.split_once(" = ") {
                self.file(&format!("{above}{name}"), content);
            } else if let Some(name) = line.strip_suffix(" =") {
                self.file(&format!("{above}{name}"), "");
            } else {
                let (name, files) =
                    line.split_once("/ ").unwrap_or((line.trim_end_matches('/'), ""));
                self.folders(&above, name, files);
                open.push((depth, format!("{name}/")));
            }
        }
    }

    /// Creates a range of folders with the same files: `veth{0..299}/ type=1 address=...`.
    fn folders(&self, above: &str, name: &str, files: &str) {
        let names = match name.split_once('{').zip(name.split_once("}")) {
            Some(((front, rest), _)) => {
                let (first, last) = rest.trim_end_matches('}').split_once("..").unwrap();
                let range = first.parse::<u32>().unwrap()..=last.parse().unwrap();
                range.map(|number| format!("{front}{number}")).collect()
            }
            None => vec![name.to_string()],
        };
        for name in names {
            self.0.folder(&format!("{above}{name}"));
            for (file, content) in files.split_whitespace().map(|f| f.split_once('=').unwrap()) {
                self.file(&format!("{above}{name}/{file}"), content);
            }
        }
    }

    /// Creates a file. The name may end in a mode, ` 0400`; the content may contain `\n`, `\t`,
    /// `\0`.
    fn file(&self, path: &str, content: &str) {
        let (path, mode) = match path.rsplit_once(' ') {
            Some((path, mode)) => (path, u32::from_str_radix(mode, 8).unwrap()),
            None => (path, 0o444),
        };
        let content = content.replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0");
        self.0.file_of_mode(path, &content, mode);
    }
}
