//! What issuing books in the ledger: grants written by hand, from request to receipt.

use olr::{Home, RequestParams};
use olr_core::entitlement::Cause;
use olr_core::error::{Refusal, Result};
use olr_core::receipt::Receipt;
use olr_core::state::SlotName;
use olr_core::time::{DAY, Instant};
use olr_core::trust::Trust;
use olr_core::wire::codec::{Hidden, Limit, Text};
use olr_office::folder::{Folder, Handover, Init, Issue};
use olr_office::issue::{GrantFile, STARTER_GRANT};
use olr_office::ledger::{
    AddParty, Buy, Cals, ConfirmDate, Destination, KeyText, LongerMaintenance, NewKey, Order,
    PartyKind, PurchasedType,
};
use rand::{SeedableRng, rngs::ChaCha20Rng};

use crate::world::machine::around;

/// 2026-11-23T12:00:00Z.
const NOW: u64 = 1_795_435_200;

fn day(number: u64) -> Instant {
    Instant::new(NOW + number * DAY)
}

struct Office {
    folder: tempfile::TempDir,
    vendor: Folder,
    trust: Trust,
    rng: ChaCha20Rng,
    /// Homes that have a license, and its key.
    licensed: Vec<(String, String)>,
    last: Vec<u8>,
}

/// A grant of the starter catalog: its key, its modules and when it expires.
fn grant(key: &str, modules: &str, expires: &str) -> String {
    let head = STARTER_GRANT.split("[modules]").next().unwrap();
    let head = head.replace("AbCd-1234", key).replace("\"never\" ", &format!("\"{expires}\" "));
    format!("{head}\n[modules]\n{modules}\n")
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let roots = Default::default();
        let init = Init { name: "V", catalog: None, passphrases: None, test: true, roots };
        let (vendor, trust) = Folder::init(&folder.path().join("vendor"), &init, &mut rng).unwrap();
        Self { folder, vendor, trust, rng, licensed: Vec::new(), last: Vec::new() }
    }

    fn home(&self, name: &str) -> Home {
        Home::at(self.folder.path().join(name))
    }

    /// Requests a license. A server that has one for this key asks to renew it.
    fn request(&mut self, home: &str, key: &str, at: Instant) -> Vec<u8> {
        let renew = self.licensed.contains(&(home.to_string(), key.to_string()));
        let params = RequestParams {
            trust: Some(self.trust.bytes().to_vec()),
            licensee: Some(Text::new("ACME Ltd").unwrap()),
            license_key: Some(Hidden(Text::new(key).unwrap())),
            product: Some(Text::new("example").unwrap()),
            slot: Some(Text::new("backup").unwrap()),
            renew,
            ..RequestParams::default()
        };
        self.home(home).request(&params, &around("server", at), &mut self.rng).unwrap().bytes
    }

    /// Issues a license, and checks the ledger.
    fn issue(
        &mut self,
        request: &[u8],
        grant: &str,
        handover: Handover<'_>,
        at: Instant,
    ) -> Result<Vec<u8>> {
        let (grant, ask) = (GrantFile::parse(grant).unwrap(), &mut |_: &_| unreachable!());
        let opened = self.vendor.open_request(request, None, &self.trust, ask)?;
        let order = Issue { handover, ..Issue::new(request, &grant, at) };
        let issued = self.vendor.issue(&opened, &order, &self.trust, ask, &mut self.rng);
        assert_eq!(self.vendor.ledger().unwrap().check().unwrap(), []);
        Ok(issued?.outcome.license().unwrap().bytes().to_vec())
    }

    /// Requests, issues and imports a license.
    #[track_caller]
    fn answer(&mut self, home: &str, grant: &str, at: Instant) {
        let key = GrantFile::parse(grant).unwrap().key;
        let request = self.request(home, &key, at);
        let license = self.issue(&request, grant, Handover::Nothing, at).unwrap();
        self.home(home).import(&license, &around("server", at), Default::default()).unwrap();
        self.licensed.push((home.to_string(), key));
    }

    fn receipt(&self, home: &str, at: Instant) -> Receipt {
        let name = |name| Text::new(name).unwrap();
        let slot = SlotName { product: name("example"), slot: name("backup") };
        self.home(home).deactivate(&slot, &around("server", at)).unwrap()
    }

    /// The CALs of a key, as `OBM free/out/escrow`, and what was sold to its party.
    fn cals(&self, key: &str) -> String {
        let report = self.vendor.ledger().unwrap().license_key(key).unwrap().unwrap();
        let one = |cals: &olr_office::ledger::KeyCals| {
            format!("{} {}/{}/{}", cals.module, cals.free, cals.out, cals.escrow)
        };
        report.cals.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn a_renewal_of_the_same_quota_sells_nothing() {
    let mut office = Office::new();
    for time in [0, 20, 40] {
        office.answer("a", &grant("K", "OBM = 10", "60 days"), day(time));
        assert_eq!(office.cals("K"), "OBM 0/10/0");
    }
}

#[test]
fn fifty_thirty_forty() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "60 days"), day(0));
    office.answer("a", &grant("K", "OBM = 30", "60 days"), day(1));
    assert_eq!(office.cals("K"), "OBM 0/30/20");
    // The next request shows that the server has the license of 30.
    office.answer("a", &grant("K", "OBM = 40", "60 days"), day(2));
    assert_eq!(office.cals("K"), "OBM 10/40/0");
}

