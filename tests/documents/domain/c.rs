//! Rules C1 to C7: modules and how they are counted.

use serde_json::json;

use super::{HOUR, SELF_HOSTED, Sale, World};

/// The lines under `[modules]` of a grant for every module of the backup slot.
const ALL: &str = "CBS = 2\nOBM = 7\nACB = 7\nMobile = \"unlimited\"\nVMware = 7\nHyper-V = 7\n\
    VMware-Socket = 7\nHyper-V-Socket = 7\nMicrosoft-365 = 7\nExchange-Mailbox = 7\nOpenDirect = 7\n\
    NAS-Synology = 7\nNAS-QNAP = 7\nReplication-OBM = 7\nReplication-ACB = 7\nUBS = 7";

fn sold(modules: &str) -> World {
    World::sold(SELF_HOSTED, Sale::of("purchased-oem", modules))
}

#[test]
fn c1_each_module_counts_in_its_unit() {
    let (client, more, server) = ("Clients", "Client add-ons", "Server add-ons");
    let nas = "OBM account that backs up a NAS";
    let rows = [
        ("CBS", "running instance", server),
        ("OBM", "device to back up", client),
        ("ACB", "device to back up", client),
        ("Mobile", "account that backs up mobile devices", more),
        ("VMware", "guest VM", more),
        ("Hyper-V", "guest VM", more),
        ("VMware-Socket", "CPU socket", more),
        ("Hyper-V-Socket", "CPU socket", more),
        ("Microsoft-365", "account", more),
        ("Exchange-Mailbox", "mailbox", more),
        ("OpenDirect", "backup set", more),
        ("NAS-Synology", nas, more),
        ("NAS-QNAP", nas, more),
        ("Replication-OBM", "device to replicate", server),
        ("Replication-ACB", "device to replicate", server),
        ("UBS", "installation", server),
        ("Redirection", "device to redirect", server),
    ];
    let world = sold(ALL);
    let sale = Sale::of("purchased-oem", "CBS = 1\nRedirection = 7");
    let redirector = Sale { slot: "redirector", ..sale };
    world.activate("other", Sale { key: "EfGh-5678", ..redirector }).done();
    let backup = world.home("status").done()["modules"].clone();
    let other = world.olr("status --home ./other").done()["modules"].clone();
    for (module, unit, group) in rows {
        let home = if module == "Redirection" { "other" } else { "home" };
        let said = if home == "other" { &other[module] } else { &backup[module] };
        assert_eq!((&said["unit"], &said["group"]), (&json!(unit), &json!(group)), "{module}");
        let most = match module {
            "Mobile" => continue,
            "CBS" => 2,
            module if backup[module]["available"] == 14 => 14,
            _ => 7,
        };
        world.olr(&format!("check {module} {most} --home ./{home}")).done();
        let one_more = world.olr(&format!("check {module} {} --home ./{home}", most + 1));
        one_more.refused("quota-exceeded", &format!("{module}: {most} granted, 0 used"));
    }
    assert_eq!(backup.as_object().unwrap().len() + 1, rows.len());

    // Mobile is unlimited, but each account may have only ten devices.
    assert_eq!(backup["Mobile"]["quota"], "unlimited");
    world.home("check Mobile 1000000").done();
    world.home("check Mobile 1 --account 10").done();
    let says = "Mobile: an account may have 10, but would have 11";
    world.home("check Mobile 1 --account 11").refused("quota-exceeded", says);
    world.request("new", Sale { key: "New", ..sale }, "").done();
    let priced = world.issue("new", Sale { key: "New", modules: "Mobile = 10", ..sale }, "");
    priced.unable("module Mobile is free: its quota is always unlimited");
    // Sockets need release 7.7 or later; guests do not.
    for (version, word) in [("7.7", None), ("7.10", None), ("7.6.9", Some("7.7 and later"))] {
        for module in ["VMware-Socket", "Hyper-V-Socket"] {
            let asked = world.home(&format!("check {module} 1 --product-version {version}"));
            if let Some(says) = word {
                asked.refused("not-entitled", says);
            } else {
                asked.done();
            }
        }
        world.home(&format!("check VMware 1 --product-version {version}")).done();
    }
}

#[test]
fn c2_two_modules_of_a_pool_share_one_quota() {
    let world = sold("CBS = 1\nVMware = 5\nHyper-V = 3\nVMware-Socket = 2\nNAS-QNAP = 4");
    let check = |module: &str, count: u64| world.home(&format!("check {module} {count}"));
    for (one, other, granted) in [
        ("VMware", "Hyper-V", 8),
        ("VMware-Socket", "Hyper-V-Socket", 2),
        ("NAS-QNAP", "NAS-Synology", 4),
    ] {
        check(one, granted).done();
        check(other, granted).done();
        check(other, granted + 1)
            .refused("quota-exceeded", &format!("{other}: {granted} granted, 0 used"));
        world.home(&format!("report {one}={granted}")).done();
        let says = format!("{other}: {granted} granted, {granted} used, 1 more wanted");
        check(other, 1).refused("quota-exceeded", &says);
        world.home(&format!("report {one}={} {other}=1", granted - 1)).done();
        world.verify().licensed();
        check(one, 1).refused("quota-exceeded", "1 more wanted");
    }
    // Guests count neither as sockets nor as a NAS.
    let modules = world.home("status").done()["modules"].clone();
    for module in ["VMware", "Hyper-V", "VMware-Socket", "NAS-Synology"] {
        assert_eq!(modules[module]["available"], 0, "{module}");
    }
    world.home("report VMware=8").done();
    world.verify().grace("over-quota", "2026-11-23T21:00:00Z");
}

