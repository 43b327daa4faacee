//! Requests that both sides seal.

use olr_core::entitlement::Count;
use olr_core::machine::{Class, Factor, FactorKind};
use olr_core::request::{Earlier, Fact, RequestBody, seal_request};
use olr_core::time::Instant;
use olr_core::wire::codec::{Hidden, List, Set, Text};
use olr_core::wire::id::RequestId;
use rand::RngExt;
use rand::rngs::ChaCha20Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use crate::world::install;
use olr_core::armor::dearmor;
use olr_core::trust::Trust;

fn trust() -> Trust {
    let file =
        std::fs::read(crate::world::scenario::root().join("keys/snakeoil/vendor.trust")).unwrap();
    Trust::pin(&dearmor(None, &file).unwrap()).unwrap()
}

/// A random request: anything that fits, including values that no real machine has.
pub fn order(rng: &mut ChaCha20Rng) -> Value {
    let name = |rng: &mut ChaCha20Rng| {
        let texts =
            ["", "ACME Ltd", "Ärger & Söhne", "株式会社", "a\u{202e}b", "\0", "\"\\\n", "🗝"];
        let times = rng.random_range(1..4);
        texts.choose(rng).unwrap().repeat(times)
    };
    let bits = rng.random_range(1..63);
    let number: u64 = rng.random_range(1..1 << bits);
    let factor = |rng: &mut ChaCha20Rng| {
        let (kind, class) = *[
            (FactorKind::MachineId, Class::Image),
            (FactorKind::NetworkAddress, Class::Hardware),
            (FactorKind::Hostname, Class::Common),
            (FactorKind::Cpu, Class::Common),
        ]
        .choose(rng)
        .unwrap();
        json!({"kind": kind.word(), "class": class.word(), "name": name(rng), "value": name(rng), "ignored": name(rng)})
    };
    let many = |rng: &mut ChaCha20Rng, most: usize| rng.random_range(0..=most);
    json!({
        "trust": data_encoding::BASE64.encode(trust().bytes()),
        "install_secret": data_encoding::HEXLOWER.encode(&olr_core::crypto::digest::sha256(b"install")),
        "number": number, "licensee": name(rng), "license_key": name(rng), "product": name(rng),
        "product_version": name(rng), "slot": name(rng),
        "found": (0..many(rng, 64)).map(|_| factor(rng)).collect::<Vec<_>>(),
        "addresses": (0..many(rng, 4)).map(|_| name(rng)).collect::<Vec<_>>(),
        "facts": (0..many(rng, 4)).map(|n| json!({"name": format!("fact {n}"), "value": name(rng)})).collect::<Vec<_>>(),
        "clock": rng.random_range(0u64..1 << 40), "boot": name(rng), "note": name(rng),
        "wanted": (0..many(rng, 300)).map(|n| (format!("M{n}"), json!(rng.random::<u64>()))).collect::<serde_json::Map<_, _>>(),
        "earlier": (0..many(rng, 16)).filter(|n| (*n as u64) < number)
            .map(|n| json!({"number": n, "hash": data_encoding::HEXLOWER.encode(&rng.random::<[u8; 32]>())})).collect::<Vec<_>>(),
    })
}

/// Seals the request with this library.
pub fn seal(order: &Value, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let text = |value: &Value| Text::new(value.as_str().unwrap()).unwrap();
    let list = |field: &str| order[field].as_array().unwrap().iter();
    let factor = |value: &Value| Factor {
        kind: value["kind"].as_str().unwrap().parse().unwrap(),
        class: value["class"].as_str().unwrap().parse().unwrap(),
        name: text(&value["name"]),
        value: text(&value["value"]),
        ignored: text(&value["ignored"]),
    };
    let hash = |value: &Value| {
        let bytes = data_encoding::HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap();
        bytes.try_into().unwrap()
    };
    let earlier = |value: &Value| Earlier {
        number: value["number"].as_u64().unwrap(),
        hash: hash(&value["hash"]),
    };
    let wanted = order["wanted"].as_object().unwrap().iter();
    let wanted = wanted.map(|(module, count)| Count {
        module: Text::new(module).unwrap(),
        count: count.as_u64().unwrap(),
    });
    let request = RequestId(rng.random());
    let install = install();
    let body = RequestBody {
        request,
        number: order["number"].as_u64().unwrap(),
        earlier: Set::new(list("earlier").map(earlier).collect()).unwrap(),
        install_key: install.signing_key().public(),
        commitment_key: Hidden(*install.commitment_key(request).expose()),
        product: text(&order["product"]),
        product_version: text(&order["product_version"]),
        slot: text(&order["slot"]),
        licensee: text(&order["licensee"]),
        license_key: Hidden(text(&order["license_key"])),
        enrolled: List::default(),
        found: List::new(list("found").map(factor).collect()).unwrap(),
        addresses: List::new(list("addresses").map(text).collect()).unwrap(),
        facts: List::new(
            list("facts")
                .map(|f| Fact { name: text(&f["name"]), value: text(&f["value"]) })
                .collect(),
        )
        .unwrap(),
        clock: Instant::new(order["clock"].as_u64().unwrap()),
        boot: text(&order["boot"]),
        renews: None,
        usage: Set::default(),
        wanted: Set::new(wanted.collect()).unwrap(),
        note: Text::new(order["note"].as_str().unwrap()).unwrap(),
        extensions: Set::default(),
    };
    seal_request(&body, &trust(), &install, rng).unwrap()
}