#[test]
fn what_was_not_imported_stays_in_escrow() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "60 days"), day(0));
    let request = office.request("a", "K", day(1));
    office.issue(&request, &grant("K", "OBM = 30", "60 days"), Handover::Nothing, day(1)).unwrap();
    // The answer was lost: the server still has the license of 50.
    let request = office.request("a", "K", day(2));
    office.issue(&request, &grant("K", "OBM = 40", "60 days"), Handover::Nothing, day(2)).unwrap();
    assert_eq!(office.cals("K"), "OBM 0/40/10");
    // That license ends after 60 days, with a day for the zones and one for its clock. After two
    // months without an order, somebody confirms the date.
    let confirm = ConfirmDate { day: day(63).day() };
    let mut ledger = office.vendor.ledger().unwrap();
    ledger.order(&Order::new("date", "me"), &confirm, day(63)).unwrap();
    drop(ledger);
    let request = office.request("a", "K", day(63));
    office.issue(&request, &grant("K", "OBM = 40", "60 days"), Handover::Nothing, day(63)).unwrap();
    assert_eq!(office.cals("K"), "OBM 10/40/0");
}

#[test]
fn what_has_ended_returns_to_its_key() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "60 days"), day(0));
    let day_run = |time| office.vendor.ledger().unwrap().run_day("cron", day(time)).unwrap();
    for (time, ended, cals) in [(61, 0, "OBM 0/50/0"), (63, 1, "OBM 50/0/0"), (63, 0, "OBM 50/0/0")]
    {
        // Nothing was ordered for two months: somebody confirms the date.
        let mut ledger = office.vendor.ledger().unwrap();
        let confirm = ConfirmDate { day: day(time).day() };
        ledger.order(&Order::new(format!("clock-{time}"), "me"), &confirm, day(time)).unwrap();
        drop(ledger);
        assert_eq!(day_run(time).ended.len(), ended, "{time}");
        assert_eq!(office.cals("K"), cals, "{time}");
        assert_eq!(office.vendor.ledger().unwrap().check().unwrap(), []);
    }
}

#[test]
fn one_module_down_and_another_up_in_one_answer() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50\nACB = 10", "60 days"), day(0));
    office.answer("a", &grant("K", "OBM = 30\nACB = 25", "60 days"), day(1));
    assert_eq!(office.cals("K"), "ACB 0/25/0, OBM 0/30/20");
    office.answer("a", &grant("K", "OBM = 30\nACB = 25", "60 days"), day(2));
    assert_eq!(office.cals("K"), "ACB 0/25/0, OBM 20/30/0");
}

