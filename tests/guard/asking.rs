//! Answers to a product's questions, and their wording.

use olr::{Guard, GuardConfig};
use olr::{Operation, Question};
use olr_core::entitlement::{Cause, EnforcementRule, GraceRule, Outcome};
use olr_core::error::{Error, Refusal};
use olr_core::time::Day;
use olr_core::wire::codec::{Limit, Set};

use crate::server::{DAY, Server, WORLD, anchor, grant, granting};
use crate::world::operations::{ALL, CREATE_USER, RESTORE, UPDATE_USER};
use crate::world::text;

fn adding<'a>(adds: &'a [(&'a str, u64)]) -> Question<'a> {
    Question { adds, ..Question::about(CREATE_USER) }
}

#[track_caller]
fn no(answer: Result<(), Error>, word: Refusal, fact: &str) {
    let error = answer.unwrap_err();
    assert_eq!((error.refusal(), error.fact()), (Some(word), fact));
    assert!(!error.next_step().text().is_empty());
}

#[test]
fn a_quota_is_answered_by_what_the_product_last_said() {
    let server = Server::with(|_| ());
    let guard = server.guard();
    guard.ask(&adding(&[("OBM", 20), ("ACB", 10)])).unwrap();
    let word = Refusal::QuotaExceeded;
    no(guard.ask(&adding(&[("OBM", 21)])), word, "OBM: 20 granted, 0 used, 21 more wanted");
    guard.report(&[("OBM", 19)]).unwrap();
    guard.ask(&adding(&[("OBM", 1)])).unwrap();
    guard.ask(&adding(&[("OBM", 0)])).unwrap();
    no(guard.ask(&adding(&[("OBM", 2)])), word, "OBM: 20 granted, 19 used, 2 more wanted");
    // Items of one question are added up.
    let twice = adding(&[("OBM", 1), ("ACB", 10), ("OBM", 1)]);
    no(guard.ask(&twice), word, "OBM: 20 granted, 19 used, 2 more wanted");
    let most = adding(&[("OBM", u64::MAX)]);
    no(guard.ask(&most), word, "OBM: 20 granted, 19 used, 18446744073709551615 more wanted");
    // A module that is not named keeps its count; one that is used less has room again.
    guard.report(&[("ACB", 10)]).unwrap();
    no(guard.ask(&adding(&[("ACB", 1)])), word, "ACB: 10 granted, 10 used, 1 more wanted");
    guard.report(&[("OBM", 0)]).unwrap();
    guard.ask(&adding(&[("OBM", 20)])).unwrap();
    no(guard.ask(&adding(&[("X", 1)])), Refusal::NotEntitled, "module X is not granted");
    no(guard.ask(&adding(&[("obm", 1)])), Refusal::NotEntitled, "module obm is not granted");
    no(guard.ask(&adding(&[("", 0)])), Refusal::NotEntitled, "module  is not granted");
    assert_eq!(guard.decision().headline(), None);
}

#[test]
fn pools_includes_releases_and_accounts_count() {
    let mut grants = vec![grant("vmware", Some(3)), grant("hyperv", Some(2)), grant("any", None)];
    grants[0].pool = text("guests");
    grants[1].pool = text("guests");
    let mut agent = grant("agent", Some(5));
    agent.includes = Set::new(vec![text("mysql"), text("system")]).unwrap();
    agent.minimum_version = text("7.7");
    agent.account_cap = Limit::Only(2);
    agent.admin_cap = Limit::Only(4);
    grants.push(agent);
    let server = Server::with(granting(grants));
    let guard = server.guard();
    guard.report(&[("vmware", 1), ("agent", 2)]).unwrap();
    guard.ask(&adding(&[("hyperv", 4), ("mysql", 1000), ("any", u64::MAX)])).unwrap();
    let pooled = "hyperv: 5 granted, 1 used, 5 more wanted";
    no(guard.ask(&adding(&[("hyperv", 5)])), Refusal::QuotaExceeded, pooled);
    let pooled = "vmware: 5 granted, 1 used, 5 more wanted";
    let both = adding(&[("vmware", 2), ("hyperv", 3)]);
    no(guard.ask(&both), Refusal::QuotaExceeded, pooled);
    for (version, fits) in [("7.7", true), ("7.10.1", true), ("7.7.0", true), ("", true)]
        .into_iter()
        .chain([("7.6.9", false), ("7", false), ("6.99", false), ("x", false)])
    {
        let question = Question { version, ..adding(&[("agent", 1)]) };
        let old = "module agent is granted only for release 7.7 and later";
        match fits {
            true => guard.ask(&question).unwrap(),
            false => no(guard.ask(&question), Refusal::NotEntitled, old),
        }
    }
    let account = |wanted| {
        let (about, account) = (Question::about(UPDATE_USER), [("agent", wanted)]);
        guard.ask(&Question { account: &account, ..about })
    };
    account(2).unwrap();
    no(account(3), Refusal::QuotaExceeded, "agent: an account may have 2, but would have 3");
    // A sub-administrator's limit lies between its usage and what is granted.
    for wanted in 2..=4 {
        guard.ask_admin(UPDATE_USER, "agent", 2, wanted).unwrap();
    }
    for wanted in [0, 1, 5, u64::MAX] {
        let fact = format!("agent: a sub-administrator may be given 2 to 4, not {wanted}");
        no(guard.ask_admin(UPDATE_USER, "agent", 2, wanted), Refusal::QuotaExceeded, &fact);
    }
    guard.ask_admin(UPDATE_USER, "any", 7, u64::MAX).unwrap();
    let fact = "any: a sub-administrator may be given 7 or more, not 6";
    no(guard.ask_admin(UPDATE_USER, "any", 7, 6), Refusal::QuotaExceeded, fact);
    no(
        guard.ask_admin(UPDATE_USER, "none", 0, 0),
        Refusal::NotEntitled,
        "module none is not granted",
    );
}

#[test]
fn a_release_after_the_end_of_maintenance_is_not_installed() {
    let last = "2028-11-22".parse::<Day>().unwrap();
    let server = Server::with(|body| (body.maintenance, body.expires) = (Some(last), None));
    let guard = server.guard();
    let upgrade = |day: &str| {
        let release = Some(day.parse::<Day>().unwrap());
        guard.ask(&Question { release, ..Question::about(Operation::UPGRADE) })
    };
    upgrade("2028-11-22").unwrap();
    let fact =
        "that release came out on 2028-11-23, but maintenance covers releases until 2028-11-22";
    no(upgrade("2028-11-23"), Refusal::MaintenanceEnded, fact);
    // The date of installation does not matter, and the installed release keeps running.
    server.set(last.ends());
    upgrade("2028-11-22").unwrap();
    no(upgrade("2028-11-23"), Refusal::MaintenanceEnded, fact);
    guard.ask(&Question::about(Operation::RUN)).unwrap();
}

#[test]
fn what_is_never_blocked_is_not_blocked() {
    let server = Server::with(|body| {
        body.always = Set::new(vec![RESTORE]).unwrap();
        let rule = GraceRule { cause: Cause::OverQuota, seconds: 0, outcome: Outcome::Block };
        body.grace = Set::new(vec![rule]).unwrap();
        let blocked = Set::new(vec![CREATE_USER, RESTORE]).unwrap();
        let rule = EnforcementRule { cause: Cause::OverQuota, blocked };
        body.enforcement = Set::new(vec![rule]).unwrap();
    });
    let guard = server.guard();
    let may = |operation| guard.ask(&Question::about(operation)).is_ok();
    let all = ALL.iter().copied();
    assert!(all.clone().all(may));
    guard.report(&[("OBM", 21)]).unwrap();
    let left: Vec<_> = all.clone().filter(|operation| !may(*operation)).collect();
    assert_eq!(left, [CREATE_USER]);
    let headline = guard.decision().headline().unwrap().to_string();
    assert!(
        headline.starts_with("blocked (create-user): quota-exceeded: OBM: 21 used, 20 granted"),
        "{headline}"
    );
    // After the end, everything is blocked except what is always allowed, and the way to a new
    // license.
    server.pass(400 * DAY);
    let left: Vec<_> = all.filter(|operation| may(*operation)).collect();
    assert_eq!(left, [Operation::UPDATE_LICENSE, RESTORE]);
    no(
        guard.ask_admin(UPDATE_USER, "OBM", 0, 1),
        Refusal::Expired,
        "this license expired on 2028-11-22",
    );
    let headline = guard.decision().headline().unwrap().to_string();
    assert!(
        headline.starts_with("refused: expired: this license expired on 2028-11-22; ask"),
        "{headline}"
    );
}

#[test]
fn an_anchor_is_a_trust_or_nothing_opens() {
    let server = Server::with(|_| ());
    let license: &'static [u8] = WORLD.license(|_| ()).leak();
    let delegation: &'static [u8] = WORLD.vendor.delegation.clone().leak();
    let mut flipped = anchor().to_vec();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let wrong: [&'static [u8]; 8] = [
        b"",
        b"vendor.trust",
        &anchor()[..last],
        flipped.leak(),
        [anchor(), b"\0"].concat().leak(),
        license,
        delegation,
        b"-----BEGIN OLR TRUST-----\n-----END OLR TRUST-----\n",
    ];
    for (n, anchor) in wrong.into_iter().enumerate() {
        let error = Guard::open(GuardConfig { anchor, ..server.order() }).unwrap_err();
        let place = "the trust that is compiled into this product: ";
        assert!(error.fact().starts_with(place), "{n}: {error}");
        assert!(error.next_step().text().contains("vendor.trust"), "{}", error.next_step());
    }
}

#[test]
fn another_vendors_anchor_refuses_everything_also_where_the_home_refuses_a_part() {
    let blocks = |body: &mut olr_core::license::LicenseBody| {
        body.always = Set::new(vec![Operation::RUN, RESTORE]).unwrap();
    };
    let server = Server::with(blocks);
    let other: &'static [u8] = WORLD.other.trust.bytes().to_vec().leak();
    for clock in [server.now(), olr_core::time::Instant::new(server.now().seconds + 400 * DAY)] {
        server.set(clock);
        server.guard().ask(&Question::about(Operation::RUN)).unwrap();
        let guard = Guard::open(GuardConfig { anchor: other, ..server.order() }).unwrap();
        guard.ask(&Question::about(Operation::UPDATE_LICENSE)).unwrap();
        let others = ALL.iter().filter(|other| **other != Operation::UPDATE_LICENSE);
        for operation in others {
            let error = guard.ask(&Question::about(*operation)).unwrap_err();
            assert_eq!(error.refusal(), Some(Refusal::WrongVendor), "{operation}: {error}");
        }
        assert_eq!(guard.decision().state(), "refused");
    }
}
