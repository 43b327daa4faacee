//! Catalogs and grants: two complete example vendors, row by row, and every mistake with its line.
#![cfg(feature = "vendor")]

use olr::{Home, RequestParams};
use olr_core::entitlement::Grant;
use olr_core::error::{Refusal, Result};
use olr_core::license::LicenseBody;
use olr_core::machine::Factor;
use olr_core::request::OpenedRequest;
use olr_core::state::Surroundings;
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::codec::{Hidden, Limit, Text};
use olr_core::wire::id::LicenseId;
use olr_office::catalog::{Catalog, STARTER};
use olr_office::folder::{Folder, Init};
use olr_office::issue::{GrantFile, Stamp, draft};
use rand::{SeedableRng, rngs::ChaCha20Rng};

mod docs;
mod large;
mod refused;
mod terms;

pub const SELF_HOSTED: &str = include_str!("../../../examples/catalogs/self-hosted.toml");
pub const MANAGED: &str = include_str!("../../../examples/catalogs/managed.toml");
const SNAKEOIL: &str = include_str!("../../../keys/snakeoil/catalog.toml");

/// 2026-11-23T12:00:00Z
pub const NOW: Instant = Instant::new(1_795_435_200);

/// A vendor's office, with a request for one slot.
pub struct Desk {
    pub catalog: Catalog,
    trust: Trust,
    opened: OpenedRequest,
    product: String,
    slot: String,
    _folder: tempfile::TempDir,
}

impl Desk {
    pub fn new(catalog: &str, slot: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let init = Init {
            name: "V",
            catalog: Some(catalog),
            passphrases: None,
            roots: Default::default(),
            test: true,
        };
        let (vendor, trust) = Folder::init(&folder.path().join("vendor"), &init, &mut rng).unwrap();
        let catalog = Catalog::parse(catalog).unwrap();
        let product = catalog.products[0].id.to_string();
        let order = RequestParams {
            trust: Some(trust.bytes().to_vec()),
            product: Some(Text::new(&product).unwrap()),
            slot: Some(Text::new(slot).unwrap()),
            licensee: Some(Text::new("ACME Ltd").unwrap()),
            license_key: Some(Hidden(Text::new("AbCd-1234").unwrap())),
            ..RequestParams::default()
        };
        let factors = ["rack=B12", "asset=4711"].map(|pin| Factor::pin(pin).unwrap()).to_vec();
        let around = Surroundings { factors, clock: NOW, ..Surroundings::default() };
        let home = Home::at(folder.path().join("home"));
        let made = home.request(&order, &around, &mut rng).unwrap();
        let ask = &mut |_: &_| unreachable!();
        let opened = vendor.open_request(&made.bytes, None, &trust, ask).unwrap();
        let slot = slot.to_string();
        Self { catalog, trust, opened, product, slot, _folder: folder }
    }

    /// A grant for this slot: of type `kind`, with `lines` before the tables, and with `tables`.
    pub fn grant(&self, kind: &str, lines: &str, tables: &str) -> GrantFile {
        GrantFile::parse(&self.text(kind, lines, tables)).unwrap()
    }

    pub fn text(&self, kind: &str, lines: &str, tables: &str) -> String {
        let Self { product, slot, .. } = self;
        format!(
            "licensee = \"ACME Ltd\"\nkey = \"AbCd-1234\"\nproduct = \"{product}\"\n\
            slot = \"{slot}\"\nstarts = \"today\"\ntype = \"{kind}\"\n{lines}{tables}"
        )
    }

    pub fn draft(&self, grant: &GrantFile) -> Result<LicenseBody> {
        let stamp = Stamp { license: LicenseId([1; 16]), answer: 1, issued: NOW };
        draft(&self.opened, grant, &self.catalog, &self.trust, stamp)
    }
}

#[test]
fn the_shipped_catalogs_have_no_mistake_and_no_warning() {
    for catalog in [SELF_HOSTED, MANAGED, STARTER, SNAKEOIL] {
        assert_eq!(Catalog::parse(catalog).unwrap().warnings(), Vec::<String>::new());
    }
}

/// Module, unit, group, slot, and the less common fields.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, Else<'a>);

/// Fields that most modules do not set.
#[derive(Default)]
struct Else<'a> {
    pool: &'a str,
    unlimited: bool,
    account_cap: Option<u64>,
    minimum_version: &'a str,
    requires: &'a [&'a str],
    includes: &'a [&'a str],
}