#[test]
fn a_license_without_an_end_is_given_up_by_receipt_only() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "never"), day(0));
    office.answer("a", &grant("K", "OBM = 30", "never"), day(1));
    office.answer("a", &grant("K", "OBM = 30", "never"), day(2));
    assert_eq!(office.cals("K"), "OBM 0/30/20");
    // A receipt of the same installation closes all of its claims.
    let receipt = office.receipt("a", day(3));
    let request = office.request("b", "K", day(3));
    let less = grant("K", "OBM = 20", "never");
    let error = office.issue(&request, &less, Handover::Nothing, day(3)).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::AlreadyActivated));
    office.issue(&request, &less, Handover::Receipt(&receipt), day(3)).unwrap();
    assert_eq!(office.cals("K"), "OBM 30/20/0");
}

#[test]
fn a_lost_machine_with_a_license_without_an_end() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "never"), day(0));
    let request = office.request("b", "K", day(1));
    let same = grant("K", "OBM = 50", "never");
    office.issue(&request, &same, Handover::Transfer("burnt"), day(1)).unwrap();
    assert_eq!(office.cals("K"), "OBM 0/50/0");
    let report = office.vendor.ledger().unwrap().license_key("K").unwrap().unwrap();
    assert_eq!((&*report.state, &*report.party), ("active", "ACME Ltd"));
}

#[test]
fn a_key_of_the_ledger_needs_no_grant() {
    let mut office = Office::new();
    let catalog = office.vendor.catalog().unwrap();
    let (bought, add) = (Order::new("buy", "test"), Order::new("add", "test"));
    let mut ledger = office.vendor.ledger().unwrap();
    let party = AddParty::new(PartyKind::Customer, "Acme Group");
    ledger.order(&add, &party, day(0)).unwrap();
    let new = NewKey {
        text: KeyText::Chosen("K".to_string()),
        licensee: "ACME Ltd".to_string(),
        product: "example".to_string(),
        slot: "backup".to_string(),
    };
    let buy = Buy {
        party: "Acme Group".to_string(),
        reference: "2026-1".to_string(),
        day: day(0).day(),
        license_type: PurchasedType::of(&catalog, "oem").unwrap(),
        cals: vec![Cals::new("OBM", "device", 40)],
        to: Destination::NewKey(new),
        longer: LongerMaintenance::Refuse,
    };
    ledger.order(&bought, &buy, day(0)).unwrap();
    drop(ledger);
    for (time, license) in [(0, true), (1, false), (400, true)] {
        let request = match license {
            true => office.request("a", "K", day(time)),
            false => office.last.clone(),
        };
        let (trust, ask) = (&office.trust, &mut |_: &_| unreachable!());
        let opened = office.vendor.open_request(&request, None, trust, ask).unwrap();
        let grant = office.vendor.granted(opened.body(), day(time)).unwrap();
        let order = Issue { of_ledger: true, ..Issue::new(&request, &grant, day(time)) };
        let issued = office.vendor.issue(&opened, &order, trust, ask, &mut office.rng).unwrap();
        // The same request gets the same answer.
        assert_eq!(issued.outcome.is_repeated(), !license);
        let body = issued.outcome.license().unwrap().body().clone();
        // Maintenance began with the first activation.
        assert_eq!(body.maintenance.unwrap().to_string(), "2027-11-22");
        assert_eq!(office.cals("K"), "OBM 0/40/0");
        office.last = request;
    }
    assert_eq!(office.vendor.ledger().unwrap().check().unwrap(), []);
    let request = office.request("b", "Unknown", day(401));
    let (trust, ask) = (&office.trust, &mut |_: &_| unreachable!());
    let opened = office.vendor.open_request(&request, None, trust, ask).unwrap();
    let error = office.vendor.granted(opened.body(), day(401)).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::WrongLicensee));
}

