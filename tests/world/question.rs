//! The question of a fixture as data, for readers in other languages. `fixtures/README.md` explains
//! it.

use olr_core::time::{Day, Instant};
use serde_json::{Map, Value, json};

use crate::world::scenario::{Scenario, root};
use crate::world::{GRANT, NOW};

/// Verbs whose answer depends on the clock and the machine.
const ON_A_SERVER: [&str; 4] = ["import", "judge", "ask", "limit"];

/// Header lines that belong to the fixture and not to its question.
pub const OF_THE_FIXTURE: [&str; 7] =
    ["expect", "rule", "shows", "artefact", "question", "encoding", "fill"];

/// Returns the verb and its arguments, including those that a header may leave out. Names of other
/// fixtures stay names.
pub fn question(scenario: &Scenario) -> Value {
    let line = scenario.expect("question");
    let (line, at) = line.split_once(" at ").unwrap_or((line, NOW));
    let (verb, operation) = match line.split_once(' ') {
        Some((verb, operation)) => (verb, Some(operation)),
        None => (line, None),
    };
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| assert!(fields.insert(key.into(), value).is_none());
    put("verb", json!(verb));
    if ON_A_SERVER.contains(&verb) {
        let seconds = at.parse::<Instant>().unwrap().seconds;
        put("at", json!(at));
        put("at_seconds", json!(seconds));
        put("machine", json!(scenario.get("machine").unwrap_or("server")));
    }
    if let Some(operation) = operation {
        put("operation", json!(operation));
    }
    if verb == "issue" {
        put("purchase", purchase(scenario));
    }
    let lines = scenario.header.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in lines.filter(|(key, _)| !OF_THE_FIXTURE.contains(key)) {
        match key {
            "machine" | "grant" => {}
            "adds" | "account" => put(key, counts(&scenario.counts(key))),
            "uses" | "limit" => put(key, json!(value.parse::<u64>().unwrap())),
            "release" => {
                put(key, json!(value));
                put("release_days", json!(value.parse::<Day>().unwrap().number));
            }
            _ => put(key, json!(value)),
        }
    }
    Value::Object(fields)
}

fn counts(counts: &[(&str, u64)]) -> Value {
    counts.iter().map(|(module, count)| json!({"module": module, "count": count})).collect()
}

/// The purchase: what was bought, from the grant, and what the catalog allows for it.
fn purchase(scenario: &Scenario) -> Value {
    let table = |text: &str| text.parse::<toml::Table>().unwrap();
    let grant = match scenario.get("grant") {
        Some(name) => table(str::from_utf8(&Scenario::read(name).bytes).unwrap()),
        None => table(GRANT),
    };
    let catalog = std::fs::read_to_string(root().join("keys/snakeoil/catalog.toml")).unwrap();
    let catalog = table(&catalog);
    let policy = &catalog["policy"]["server"];
    let weights = policy["weights"].as_table().unwrap();
    let weights = weights.iter().map(|(kind, weight)| (kind.clone(), json!(weight.as_integer())));
    let bought = ["licensee", "key", "product", "slot", "type"];
    let bought = bought.map(|key| (key.to_string(), json!(grant[key].as_str())));
    let offline = catalog["type"].get(grant["type"].as_str().unwrap());
    let offline = offline.and_then(|found| found["offline"].as_bool());
    let mut purchase: Map<_, _> = bought.into_iter().collect();
    purchase.insert("offline".into(), json!(offline));
    purchase.insert("minimum".into(), json!(policy["minimum"].as_integer()));
    purchase.insert("weights".into(), weights.collect::<Map<_, _>>().into());
    purchase.into()
}
