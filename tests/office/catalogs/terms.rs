//! The effect of each cause, for every type of the two example vendors.

use olr_core::entitlement::{Cause, EnforcementRule, Operation, Outcome};
use olr_office::catalog::Catalog;
use olr_office::issue::Terms;

use super::{Desk, MANAGED, SELF_HOSTED};
use crate::world::operations::{BACKUP, CONNECT, CREATE_BACKUP_SET, RESTORE};
use Cause::{Conflict, Expired, OverQuota, Pooled, Revoked, Upgraded};
use Outcome::{Block, Stop, Warn};

const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

type Said = Vec<(Cause, u64, Outcome)>;

fn terms(desk: &Desk, kind: &str, tables: &str) -> Terms {
    Terms::of(&desk.grant(kind, "", tables), &desk.catalog.types[kind], &desk.catalog).unwrap()
}

fn said(terms: &Terms) -> Said {
    terms.grace.iter().map(|rule| (rule.cause, rule.seconds, rule.outcome)).collect()
}

fn blocked(terms: &Terms) -> Vec<(Cause, Vec<Operation>)> {
    terms.enforcement.iter().map(|rule| (rule.cause, rule.blocked.to_vec())).collect()
}

const WITH_SERVER: &str = "[modules]\nCBS = 1\nOBM = 10\n";

#[test]
fn the_self_hosted_server_has_the_graces_it_is_sold_with() {
    let desk = Desk::new(SELF_HOSTED, "backup");
    let (quota, upgraded) = ((OverQuota, 12 * HOUR, Stop), (Upgraded, 60 * DAY, Stop));
    let (conflict, pooled) = ((Conflict, 14 * DAY, Stop), (Pooled, 14 * DAY, Stop));
    let mut seen = 0;
    for edition in ["oem", "standard"] {
        for (model, with, without) in [
            ("purchased", vec![quota, conflict, pooled], vec![conflict, pooled, upgraded]),
            (
                "meter",
                vec![(Expired, 14 * DAY, Stop), quota, conflict],
                vec![(Expired, 14 * DAY, Stop), conflict, upgraded],
            ),
            (
                "evaluation",
                vec![(Expired, 0, Block), (OverQuota, 0, Warn), conflict],
                vec![(Expired, 0, Block), (OverQuota, 0, Warn), conflict],
            ),
            ("pool", vec![quota, conflict], vec![conflict, upgraded]),
        ] {
            let kind = format!("{model}-{edition}");
            let all = terms(&desk, &kind, WITH_SERVER);
            assert_eq!(said(&all), with, "{kind}");
            for modules in ["[modules]\nOBM = 10\n", "[modules]\nCBS = 0\nOBM = 10\n"] {
                assert_eq!(said(&terms(&desk, &kind, modules)), without, "{kind}");
            }
            let barred = vec![BACKUP, CONNECT, RESTORE];
            let is_trial = model == "evaluation";
            let expected = if is_trial { vec![(Expired, barred)] } else { Vec::new() };
            assert_eq!(blocked(&all), expected, "{kind}");
            assert!(all.always.is_empty());
            seen += 1;
        }
    }
    assert_eq!(seen, desk.catalog.types.len());
}

#[test]
fn the_managed_service_never_blocks_a_restore() {
    let desk = Desk::new(MANAGED, "computer");
    let barred = || vec![BACKUP, CREATE_BACKUP_SET];
    let modules = "[modules]\nServer = 1\n";
    for (kind, expected, blocks) in [
        (
            "trial",
            vec![(Expired, 0, Block), (OverQuota, 0, Warn), (Conflict, 0, Warn)],
            vec![(Expired, barred())],
        ),
        (
            "monthly",
            vec![(Expired, 3 * DAY, Block), (Conflict, 7 * DAY, Block), (Revoked, 3 * DAY, Stop)],
            vec![(Expired, barred()), (Conflict, barred())],
        ),
        (
            "annual",
            vec![(Expired, 14 * DAY, Block), (Conflict, 7 * DAY, Block), (Revoked, 3 * DAY, Stop)],
            vec![(Expired, barred()), (Conflict, barred())],
        ),
    ] {
        let terms = terms(&desk, kind, modules);
        assert_eq!((said(&terms), blocked(&terms)), (expected, blocks), "{kind}");
        assert_eq!(*terms.always, [RESTORE]);
    }
}