#[test]
fn a_revoked_license_leaves_its_cals_in_escrow() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "60 days"), day(0));
    let ask = &mut |_: &_| unreachable!();
    let answer = office.vendor.ledger().unwrap().answers("").unwrap().pop().unwrap();
    let why = (Cause::Revoked, "stolen");
    office.vendor.revoke(&answer, why, day(1), &office.trust, ask).unwrap();
    assert_eq!(office.cals("K"), "OBM 0/0/50");
    // The same server may have it again.
    let request = office.request("a", "K", day(2));
    let same = grant("K", "OBM = 50", "60 days");
    office.issue(&request, &same, Handover::Nothing, day(2)).unwrap();
    assert_eq!(office.cals("K"), "OBM 0/50/0");
    let answer = office.vendor.ledger().unwrap().answers("").unwrap().pop().unwrap();
    office.vendor.revoke(&answer, why, day(3), &office.trust, ask).unwrap();
    // Somebody says why the key moves: it gets its own CALs, and nothing is sold again.
    let request = office.request("b", "K", day(2));
    let same = grant("K", "OBM = 50", "60 days");
    let moved = Handover::Transfer("stolen");
    office.issue(&request, &same, moved, day(2)).unwrap();
    assert_eq!(office.cals("K"), "OBM 0/50/0");
}

#[test]
fn the_key_of_a_running_server_is_pooled() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "60 days"), day(0));
    let ask = &mut |_: &_| unreachable!();
    let answer = office.vendor.ledger().unwrap().answers("").unwrap().pop().unwrap();
    let why = (Cause::Pooled, "partner");
    office.vendor.revoke(&answer, why, day(1), &office.trust, ask).unwrap();
    let report = office.vendor.ledger().unwrap().license_key("K").unwrap().unwrap();
    assert_eq!((&*report.state, &*office.cals("K")), ("pooled", "OBM 0/0/50"));
    assert_eq!(office.vendor.ledger().unwrap().check().unwrap(), []);
    // A pooled key gets no license any more (F2).
    let request = office.request("b", "K", day(2));
    let same = grant("K", "OBM = 50", "60 days");
    let error = office.issue(&request, &same, Handover::Transfer("x"), day(2)).unwrap_err();
    assert!(error.fact().ends_with("was added to a pool"), "{error}");
}

#[test]
fn another_key_in_the_same_slot_replaces_the_first() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "60 days"), day(0));
    // Each key keeps its own CALs: what the second covers of the first one's claim is free there.
    let request = office.request("a", "L", day(1));
    office.issue(&request, &grant("L", "OBM = 30", "60 days"), Handover::Nothing, day(1)).unwrap();
    assert_eq!((&*office.cals("K"), &*office.cals("L")), ("OBM 30/0/20", "OBM 0/30/0"));
    let report = office.vendor.ledger().unwrap().license_key("K").unwrap().unwrap();
    assert_eq!((&*report.state, report.holder), ("deactivated", None));
}

#[test]
fn a_key_belongs_to_one_slot() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 1", "never"), day(0));
    let slot = grant("K", "OBM = 1", "never").replace("\"backup\"", "\"redirector\"");
    let request = {
        let params = RequestParams {
            trust: Some(office.trust.bytes().to_vec()),
            licensee: Some(Text::new("ACME Ltd").unwrap()),
            license_key: Some(Hidden(Text::new("K").unwrap())),
            product: Some(Text::new("example").unwrap()),
            slot: Some(Text::new("redirector").unwrap()),
            ..RequestParams::default()
        };
        let around = around("server", day(1));
        office.home("b").request(&params, &around, &mut office.rng).unwrap().bytes
    };
    let error = office.issue(&request, &slot, Handover::Nothing, day(1)).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::WrongSlot), "{error}");
    assert!(error.fact().contains("belongs to slot backup"), "{error}");
}

