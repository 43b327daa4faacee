//! TOML with our own words for what is wrong in it.

use serde::de::DeserializeOwned;

use crate::catalog::CATALOG_CAP;
use crate::display::shown;
use crate::error::{Error, Result};

/// Reads `text` as a `T`; `what` names the file in errors.
///
/// # Errors
/// Exit 2: longer than [`CATALOG_CAP`]; else naming the line and what is wrong there.
pub fn read_toml<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    if text.len() > CATALOG_CAP {
        let fact = format!("{what}: {} bytes, more than {CATALOG_CAP}", text.len());
        return Err(Error::unable(fact, "name the right file"));
    }
    toml::from_str(text).map_err(|error| {
        let problem = describe(error.message());
        let line = error.span().filter(|span| span.start < text.len()).map(|span| {
            let before = text.get(..span.start).unwrap_or_default();
            before.matches('\n').count().saturating_add(1)
        });
        let place = line.map(|line| format!(" line {line}")).unwrap_or_default();
        Error::unable(format!("{what}{place}: {problem}"), hint(error.message()))
    })
}

/// The parser's own text is not for users; what it says of names is.
fn describe(message: &str) -> String {
    let name = message.split('`').nth(1).map(|name| shown(name).into_owned()).unwrap_or_default();
    let starts = |with: &str| message.starts_with(with);
    if starts("unknown field") {
        format!("there is no key {name:?}")
    } else if starts("missing field") {
        format!("the key {name:?} is missing")
    } else if starts("duplicate") {
        "a key stands twice".to_string()
    } else if starts("invalid type") || starts("invalid value") {
        "a value of the wrong type".to_string()
    } else if starts("data did not match") {
        "a number or \"unlimited\" is needed".to_string()
    } else {
        "this is not TOML".to_string()
    }
}

fn hint(message: &str) -> String {
    let known: Vec<_> = message.split('`').skip(3).step_by(2).collect();
    if message.starts_with("unknown field") && !known.is_empty() {
        return format!("the keys are {}", known.join(", "));
    }
    "correct this line".to_string()
}
