//! Reports show every value of a body: to people and to programs.
#![cfg(all(feature = "cli", feature = "vendor"))]

use std::collections::BTreeSet;

use olr_core::entitlement::{Cause, Count, EnforcementRule, GraceRule, Grant, Operation, Outcome};
use olr_core::license::LicenseBody;
use olr_core::machine::{Class, Factor, FactorKind, Policy};
use olr_core::proposal::{Proposal, ProposalBody};
use olr_core::receipt::ReceiptBody;
use olr_core::report::{
    DelegationReport, LicenseReport, ProposalReport, ReceiptReport, RequestReport,
    RevocationsReport, Row, Table, TimestampReport, TrustReport, factor_table,
};
use olr_core::request::{Earlier, Fact, RequestBody};
use olr_core::revocation::{RevocationsBody, Withdrawn};
use olr_core::time::Instant;
use olr_core::timestamp::TimestampBody;
use olr_core::trust::{Act, DelegationBody, ModuleMaximum, SignerRule, TrustBody};
use olr_core::wire::codec::{
    BODY_CAP, Blob, Hidden, Keyed, Limit, List, Record, Set, decode, encode,
};
use olr_core::wire::extension::{Extension, Extensions};
use olr_core::wire::frame::{Kind, Unsigned};
use olr_core::wire::id::{KeyId, LicenseId, RequestId, RevokedId};

use crate::world::properties::value::{Piece, Value, joined, spelling};
use crate::world::{NOW, World, text};

/// The text and the JSON of a report.
type Said = (String, serde_json::Value);

/// Values that are not shown, and why. A field of a record within a body is written `record.field`.
const UNSHOWN: &[(&str, &str)] = &[
    ("commitment_key", "a secret"),
    ("license_key", "a secret, of which only the end is shown: see below"),
    ("policy.enrolled.commitment", "a digest under a key that only the installation has"),
    ("kind", "of a proposal: its content changes with it"),
    ("attachments", "of a proposal: artefacts of their own, of which the kinds are shown"),
    ("body", "of a proposal: bytes of another body, whose report is the content"),
];

fn said(report: &impl serde::Serialize, rows: &[Row], tables: &[Table]) -> Said {
    (format!("{rows:?} {tables:?}"), serde_json::to_value(report).unwrap())
}

/// Replacements for the bytes of a piece. Some of them encode another value of its type.
fn others(piece: &Piece) -> Vec<Vec<u8>> {
    if let Some(number) = piece.number {
        let others = [number.wrapping_add(1), number.wrapping_sub(1)];
        return others.map(|number| Piece::varint(number).bytes).to_vec();
    }
    let change = |by: u8| {
        let mut bytes = piece.bytes.clone();
        bytes.first_mut().map(|first| *first ^= by).map(|()| bytes)
    };
    [1, 2, 3, 4].into_iter().filter_map(change).collect()
}

/// Names and values of the fields of a record, taken from its `Debug` output.
fn fields(body: &impl std::fmt::Debug) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in format!("{body:#?}").lines().skip(1) {
        let name = line.strip_prefix("    ").filter(|rest| !rest.starts_with([' ', ']', '}', ')']));
        match (name.and_then(|line| line.split_once(": ")), fields.last_mut()) {
            (Some((name, value)), _) => fields.push((name.to_string(), value.to_string())),
            (None, Some((_, value))) => value.push_str(line),
            (None, None) => {}
        }
    }
    fields
}