#[test]
fn c3_a_replication_server_and_a_redirector_need_a_server_more() {
    let world = World::new(SELF_HOSTED);
    let sale = |modules| Sale::of("purchased-oem", modules);
    let issue = |modules| {
        world.request("home", sale(modules), "").done();
        world.issue("home", sale(modules), "")
    };
    let says = "module CBS: 1 granted, but 2 are needed: one more for the replication server";
    issue("CBS = 1\nReplication-OBM = 5").unable(says);
    issue("CBS = 1\nReplication-OBM = 5\nReplication-ACB = 5").unable(says);
    issue("Replication-ACB = 5")
        .unable("module Replication-ACB requires CBS, which is not granted");
    issue("CBS = 1\nReplication-OBM = 0").done();
    issue("CBS = 2\nReplication-OBM = 5\nReplication-ACB = 5").done();
    // A standalone redirector has its own license key, which must include a server.
    let redirector = |modules| Sale { key: "Redi-1234", slot: "redirector", ..sale(modules) };
    let issue = |modules| {
        world.request("r", redirector(modules), "").done();
        world.issue("r", redirector(modules), "")
    };
    issue("Redirection = 5").unable("module Redirection requires CBS, which is not granted");
    issue("CBS = 0\nRedirection = 5").unable("module Redirection requires CBS");
    issue("CBS = 1\nRedirection = 5").done();
}

#[test]
fn c4_modules_combine_in_any_quantities_and_languages_are_unlocked() {
    let world = World::new(SELF_HOSTED);
    let modules = "OBM = 1\nACB = 100000\nVMware = 0\nUBS = 1000000000000";
    let sale = Sale { lines: "languages = [\"ja\", \"de\"]", ..Sale::of("purchased-oem", modules) };
    world.activate("home", sale).done();
    let status = world.home("status");
    let json = status.done();
    assert_eq!(json["languages"], json!(["de", "ja"]));
    assert_eq!(
        (&json["modules"]["OBM"]["quota"], &json["modules"]["ACB"]["quota"]),
        (&json!(1), &json!(100_000))
    );
    assert_eq!(json["languages"], json!(["de", "ja"]));
    status.says("de, ja");
    for (lines, modules, says) in [
        ("languages = [\"tlh\"]", "OBM = 1", "the catalog has no language \"tlh\""),
        ("languages = [\"de\", \"de\"]", "OBM = 1", "language de appears twice"),
        ("", "OMB = 1", "the catalog has no module \"OMB\""),
    ] {
        world.request("home", sale, "").done();
        world.issue("home", Sale { lines, modules, ..sale }, "").unable(says);
    }
    // The smallest possible grant: no modules at all.
    world.activate("none", Sale { key: "None", modules: "", lines: "", ..sale }).done();
    world
        .olr("check OBM --unlisted --home ./none")
        .refused("not-entitled", "module OBM is not granted");
}

#[test]
fn c5_the_summary_shows_quota_used_and_available_by_group() {
    let world = World::new(SELF_HOSTED);
    let modules = "CBS = 1\nOBM = 10\nACB = 5\nMobile = \"unlimited\"\nVMware = 5\nHyper-V = 3";
    let sale = Sale { lines: "languages = [\"en\", \"ja\"]", ..Sale::of("purchased-oem", modules) };
    world.activate("home", sale).done();
    world.home("report CBS=1 OBM=12 ACB=4 Mobile=70 VMware=6").done();
    let status = world.home("status");
    let rows = rows(&status.text);
    let expected: [&[&str]; 7] = [
        &["GROUP", "MODULE", "NAME", "QUOTA", "USED", "AVAILABLE", "UNIT", "POOL"],
        &["Client add-ons", "Hyper-V", "Hyper-V, by guest", "3", "0", "2", "guest VM", "guests"],
        &[
            "Client add-ons",
            "Mobile",
            "Mobile devices",
            "unlimited",
            "70",
            "unlimited",
            "account that backs up mobile devices",
        ],
        &["Client add-ons", "VMware", "VMware, by guest", "5", "6", "2", "guest VM", "guests"],
        &["Clients", "ACB", "Backup agent for desktops", "5", "4", "1", "device to back up"],
        &["Clients", "OBM", "Backup agent for servers", "10", "12", "-2", "device to back up"],
        &["Server add-ons", "CBS", "Backup server", "1", "1", "0", "running instance"],
    ];
    for row in expected {
        assert!(rows.iter().any(|found| found == row), "{row:?} in\n{}", status.text);
    }
    let languages = status.text.lines().find_map(|line| line.strip_prefix("languages "));
    assert_eq!(languages.map(str::trim), Some("en, ja"), "{}", status.text);
    let obm = &status.done()["modules"]["OBM"];
    let numbers = [&obm["quota"], &obm["used"], &obm["available"]].map(|n| n.as_i64().unwrap());
    assert_eq!(numbers, [10, 12, -2]);
}

