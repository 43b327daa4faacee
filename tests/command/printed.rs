//! The output of every verb: text in 80 columns, and the objects described in `docs/json.md`.
#![cfg(all(feature = "cli", feature = "vendor"))]

use olr::cli::Output;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use crate::matching::Desk;

const PAGE: &str = include_str!("../../docs/json.md");

/// The calls: a verb, or a form of it with its own section on the page; the machine; and the
/// command line. They are in the order in which an office and a server make them. A `!` marks a
/// call that may be refused.
const CALLS: &[(&str, &str, &str)] = &[
    ("olr vendor init", "server", "vendor init {}/another --name Other --no-passphrase --test"),
    ("olr vendor check-catalog", "server", "vendor check-catalog {}/vendor/catalog.toml"),
    ("olr machine", "server", "machine"),
    ("olr machine --against", "server", "machine --against {}/license.olr --home {}/home"),
    ("olr machine --against", "copy", "!machine --against {}/license.olr --home {}/home"),
    ("olr verify", "server", "verify --home {}/home"),
    ("olr verify", "copy", "!verify --home {}/home"),
    ("olr verify", "copy", "!verify {}/license.olr --home {}/home"),
    ("olr verify", "server", "!verify --home {}/nowhere"),
    ("olr report", "server", "report OBM=3 --home {}/home"),
    ("olr status", "server", "status --home {}/home"),
    ("olr status", "card-replaced", "status --home {}/home"),
    ("olr check", "server", "check OBM 2 --home {}/home"),
    ("olr check", "server", "!check OBM 200 --home {}/home"),
    ("olr simulate", "server", "simulate --until 2028-01-01 --home {}/home"),
    ("olr alert", "server", "alert --example"),
    ("olr alert", "card-replaced", "alert --dry-run --home {}/home"),
    ("olr request", "server", "request --dry-run --home {}/home"),
    ("olr request", "card-replaced", "request --renew --home {}/home -o {}/again.olr"),
    ("olr vendor compare", "server", "vendor compare {}/req.olr {}/again.olr --vendor {}/vendor"),
    (
        "olr vendor time-anchor",
        "server",
        "vendor time-anchor {}/again.olr --vendor {}/vendor -o {}/time.olr",
    ),
    (
        "olr issue",
        "server",
        "issue {}/again.olr --grant {}/vendor/grant.toml --vendor {}/vendor --dry-run",
    ),
    (
        "olr issue",
        "server",
        "issue {}/again.olr --grant {}/vendor/grant.toml --vendor {}/vendor -o {}/next.olr --yes",
    ),
    ("olr import", "card-replaced", "import {}/time.olr --home {}/home"),
    ("olr import", "card-replaced", "import {}/next.olr --home {}/home"),
    ("olr vendor issued", "server", "vendor issued --vendor {}/vendor"),
    ("olr party add", "server", "party add Partner --kind partner --prefix p- --vendor {}/vendor"),
    ("olr party list", "server", "party list --vendor {}/vendor"),
    (
        "olr buy",
        "server",
        "buy Partner --reference R1 --type oem --module OBM=50 --module ACB=20 --stock --vendor {}/vendor",
    ),
    (
        "olr buy",
        "server",
        "buy Partner --reference R2 --type oem --module OBM=5 --new-key Partner-key-1 \
         --licensee Partner --vendor {}/vendor",
    ),
    (
        "olr buy",
        "server",
        "buy ACME --maintenance AbCd-1234 --for 1y --reference R3 --vendor {}/vendor",
    ),
    ("olr stock", "server", "stock Partner --vendor {}/vendor"),
    (
        "olr withdraw",
        "server",
        "withdraw Partner --type oem --module OBM=10 --new-key Partner-key-2 --licensee Partner \
         --vendor {}/vendor",
    ),
    (
        "olr refund",
        "server",
        "refund --lot 1 --module OBM=1 --reason mistake --dry-run --vendor {}/vendor",
    ),
    ("olr move", "server", "move Partner-key-1 Partner-key-2 --module OBM=2 --vendor {}/vendor"),
    (
        "olr exchange",
        "server",
        "!exchange Partner-key-1 --give OBM=1 --take ACB --vendor {}/vendor",
    ),
    ("olr party show", "server", "party show Partner --vendor {}/vendor"),
    ("olr license list", "server", "license list --vendor {}/vendor"),
    ("olr license show", "server", "license show AbCd-1234 --vendor {}/vendor"),
    ("olr license show", "server", "license show Partner-key-1 --vendor {}/vendor"),
    ("olr license show", "server", "!license show nobody --vendor {}/vendor"),
    ("olr license show", "server", "license show AbCd-1234 -o {}/stored.olr --vendor {}/vendor"),
    ("olr license summary", "server", "license summary --vendor {}/vendor"),
    ("olr pool new", "server", "pool new Partner north --edition oem --vendor {}/vendor"),
    (
        "olr pool add",
        "server",
        "pool add Partner-key-1 --licensee Partner --yes --vendor {}/vendor",
    ),
    ("olr pool quota", "server", "pool quota Partner north --module OBM=2 --vendor {}/vendor"),
    (
        "olr pool key new",
        "server",
        "pool key new Partner north a --type pool --module OBM=2 --licensee C --vendor {}/vendor",
    ),
    ("olr pool key quota", "server", "pool key quota p-a --module OBM=1 --vendor {}/vendor"),
    ("olr pool show", "server", "pool show Partner --show-key --vendor {}/vendor"),
    ("olr pool key delete", "server", "pool key delete p-a --vendor {}/vendor"),
    ("olr ledger check", "server", "ledger check --vendor {}/vendor"),
    ("olr ledger day", "server", "ledger day --vendor {}/vendor"),
    ("olr ledger clock", "server", "ledger clock --yes --vendor {}/vendor"),
    ("olr ledger migrate", "server", "ledger migrate --vendor {}/vendor"),
    ("olr ledger backup", "server", "ledger backup {}/backup.db --vendor {}/vendor"),
    ("olr ledger restore", "server", "ledger restore {}/backup.db --yes --vendor {}/vendor"),
    ("olr inspect", "server", "inspect {}/req.olr"),
    ("olr inspect", "server", "inspect {}/again.olr --vendor {}/vendor"),
    ("olr inspect", "server", "inspect {}/again.olr --vendor {}/vendor --all"),
    ("olr inspect", "server", "inspect {}/license.olr --vendor {}/vendor"),
    ("olr inspect", "server", "inspect {}/time.olr --vendor {}/vendor"),
    ("olr inspect", "server", "inspect {}/vendor/vendor.trust"),
    ("olr explain", "server", "explain"),
    ("olr explain", "server", "explain wrong-machine"),
    ("olr explain", "server", "explain machines"),
    ("olr key list", "server", "key list --vendor {}/vendor"),
    ("olr key new", "server", "key new --role issuer -o {}/new.key --no-passphrase"),
    ("olr key show", "server", "key show {}/new.key"),
    ("olr inspect", "server", "inspect {}/new.key"),
    ("olr key passwd", "server", "key passwd {}/new.key --no-passphrase"),
    ("olr key export", "server", "key export {}/new.key --plain -o {}/new.pem"),
    (
        "olr key import",
        "server",
        "key import {}/new.pem --role issuer --no-passphrase -o {}/imported.key",
    ),
    ("olr key paper", "server", "key paper {}/new.key -o {}/page.txt"),
    ("olr key restore", "server", "key restore {}/page.txt --no-passphrase -o {}/restored.key"),
    ("olr key new", "server", "key new --role sealing -o {}/sealing.key --no-passphrase"),
    (
        "olr key propose",
        "server",
        "key propose --add-sealing {}/sealing.pub --vendor {}/vendor -o {}/proposal.olr",
    ),
    ("olr inspect", "server", "inspect {}/proposal.olr --vendor {}/vendor"),
    (
        "olr key sign",
        "server",
        "key sign {}/proposal.olr --key root --yes --vendor {}/vendor -o {}/signed.olr",
    ),
    ("olr key combine", "server", "key combine {}/signed.olr --vendor {}/vendor -o {}/next.trust"),
    (
        "olr key delegate",
        "server",
        "key delegate {}/new.pub --act license --yes --vendor {}/vendor -o {}/delegation.olr",
    ),
    ("olr inspect", "server", "inspect {}/delegation.olr --vendor {}/vendor"),
    ("olr vendor publish", "server", "vendor publish {}/delegation.olr --vendor {}/vendor"),
    ("olr vendor publish", "server", "vendor publish {}/next.trust --vendor {}/vendor"),
    ("olr import", "server", "import {}/next.trust --home {}/home"),
    ("olr deactivate", "server", "deactivate --home {}/home -o {}/receipt.olr --yes"),
    ("olr inspect", "server", "inspect {}/receipt.olr --vendor {}/vendor"),
    ("olr status", "server", "!status --home {}/home"),
    ("olr demo", "server", "demo"),
    ("olr completions", "server", "completions bash"),
    ("olr man", "server", "man {}/man"),
    (
        "olr key rotate issuer",
        "server",
        "key rotate issuer --no-passphrase --yes --vendor {}/vendor",
    ),
    (
        "olr key rotate sealing",
        "server",
        "key rotate sealing --no-passphrase --yes --vendor {}/vendor",
    ),
    ("olr key rotate root", "server", "key rotate root --no-passphrase --yes --vendor {}/vendor"),
];

