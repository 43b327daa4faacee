//! Naughty strings in every text field of a request, a license and a trust, and on display.

use olr_core::display::{is_shown, shown};
use olr_core::entitlement::{Count, Grant};
use olr_core::error::Refusal;
use olr_core::license::LicenseBody;
use olr_core::machine::{Class, Factor, FactorKind};
use olr_core::request::{Fact, RequestBody};
use olr_core::trust::{ModuleMaximum, Product, SignerRule, TrustBody};
use olr_core::wire::codec::{
    BODY_CAP, Hidden, Limit, List, Note, Record, Set, Text, decode, encode,
};

use crate::world::World;

const STRINGS: &str = include_str!("../../fixtures/kat/strings/blns.json");

/// All naughty strings of the list. Each of them fits into a note.
pub fn strings() -> Vec<String> {
    let strings: Vec<String> = serde_json::from_str(STRINGS).unwrap();
    assert_eq!(strings.len(), 515);
    strings
}

/// A request with the string in every text field.
fn request(body: &RequestBody, text: &Text, note: &Note) -> RequestBody {
    let factor = Factor {
        kind: FactorKind::Pin,
        class: Class::Image,
        name: text.clone(),
        value: text.clone(),
        ignored: text.clone(),
    };
    let factors = || List::new(vec![factor.clone()]).unwrap();
    let counts = || Set::new(vec![Count { module: text.clone(), count: 1 }]).unwrap();
    RequestBody {
        product: text.clone(),
        product_version: text.clone(),
        slot: text.clone(),
        licensee: text.clone(),
        license_key: Hidden(text.clone()),
        enrolled: factors(),
        found: factors(),
        addresses: List::new(vec![text.clone()]).unwrap(),
        facts: List::new(vec![Fact { name: text.clone(), value: text.clone() }]).unwrap(),
        boot: text.clone(),
        usage: counts(),
        wanted: counts(),
        note: note.clone(),
        ..body.clone()
    }
}

/// A license with the string in every text field.
fn license(body: &LicenseBody, text: &Text, note: &Note) -> LicenseBody {
    let texts = || Set::new(vec![text.clone()]).unwrap();
    let grant = Grant {
        module: text.clone(),
        name: text.clone(),
        group: text.clone(),
        unit: text.clone(),
        quota: Limit::Only(10),
        account_cap: Limit::Any,
        admin_cap: Limit::Any,
        pool: text.clone(),
        requires: texts(),
        includes: texts(),
        minimum_version: text.clone(),
    };
    let mut body = LicenseBody {
        licensee: text.clone(),
        product: text.clone(),
        slot: text.clone(),
        type_id: text.clone(),
        grants: Set::new(vec![grant]).unwrap(),
        languages: texts(),
        note: note.clone(),
        ..body.clone()
    };
    body.policy.name = text.clone();
    body
}

/// A trust with the string in every text field.
fn trust(body: &TrustBody, text: &Text) -> TrustBody {
    let slots = List::new(vec![text.clone()]).unwrap();
    let above = Some(ModuleMaximum { module: text.clone(), maximum: Limit::Any });
    let rule = SignerRule { model: Limit::Any, above, signers: 1 };
    TrustBody {
        name: text.clone(),
        products: List::new(vec![Product { id: text.clone(), slots }]).unwrap(),
        signer_rules: List::new(vec![rule]).unwrap(),
        ..body.clone()
    }
}

#[track_caller]
fn comes_back<T: Record + PartialEq + std::fmt::Debug>(body: &T, string: &str, texts: usize) {
    let bytes = encode(body);
    assert_eq!(decode::<T>("body", &bytes, BODY_CAP).as_ref(), Ok(body));
    let stands = bytes.windows(string.len().max(1)).filter(|part| *part == string.as_bytes());
    assert!(string.len() < 8 || stands.count() >= texts, "{string:?}");
}

#[test]
fn every_text_comes_back_or_is_refused_for_its_length() {
    let world = World::new();
    let license_body = world.body();
    let (mut texts, mut notes) = (0, 0);
    for string in strings() {
        let note = Note::new(&string).unwrap();
        match Text::new(&string) {
            Ok(text) => {
                comes_back(&request(&world.request_body, &text, &note), &string, 18);
                comes_back(&license(&license_body, &text, &note), &string, 15);
                comes_back(&trust(world.vendor.trust.body(), &text), &string, 4);
                texts += 1;
            }
            Err(error) => {
                assert!(string.len() > 256 && error.refusal().is_none(), "{error}");
                let error = decode::<Text>("text", &encode(&note), BODY_CAP).unwrap_err();
                assert_eq!(error.refusal(), Some(Refusal::Malformed), "{error}");
                notes += 1;
            }
        }
    }
    assert_eq!((texts, notes), (508, 7), "515 in all");
}

#[test]
fn nothing_hidden_is_shown() {
    let mut changed = 0;
    for string in strings() {
        let shown = shown(&string);
        assert!(shown.chars().all(is_shown), "{shown:?}");
        let naughty = string.chars().any(|c| !is_shown(c));
        assert_eq!(shown != string, naughty, "{string:?}");
        changed += usize::from(naughty);
    }
    assert_eq!(changed, 27);
}