/// Parses the rows of a module table. The table is wrapped to 80 columns: a line without a quota
/// continues the cells of the line above, so its texts are joined to them.
fn rows(text: &str) -> Vec<Vec<String>> {
    let table: Vec<_> = text.lines().skip_while(|line| !line.starts_with("GROUP ")).collect();
    let titles = table[0].split_whitespace();
    let starts: Vec<_> = titles.clone().map(|title| table[0].find(title).unwrap()).collect();
    let quota = titles.clone().position(|title| title == "QUOTA").unwrap();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in table.into_iter().take_while(|line| !line.is_empty()) {
        let cell = |at: usize| {
            // Right-aligned numbers begin after the gap between columns.
            let end = starts.get(at + 1).map_or(line.len(), |end| *end);
            line.get(starts[at].min(line.len())..end.min(line.len())).unwrap().trim().to_string()
        };
        let cells: Vec<_> = (0..starts.len()).map(cell).collect();
        match rows.last_mut().filter(|_| cells[quota].is_empty()) {
            Some(above) => {
                for (above, more) in
                    above.iter_mut().zip(cells).filter(|(_, more)| !more.is_empty())
                {
                    *above = format!("{above} {more}").trim().to_string();
                }
            }
            None => rows.push(cells),
        }
    }
    rows.iter_mut().for_each(|row| row.retain(|cell| !cell.is_empty()));
    rows
}

#[test]
fn c6_what_comes_with_a_module_is_never_counted() {
    let all = [
        (
            "CBS = 1",
            &["Management console", "User management", "Group policy", "Backup server"][..],
        ),
        (
            "OBM = 1",
            &["File", "Exchange database", "SQL Server", "MySQL", "Windows system", "System state"],
        ),
        ("ACB = 1", &["File", "Windows system"]),
    ];
    let check = |world: &World, name: &str| {
        world.home(&format!("check {} 1000 --unlisted", name.replace(' ', "_")))
    };
    for (modules, included) in all {
        let world = sold(modules);
        for (_, others) in all {
            for name in others {
                let asked = check(&world, name);
                if included.contains(name) {
                    asked.done();
                } else {
                    asked.refused("not-entitled", name);
                }
            }
        }
    }
    // Included modules never exceed a quota, but only a module that is granted brings them.
    let world = sold("OBM = 1\nACB = 0");
    world.home("report MySQL=1000 File=1000 OBM=1").done();
    world.verify().licensed();
    let world = sold("OBM = 0\nACB = 1");
    check(&world, "MySQL").refused("not-entitled", "MySQL");
    check(&world, "mysql").refused("not-entitled", "mysql");
}

#[test]
fn c7_who_counted_accounts_may_be_over_quota_by_devices() {
    // An upgrade from version 6: 10 accounts, two of which had a second device, and no server
    // module.
    let world = sold("OBM = 10");
    world.home("report OBM=12").done();
    let status = world.home("status");
    assert_eq!(status.done()["modules"]["OBM"]["available"], -2);
    status.says("OBM: 12 used, 10 granted");
    world.verify().grace("upgraded", "2027-01-22T09:00:00Z");
    // The answer grants one device less than is in use, so the import is refused as a whole: the
    // server gets no server module either.
    world.after(HOUR);
    let sale = |modules| Sale::of("purchased-oem", modules);
    world.request("home", sale("OBM = 11"), "--renew").done();
    world.issue("home", sale("CBS = 1\nOBM = 11"), "").done();
    let says = "this license grants 11 of OBM, but 12 are in use";
    world.import("home", "").refused("quota-exceeded", says);
    world.verify().grace("upgraded", "2027-01-22T09:00:00Z");
    // Two more devices, and the one CBS that each license of version 6 needs after the upgrade.
    world.renew(sale("CBS = 1\nOBM = 12"), "").done();
    world.verify().licensed();
    let modules = world.home("status").done()["modules"].clone();
    assert_eq!((&modules["OBM"]["available"], &modules["CBS"]["quota"]), (&json!(0), &json!(1)));
    // With the server module, the grace for exceeding a quota is 12 hours instead of 60 days.
    world.home("report OBM=13").done();
    world.verify().grace("over-quota", "2026-11-23T22:00:00Z");
}