/// A license type of pool keys.
pub const POOL_TYPE: &str = "\n[type.pool]\nmodel = \"pool\"\nedition = \"oem\"\noffline = false\n\
     reason = \"pool keys are renewed online\"\nterm = \"14 days\"\nrenewal = \"automatic\"\n";

/// Returns a desk with alert settings.
fn desk() -> Desk {
    let desk = Desk::new(false);
    let settings = "[command]\nprogram = \"/bin/true\"\n";
    std::fs::write(desk.0.path().join("home/alerts.toml"), settings).unwrap();
    let catalog = desk.0.path().join("vendor/catalog.toml");
    let text = std::fs::read_to_string(&catalog).unwrap();
    std::fs::write(&catalog, text + POOL_TYPE).unwrap();
    desk
}

/// Returns the output of each call.
pub fn printed() -> Vec<(&'static str, &'static str, Output)> {
    let desk = desk();
    let mut all = Vec::new();
    let mut make = |section: &'static str, machine: &str, call: &'static str| {
        let report =
            match (call.strip_prefix('!'), desk.ask(machine, 0, call.trim_start_matches('!'))) {
                (_, Ok(report)) => report,
                (Some(_), Err(error)) => Output::new("", error),
                (None, Err(error)) => panic!("{call}: {error}"),
            };
        all.push((section, call, report));
    };
    for (section, machine, call) in CALLS {
        make(section, machine, call);
    }
    // The license id is known only now.
    let issued = desk.done("server", "vendor issued --vendor {}/vendor");
    let id = issued.json["issued"][0]["license_id"].as_str().unwrap();
    let revoke =
        format!("revoke {id} --vendor {{}}/vendor -o {{}}/revoked.olr --reason test --yes");
    all.push(("olr revoke", "revoke", desk.done("server", &revoke)));
    let revoked = "inspect {}/revoked.olr --vendor {}/vendor";
    all.push(("olr inspect", revoked, desk.done("server", revoked)));
    // A grace period, after three days on other hardware.
    let desk = Desk::new(true);
    for (verb, call) in
        [("olr verify", "verify --home {}/home"), ("olr status", "status --home {}/home")]
    {
        all.push((verb, call, desk.ask("copy", 3, call).unwrap()));
    }
    all
}