const NONE: Else<'_> = Else {
    pool: "",
    unlimited: false,
    account_cap: None,
    minimum_version: "",
    requires: &[],
    includes: &[],
};

/// Drafts a license for each row, and compares its grant with the row.
fn walk(catalog: &str, kind: &str, rows: &[Row<'_>]) {
    let desks: Vec<_> = Catalog::parse(catalog).unwrap().products[0]
        .slots
        .iter()
        .map(|slot| Desk::new(catalog, slot))
        .collect();
    for (module, unit, group, slot, more) in rows {
        let desk = desks.iter().find(|desk| desk.slot == *slot).unwrap();
        let quota = if more.unlimited { "\"unlimited\"" } else { "7" };
        let needed: String = more.requires.iter().map(|needed| format!("{needed} = 2\n")).collect();
        let tables = format!("[modules]\n{module} = {quota}\n{needed}");
        let body = desk.draft(&desk.grant(kind, "", &tables)).unwrap();
        // The other modules of its pool are granted too, each with a quota of 0.
        let pool = desk.catalog.modules.iter().filter(|(id, other)| {
            *id != module && !more.pool.is_empty() && other.pool.as_deref() == Some(more.pool)
        });
        let pool: Vec<_> = pool.map(|(id, _)| body.grants.get(id.as_str()).unwrap()).collect();
        assert!(pool.iter().all(|grant| grant.quota == Limit::Only(0)));
        assert_eq!(body.grants.len(), 1 + more.requires.len() + pool.len());
        let Grant { name, .. } = body.grants.get(module).unwrap();
        let texts = |texts: &[&str]| {
            let mut texts: Vec<_> = texts.iter().map(|text| Text::new(text).unwrap()).collect();
            texts.sort();
            olr_core::wire::codec::Set::new(texts).unwrap()
        };
        let expected = Grant {
            module: Text::new(module).unwrap(),
            name: name.clone(),
            group: Text::new(group).unwrap(),
            unit: Text::new(unit).unwrap(),
            quota: if more.unlimited { Limit::Any } else { Limit::Only(7) },
            account_cap: more.account_cap.map_or(Limit::Any, Limit::Only),
            admin_cap: Limit::Any,
            pool: Text::new(more.pool).unwrap(),
            requires: texts(more.requires),
            includes: texts(more.includes),
            minimum_version: Text::new(more.minimum_version).unwrap(),
        };
        assert_eq!(*body.grants.get(module).unwrap(), expected);
    }
    let named: Vec<_> = rows.iter().map(|(module, ..)| *module).collect();
    for module in desks[0].catalog.modules.keys() {
        assert!(named.contains(&module.as_str()), "{module} is in no row");
    }
}

#[test]
fn every_row_of_the_self_hosted_server_reaches_a_license() {
    let (client, client_more, server) = ("Clients", "Client add-ons", "Server add-ons");
    let (vm, socket, nas) = ("guest VM", "CPU socket", "OBM account that backs up a NAS");
    let back = "backup";
    let of_pool = |pool| Else { pool, ..NONE };
    let of_sockets = || Else { pool: "sockets", minimum_version: "7.7", ..NONE };
    let with_server = || Else { requires: &["CBS"], ..NONE };
    let cbs = Else {
        includes: &["Management console", "User management", "Group policy", "Backup server"],
        ..NONE
    };
    let obm = Else {
        includes: &[
            "File",
            "Exchange database",
            "SQL Server",
            "MySQL",
            "Windows system",
            "System state",
        ],
        ..NONE
    };
    let acb = Else { includes: &["File", "Windows system"], ..NONE };
    let mobile = Else { unlimited: true, account_cap: Some(10), ..NONE };
    let rows = [
        ("CBS", "running instance", server, back, cbs),
        ("OBM", "device to back up", client, back, obm),
        ("ACB", "device to back up", client, back, acb),
        ("Mobile", "account that backs up mobile devices", client_more, back, mobile),
        ("VMware", vm, client_more, back, of_pool("guests")),
        ("Hyper-V", vm, client_more, back, of_pool("guests")),
        ("VMware-Socket", socket, client_more, back, of_sockets()),
        ("Hyper-V-Socket", socket, client_more, back, of_sockets()),
        ("Microsoft-365", "account", client_more, back, NONE),
        ("Exchange-Mailbox", "mailbox", client_more, back, NONE),
        ("OpenDirect", "backup set", client_more, back, NONE),
        ("NAS-Synology", nas, client_more, back, of_pool("NAS")),
        ("NAS-QNAP", nas, client_more, back, of_pool("NAS")),
        ("Replication-OBM", "device to replicate", server, back, with_server()),
        ("Replication-ACB", "device to replicate", server, back, with_server()),
        ("Redirection", "device to redirect", server, "redirector", with_server()),
        ("UBS", "installation", server, back, NONE),
    ];
    walk(SELF_HOSTED, "purchased-oem", &rows);
}

#[test]
fn every_license_of_the_managed_service_reaches_a_computer() {
    let desktop =
        Else { includes: &["Windows 10", "Windows 11", "macOS", "Linux on a desktop"], ..NONE };
    let server = Else { includes: &["Windows Server", "Linux on a server"], ..NONE };
    let rows = [
        ("Desktop", "computer", "Computers", "computer", desktop),
        ("Server", "computer", "Computers", "computer", server),
        ("Support", "computer", "Services", "computer", NONE),
        ("Onboarding", "computer", "Services", "computer", NONE),
    ];
    walk(MANAGED, "annual", &rows);
}

#[test]
fn modules_combine_in_any_quantities_with_the_languages_they_unlock() {
    let desk = Desk::new(SELF_HOSTED, "backup");
    let languages = "languages = [\"ja\", \"de\"]\n";
    let modules = "[modules]\nOBM = 50\nACB = 0\nMobile = \"unlimited\"\nVMware = 5\nHyper-V = 3\n";
    let body = desk.draft(&desk.grant("purchased-oem", languages, modules)).unwrap();
    let quotas: Vec<_> = body.grants.iter().map(|g| (&*g.module, g.quota)).collect();
    let only = Limit::Only;
    assert_eq!(
        quotas,
        [
            ("ACB", only(0)),
            ("Hyper-V", only(3)),
            ("Mobile", Limit::Any),
            ("OBM", only(50)),
            ("VMware", only(5)),
        ]
    );
    let languages: Vec<_> = body.languages.iter().map(|language| &**language).collect();
    assert_eq!(languages, ["de", "ja"]);
}

#[test]
fn what_a_grant_leaves_out_the_type_says() {
    let desk = Desk::new(MANAGED, "computer");
    let days = |kind: &str, lines: &str| {
        let days = desk.grant(kind, lines, "[modules]\n").days(NOW, &desk.catalog.types[kind]);
        let days = days.unwrap();
        let word =
            |day: Option<olr_core::time::Day>| day.map_or("never".into(), |day| day.to_string());
        (word(days.expires), word(days.maintenance))
    };
    let said = |expires: &str, maintenance: &str| (expires.to_string(), maintenance.to_string());
    assert_eq!(days("trial", ""), said("2026-12-08", "never"));
    assert_eq!(days("monthly", ""), said("2026-12-22", "never"));
    assert_eq!(days("annual", ""), said("2027-11-22", "never"));
    let own = "expires = \"6 months\"\nmaintenance = \"2027-01-31\"\n";
    assert_eq!(days("annual", own), said("2027-05-22", "2027-01-31"));
    // Precedence of machine policies: the grant's, then the type's, then "server".
    let policy = |kind: &str, lines: &str| {
        let grant = desk.grant(kind, lines, "[modules]\n");
        let kind = &desk.catalog.types[kind];
        grant.machine_policy(kind, &desk.catalog).unwrap().0.to_string()
    };
    assert_eq!(policy("annual", ""), "computer");
    assert_eq!(policy("annual", "policy = \"server\"\n"), "server");
    assert_eq!(policy("trial", ""), "server");
    let body = desk.draft(&desk.grant("annual", "", "[modules]\nDesktop = 1\n")).unwrap();
    assert_eq!(&*body.policy.name, "computer");
    assert_eq!(body.expires.unwrap().to_string(), "2027-11-22");
    // Pool keys have no default maintenance: it is the earliest of the keys in the pool.
    let desk = Desk::new(SELF_HOSTED, "backup");
    let grant = desk.grant("pool-oem", "", "[modules]\n");
    let error = grant.days(NOW, &desk.catalog.types["pool-oem"]).unwrap_err();
    assert!(error.fact().starts_with("grant line 6: maintenance is missing"), "{error}");
}

#[test]
fn only_what_the_catalog_marks_is_activated_offline_and_the_refusal_says_why() {
    let desk = Desk::new(SELF_HOSTED, "backup");
    let mut refused = 0;
    for (id, kind) in &desk.catalog.types {
        let maintenance = "maintenance = \"1 year\"\n";
        let drafted = desk.draft(&desk.grant(id, maintenance, "[modules]\nOBM = 1\n"));
        if id == "purchased-oem" {
            let body = drafted.unwrap();
            assert_eq!((body.model, body.edition), (kind.model, kind.edition));
            continue;
        }
        let error = drafted.unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::OfflineNotAllowed));
        let who = format!("type {id} ({} {})", kind.model, kind.edition);
        assert!(error.fact().starts_with(&who), "{error}");
        assert!(error.fact().ends_with(kind.reason.as_deref().unwrap()), "{error}");
        refused += 1;
    }
    assert_eq!(refused, 7);
}