#[test]
fn a_rule_of_the_grant_stands_in_place_of_the_type_s() {
    let desk = Desk::new(SELF_HOSTED, "backup");
    let tables = format!(
        "{WITH_SERVER}[on.conflict]\nafter = \"30 days\"\nthen = \"stop\"\n\
        [on.expired]\nthen = \"block\"\nblocks = [\"backup\"]\n[on.pooled]\nthen = \"stop\"\n"
    );
    let terms = terms(&desk, "purchased-oem", &tables);
    // For the other causes, stopping at once is the default and needs no rule.
    let expected = [(Expired, 0, Block), (OverQuota, 12 * HOUR, Stop), (Conflict, 30 * DAY, Stop)];
    assert_eq!(said(&terms), expected);
    assert_eq!(blocked(&terms), [(Expired, vec![BACKUP])]);
}

#[test]
fn over_quota_holds_where_nothing_is_said_of_an_upgrade_or_nothing_is_a_server() {
    let only = |text: &str, modules: &str| {
        let desk = Desk::new(text, "backup");
        said(&terms(&desk, "purchased-oem", modules))
            .into_iter()
            .map(|(cause, ..)| cause)
            .filter(|cause| [OverQuota, Upgraded].contains(cause))
            .collect::<Vec<_>>()
    };
    let without = "[modules]\nOBM = 10\n";
    assert_eq!(only(SELF_HOSTED, without), [Upgraded]);
    let upgraded = "on.upgraded = { after = \"60 days\", then = \"stop\" }\n";
    assert_eq!(only(&SELF_HOSTED.replace(upgraded, ""), without), [OverQuota]);
    assert_eq!(only(&SELF_HOSTED.replace("server = true\n", ""), without), [OverQuota]);
    let quota = "on.over-quota = { after = \"12 hours\", then = \"stop\" }\n";
    assert_eq!(only(&SELF_HOSTED.replace(quota, ""), WITH_SERVER), []);
    // An excess only warns by default, so stopping at once needs a rule.
    let at_once = SELF_HOSTED.replace("after = \"12 hours\", ", "");
    assert_eq!(only(&at_once, WITH_SERVER), [OverQuota]);
}

#[test]
fn a_license_says_what_its_type_says() {
    let desk = Desk::new(SELF_HOSTED, "backup");
    let body = desk.draft(&desk.grant("purchased-oem", "", WITH_SERVER)).unwrap();
    let grace: Vec<_> = body.grace.iter().map(|r| (r.cause, r.seconds, r.outcome)).collect();
    let expected =
        [(OverQuota, 12 * HOUR, Stop), (Conflict, 14 * DAY, Stop), (Pooled, 14 * DAY, Stop)];
    assert_eq!(grace, expected);
    assert!(body.enforcement.is_empty() && body.always.is_empty());
    let desk = Desk::new(MANAGED, "computer");
    let body = desk.draft(&desk.grant("annual", "", "[modules]\nDesktop = 1\n")).unwrap();
    let grace: Vec<_> = body.grace.iter().map(|r| (r.cause, r.seconds, r.outcome)).collect();
    let expected =
        [(Expired, 14 * DAY, Block), (Conflict, 7 * DAY, Block), (Revoked, 3 * DAY, Stop)];
    assert_eq!(grace, expected);
    let new = vec![BACKUP, CREATE_BACKUP_SET];
    let blocked = |rule: &EnforcementRule| (rule.cause, rule.blocked.to_vec());
    let said: Vec<_> = body.enforcement.iter().map(blocked).collect();
    assert_eq!(said, [(Expired, new.clone()), (Conflict, new)]);
    assert_eq!(body.always.to_vec(), [RESTORE]);
}

#[test]
fn times_before_something_follows_are_hours_or_days() {
    let seconds = |after: &str| {
        let rule = format!("on.expired = {{ after = \"{after}\", then = \"stop\" }}\n");
        let text = SELF_HOSTED.replacen("on.conflict =", &format!("{rule}on.conflict ="), 1);
        let catalog = Catalog::parse(&text).ok()?;
        Some(catalog.types["purchased-oem"].on[&Expired].seconds)
    };
    assert_eq!(seconds("0 days"), Some(0));
    assert_eq!(seconds("1 hour"), Some(HOUR));
    assert_eq!(seconds("12 hours"), Some(12 * HOUR));
    assert_eq!(seconds("36500 days"), Some(36_500 * DAY));
    for wrong in
        ["36501 days", "1 month", "-1 days", "+1 days", "14", "days", "18446744073709551615 days"]
    {
        assert_eq!(seconds(wrong), None, "{wrong}");
    }
}
