//! The most expensive files that the format allows: as many of the smallest entries as fit, and
//! texts that grow when they are decoded.

use olr_core::armor::armor;
use olr_core::entitlement::{Cause, Count, Grant};
use olr_core::key::Role;
use olr_core::machine::{Class, Factor, FactorKind};
use olr_core::revocation::{RevocationsBody, Withdrawn, sign_bare, sign_revocations};
use olr_core::state::{Held, Memory, Pair, Slot, SlotName};
use olr_core::time::Instant;
use olr_core::trust::{ModuleMaximum, Product};
use olr_core::wire::codec::{Blob, Limit, List, Set, Text, encode};
use olr_core::wire::extension::Extension;
use olr_core::wire::frame::{FILE_CAP, Kind};
use olr_core::wire::id::{KeyId, RevokedId};
use olr_office::catalog::TOML_TOKENS_CAP;

use crate::long;
use crate::world::WORLD;
use crate::world::forge::{self, padded};
use crate::world::raw::Raw;
use crate::world::{install, text};

/// Distinct names of two characters each, of which there are 4096.
fn names(count: u32) -> impl Iterator<Item = Text> {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    (0..count).map(|n| {
        let digit = |at: u32| char::from(DIGITS[(n >> (6 * at) & 63) as usize]);
        text(&[digit(1), digit(0)].iter().collect::<String>())
    })
}

/// The most expensive files, each with a name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("license with 4096 empty grants", license(4096, 0, 0)),
        ("license with 1025 empty grants", license(1025, 0, 0)),
        ("license with 4096 grants that require and include a module", license(4096, 1, 1)),
        ("license with 4096 grants that require 17 modules", license(4096, 17, 0)),
        ("license with 3300 grants that require 33 modules", license(3300, 33, 0)),
        ("delegation with 4096 modules", delegation(0)),
        ("license with 12 delegations of 4096 modules", delegations()),
        ("request with 4096 modules used and wanted", request()),
        ("trust with 64 products of 64 slots", products()),
        ("trust with 4096 revoked keys", revoked()),
        ("revocations of 4096 licenses", revocations()),
        ("license with 4096 revoked licenses and a trust with 4096 revoked keys", carrying()),
        ("state with 64 slots of 128 empty factors and 4096 counts", state()),
        ("state with many trusts", trusts()),
    ];
    all.extend(texts());
    all
}

fn license(grants: u32, required: u32, included: u32) -> Vec<u8> {
    let modules = |count| Set::new(names(count).map(|name| text(&name[1..])).collect()).unwrap();
    let grant = |module| Grant {
        module,
        name: text(""),
        group: text(""),
        unit: text(""),
        quota: Limit::Any,
        account_cap: Limit::Any,
        admin_cap: Limit::Any,
        pool: text(""),
        requires: modules(required),
        includes: modules(included),
        minimum_version: text(""),
    };
    WORLD.license(|body| body.grants = Set::new(names(grants).map(grant).collect()).unwrap())
}

fn delegation(n: u64) -> Vec<u8> {
    let maximum = |module| ModuleMaximum { module, maximum: Limit::Any };
    WORLD.vendor.delegate(|body| {
        body.modules = Limit::Only(Set::new(names(4096).map(maximum).collect()).unwrap());
        body.from = Limit::Only(Instant::new(n));
    })
}

fn delegations() -> Vec<u8> {
    let mut frame = WORLD.vendor.frame(encode(&WORLD.body()));
    frame.attachments = (0..12).map(delegation).collect();
    frame.attachments.sort();
    frame.sign(Role::Issuer, &WORLD.vendor.issuer);
    frame.bytes()
}

fn request() -> Vec<u8> {
    let mut body = WORLD.request_body.clone();
    let count = |module| Count { module, count: 0 };
    body.usage = Set::new(names(4096).map(count).collect()).unwrap();
    body.wanted = body.usage.clone();
    let (id, to) = (WORLD.vendor.trust.vendor(), WORLD.vendor.sealing.public());
    forge::request(id, &to, &padded(&encode(&body)), install().signing_key())
}

fn products() -> Vec<u8> {
    WORLD.vendor.second_trust(|body| {
        let slots = || List::new(names(64).collect()).unwrap();
        let product = |id| Product { id, slots: slots() };
        body.products = List::new(names(64).map(product).collect()).unwrap();
    })
}

fn numbered(n: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    id
}

fn revoked() -> Vec<u8> {
    let keys = (0..4096).map(|n| KeyId(numbered(n))).collect();
    WORLD.vendor.second_trust(|body| body.revoked = Set::new(keys).unwrap())
}

fn withdrawn(n: u32) -> Withdrawn {
    Withdrawn { license: RevokedId(numbered(n)), cause: Cause::Revoked }
}

fn list() -> RevocationsBody {
    RevocationsBody {
        version: 1,
        sequence: 1,
        issued: Instant::default(),
        licenses: Set::new((0..4096).map(withdrawn).collect()).unwrap(),
        extensions: Set::default(),
    }
}