#[test]
fn a_sub_administrator_has_the_cap_of_the_grant_or_the_module() {
    let text = SELF_HOSTED.replacen("[module.ACB]\n", "[module.ACB]\nadmin_cap = 3\n", 1);
    let desk = Desk::new(&text, "backup");
    let tables = "[modules]\nOBM = 50\nACB = 50\nUBS = 50\n[administrators]\nOBM = 20\n";
    let grant = desk.grant("purchased-oem", "", tables);
    desk.draft(&grant).unwrap();
    let cap = |id: &str| grant.admin_cap(id, &desk.catalog.modules[id]);
    assert_eq!(cap("OBM"), Limit::Only(20));
    assert_eq!(cap("ACB"), Limit::Only(3));
    assert_eq!(cap("UBS"), Limit::Any);
}

#[test]
fn one_more_is_needed_for_each_purpose() {
    let least = |text: &str, modules: &str| {
        let desk = Desk::new(text, "backup");
        (1..9).find(|count| {
            let tables = format!("[modules]\nCBS = {count}\n{modules}");
            desk.draft(&desk.grant("purchased-oem", "", &tables)).is_ok()
        })
    };
    let (one, both) = ("Replication-OBM = 5\n", "Replication-OBM = 5\nReplication-ACB = 5\n");
    assert_eq!(least(SELF_HOSTED, "OBM = 5\n"), Some(1));
    assert_eq!(least(SELF_HOSTED, "Replication-OBM = 0\n"), Some(1));
    assert_eq!(least(SELF_HOSTED, one), Some(2));
    assert_eq!(least(SELF_HOSTED, both), Some(2), "one replication server serves both");
    let apart = SELF_HOSTED.replacen("\"replication server\"", "\"other server\"", 1);
    assert_eq!(least(&apart, both), Some(3));
    let free = "Replication-OBM = \"unlimited\"\n";
    assert_eq!(least(SELF_HOSTED, free), Some(2));
    let desk = Desk::new(SELF_HOSTED, "backup");
    let tables = format!("[modules]\nCBS = \"unlimited\"\n{both}");
    desk.draft(&desk.grant("purchased-oem", "", &tables)).unwrap();
}

