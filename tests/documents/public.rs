//! The public API and the linked crates change only on purpose. `cargo doc` and `cargo tree` make
//! the lists that are compared.
//!
//! `OLR_MINT=1 cargo test --test documents public -- --ignored` rewrites them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Maximum number of public items that a product's author should have to survey.
const MOST: usize = 35;

#[test]
#[ignore = "builds the documentation of two crates"]
fn what_is_public_is_what_is_listed() {
    for (package, features) in [("olr", "--no-default-features"), ("olr-core", "--all-features")] {
        let found = public(package, features);
        as_listed(package, &found);
        let bare: Vec<_> = found.iter().filter(|item| !has_example(package, item)).collect();
        assert!(package != "olr" || bare.is_empty(), "no example: {bare:?}");
        assert!(package != "olr" || (20..=MOST).contains(&found.len()), "{}", found.len());
    }
}

/// Compares with the list of that name. With `OLR_MINT`, writes the list first.
#[track_caller]
fn as_listed(name: &str, found: &BTreeSet<String>) {
    let list = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/documents/public")
        .join(format!("{name}.txt"));
    if std::env::var_os("OLR_MINT").is_some() {
        fs::write(&list, found.iter().map(|item| format!("{item}\n")).collect::<String>()).unwrap();
    }
    let listed = fs::read_to_string(&list).unwrap();
    let listed: BTreeSet<_> = listed.lines().map(str::to_string).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(found).collect();
    assert!(new.is_empty() && gone.is_empty(), "{name}: new {new:?}, gone {gone:?}");
}

fn documentation() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("doc")
}

/// Whether the documentation of an item has an example. Doctests compile the examples.
fn has_example(package: &str, item: &str) -> bool {
    let (kind, name) = item.split_once(' ').unwrap();
    let name = name.replace("::", "/");
    let (folder, name) = name.rsplit_once('/').unwrap_or(("", &name));
    let folder = documentation().join(package.replace('-', "_")).join(folder);
    fs::read_to_string(folder.join(format!("{kind}.{name}.html")))
        .unwrap()
        .contains("rust-example-rendered")
}

/// All items in the index of `package`, such as `struct Guard` or `fn wire::codec::decode`.
fn public(package: &str, features: &str) -> BTreeSet<String> {
    let status = Command::new(env!("CARGO"))
        .args(["doc", "--locked", "--quiet", "--lib", "--no-deps", "-p", package, features])
        .arg("--target-dir")
        .arg(documentation().parent().unwrap())
        .status()
        .unwrap();
    assert!(status.success());
    let index = documentation().join(package.replace('-', "_")).join("all.html");
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

/// The crates that `package` links, each listed once.
fn linked(package: &str, features: &[&str]) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--offline", "-e", "normal", "--prefix", "none", "-p", package]);
    let output = tree.args(["--format", "{lib}"]).args(features).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)").to_string()).collect()
}

#[test]
#[ignore = "runs cargo"]
fn a_product_links_little() {
    let product = linked("olr", &["--no-default-features"]);
    assert!((30..=60).contains(&product.len()), "{}: {product:?}", product.len());
    let core = linked("olr-core", &[]);
    as_listed("olr-core-links", &core);
    for unwanted in ["argon2", "serde", "toml", "clap", "olr_office"] {
        assert!(!product.contains(unwanted), "{unwanted}");
    }
    for unwanted in ["getrandom", "rustix", "serde", "tempfile", "olr_files"] {
        assert!(!core.contains(unwanted), "{unwanted}");
    }
}

#[test]
#[ignore = "runs cargo"]
fn packages_have_what_users_need() {
    for package in ["olr-core", "olr-files", "olr-office", "olr"] {
        let mut list = Command::new(env!("CARGO"));
        list.args(["package", "--locked", "--list", "--allow-dirty", "-p", package]);
        let output = list.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = String::from_utf8(output.stdout).unwrap();
        let is_cargos = |file: &&str| {
            file.starts_with("Cargo.")
                || file.starts_with(".cargo_vcs")
                || file.starts_with("LICENSE-")
        };
        let files: Vec<_> = files.lines().filter(|file| !is_cargos(file)).collect();
        let is_needed = |file: &&&str| {
            let of_olr = ["docs/", "examples/", "keys/snakeoil/vendor.trust", "README.md"];
            file.starts_with("src/")
                || package == "olr" && of_olr.iter().any(|of| file.starts_with(of))
        };
        let rest: Vec<_> = files.iter().filter(|file| !is_needed(file)).collect();
        assert!(files.len() > 5 && rest.is_empty(), "{package}: {rest:?}");
    }
}
