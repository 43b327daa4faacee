//! Each fuzz target has a control: a patch that removes a check, after which the target must find a
//! fault. The patches must fit the current code: a control that no longer applies proves nothing.
//! `bash fuzz/control` runs them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_target_has_a_control_and_each_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str, ending: &str| -> BTreeSet<String> {
        let files =
            fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let files = files.map(|name| name.into_string().unwrap());
        files.filter_map(|name| name.strip_suffix(ending).map(str::to_string)).collect()
    };
    let controls = names("controls", ".patch");
    assert_eq!(controls, names("fuzz_targets", ".rs"));
    assert!(controls.len() > 20, "only {}", controls.len());
    for name in controls {
        let patch =
            fs::read_to_string(root.join("controls").join(format!("{name}.patch"))).unwrap();
        let mut hunks = 0;
        for (file, before) in hunks_of(&patch) {
            let text = fs::read_to_string(root.join("..").join(file)).unwrap();
            assert!(text.contains(&before), "{name}: {file} no longer contains\n{before}");
            hunks += 1;
        }
        assert!(hunks > 0, "{name}: the patch changes nothing");
    }
}

/// Each hunk of a patch: the file that it changes, and the lines that must be there.
fn hunks_of(patch: &str) -> Vec<(&str, String)> {
    let (mut hunks, mut file) = (Vec::<(&str, String)>::new(), "");
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("+++ b/") {
            file = path;
        } else if line.starts_with("@@ ") {
            hunks.push((file, String::new()));
        } else if let Some((_, before)) = hunks.last_mut().filter(|(of, _)| *of == file)
            && !line.starts_with("diff ")
            && !line.starts_with("--- ")
            && let Some(there) = line.strip_prefix([' ', '-'])
        {
            before.push_str(there);
            before.push('\n');
        }
    }
    hunks
}
