//! Contradictions and unknown names: the error gives the line, the reason, and the correction.

use olr_core::error::{Error, Problem};
use olr_office::catalog::Catalog;
use olr_office::issue::GrantFile;

use super::{Desk, SELF_HOSTED};

/// Number of the line of `text` that contains `mark`.
fn line_of(text: &str, mark: &str) -> usize {
    let lines: Vec<_> = (1..).zip(text.lines()).filter(|(_, l)| l.contains(mark)).collect();
    assert_eq!(lines.len(), 1, "{mark}: {lines:?}");
    lines[0].0
}

#[track_caller]
fn expect(error: &Error, place: &str, fact: &str, hint: &str) {
    assert_eq!(error.refusal(), None, "{error}");
    assert_eq!(error.fact(), format!("{place}: {fact}"), "{error}");
    assert!(error.next_step().text().contains(hint), "{fact}: {}", error.next_step());
}

/// Each case: the old and new text of the catalog, with `@` before the wrong line; fact; hint.
#[test]
fn every_mistake_of_a_catalog_is_told_with_its_line() {
    let mistakes: &[(&str, &str, &str, &str)] = &[
        // Names.
        ("[module.UBS]", "[module.UBS]\n@usb = 1", "unknown key \"usb\"", "the keys are name, "),
        ("\"pt\", ", "\"de\", ", "languages: de appears twice", "list it only once"),
        (
            "[\"backup\", \"redirector\"]",
            "@[\"backup\", \"backup\"]",
            "product vault: slots: backup appears twice",
            "once",
        ),
        ("[\"backup\", \"redirector\"]", "@[]", "product vault: it has no slot", "slots = ["),
        (
            "[\"backup\", \"redirector\"]",
            "@[\"backup\", \"\"]",
            "product vault: slots: it is empty",
            "name",
        ),
        (
            "\"Appliance firmware\"",
            "@\"Ap\\u202Epliance\"",
            "module UBS: name: it contains an invisible character",
            "name",
        ),
        (
            "unit = \"mailbox\"",
            "@unit = \"MAILBOX\"",
            "module Exchange-Mailbox: unit: it is longer than 256 bytes",
            "short",
        ),
        ("id = \"vault\"", "@id = \" \"", "product: id: it is empty", "short"),
        (
            "[[product.release]]\nversion = \"6.29\"",
            "[[product]]\n@id = \"vault\"\nslots = [\"a\"]\n[[product.release]]\nversion = \"6.29\"",
            "product vault appears twice",
            "one [[product]]",
        ),
        // Releases.
        (
            "version = \"9.0\"",
            "@version = \"8.7.2\"",
            "product vault: release 8.7.2 appears twice",
            "once",
        ),
        (
            "version = \"9.0\"",
            "@version = \"7.7.0\"",
            "product vault: release 7.7.0 appears twice",
            "once",
        ),
        (
            "version = \"9.0\"",
            "@version = \"nine\"",
            "product vault: release nine: \"nine\" is not a version",
            "10.1",
        ),
        (
            "2022-04-20",
            "@2021-04-20",
            "product vault: release 9.0: 2021-04-20 is before the release above it",
            "oldest",
        ),
        (
            "2022-04-20",
            "@20 April",
            "product vault: release 9.0: \"20 April\" is not a day",
            "2027-11-23",
        ),
        // Modules.
        (
            "account_cap = 10",
            "@account_cap = 0",
            "module Mobile: account_cap: with 0, no account could use it",
            "leave",
        ),
        (
            "requires = [\"CBS\"]",
            "@requires = [\"CSB\"]",
            "module Redirection: requires: the catalog has no module \"CSB\"",
            "ACB, CBS, ",
        ),
        (
            "requires = [\"CBS\"]",
            "@requires = [\"Redirection\"]",
            "module Redirection: requires: it names itself",
            "another",
        ),
        (
            "requires = [\"CBS\"]",
            "@requires = [\"CBS\", \"CBS\"]",
            "module Redirection: requires: CBS appears twice",
            "once",
        ),
        (
            "requires = [\"CBS\"]",
            "@requires = [\"OBM\"]",
            "module Redirection: requires: no product and slot can have both Redirection and OBM",
            "one slot",
        ),
        (
            "extra = { CBS = \"replication server\" }",
            "@extra = { CSB = \"replication server\" }",
            "module Replication-ACB: extra: the catalog has no module \"CSB\"",
            "ACB, CBS, ",
        ),
        (
            "extra = { CBS = \"replication server\" }",
            "@extra = { Replication-ACB = \"x\" }",
            "module Replication-ACB: extra: it names itself",
            "another",
        ),
        (
            "extra = { CBS = \"replication server\" }",
            "@extra = { Redirection = \"x\" }",
            "module Replication-ACB: extra: no product and slot can have both Replication-ACB and Redirection",
            "one slot",
        ),
        (
            "extra = { CBS = \"replication server\" }",
            "@extra = { CBS = \" \" }",
            "module Replication-ACB: extra: it is empty",
            "short name",
        ),
        (
            "extra = { CBS = \"replication server\" }",
            "@extra = { CBS = 1 }",
            "a value of the wrong kind: a text in quotes is needed",
            "correct",
        ),
        (
            "extra = { CBS = \"replication server\" }",
            "@extra = { Mobile = \"x\" }",
            "module Replication-ACB: extra: Mobile is unlimited, so it needs no additional CAL",
            "move Mobile to `requires`",
        ),
        (
            "slots = [\"redirector\"]",
            "@slots = [\"attic\"]",
            "module Redirection: slots: the catalog has no \"attic\"",
            "backup, redirector",
        ),
        (
            "slots = [\"redirector\"]",
            "@slots = []",
            "module Redirection: slots: the list is empty",
            "to allow all",
        ),
        (
            "slots = [\"redirector\"]",
            "@product = \"voult\"",
            "module Redirection: the catalog has no product \"voult\"",
            "vault",
        ),
        (
            "slots = [\"redirector\"]",
            "@minimum_version = \"\"",
            "module Redirection: minimum_version: \"\" is not a version",
            "10.1",
        ),
        (
            "slots = [\"redirector\"]",
            "@pool = \"redirectors\"",
            "module Redirection: pool: no other module is in \"redirectors\"",
            "leave",
        ),
        (
            "slots = [\"redirector\"]",
            "@pool = \"NAS\"",
            "module Redirection: it shares pool \"NAS\" with NAS-QNAP, but its unit is device to redirect, and that of NAS-QNAP is OBM account that backs up a NAS",
            "leave `pool` out of both",
        ),
        (
            "includes = [\"File\", \"Windows system\"]",
            "@includes = [\"File\", \"File\"]",
            "module ACB: includes: File appears twice",
            "once",
        ),
        // Types.
        (
            "term = \"14 days\"\nrenewal",
            "@term = \"14 hours\"\nrenewal",
            "type pool-oem: term: \"14 hours\" is not a span of at least a day",
            "never",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@term = \"0 days\"\nrenewal",
            "type pool-oem: term: \"0 days\" is not a span of at least a day",
            "30 days",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@maintenance = \"soon\"\nterm = \"14 days\"\nrenewal",
            "type pool-oem: maintenance: \"soon\" is not a span of at least a day",
            "1 year",
        ),
        (
            "term = \"14 days\"\nrenewal = \"automatic\"",
            "term = \"14 days\"\n@renewal = \"by mail\"",
            "type pool-oem: renewal: \"by mail\" is not a valid value",
            "automatic, manual or none",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "term = \"never\"\n@renewal",
            "type pool-oem: renewal: a license with no end date is not renewed automatically",
            "term",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@policy = \"servers\"\nrenewal",
            "type pool-oem: the catalog has no policy \"servers\"",
            "server, vm",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@products = [\"attic\"]\nrenewal",
            "type pool-oem: products: the catalog has no \"attic\"",
            "vault",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@slots = [\"attic\"]\nrenewal",
            "type pool-oem: slots: the catalog has no \"attic\"",
            "backup, redirector",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@modules = [\"ABC\"]\nrenewal",
            "type pool-oem: modules: the catalog has no \"ABC\"",
            "and 5 more",
        ),
        (
            "minimum_version = \"7\" ",
            "@minimum_version = \"seven\" ",
            "type pool-oem: minimum_version: \"seven\" is not a version",
            "like",
        ),
        (
            "minimum_version = \"7\" ",
            "@minimum_version = \"\" ",
            "type pool-oem: minimum_version: \"\" is not a version",
            "numbers",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@modules = [\"Replication-ACB\"]\nrenewal",
            "type pool-oem: modules: Replication-ACB requires CBS, which this list does not allow",
            "add CBS",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@modules = [\"Redirection\"]\nrenewal",
            "type pool-oem: modules: Redirection requires CBS, which this list does not allow",
            "add CBS",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@always = [\"restoring\"]\nrenewal",
            "type pool-oem: always: the catalog has no operation \"restoring\"",
            "backup, connect, ",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@always = [\"run\"]\nrenewal",
            "type pool-oem: always: run cannot be in this list: a product that may always run needs no license",
            "warn",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@always = [\"backup\", \"backup\"]\nrenewal",
            "type pool-oem: always: backup appears twice",
            "once",
        ),
        (
            "offline = true",
            "offline = true\n@reason = \"why not\"",
            "type purchased-oem: reason: only a type that cannot be activated offline has one",
            "leave",
        ),
        (
            "model = \"purchased\"\nedition = \"oem\"",
            "@model = \"rented\"\nedition = \"oem\"",
            "type purchased-oem: there is no model \"rented\"",
            "meter",
        ),
        (
            "model = \"purchased\"\nedition = \"oem\"",
            "model = \"purchased\"\n@edition = \"gold\"",
            "type purchased-oem: there is no edition \"gold\"",
            "oem",
        ),
        // Rules for a cause.
        (
            "term = \"14 days\"\nrenewal",
            "@on.fire = { then = \"stop\" }\nrenewal",
            "type pool-oem: on fire: `on` does not accept this cause",
            "expired, over-quota, conflict, revoked, pooled, upgraded",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@on.expired = { then = \"end\" }\nrenewal",
            "type pool-oem: on expired: then: \"end\" is not a valid outcome",
            "stop, block or warn",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@on.expired = { then = \"block\" }\nrenewal",
            "type pool-oem: on expired: then: it blocks, but no operation is listed",
            "blocks = [",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@on.expired = { then = \"stop\", blocks = [\"backup\"] }\nrenewal",
            "type pool-oem: on expired: blocks: this list needs then = \"block\"",
            "leave",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@on.expired = { then = \"block\", blocks = [\"run\"] }\nrenewal",
            "type pool-oem: on expired: blocks: blocking run is the same as stopping the server",
            "leave",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@on.expired = { then = \"block\", blocks = [\"sing\"] }\nrenewal",
            "type pool-oem: on expired: blocks: the catalog has no operation \"sing\"",
            "upgrade",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@on.expired = { after = \"2 days\", then = \"warn\" }\nrenewal",
            "type pool-oem: on expired: after: a warning has no delay",
            "leave",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "@on.expired = { after = \"2 moons\", then = \"stop\" }\nrenewal",
            "type pool-oem: on expired: after: \"2 moons\" is not a span of hours or days",
            "12 hours",
        ),
        (
            "term = \"14 days\"\nrenewal",
            "always = [\"restore\"]\n@on.expired = { then = \"block\", blocks = [\"restore\"] }\nrenewal",
            "type pool-oem: on expired: it blocks restore, but `always` of the type says never to block it",
            "one of the two",
        ),
        (
            "renewal = \"none\"\non.expired",
            "@on.over-quota = { then = \"stop\" }\non.expired",
            "type evaluation-standard: on over-quota: in an evaluation, exceeding a quota can only warn",
            "warn",
        ),
        (
            "renewal = \"none\"\non.expired",
            "@on.upgraded = { then = \"block\", blocks = [\"backup\"] }\non.expired",
            "type evaluation-standard: on upgraded: in an evaluation, exceeding a quota can only warn",
            "warn",
        ),
        // Machine policies.
        (
            "share = 50\nminimum = 3",
            "@share = 0\nminimum = 3",
            "policy vm: share is a percentage from 1 to 100",
            "50",
        ),
        ("tpm = 2", "@tmp = 2", "policy vm: there is no factor \"tmp\"", "machine-id, "),
    ];
    for (old, new, fact, hint) in mistakes {
        let new = new.replace("MAILBOX", &"x".repeat(257));
        let new = new.as_str();
        // The old text may occur several times: for these keys of a type, replace the first
        // occurrence, otherwise the last one.
        let first =
            ["model = ", "term = ", "renewal = ", "offline"].iter().any(|s| old.starts_with(s));
        let at = if first { SELF_HOSTED.find(old) } else { SELF_HOSTED.rfind(old) };
        let at = at.unwrap_or_else(|| panic!("{old}"));
        let marked = if new.contains('@') { new.to_string() } else { format!("@{new}") };
        let text = [&SELF_HOSTED[..at], &marked, &SELF_HOSTED[at + old.len()..]].concat();
        let line = line_of(&text, "@");
        let error = Catalog::parse(&text.replace('@', "")).expect_err(fact);
        expect(&error, &format!("catalog line {line}"), fact, hint);
    }
    assert!(mistakes.len() > 50);
}

#[test]
fn an_unlimited_module_shares_no_pool_with_one_that_is_not() {
    let at =
        SELF_HOSTED.replacen("[module.NAS-QNAP]\n", "[module.NAS-QNAP]\nunlimited = true\n", 1);
    let error = Catalog::parse(&at).unwrap_err();
    assert!(error.fact().contains("only one of them is unlimited"), "{error}");
}

#[test]
fn lists_that_no_license_holds_are_refused() {
    let many: Vec<_> = (0..65).map(|n| format!("\"l{n}\"")).collect();
    let text =
        SELF_HOSTED.replacen("languages = [", &format!("languages = [{}, ", many.join(", ")), 1);
    let error = Catalog::parse(&text).unwrap_err();
    assert!(error.fact().contains("languages: 75 entries, but at most 64 are allowed"), "{error}");
    let error = Catalog::parse("product = []\ntype = {}\nmodule = {}\npolicy = {}").unwrap_err();
    expect(&error, "catalog line 1", "0 products, but a catalog must have 1 to 64", "[[product]]");
}

#[test]
fn modules_may_require_each_other() {
    let text = SELF_HOSTED.replacen("server = true", "server = true\nrequires = [\"UBS\"]", 1);
    let text = text.replacen("[module.UBS]", "[module.UBS]\nrequires = [\"CBS\"]", 1);
    Catalog::parse(&text).unwrap();
}

/// Each case: type, slot, lines, tables with `@` before the wrong line; fact; hint.
#[test]
fn every_mistake_of_a_grant_is_told_with_its_line() {
    let catalog = SELF_HOSTED
        .replacen("[type.purchased-standard]", "modules = [\"CBS\", \"OBM\", \"Mobile\", \"Redirection\", \"Replication-ACB\", \"Replication-OBM\"]\n[type.slotted]\nmodel = \"purchased\"\nedition = \"oem\"\noffline = true\nterm = \"never\"\nmaintenance = \"never\"\nslots = [\"redirector\"]\nalways = [\"restore\"]\n[type.trial]\nmodel = \"evaluation\"\nedition = \"oem\"\noffline = true\nmaintenance = \"never\"\n[type.purchased-standard]", 1);
    let desks = ["backup", "redirector"].map(|slot| Desk::new(&catalog, slot));
    let oem = "purchased-oem";
    let server = "[modules]\nCBS = 1\n";
    let mistakes: &[(&str, usize, &str, &str, &str, &str)] = &[
        (
            "@gold",
            0,
            "",
            server,
            "the catalog has no type \"gold\"",
            "evaluation-oem, evaluation-standard, ",
        ),
        ("slotted", 0, "", server, "type slotted is not for slot backup", "only for redirector"),
        (oem, 0, "@policy = \"vmm\"\n", server, "the catalog has no policy \"vmm\"", "server, vm"),
        (
            oem,
            0,
            "@languages = [\"en\", \"tlh\"]\n",
            server,
            "the catalog has no language \"tlh\"",
            "en, de, ",
        ),
        (oem, 0, "languages = [\n\"en\",\n@\"en\"]\n", server, "language en appears twice", "once"),
        ("@trial", 0, "", server, "expires is missing here and in the type", "a span"),
        (
            oem,
            0,
            "",
            "[modules]\nCBS = 1\n@CSB = 1\n",
            "the catalog has no module \"CSB\"",
            "ACB, CBS, ",
        ),
        (
            oem,
            0,
            "",
            "[modules]\n@ACB = 1\n",
            "type purchased-oem cannot grant module ACB",
            "CBS, OBM, Mobile",
        ),
        (
            "slotted",
            1,
            "",
            "[modules]\nCBS = 1\n@OBM = 1\n",
            "module OBM is not for slot redirector of vault",
            "CBS, Redirection, UBS",
        ),
        (
            oem,
            0,
            "",
            "[modules]\n@Mobile = 10\n",
            "module Mobile is free: its quota is always unlimited",
            "Mobile = \"unlimited\"",
        ),
        (
            oem,
            1,
            "",
            "[modules]\n@Redirection = 5\n",
            "module Redirection requires CBS, which is not granted",
            "grant CBS too, at least 1",
        ),
        (
            oem,
            1,
            "",
            "[modules]\nCBS = 0\n@Redirection = 5\n",
            "module Redirection requires CBS, which is not granted",
            "remove Redirection",
        ),
        (
            oem,
            0,
            "",
            "[modules]\nOBM = 5\n@Replication-OBM = 5\n",
            "module Replication-OBM requires CBS, which is not granted",
            "grant CBS too, at least 2",
        ),
        (
            oem,
            0,
            "",
            "[modules]\n@CBS = 1\nReplication-OBM = 5\n",
            "module CBS: 1 granted, but 2 are needed: one more for the replication server",
            "remove Replication-OBM",
        ),
        (
            oem,
            0,
            "",
            "[modules]\n@CBS = 1\nReplication-OBM = 5\nReplication-ACB = 1\n",
            "module CBS: 1 granted, but 2 are needed: one more for the replication server",
            "CBS = 2 or more",
        ),
        (
            oem,
            0,
            "",
            "[modules]\nOBM = 9\n[administrators]\n@OBM = 10\n",
            "administrators: 10 OBM, but only 9 are granted",
            "at most",
        ),
        (
            oem,
            0,
            "",
            "[modules]\nOBM = 9\n[administrators]\n@CBS = 1\n",
            "administrators: CBS is not granted",
            "OBM",
        ),
        (
            "slotted",
            1,
            "",
            "[modules]\nCBS = 1\n[on.expired]\nthen = \"block\"\n@blocks = [\"restore\"]\n",
            "on expired: it blocks restore, but `always` of the type says never to block it",
            "one of",
        ),
        (
            "trial",
            0,
            "expires = \"60 days\"\n",
            "[modules]\nCBS = 1\n[on.over-quota]\n@then = \"stop\"\n",
            "on over-quota: in an evaluation, exceeding a quota can only warn",
            "warn",
        ),
    ];
    for (kind, slot, lines, tables, fact, hint) in mistakes {
        let text = desks[*slot].text(kind, lines, tables);
        let line = text.lines().position(|line| line.contains('@')).unwrap_or(5) + 1;
        // An error about the slot points to the fourth line, where the slot is set.
        let line = if fact.contains("is not for slot backup") { 4 } else { line };
        let grant = GrantFile::parse(&text.replace('@', "")).unwrap();
        let error = desks[*slot].draft(&grant).expect_err(fact);
        let is_refused = error.refusal().is_some();
        assert!(is_refused || error.problem() == Some(Problem::Grant), "{error}");
        expect(&error, &format!("grant line {line}"), fact, hint);
    }
    // Mistakes that are detected without a catalog.
    for (tables, fact, hint) in [
        ("@OBM = \"some\"\n", "OBM: \"some\" is not a quantity", "unlimited"),
        (
            "[on.conflict]\n@after = \"1 year\"\nthen = \"stop\"\n",
            "on conflict: after: \"1 year\" is not a span of hours or days",
            "14 days",
        ),
        ("@[on.rain]\nthen = \"stop\"\n", "on rain: `on` does not accept this cause", "expired, "),
        (
            "[on.expired]\n@then = \"block\"\n",
            "on expired: then: it blocks, but no operation is listed",
            "blocks",
        ),
        (
            "[on.expired]\nthen = \"block\"\n@blocks = [\"Sing\"]\n",
            "on expired: blocks: \"Sing\" is not a valid operation name",
            "create-user",
        ),
        ("@[administrator]\nOBM = 1\n", "unknown key \"administrator\"", "administrators"),
    ] {
        let text = desks[0].text(oem, "", &format!("[modules]\n{tables}"));
        let line = line_of(&text, "@");
        let error = GrantFile::parse(&text.replace('@', "")).expect_err(fact);
        expect(&error, &format!("grant line {line}"), fact, hint);
    }
}

#[test]
#[cfg(feature = "cli")]
fn check_catalog_says_what_is_there_what_is_odd_and_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let olr = |args: &[&str]| {
        let mut olr = std::process::Command::new(env!("CARGO_BIN_EXE_olr"));
        let output = olr.current_dir(&folder).env_remove("OLR_VENDOR").args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        // Compare words only: the table may be wrapped to any width.
        let stdout = text(output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
        let stdout = if stdout.is_empty() { stdout } else { stdout + "\n" };
        (output.status.code().unwrap(), stdout, text(output.stderr))
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.toml", SELF_HOSTED);
    let counts = "1 product, 8 license types, 17 modules, 2 machine policies.";
    let said = olr(&["vendor", "check-catalog", "good.toml"]);
    assert_eq!(said, (0, format!("good.toml: {counts} No errors.\n"), String::new()));

    let odd = SELF_HOSTED.replacen("[policy.server]", "[policy.servers]", 1);
    let odd = odd.replacen("[policy.server.weights]", "[policy.servers.weights]", 1);
    let odd = odd.replacen("group = \"Clients\"\n", "", 1).replacen(
        "offline = true",
        "offline = false",
        1,
    );
    write("odd.toml", &odd);
    let (status, stdout, stderr) = olr(&["vendor", "check-catalog", "odd.toml"]);
    assert_eq!((status, stdout), (0, format!("odd.toml: {counts} No errors; 10 warnings.\n")));
    for warning in [
        "olr: warning: no type has `offline = true`, so no license can be issued",
        "olr: warning: type meter-oem: it has no machine policy, and no policy is called server, so each grant must name one",
        "olr: warning: module OBM: it is in no group, so it appears under no heading",
    ] {
        // Undo the wrapping to 80 columns.
        let unfolded = stderr.replace("\n     ", " ");
        assert!(unfolded.lines().any(|line| line == warning), "{stderr}");
    }
    let (_, json, _) = olr(&["vendor", "check-catalog", "odd.toml", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["modules"].as_u64(), json["products"].as_u64()), (Some(17), Some(1)));
    assert_eq!(json["warnings"].as_array().unwrap().len(), 10);

    let bad = SELF_HOSTED.replacen("account_cap = 10", "account_cap = 0", 1);
    write("bad.toml", &bad);
    let line = line_of(&bad, "account_cap = 0");
    let (status, stdout, stderr) = olr(&["vendor", "check-catalog", "bad.toml"]);
    assert_eq!((status, stdout), (2, String::new()));
    let fact =
        format!("olr: bad.toml: catalog line {line}: module Mobile: account_cap: with 0, no");
    assert!(stderr.starts_with(&fact), "{stderr}");

    // Without a file, the command checks the catalog in the vendor's folder, and compares it with
    // the published one.
    let init =
        ["vendor", "init", "vendor", "--name", "V", "--no-passphrase", "--catalog", "good.toml"];
    assert_eq!(olr(&init).0, 0);
    let own = ["vendor", "check-catalog", "--vendor", "vendor"];
    let said = olr(&own);
    assert_eq!(said, (0, format!("vendor/catalog.toml: {counts} No errors.\n"), String::new()));
    write(
        "vendor/catalog.toml",
        &SELF_HOSTED.replacen(
            "slots = [\"backup\", \"red",
            "slots = [\"edge\", \"backup\", \"red",
            1,
        ),
    );
    let (status, _, stderr) = olr(&own);
    let warning = "olr: warning: product vault: vendor.trust lacks it";
    assert!(status == 0 && stderr.starts_with(warning), "{stderr}");
    let (status, _, stderr) = olr(&["vendor", "check-catalog"]);
    assert_eq!(status, 2);
    assert!(stderr.contains("no vendor folder was named"), "{stderr}");
}
