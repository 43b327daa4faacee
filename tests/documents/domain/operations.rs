//! Operations that are not built into the library: the catalog declares them, and they are blocked,
//! left allowed, simulated and shown like the others.

use super::{MANAGED, Sale, World};

const SALE: Sale<'_> =
    Sale { kind: "annual", key: "AbCd-1234", slot: "computer", lines: "", modules: "Desktop = 1" };

/// The example catalog with two more operations, one of which stays allowed after the license ends.
fn catalog() -> String {
    let declared = MANAGED.replacen("operations = [", "operations = [\"print\", \"export\", ", 1);
    let text = declared.replace("blocks = [", "blocks = [\"print\", ");
    assert!(declared != MANAGED && text != declared);
    text
}

#[test]
fn an_operation_of_the_catalog_is_allowed_blocked_simulated_and_shown() {
    let world = World::sold(&super::by_file(&catalog()), SALE);
    let shown = world.home("status").done()["operations"].to_string();
    assert_eq!(shown, r#"["backup","create-backup-set","export","print","restore"]"#);
    let check = |operation: &str| world.home(&format!("check --operation {operation}"));
    for operation in ["run", "print", "export", "upgrade"] {
        assert_eq!(check(operation).done()["operation"], operation);
    }
    // An operation that the catalog does not declare is unknown to the license.
    let unknown = check("scan");
    let unknown = unknown.refused("not-entitled", "the license does not list operation scan");
    assert_eq!(unknown["remedies"].to_string(), r#"["show-status"]"#, "status lists them");
    check("Print").unable("is not a valid operation name");
    let until = "simulate --until 2028-03-01";
    let entries = world.home(until).done()["timeline"].to_string();
    let blocked = r#"["backup","create-backup-set","print"]"#;
    assert!(entries.contains(&format!("\"blocked\":{blocked}")), "{entries}");
    world.at("2028-01-01");
    assert_eq!(world.verify().json["blocked"].to_string(), blocked);
    check("print").refused("expired", "expired on 2027-11-22");
    for operation in ["run", "export", "restore", "update-license", "upgrade"] {
        check(operation).done();
    }
    // While a block is in effect, it also covers operations that the license does not know.
    check("scan").refused("expired", "expired on 2027-11-22");
}

#[test]
fn an_operation_that_the_catalog_does_not_declare_is_refused_there() {
    let world = World::new(MANAGED);
    let text = MANAGED.replacen("blocks = [", "blocks = [\"print\", ", 1);
    std::fs::write(world.path("other.toml"), text).unwrap();
    world
        .olr("vendor check-catalog ./other.toml")
        .unable("on expired: blocks: the catalog has no operation \"print\"");
    let operations = |list: &str| {
        let own = "operations = [\"backup\", \"create-backup-set\", \"restore\"]";
        assert!(MANAGED.contains(own));
        std::fs::write(world.path("other.toml"), MANAGED.replacen(own, list, 1)).unwrap();
        world.olr("vendor check-catalog ./other.toml")
    };
    operations("operations = [\"run\"]").unable("operations: run is built in");
    operations("operations = [\"\"]").unable("is not a valid operation name");
    operations("operations = [\"a\", \"a\"]").unable("operations: a appears twice");
    let many: Vec<_> = (0..62).map(|n| format!("a{n}")).collect();
    operations(&format!("operations = {many:?}")).unable("62 entries, but at most 61 are allowed");
}