fn revocations() -> Vec<u8> {
    let vendor = &WORLD.vendor;
    sign_revocations(&list(), &vendor.trust, (&vendor.issuer, &vendor.delegation), &[]).unwrap()
}

fn carrying() -> Vec<u8> {
    let vendor = &WORLD.vendor;
    let mut frame = vendor.frame(encode(&WORLD.body()));
    let list = sign_bare(&list(), &vendor.trust, &vendor.issuer).unwrap();
    frame.attachments.extend([revoked(), list]);
    frame.attachments.sort();
    frame.sign(Role::Issuer, &vendor.issuer);
    frame.bytes()
}

/// A state with changed memory.
fn remembering(change: impl FnOnce(&mut Memory)) -> Vec<u8> {
    let state = WORLD.asked();
    let mut memory = state.memory().clone();
    change(&mut memory);
    forge::state(&state.to_bytes(), &encode(&memory))
}

fn state() -> Vec<u8> {
    let (kind, class) = (FactorKind::MachineId, Class::Image);
    let factor = Factor { kind, class, name: text(""), value: text(""), ignored: text("") };
    let enrolled = List::new(vec![factor; 64]).unwrap();
    let held = Some(Held { license: Blob::default(), enrolled });
    let count = |module| Count { module, count: 0 };
    let usage: Set<Count, 4096> = Set::new(names(4096).map(count).collect()).unwrap();
    let slot = |slot| Slot {
        matched: Instant::default(),
        revoked: None,
        usage: usage.clone(),
        over: olr_core::state::Overuse::default(),
        announced: Set::default(),
        receipt: None,
        name: SlotName { product: text(""), slot },
        installed: held.clone(),
        next: held.clone(),
        took_over: false,
        highest: Pair::default(),
        floor: 0,
    };
    remembering(|memory| memory.slots = Set::new(names(64).map(slot).collect()).unwrap())
}

fn trusts() -> Vec<u8> {
    let extension =
        |number| Extension { number, critical: false, bytes: Blob::new(&[7; 4096]).unwrap() };
    let next = |version| {
        let trust = WORLD.vendor.second_trust(|body| {
            body.version = version;
            body.extensions = Set::new((0..28).map(extension).collect()).unwrap();
        });
        Blob::new(&trust).unwrap()
    };
    let first = Blob::new(WORLD.vendor.trust.bytes()).unwrap();
    let all = [first].into_iter().chain((2..=16).map(next)).collect();
    remembering(|memory| memory.trusts = List::new(all).unwrap())
}

/// The longest texts around the longest armor, and texts that grow when they are decoded. In an
/// ordinary run, they are an eighth as long.
fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let size = if long() { FILE_CAP } else { FILE_CAP / 8 };
    let mut frame = Raw::new(Kind::License, WORLD.vendor.trust.vendor(), vec![7; size / 4 - 200]);
    frame.sign(Role::Issuer, &WORLD.vendor.issuer);
    let armored = armor(Kind::License, &frame.bytes());
    let filled = |start: &[u8], noise: &[u8]| {
        let noise = noise.iter().cycle().take(size - start.len());
        start.iter().chain(noise).copied().collect::<Vec<_>>()
    };
    let utf_16 = |text: &str, noise: &str| {
        let bytes = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        filled(&[b"\xff\xfe", &*bytes(text)].concat(), &bytes(noise))
    };
    let after = |noise: &[u8]| filled(armored.as_bytes(), noise);
    vec![
        ("armor and noise", after(b"\xff")),
        ("armor and entities", after(b"&mdash;")),
        ("armor and tags", after(b"<br><p>")),
        ("armor and markers", after(b"BEGIN OLR PROPOSAL\n")),
        ("armor in UTF-16", utf_16(&armored, "\u{2014}")),
        ("UTF-16 that grows", utf_16("", "\u{4e00}")),
        (
            "UTF-16 that grows, not to a power of two",
            utf_16("", "\u{4e00}")[..size / 4 * 3].to_vec(),
        ),
        ("Latin-1", filled(b"", b"\xe9")),
        ("Latin-1, not to a power of two", filled(b"", b"\xe9")[..size / 4 * 3].to_vec()),
        ("entities", filled(b"", b"&#8364;")),
        ("broken blocks", filled(b"", b"END OLR PROPOSAL\n")),
        ("TOML of tables", filled(b"a=[", b"[[a]]\n")[..TOML_TOKENS_CAP.min(size)].to_vec()),
        ("TOML of numbers", filled(b"a=[", b"1,")[..TOML_TOKENS_CAP.min(size)].to_vec()),
        ("TOML of empty lines", filled(b"", b"\n")[..TOML_TOKENS_CAP.min(size)].to_vec()),
        ("64 blocks", armor(Kind::Trust, &vec![7; size / 90]).repeat(64).into_bytes()),
    ]
}
