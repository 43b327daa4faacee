//! Source files of the published crates.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of these sources, relative to the root of the repository.
pub const FOLDERS: [&str; 4] = ["crates/core/src", "crates/files/src", "crates/office/src", "src"];

/// Returns every source file of `folder`, relative to the root of the repository, sorted.
pub fn sources(folder: &str) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![PathBuf::from(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in fs::read_dir(top.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => {
                    files.push(path);
                }
                false => {}
            }
        }
    }
    files.sort();
    files
}

/// Returns every source file of every published crate.
pub fn all_sources() -> Vec<PathBuf> {
    FOLDERS.into_iter().flat_map(sources).collect()
}