#[test]
fn the_first_version_is_the_later_one_of_type_and_module() {
    let first = |of_type: &str, module: &str| {
        let said = format!("[type.purchased-oem]\n{of_type}");
        let desk = Desk::new(&SELF_HOSTED.replacen("[type.purchased-oem]\n", &said, 1), "backup");
        let tables = format!("[modules]\n{module} = 1\n");
        let body = desk.draft(&desk.grant("purchased-oem", "", &tables)).unwrap();
        body.grants.get(module).unwrap().minimum_version.to_string()
    };
    assert_eq!(first("", "OBM"), "");
    assert_eq!(first("", "VMware-Socket"), "7.7");
    assert_eq!(first("minimum_version = \"7\"\n", "OBM"), "7");
    assert_eq!(first("minimum_version = \"7\"\n", "VMware-Socket"), "7.7");
    assert_eq!(first("minimum_version = \"7.7.0\"\n", "VMware-Socket"), "7.7");
    assert_eq!(first("minimum_version = \"7.10\"\n", "VMware-Socket"), "7.10");
    for edition in ["oem", "standard"] {
        let catalog = Catalog::parse(SELF_HOSTED).unwrap();
        let kind = &catalog.types[&format!("pool-{edition}")];
        assert_eq!(kind.minimum_version.as_deref(), Some("7"));
    }
}