#[test]
fn no_line_is_wider_than_80_columns() {
    let mut lines = 0;
    let desk = desk();
    // The text of these is for a program.
    let verbatim = ["olr completions", "olr alert"];
    for (section, machine, call) in CALLS.iter().filter(|(section, ..)| !verbatim.contains(section))
    {
        let text = desk.printed(machine, call.trim_start_matches('!'));
        for line in text.lines() {
            lines += 1;
            // A path or a command on its own line may be wider, because it would be useless if
            // broken.
            let words = line.trim().split(' ').count();
            assert!(line.chars().count() <= 80 || words == 1, "{section}: {line}\n\n{text}");
        }
    }
    assert!(lines > 400, "only {lines} lines");
}

/// Returns the fields of a section of the page, including those of sections that it refers to, and
/// whether each is always present.
fn documented(section: &str) -> BTreeMap<String, bool> {
    let heading = format!("\n## {section}\n");
    let (_, text) = PAGE.split_once(&heading).unwrap_or_else(|| panic!("no section {section}"));
    let text = text.split("\n## ").next().unwrap();
    let mut fields = BTreeMap::new();
    for row in text.lines().filter_map(|line| line.strip_prefix("| ")) {
        let (names, rest) = row.split_once(" | ").unwrap();
        // A field may be absent only if every row with this field says "only …".
        let always = !rest.contains("only ");
        if let Some(other) = names.strip_prefix("*").and_then(|name| name.strip_suffix("*")) {
            let others = documented(other);
            fields.extend(others.into_iter().map(|(name, there)| (name, there && always)));
        }
        for name in names.split('`').skip(1).step_by(2) {
            *fields.entry(name.to_string()).or_insert(always) |= always;
        }
    }
    fields
}

