//! Issuers with limits. Ordinary sales still work, and what a limited issuer attempts through a
//! grant or the catalog alone is refused before anything is signed. `tests/judgement/limits` signs
//! the same attempts by hand.

use super::{MANAGED, SELF_HOSTED, Sale, World, by_file};

/// A sale of each license type.
fn sales() -> Vec<(&'static str, Sale<'static>)> {
    let hosted = "CBS = 2\nOBM = 10\nACB = 10\nMobile = \"unlimited\"\nVMware = 5\nHyper-V = 0\n\
        NAS-QNAP = 1\nReplication-OBM = 1";
    let mut sales = Vec::new();
    for kind in ["purchased", "meter", "evaluation"] {
        sales.extend([
            (SELF_HOSTED, Sale::of(both(kind)[0], hosted)),
            (SELF_HOSTED, Sale::of(both(kind)[1], hosted)),
        ]);
    }
    let mut redirector = Sale::of("purchased-oem", "CBS = 1\nRedirection = 3");
    redirector.slot = "redirector";
    sales.push((SELF_HOSTED, redirector));
    for kind in both("pool") {
        let lines = "maintenance = \"2026-12-24\"\n";
        sales.push((SELF_HOSTED, Sale { lines, ..Sale::of(kind, hosted) }));
    }
    for (kind, modules) in [
        ("trial", "Desktop = 1"),
        ("monthly", "Server = 1\nSupport = 1"),
        ("annual", "Desktop = 1"),
    ] {
        let slot = "computer";
        sales.push((MANAGED, Sale { slot, ..Sale::of(kind, modules) }));
    }
    sales
}

fn both(model: &str) -> [&'static str; 2] {
    match model {
        "purchased" => ["purchased-oem", "purchased-standard"],
        "meter" => ["meter-oem", "meter-standard"],
        "evaluation" => ["evaluation-oem", "evaluation-standard"],
        _ => ["pool-oem", "pool-standard"],
    }
}

#[test]
fn every_type_of_both_vendors_is_sold_under_the_limits_that_its_catalog_fills_in() {
    for (catalog, sale) in sales() {
        let world = World::new(&by_file(catalog));
        let delegated = world.delegate(&world.maxima("10"));
        world.activate("home", sale).done();
        world.verify().done();
        let key = delegated.json["published"]["issuer"].as_str().unwrap();
        let inspected =
            world.olr(&format!("inspect ./vendor/delegations/{key}.olr --vendor ./vendor"));
        let limits = &inspected.done()["limits"];
        assert_eq!(inspected.json["verified"], "yes");
        for limit in ["modules", "afterwards"] {
            assert_ne!(limits[limit], "any", "{}: {limit} {limits}", sale.kind);
        }
        assert!(limits["modules"].as_object().unwrap().values().any(|all| all == "unlimited"));
        // A delegation as narrow as the type itself: no other model, and no grace periods but its
        // own.
        world.delegate(&format!("--type {} {}", sale.kind, world.maxima("10")));
        world.renew(sale, "");
        world.verify().done();
    }
}