/// Changes one value of `body` at a time, and checks that text and JSON change with it and that
/// every field was covered. `is_unshown` tells whether two bodies differ only in values that
/// [`UNSHOWN`] lists inside a record.
fn every_value_is_shown<T: Value + Record>(
    body: &T,
    report: impl Fn(&T) -> Option<Said>,
    is_unshown: impl Fn(&T, &T) -> bool,
) {
    let (pieces, before) = (spelling(body), report(body).unwrap());
    let (was, mut changed, mut faults) = (fields(body), BTreeSet::new(), BTreeSet::new());
    for (at, piece) in pieces.iter().enumerate() {
        for bytes in others(piece) {
            let mut edited = pieces.clone();
            edited[at] = Piece { bytes, number: None };
            let Ok(edited) = decode::<T>("body", &joined(&edited), BODY_CAP) else { continue };
            let Some(after) = report(&edited) else { continue };
            let is = fields(&edited);
            let differ = was.iter().zip(&is).filter(|(was, is)| was != is).map(|(was, _)| &was.0);
            let differ: Vec<_> = differ.cloned().collect();
            let unshown = |name: &String| UNSHOWN.iter().any(|(other, _)| other == name);
            if differ.iter().all(unshown) || is_unshown(body, &edited) {
                continue;
            }
            for (what, is_same) in [("text", after.0 == before.0), ("JSON", after.1 == before.1)] {
                if is_same {
                    faults.insert(format!(
                        "{differ:?} {bytes:?} is not in the {what}",
                        bytes = piece.bytes
                    ));
                }
            }
            changed.extend(differ);
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let missed = was.iter().map(|(name, _)| name).filter(|name| !changed.contains(*name));
    let missed: Vec<_> = missed.filter(|name| !UNSHOWN.iter().any(|(o, _)| o == name)).collect();
    assert!(missed.is_empty(), "no replacement changed {missed:?}");
}

fn nothing<T>(_: &T, _: &T) -> bool {
    false
}

fn set<T: Keyed, const CAP: usize>(entries: Vec<T>) -> Set<T, CAP> {
    Set::new(entries).unwrap()
}

fn list<T, const CAP: usize>(entries: Vec<T>) -> List<T, CAP> {
    List::new(entries).unwrap()
}

fn extensions() -> Extensions {
    set(vec![Extension { number: 9, critical: false, bytes: Blob::new(b"more").unwrap() }])
}

fn operation(word: &str) -> Operation {
    Operation::new(word).unwrap()
}

fn counts(counts: &[(&str, u64)]) -> Set<Count, 4096> {
    set(counts
        .iter()
        .map(|(module, count)| Count { module: text(module), count: *count })
        .collect())
}

fn license() -> LicenseBody {
    let body = World::new().body();
    let grant = Grant {
        group: text("Servers"),
        account_cap: Limit::Only(40),
        admin_cap: Limit::Only(30),
        pool: text("pool"),
        requires: set(vec![text("AAA")]),
        includes: set(vec![text("CCC")]),
        minimum_version: text("9.1"),
        ..body.grants[0].clone()
    };
    let rule = |cause, seconds, outcome| GraceRule { cause, seconds, outcome };
    let blocks = |cause, word| EnforcementRule { cause, blocked: set(vec![operation(word)]) };
    LicenseBody {
        grants: set(vec![grant]),
        languages: set(vec![text("de"), text("en")]),
        expires: Some("2028-11-22".parse().unwrap()),
        maintenance: Some("2028-05-22".parse().unwrap()),
        grace: set(vec![
            rule(Cause::Expired, 3 * 86_400, Outcome::Block),
            rule(Cause::Revoked, 7200, Outcome::Stop),
        ]),
        // One rule that has an effect, and one that has none.
        enforcement: set(vec![blocks(Cause::Expired, "backup"), blocks(Cause::Pooled, "restore")]),
        always: set(vec![operation("restore")]),
        operations: set(vec![operation("backup"), operation("restore")]),
        replaces: Some(LicenseId([7; 16])),
        note: text("thank you"),
        extensions: extensions(),
        ..body
    }
}

#[test]
fn a_license_shows_all() {
    let report = |body: &LicenseBody| {
        let report = LicenseReport::from(body);
        Some(said(&report, &report.rows(), &report.tables()))
    };
    let is_unshown = |one: &LicenseBody, other: &LicenseBody| {
        let policy = |body: &LicenseBody| {
            let Policy { name, threshold, hardware, enrolled } = body.policy.clone();
            let enrolled: Vec<_> = enrolled.iter().map(|f| (f.kind, f.class, f.weight)).collect();
            (name, threshold, hardware, enrolled)
        };
        policy(one) == policy(other)
            && LicenseBody { policy: one.policy.clone(), ..other.clone() } == *one
    };
    every_value_is_shown(&license(), report, is_unshown);
}

fn factor(kind: FactorKind, class: Class, ignored: &str) -> Factor {
    let (name, value) = (text("eth0"), text("02:fc:00:00:00:01"));
    Factor { kind, class, name, value, ignored: text(ignored) }
}

#[test]
fn a_request_shows_all_but_its_secrets() {
    let earlier = vec![Earlier { number: 3, hash: [5; 32] }];
    let factors = vec![
        factor(FactorKind::NetworkAddress, Class::Hardware, ""),
        factor(FactorKind::DiskSerial, Class::Common, "a filler"),
    ];
    let body = RequestBody {
        earlier: set(earlier),
        enrolled: list(factors.clone()),
        found: list(factors),
        addresses: list(vec![text("192.0.2.7")]),
        facts: list(vec![Fact { name: text("os"), value: text("linux") }]),
        boot: text("boot"),
        renews: Some(LicenseId([8; 16])),
        usage: counts(&[("OBM", 3)]),
        wanted: counts(&[("OBM", 5)]),
        note: text("please"),
        extensions: extensions(),
        ..World::new().request_body
    };
    let report = |body: &RequestBody| {
        let report = RequestReport::from(body);
        Some(said(&report, &report.rows(), &[factor_table(&report.found, true)]))
    };
    every_value_is_shown(&body, report, nothing);
    let key = |key: &str| RequestBody { license_key: Hidden(text(key)), ..body.clone() };
    let (one, same, other) = (key("AbCd-1234"), key("XbCd-1234"), key("AbCd-1235"));
    assert_eq!(report(&one), report(&same), "of a license key only the end is shown");
    let (one, other) = (report(&one).unwrap(), report(&other).unwrap());
    assert!(one.0 != other.0 && one.1 != other.1);
    assert_eq!(one.1["license_key"], "…1234");
}

#[test]
fn a_receipt_a_time_and_revocations_show_all() {
    let at: Instant = NOW.parse().unwrap();
    let receipt = ReceiptBody {
        install_key: [1; 32],
        product: text("example"),
        slot: text("backup"),
        number: 4,
        earlier: set(vec![Earlier { number: 3, hash: [5; 32] }]),
        license: LicenseId([2; 16]),
        license_hash: [3; 32],
        at,
        extensions: extensions(),
    };
    let report = |body: &ReceiptBody| {
        let report = ReceiptReport::from(body);
        Some(said(&report, &report.rows(), &[]))
    };
    every_value_is_shown(&receipt, report, nothing);
    let time = TimestampBody {
        request: RequestId([1; 16]),
        request_hash: [2; 32],
        number: 5,
        install_key: [3; 32],
        time: at,
        extensions: extensions(),
    };
    let report = |body: &TimestampBody| {
        let report = TimestampReport::from(body);
        Some(said(&report, &report.rows(), &[]))
    };
    every_value_is_shown(&time, report, nothing);
    let withdrawn = Withdrawn { license: RevokedId([4; 16]), cause: Cause::Revoked };
    let revocations = RevocationsBody {
        version: 2,
        sequence: 3,
        issued: at,
        licenses: set(vec![withdrawn]),
        extensions: extensions(),
    };
    let report = |body: &RevocationsBody| {
        let report = RevocationsReport::from(body);
        Some(said(&report, &report.rows(), &report.tables()))
    };
    every_value_is_shown(&revocations, report, nothing);
}

fn trust() -> TrustBody {
    let rule = SignerRule {
        model: Limit::Only(olr_core::entitlement::Model::Pool),
        above: Some(ModuleMaximum { module: text("OBM"), maximum: Limit::Only(50) }),
        signers: 2,
    };
    let body = World::new().vendor.trust.body().clone();
    TrustBody {
        version: 3,
        sealing: list(vec![[1; 32], [2; 32]]),
        kept: set(vec![[3; 32]]),
        revoked: set(vec![KeyId([4; 16])]),
        signer_rules: list(vec![rule]),
        extensions: extensions(),
        ..body
    }
}

#[test]
fn a_trust_shows_all() {
    let report = |body: &TrustBody| {
        let report = TrustReport::from(body);
        Some(said(&report, &report.rows(), &[]))
    };
    every_value_is_shown(&trust(), report, nothing);
}

fn delegation() -> DelegationBody {
    let at: Instant = NOW.parse().unwrap();
    let world = World::new();
    let frame = olr_core::wire::frame::Frame::parse(Kind::Delegation, &world.vendor.delegation);
    let delegation = world.vendor.trust.delegation(&frame.unwrap()).unwrap();
    let maximum = ModuleMaximum { module: text("OBM"), maximum: Limit::Only(50) };
    DelegationBody {
        acts: set(vec![Act::License, Act::Time]),
        products: Limit::Only(set(vec![text("example")])),
        slots: Limit::Only(set(vec![text("backup")])),
        types: Limit::Only(set(vec![text("standard")])),
        models: Limit::Only(set(vec![olr_core::entitlement::Model::Meter])),
        editions: Limit::Only(set(vec![olr_core::entitlement::Edition::Oem])),
        modules: Limit::Only(set(vec![maximum])),
        longest_term: Limit::Only(365),
        ahead: Limit::Only(30),
        longest_grace: Limit::Only(86_400),
        longest_maintenance: Limit::Only(400),
        afterwards: Limit::Only(set(vec![operation("restore")])),
        from: Limit::Only(at),
        until: Limit::Only(Instant::new(at.seconds + 1000)),
        extensions: extensions(),
        ..delegation.body().clone()
    }
}

#[test]
fn a_delegation_shows_all() {
    let report = |body: &DelegationBody| {
        let report = DelegationReport::from(body);
        Some(said(&report, &report.rows(), &[]))
    };
    every_value_is_shown(&delegation(), report, nothing);
}

#[test]
fn a_proposal_shows_all() {
    let world = World::new();
    let vendor = world.vendor.trust.vendor();
    let of = |body: &ProposalBody| {
        let frame = Unsigned::new(Kind::Proposal, vendor, Vec::new(), encode(body)).unwrap();
        Proposal::parse(&frame.with_signatures(Vec::new()).unwrap())
    };
    let report = |body: &ProposalBody| {
        let report = ProposalReport::new(&of(body).ok()?, None);
        let rows = [report.rows(), report.content.rows()].concat();
        Some(said(&report, &rows, &report.content.tables()))
    };
    let delegation = world.vendor.delegation.clone();
    let license = Unsigned::new(Kind::License, vendor, vec![delegation], encode(&world.body()));
    let license = license.unwrap();
    let proposal = |kind, signers, body: Vec<u8>| ProposalBody {
        kind,
        signers: set(signers),
        attachments: Blob::new(&license.attachment_section).unwrap(),
        body: Blob::new(&body).unwrap(),
        extensions: extensions(),
    };
    let body = proposal(Kind::License, vec![KeyId([6; 16])], encode(&world.body()));
    every_value_is_shown(&body, report, nothing);
    // The content is the report of the proposed artefact.
    let (_, json) = report(&body).unwrap();
    let content = serde_json::to_value(LicenseReport::from(&world.body())).unwrap();
    assert_eq!((&json["content"], &json["carries"][0]), (&content, &"delegation".into()));
}
