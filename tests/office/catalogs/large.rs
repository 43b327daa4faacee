//! A catalog and a grant with as many modules as a license may contain.

use olr_office::catalog::{CATALOG_CAP, Catalog, TOML_TOKENS_CAP};
use olr_office::issue::GrantFile;
use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::catalogs::{Desk, SNAKEOIL};

/// Maximum number of modules in a license.
const MODULES: usize = 4096;

/// The test vendor's catalog with `MODULES` generated modules, and a grant of all of them.
fn texts(module: impl Fn(usize) -> String, keys: &str) -> (String, String) {
    let is_own = |line: &&str| line.starts_with("[module.");
    let kept = SNAKEOIL.lines().filter(|line| !line.starts_with("modules = "));
    let mut catalog = String::new();
    let mut skips = false;
    for line in kept {
        if line.starts_with('[') {
            skips = is_own(&line);
        }
        if !skips {
            catalog += &format!("{line}\n").replace("hostname = 1", "hostname = 1\npin = 2");
        }
    }
    let mut grant = include_str!("../../../keys/snakeoil/grant.toml").to_string();
    grant.truncate(grant.find("[modules]").unwrap());
    grant += "[modules]\n";
    for n in 0..MODULES {
        let id = module(n);
        write!(catalog, "\n[module.{id}]\n{}\n", keys.replace("ID", id.trim_matches('"'))).unwrap();
        writeln!(grant, "{id} = {n}").unwrap();
    }
    (catalog, grant)
}

#[test]
fn a_license_of_as_many_modules_as_fit_is_issued_from_them() {
    let keys = "name = \"Module ID\"\nunit = \"device\"\ngroup = \"Clients\"\naccount_cap = 5\n";
    let (catalog, grant) = texts(|n| format!("M{n:04}"), keys);
    let desk = Desk::new(&catalog, "backup");
    let body = desk.draft(&GrantFile::parse(&grant).unwrap()).unwrap();
    assert_eq!(body.grants.len(), MODULES);
    // A catalog with one more module than fits into a license is refused.
    let one_more = format!("{catalog}\n[module.one-more]\nname = \"x\"\nunit = \"y\"\n");
    let error = Catalog::parse(&one_more).unwrap_err();
    assert!(error.fact().contains("4097 modules, but a catalog can have at most 4096"), "{error}");
    // An unknown module is reported by name and line.
    let wrong = grant.replace("M4095 = ", "M4096 = ");
    let error = desk.draft(&GrantFile::parse(&wrong).unwrap()).unwrap_err();
    assert!(error.fact().contains("the catalog has no module \"M4096\""), "{error}");
    assert!(error.fact().contains(&format!("line {}", wrong.lines().count())), "{error}");
    let more = format!("{grant}M0000b = 1\n");
    assert!(desk.draft(&GrantFile::parse(&more).unwrap()).is_err());
}

#[test]
fn long_names_and_all_keys_are_read_in_bounded_time() {
    let long = "x".repeat(240);
    let id = |n: usize| format!("\"{n:04} {}\"", "y".repeat(200));
    let keys = format!(
        "name = \"{long}, [all] of it\"\nunit = \"{long}\"\ngroup = \"{long}\"\n\
         account_cap = 5\nadmin_cap = 5\nminimum_version = \"10.1.2.3\"\nincludes = [\"a\", \"b\", \"c\"]\n\
         # a comment, with = and [ in it\n"
    );
    let (catalog, grant) = texts(id, &keys);
    assert!(catalog.len() > 4_000_000 && catalog.len() < CATALOG_CAP, "{}", catalog.len());
    let began = Instant::now();
    assert_eq!(Catalog::parse(&catalog).unwrap().modules.len(), MODULES);
    assert_eq!(GrantFile::parse(&grant).unwrap().modules.len(), MODULES);
    let late = catalog.replace("\n[module.\"4095", "\n[module.\"4095\u{202e}");
    let error = Catalog::parse(&late).unwrap_err();
    assert!(error.fact().contains("invisible"), "{error}");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn what_is_larger_still_is_refused_before_it_is_parsed() {
    let began = Instant::now();
    for text in [
        "#".repeat(CATALOG_CAP + 1),
        "a=[".to_string() + &"1,".repeat(TOML_TOKENS_CAP / 2),
        "\n".repeat(TOML_TOKENS_CAP + 1),
        "x ".repeat(TOML_TOKENS_CAP),
    ] {
        for error in [Catalog::parse(&text).unwrap_err(), GrantFile::parse(&text).unwrap_err()] {
            assert_eq!(error.exit_status(), 2);
            assert!(error.fact().contains("more than"), "{error}");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