#[test]
fn what_is_filled_in_is_what_the_types_say_and_is_shown() {
    let world = World::new(&by_file(SELF_HOSTED));
    let limits = |flags: &str| {
        let said = world.delegate(flags);
        assert!(said.text.contains("allowed afterwards"), "{}", said.text);
        said.json["content"].clone()
    };
    let shown = limits("--max VMware=5 --max OBM=10 --max Redirection=3");
    let modules = shown["modules_at_most"].as_str().unwrap();
    for entry in ["Hyper-V:5", "OBM:10", "VMware:5", "SQL Server:unlimited", "Redirection:3"] {
        assert!(modules.split(", ").any(|known| known == entry), "{entry}: {modules}");
    }
    assert!(!modules.contains("CBS") && !modules.contains("ACB"), "{modules}");
    assert_eq!(shown["longest_grace"], "14 days");
    // After an evaluation the server still answers, but no client may do anything.
    let left = shown["allowed_afterwards"].as_str().unwrap();
    assert!(
        left.contains("run") && !left.contains("backup,") && !left.contains("restore"),
        "{left}"
    );
    assert_eq!(shown["weak_machines"], "no");
    assert_eq!(shown["start_ahead"], "any");
    let shown = limits("--type purchased-oem --max-term 30d");
    for (name, value) in [
        ("models", "purchased"),
        ("editions", "oem"),
        ("allowed_afterwards", "none"),
        ("longest_grace", "14 days"),
        ("start_ahead", "30 days"),
        ("longest_maintenance", "any"),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let shown = limits(
        "--model meter --model pool --edition standard --max-ahead 7d --max-maintenance 366_days \
         --max-grace 12h --afterwards restore --afterwards run --weak-machine yes",
    );
    for (name, value) in [
        ("models", "meter, pool"),
        ("editions", "standard"),
        ("start_ahead", "7 days"),
        ("longest_maintenance", "366 days"),
        ("longest_grace", "12 hours"),
        ("allowed_afterwards", "restore, run"),
        ("weak_machines", "yes"),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let shown = limits("--max-grace any --afterwards any");
    assert_eq!(
        (&shown["longest_grace"], &shown["allowed_afterwards"]),
        (&"any".into(), &"any".into())
    );
    for (flags, says) in [
        ("--model leased", "there is no model"),
        ("--edition gold", "there is no edition"),
        ("--max-ahead soon", "--max-ahead"),
        ("--max-maintenance 1_year", "--max-maintenance"),
        ("--max-grace 14", "--max-grace"),
        ("--max-grace 99999999999999999999d", "--max-grace"),
        ("--afterwards sleep", "the catalog has no operation \"sleep\""),
        ("--afterwards Run", "is not a valid operation name"),
        ("--afterwards any --afterwards run", "the catalog has no operation \"any\""),
        ("--weak-machine maybe", "--weak-machine"),
    ] {
        world.olr(&world.delegating(flags)).unable(says);
    }
}

#[test]
fn a_module_that_includes_one_that_is_counted_has_to_be_meant() {
    let catalog =
        SELF_HOSTED.replace("includes = [\"File\", \"Windows system\"]", "includes = [\"OBM\"]");
    let world = World::new(&catalog);
    world.olr(&world.delegating("--max ACB=5")).unable("module ACB includes any number of OBM");
    let modules = |flags: &str| {
        let said = world.delegate(flags);
        said.json["content"]["modules_at_most"].as_str().unwrap().to_string()
    };
    let any = modules("--max ACB=5 --max OBM=any");
    assert!(any.contains("ACB:5") && any.contains("OBM:unlimited"), "{any}");
    // Modules that an included module includes are delegated with it.
    assert!(any.contains("MySQL:unlimited"), "{any}");
    assert!(modules("--max ACB=5 --max OBM=3").contains("OBM:3"));
    // A maximum of 0 delegates no included modules.
    assert_eq!(modules("--max ACB=0"), "ACB:0");
}

#[test]
fn check_catalog_names_what_no_delegation_covers() {
    let world = World::new(&by_file(SELF_HOSTED));
    let missing = |flags: &str| -> Vec<String> {
        world.delegate(flags);
        let said = world.olr("vendor check-catalog --vendor ./vendor");
        let all = said.done()["warnings"].as_array().unwrap();
        all.iter().map(|warning| warning.as_str().unwrap().to_string()).collect()
    };
    assert_eq!(missing(&world.maxima("10")), Vec::<String>::new());
    let narrow = missing(&format!("--type purchased-oem --max-grace 1d {}", world.maxima("10")));
    assert_eq!(narrow.len(), 8, "{narrow:?}");
    assert!(
        narrow.iter().any(|w| w.contains("type meter-oem") && w.contains("is not among its types"))
    );
    assert!(
        narrow
            .iter()
            .any(|w| w.contains("type purchased-oem") && w.contains("longest grace period"))
    );
    let few = missing("--max OBM=5 --max CBS=1");
    assert!(few.iter().any(|w| w.contains("module ACB: no delegation covers it")), "{few:?}");
    assert!(!few.iter().any(|w| w.contains("module OBM")), "{few:?}");
}

/// A vendor whose issuer is limited to 10 OBM, 1000 ACB and 30 days.
fn limited(catalog: &str) -> World {
    let world = World::new(SELF_HOSTED);
    world.delegate(
        "--type purchased-oem --max OBM=10 --max ACB=1000 --max-term 30d --max-grace 14d",
    );
    // The issuer can change the catalog at will.
    std::fs::write(world.path("vendor/catalog.toml"), catalog).unwrap();
    world
}

#[track_caller]
fn tried(catalog: &str, lines: &str, more: &str, says: &str) {
    let world = limited(catalog);
    let modules = format!("OBM = 10\nACB = 1000\n{more}");
    let sale = Sale { lines, modules: &modules, ..Sale::of("purchased-oem", "") };
    world.request("home", sale, "").done();
    let said = world.answer("home", sale, "--yes");
    match says {
        "" => drop(said.done()),
        says => drop(said.refused("not-delegated", says)),
    }
    assert_eq!(world.path("home.license").exists(), says.is_empty());
}

const MONTH: &str = "expires = \"30 days\"";

#[test]
fn inside_its_limits_an_issuer_signs() {
    tried(SELF_HOSTED, MONTH, "", "");
}

#[test]
fn an_end_that_only_warns_is_refused_by_grant_and_by_catalog() {
    let says = "a warning alone is not allowed for expired";
    tried(SELF_HOSTED, MONTH, "[on.expired]\nthen = \"warn\"", says);
    let catalog =
        SELF_HOSTED.replacen("on.conflict =", "on.expired = { then = \"warn\" }\non.conflict =", 1);
    tried(&catalog, MONTH, "", says);
}

#[test]
fn an_end_after_a_hundred_years_is_refused() {
    let rule = "[on.expired]\nafter = \"36500 days\"\nthen = \"stop\"";
    tried(SELF_HOSTED, MONTH, rule, "its longest grace period for expired is");
}

#[test]
fn an_end_that_blocks_only_upgrades_is_refused() {
    let rule = "[on.expired]\nthen = \"block\"\nblocks = [\"upgrade\"]";
    tried(SELF_HOSTED, MONTH, rule, "on expired, this license does not block backup");
}

#[test]
fn operations_that_nothing_blocks_are_refused() {
    let always = "offline = true\nalways = [\"connect\", \"backup\", \"restore\", \
        \"create-user\", \"create-backup-set\", \"import-users\", \"update-user\", \
        \"update-license\", \"upgrade\"]";
    tried(&SELF_HOSTED.replacen("offline = true", always, 1), MONTH, "", "never blocks backup");
}

#[test]
fn modules_that_another_includes_are_refused() {
    let includes = "includes = [\"File\", \"Windows system\"]";
    let more = "includes = [\"OBM\", \"CBS\"]";
    let catalog = SELF_HOSTED.replace(includes, more);
    tried(&catalog, MONTH, "", "module CBS is above its maximum");
    // Without a grant of its own, the included OBM would be unlimited.
    let world = limited(&catalog.replace(more, "includes = [\"OBM\"]"));
    let sale = Sale { lines: MONTH, ..Sale::of("purchased-oem", "ACB = 1") };
    world.request("home", sale, "").done();
    world.answer("home", sale, "--yes").refused("not-delegated", "module OBM is above its maximum");
}

#[test]
fn a_pool_that_adds_up_to_more_is_refused() {
    let unit = "unit = \"device to back up\"\n";
    let pool = format!("{unit}pool = \"devices\"\n");
    tried(&SELF_HOSTED.replace(unit, &pool), MONTH, "", "module ACB is above its maximum");
    // A pool that includes CBS, which was not delegated, is refused even if the grant names no CBS.
    let server = SELF_HOSTED
        .replace("unit = \"running instance\"\n", &pool)
        .replacen(unit, &pool, 3)
        .replace("pool = \"devices\"\npool = \"devices\"\n", "pool = \"devices\"\n");
    tried(&server, MONTH, "", "is above its maximum");
}

#[test]
fn a_start_in_twenty_years_is_refused() {
    let world = limited(SELF_HOSTED);
    let sale = Sale { lines: MONTH, ..Sale::of("purchased-oem", "OBM = 10") };
    world.request("home", sale, "").done();
    let issued = world.answer("home", sale, "--yes");
    issued.done();
    let grant = std::fs::read_to_string(world.path("grant.toml")).unwrap();
    let later = grant.replace("\"today\"", "\"2046-01-01\"");
    std::fs::write(world.path("later.toml"), later).unwrap();
    let line =
        "issue ./home.req --grant ./later.toml --vendor ./vendor --again --yes -o ./x.license";
    world.olr(line).refused("not-delegated", "start at most 30 days after they are issued");
}

#[test]
fn maintenance_without_an_end_is_refused() {
    let world = World::new(SELF_HOSTED);
    world.delegate("--type purchased-oem --max-maintenance 365d");
    let sale = |lines| Sale { lines, ..Sale::of("purchased-oem", "CBS = 1\nOBM = 10") };
    world.request("home", sale(""), "").done();
    let endless = sale("maintenance = \"never\"");
    world
        .answer("home", endless, "--yes")
        .refused("not-delegated", "longest maintenance is 365 days");
    world.answer("home", sale("maintenance = \"1 year\""), "--yes").done();
}
