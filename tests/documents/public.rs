//! What is public: nothing becomes so by accident. `cargo doc` makes the list.
//!
//! `OLR_MINT=1 cargo test --test documents public -- --ignored` writes it again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a product sees at one glance.
const MOST: usize = 35;

#[test]
#[ignore = "builds the documentation of two crates"]
fn what_is_public_is_what_is_listed() {
    for (package, features) in [("olr", "--no-default-features"), ("olr-core", "--all-features")] {
        let found = public(package, features);
        let list = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/documents/public")
            .join(format!("{package}.txt"));
        if std::env::var_os("OLR_MINT").is_some() {
            fs::write(&list, found.iter().map(|item| format!("{item}\n")).collect::<String>())
                .unwrap();
        }
        let listed = fs::read_to_string(&list).unwrap();
        let listed: BTreeSet<_> = listed.lines().map(str::to_string).collect();
        let new: Vec<_> = found.difference(&listed).collect();
        let gone: Vec<_> = listed.difference(&found).collect();
        assert!(new.is_empty() && gone.is_empty(), "{package}: new {new:?}, gone {gone:?}");
        assert!(package != "olr" || (20..=MOST).contains(&found.len()), "{}", found.len());
    }
}

/// Every item in the index of `package`: `struct Guard`, `fn wire::codec::decode`.
fn public(package: &str, features: &str) -> BTreeSet<String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public");
    let status = Command::new(env!("CARGO"))
        .args(["doc", "--locked", "--quiet", "--lib", "--no-deps", "-p", package, features])
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(status.success());
    let index = target.join("doc").join(package.replace('-', "_")).join("all.html");
    let index = fs::read_to_string(index).unwrap();
    let links = index.split("<a href=\"").skip(1);
    let items = links.filter_map(|link| {
        let (address, rest) = link.split_once("\">")?;
        let (name, _) = rest.split_once("</a>")?;
        let kind = address.rsplit('/').next()?.split_once('.')?.0;
        let is_item = address.ends_with(".html") && !address.starts_with("..") && kind != "index";
        is_item.then(|| format!("{kind} {name}"))
    });
    items.collect()
}
