//! Attempts of an issuer limited to 10 OBM, 1000 ACB and 30 days to exceed the limits through a
//! grant or the catalog alone. Here they are signed by hand; `cargo test --test documents
//! domain::limits` makes the same attempts with `olr issue`.

use olr_core::error::Refusal;
use olr_core::license::{License, LicenseBody};
use olr_core::time::{Day, Instant};
use olr_core::trust::{DelegationBody, ModuleMaximum};
use olr_core::wire::codec::{Limit, Set};
use olr_core::wire::id::LicenseId;
use olr_office::catalog::Catalog;
use olr_office::issue::{GrantFile, Stamp, draft};

use crate::limits::signed_by_hand;
use crate::world::operations::ALL;
use crate::world::{NOW, World, text};

const CATALOG: &str = "
operations = [
  \"backup\", \"connect\", \"create-backup-set\", \"create-user\", \"import-users\", \"restore\", \"update-user\",
]
[[product]]
id = \"example\"
slots = [\"backup\"]
[type.oem]
model = \"purchased\"
edition = \"oem\"
offline = true
[module.CBS]
name = \"Server\"
unit = \"instance\"
[module.OBM]
name = \"Agent for servers\"
unit = \"device\"
[module.ACB]
name = \"Agent for desktops\"
unit = \"device\"
[policy.server]
share = 50
minimum = 2
hardware = true
[policy.server.weights]
network-address = 3
machine-id = 3
hostname = 1
";

const GRANT: &str = "licensee = \"ACME Ltd\"
key = \"AbCd-1234\"
product = \"example\"
type = \"oem\"
slot = \"backup\"
starts = \"today\"
expires = \"30 days\"
maintenance = \"30 days\"
[modules]
OBM = 10
ACB = 1000
";

fn limits(world: &World) -> DelegationBody {
    let one = |(module, maximum)| ModuleMaximum { module: text(module), maximum };
    let maxima = [("ACB", Limit::Only(1000)), ("OBM", Limit::Only(10))].map(one);
    DelegationBody {
        modules: Limit::Only(Set::new(maxima.to_vec()).unwrap()),
        longest_term: Limit::Only(30),
        ahead: Limit::Only(30),
        longest_grace: Limit::Only(14 * 86_400),
        longest_maintenance: Limit::Only(366),
        afterwards: Limit::Only(Set::default()),
        weak_machine: false,
        ..world.vendor.delegation_body()
    }
}

fn drafted(world: &World, catalog: &str, grant: &str) -> LicenseBody {
    let catalog = Catalog::parse(catalog).unwrap_or_else(|error| panic!("{error}\n{catalog}"));
    let grant = GrantFile::parse(grant).unwrap_or_else(|error| panic!("{error}\n{grant}"));
    let issued = NOW.parse::<Instant>().unwrap();
    let stamp = Stamp { license: LicenseId([0x11; 16]), answer: 1, issued };
    draft(&world.opened(), &grant, &catalog, &world.vendor.trust, stamp).unwrap()
}

/// Returns the refusal word and the first rule that the license breaks.
fn tried(world: &World, body: &LicenseBody) -> Option<(Refusal, &'static str)> {
    let bytes = signed_by_hand(world, body, &limits(world));
    let refused = License::verify(&bytes, &world.vendor.trust).err()?;
    Some((refused.refusal().unwrap(), refused.rules()[0]))
}

#[track_caller]
fn refused(catalog: (&str, &str), grant: (&str, &str), rule: &str) {
    assert!(CATALOG.contains(catalog.0) && GRANT.contains(grant.0), "{catalog:?} {grant:?}");
    let world = World::new();
    let catalog = CATALOG.replacen(catalog.0, catalog.1, 1);
    let body = drafted(&world, &catalog, &GRANT.replacen(grant.0, grant.1, 1));
    assert_eq!(tried(&world, &body), Some((Refusal::NotDelegated, rule)));
}

/// Every operation except `run`, which a catalog may not list under `always`.
const WORDS: &str = "[\"connect\", \"backup\", \"restore\", \"create-user\", \
    \"create-backup-set\", \"import-users\", \"update-user\", \"update-license\", \"upgrade\"]";
const SAME: (&str, &str) = ("", "");

fn on(rule: &str) -> String {
    format!("[on.expired]\n{rule}\n[modules]")
}

#[test]
fn what_is_inside_passes() {
    let world = World::new();
    assert_eq!(tried(&world, &drafted(&world, CATALOG, GRANT)), None);
}

#[test]
fn an_end_that_only_warns_is_none() {
    refused(SAME, ("[modules]", &on("then = \"warn\"")), "limit-9");
    let catalog = "offline = true\non.expired = { then = \"warn\" }";
    refused(("offline = true", catalog), SAME, "limit-9");
}

#[test]
fn an_end_after_a_hundred_years_is_none() {
    let rule = on("then = \"stop\"\nafter = \"36500 days\"");
    refused(SAME, ("[modules]", &rule), "limit-9");
}

#[test]
fn an_end_that_blocks_only_upgrades_is_none() {
    let rule = on("then = \"block\"\nblocks = [\"upgrade\"]");
    refused(SAME, ("[modules]", &rule), "limit-10");
}

#[test]
fn what_nothing_blocks_does_not_outlive_the_license() {
    let catalog = format!("offline = true\nalways = {WORDS}");
    refused(("offline = true", &catalog), SAME, "limit-10");
    let world = World::new();
    let mut body = drafted(&world, CATALOG, GRANT);
    body.always = Set::new(ALL.to_vec()).unwrap();
    assert_eq!(tried(&world, &body), Some((Refusal::NotDelegated, "limit-10")));
}

#[test]
fn what_a_module_includes_is_not_more_than_its_maximum() {
    let both = "unit = \"device\"\nincludes = [\"OBM\", \"CBS\"]\n[policy.server]";
    refused(("unit = \"device\"\n[policy.server]", both), SAME, "limit-5");
    // An included module without a grant of its own would be unlimited.
    let one = "unit = \"device\"\nincludes = [\"OBM\"]\n[policy.server]";
    refused(("unit = \"device\"\n[policy.server]", one), ("OBM = 10\n", ""), "limit-5");
}

#[test]
fn a_pool_does_not_add_up_to_more_than_a_maximum() {
    let clients = "unit = \"device\"\npool = \"clients\"\n";
    let both = CATALOG.replace("unit = \"device\"\n", clients);
    let world = World::new();
    let body = drafted(&world, &both, GRANT);
    assert_eq!(tried(&world, &body), Some((Refusal::NotDelegated, "limit-5")));
    // 1000 ACB in a pool with CBS allow 1000 CBS, which were not delegated at all.
    let server = CATALOG
        .replace("unit = \"instance\"\n", "unit = \"instance\"\npool = \"all\"\n")
        .replace("unit = \"device\"\n[policy", "unit = \"device\"\npool = \"all\"\n[policy");
    let body = drafted(&world, &server.replace("unit = \"instance\"", "unit = \"device\""), GRANT);
    assert_eq!(tried(&world, &body), Some((Refusal::NotDelegated, "limit-5")));
}

#[test]
fn a_license_does_not_begin_in_twenty_years() {
    let grant = GRANT.replace("\"today\"", "\"2046-01-01\"");
    let world = World::new();
    let body = drafted(&world, CATALOG, &grant);
    assert_eq!(tried(&world, &body), Some((Refusal::NotDelegated, "limit-7")));
}

#[test]
fn maintenance_ends() {
    // The end of the license does not limit its maintenance: until that end, the license could
    // permit a release of 2031.
    let never = ("maintenance = \"30 days\"", "maintenance = \"never\"");
    refused(SAME, never, "limit-8");
    refused(SAME, ("maintenance = \"30 days\"", "maintenance = \"367 days\""), "limit-8");
    let world = World::new();
    let grant = GRANT.replace("maintenance = \"30 days\"", "maintenance = \"366 days\"");
    assert_eq!(tried(&world, &drafted(&world, CATALOG, &grant)), None);
    let mut body = drafted(&world, CATALOG, GRANT);
    (body.maintenance, body.expires) = ("2046-01-01".parse::<Day>().ok(), None);
    assert_eq!(tried(&world, &body), Some((Refusal::NotDelegated, "limit-6")));
}

#[test]
fn a_license_without_hardware_is_another_thing() {
    refused(("hardware = true", "hardware = false"), SAME, "limit-11");
}