#[test]
fn every_object_has_the_fields_of_the_page() {
    let mut seen: BTreeMap<&str, Vec<Map<String, Value>>> = BTreeMap::new();
    for (section, _, report) in printed() {
        let Value::Object(object) = report.json else { panic!("{section}: no object") };
        seen.entry(section).or_default().push(object);
    }
    let mut faults = Vec::new();
    for (section, objects) in &seen {
        let documented = documented(&section_of(section).unwrap());
        let printed: BTreeSet<_> = objects.iter().flat_map(Map::keys).collect();
        for field in printed.iter().filter(|field| !documented.contains_key(field.as_str())) {
            faults.push(format!("{section}: {field} is not on the page"));
        }
        for (field, always) in &documented {
            // A refusal gives its reason instead.
            let done = objects.iter().filter(|object| !object.contains_key("fact"));
            let lacking = done.filter(|object| !object.contains_key(field)).count();
            if *always && lacking > 0 {
                faults.push(format!("{section}: {field} is missing {lacking} times"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(seen.len() >= 20, "only {} sections", seen.len());
}

/// Returns the section for a verb or a form of it. Several verbs may share a section.
fn section_of(verb: &str) -> Option<String> {
    // All forms of `olr key rotate` are one verb on the page.
    let short = verb.split(' ').take(3).collect::<Vec<_>>().join(" ");
    let (group, name) = short.rsplit_once(' ')?;
    // Verbs with the same output share a section.
    let also = |section: &&str| {
        section.starts_with(group)
            && section.lines().any(|l| l.starts_with("Also ") && l.contains(&format!("`{name}`")))
    };
    match PAGE.contains(&format!("\n## {short}\n")) {
        true => Some(short),
        false => PAGE.split("\n## ").find(also)?.lines().next().map(str::to_string),
    }
}

/// Collects the verbs below a command, such as `olr key new`, or the command itself.
pub fn verbs(command: &clap::Command, name: &str, into: &mut Vec<String>) {
    let shown: Vec<_> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    if shown.is_empty() {
        into.push(name.to_string());
    }
    for sub in shown {
        verbs(sub, &format!("{name} {}", sub.get_name()), into);
    }
}

#[test]
fn every_verb_is_on_the_page() {
    let mut all = Vec::new();
    verbs(&olr::cli::command(), "olr", &mut all);
    for verb in &all {
        assert!(section_of(verb).is_some(), "the page has no section for {verb}");
    }
    assert!(all.len() > 30, "only {} verbs", all.len());
}