/// Request 2 is answered with 100, then request 1 with 50: the server may still import the first.
#[test]
fn an_answer_to_an_older_request_replaces_nothing() {
    let mut office = Office::new();
    let first = office.request("a", "K", day(0));
    let second = office.request("a", "K", day(0));
    let (hundred, fifty) = (grant("K", "OBM = 100", "60 days"), grant("K", "OBM = 50", "60 days"));
    office.issue(&second, &hundred, Handover::Nothing, day(0)).unwrap();
    let older = office.issue(&first, &fifty, Handover::Nothing, day(0)).unwrap();
    office.home("a").import(&older, &around("server", day(0)), Default::default()).unwrap();
    office.licensed.push(("a".to_string(), "K".to_string()));
    let renewal = office.request("a", "K", day(1));
    let ten = grant("K", "OBM = 10", "60 days");
    office.issue(&renewal, &ten, Handover::Nothing, day(1)).unwrap();
    assert_eq!(office.cals("K"), "OBM 0/10/90");
}

#[test]
fn a_trial_does_not_move_a_paid_key() {
    let mut office = Office::new();
    let path = office.vendor.path().join("catalog.toml");
    let catalog = std::fs::read_to_string(&path).unwrap();
    let (before, trial) = catalog.split_once("[type.evaluation]").unwrap();
    let trial = trial.replacen("offline = false", "offline = true", 1);
    let trial = trial.replacen("reason = \"an evaluation is started online\"\n", "", 1);
    std::fs::write(&path, format!("{before}[type.evaluation]{trial}")).unwrap();
    office.answer("a", &grant("K", "OBM = 20", "60 days"), day(0));
    let request = office.request("b", "K", day(1));
    let trial = grant("K", "OBM = 5", "30 days").replace("\"oem\"", "\"evaluation\"");
    let trial = trial.replace("\"1 year\"", "\"never\"");
    office.issue(&request, &trial, Handover::Nothing, day(1)).unwrap();
    // The trial holds nothing: the key is still on the first server, which renews as before.
    let request = office.request("b", "K", day(2));
    let paid = grant("K", "OBM = 20", "60 days");
    let error = office.issue(&request, &paid, Handover::Nothing, day(2)).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::AlreadyActivated));
    office.answer("a", &paid, day(3));
    assert_eq!(office.cals("K"), "OBM 0/20/0");
}

#[test]
fn unlimited_lasts_until_somebody_grants_a_number() {
    let mut office = Office::new();
    for (time, written, granted) in [
        (0, "OBM = \"unlimited\"", Limit::Any),
        (1, "OBM = 10", Limit::Only(10)),
        (2, "OBM = \"unlimited\"", Limit::Any),
    ] {
        office.answer("a", &grant("K", written, "60 days"), day(time));
        let request = office.request("a", "K", day(time));
        let ask = &mut |_: &_| unreachable!();
        let opened = office.vendor.open_request(&request, None, &office.trust, ask).unwrap();
        let grant = office.vendor.granted(opened.body(), day(time)).unwrap();
        assert_eq!(grant.modules.get("OBM"), Some(&granted), "{written}");
    }
}

/// A wrong clock moves the books on by a month at most: it neither ends a license that is used nor
/// stops all later orders.
#[test]
fn a_wrong_clock_ends_nothing() {
    let mut office = Office::new();
    office.answer("a", &grant("K", "OBM = 50", "60 days"), day(0));
    office.answer("b", &grant("L", "OBM = 5", "60 days"), day(0));
    let ask = &mut |_: &_| unreachable!();
    let answer = office.vendor.ledger().unwrap().answers("K").unwrap().pop().unwrap();
    let why = (Cause::Revoked, "stolen");
    office.vendor.revoke(&answer, why, day(3_000), &office.trust, ask).unwrap();
    let request = office.request("b", "L", day(1));
    office.issue(&request, &grant("L", "OBM = 1", "60 days"), Handover::Nothing, day(1)).unwrap();
    assert_eq!(office.cals("L"), "OBM 0/1/4");
    let mut ledger = office.vendor.ledger().unwrap();
    let confirm = ConfirmDate { day: day(31).day() };
    ledger.order(&Order::new("date", "me"), &confirm, day(31)).unwrap();
    assert_eq!(ledger.run_day("me", day(31)).unwrap().ended, []);
}
