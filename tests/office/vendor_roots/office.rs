//! People of a vendor, each with a separate folder. They share only the files that they copy to
//! each other.

use olr_core::armor::dearmor;
use olr_core::key::Role;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Result of a run.
pub struct Run {
    pub status: i32,
    pub json: Value,
    pub stderr: String,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.status, self.json, self.stderr)
    }
}

impl Run {
    #[track_caller]
    pub fn refused(&self, word: &str, says: &str) {
        assert_eq!((self.status, self.json["refusal"].as_str()), (1, Some(word)), "{self:?}");
        self.says(says);
    }

    #[track_caller]
    pub fn unable(&self, says: &str) {
        assert_eq!((self.status, self.json["state"].as_str()), (2, Some("unknown")), "{self:?}");
        self.says(says);
    }

    #[track_caller]
    pub fn done(&self) -> &Value {
        assert_eq!(self.status, 0, "{self:?}");
        &self.json
    }

    #[track_caller]
    fn says(&self, says: &str) {
        let fact = self.json["fact"].as_str().unwrap();
        assert!(fact.contains(says), "{fact:?} should say {says:?}");
    }
}

/// A set of folders: the office, and one per person.
pub struct Town {
    folder: tempfile::TempDir,
    seeds: Mutex<BTreeMap<String, [u8; 32]>>,
}

impl Town {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), seeds: Mutex::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command line in the folder of `who`; `_` within a word stands for a space. A vendor's
    /// folder, if there is one, is called `vendor`.
    pub fn run(&self, who: &str, line: &str) -> Run {
        let place = self.path(who);
        fs::create_dir_all(&place).unwrap();
        let words = line.split_whitespace().map(|word| word.replace('_', " "));
        let mut command = crate::world::alone::alone(env!("CARGO_BIN_EXE_olr"));
        command.current_dir(&place).args(words).arg("--json");
        command.env_remove("OLR_VENDOR").env_remove("OLR_HOME");
        if place.join("vendor/vendor.trust").exists() {
            command.env("OLR_VENDOR", "vendor");
        }
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let json = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("not one JSON object: {stdout:?} {stderr}"));
        Run { status: output.status.code().expect("killed by a signal"), json, stderr }
    }

    /// Copies a file from one folder to another.
    #[track_caller]
    pub fn carry(&self, from: &str, to: &str) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(self.path(from), to).unwrap_or_else(|error| panic!("{from}: {error}"));
    }

    /// Creates a key in the folder of `who`: `NAME.key` and `NAME.pub`. Returns its id.
    pub fn key(&self, who: &str, role: Role, name: &str) -> String {
        for made in ["key", "pub"] {
            let _ = fs::remove_file(self.path(&format!("{who}/{name}.{made}")));
        }
        let made = self.run(who, &format!("key new --role {role} -o {name}.key --no-passphrase"));
        let id = made.done()["id"].as_str().unwrap().to_string();
        // A key file without a passphrase ends with the 32 bytes of the seed.
        let file = self.binary(&format!("{who}/{name}.key"));
        let seed = file.last_chunk().copied().unwrap();
        self.seeds.lock().unwrap().insert(name.to_string(), seed);
        id
    }

    /// Contents of a file in binary form.
    #[track_caller]
    pub fn binary(&self, name: &str) -> Vec<u8> {
        let file = fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        dearmor(None, &file).unwrap().into_owned()
    }

    /// Whether the folder contains the key `name` anywhere, in any encoding.
    pub fn holds(&self, who: &str, name: &str) -> bool {
        let seed = self.seeds.lock().unwrap()[name];
        files_below(&self.path(who)).iter().any(|file| {
            let bytes = fs::read(file).unwrap();
            let binary =
                dearmor(None, &bytes).map(|binary| binary.into_owned()).unwrap_or_default();
            [bytes, binary].iter().any(|bytes| contains(bytes, &seed))
        })
    }
}

/// Whether `bytes` contain `seed`: raw, in hexadecimal digits, or in base64 at any of its three
/// alignments.
fn contains(bytes: &[u8], seed: &[u8; 32]) -> bool {
    let hex = data_encoding::HEXLOWER.encode(seed).into_bytes();
    let mut forms = vec![seed.to_vec(), hex.to_ascii_uppercase(), hex];
    for before in 0..3 {
        let padded = [vec![0; before], seed.to_vec()].concat();
        let base64 = data_encoding::BASE64.encode(&padded).into_bytes();
        // Leave out the characters that share bits with the bytes before or after.
        forms.push(base64[(before * 8).div_ceil(6)..(padded.len() * 8) / 6].to_vec());
    }
    let plain: Vec<_> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    forms.iter().any(|form| {
        [bytes, &plain].iter().any(|bytes| bytes.windows(form.len()).any(|window| window == *form))
    })
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

#[test]
fn a_seed_is_found_in_every_form() {
    let seed: [u8; 32] = std::array::from_fn(|at| at as u8 * 7 + 3);
    let hex = data_encoding::HEXLOWER.encode(&seed);
    assert!(contains(&[b"ab", seed.as_slice(), b"cd"].concat(), &seed));
    assert!(contains(hex.as_bytes(), &seed) && contains(hex.to_uppercase().as_bytes(), &seed));
    for before in 0..4 {
        let bytes = [vec![7; before], seed.to_vec(), vec![9; 5]].concat();
        let base64 = data_encoding::BASE64.encode(&bytes);
        let (first, second) = base64.split_at(20);
        assert!(contains(format!("{first}\n{second}").as_bytes(), &seed), "{before}");
    }
    assert!(!contains(&[0; 200], &seed));
}
