//! Type of value that a key of a catalog or a grant needs: taken from the deserializer's message,
//! or known by the name of the key.

/// Type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::toml_text) enum Wants {
    Text,
    List,
    Truth,
    Number,
    Table,
    Unknown,
}

const LISTS: &[&str] =
    &["languages", "operations", "slots", "products", "requires", "includes", "always", "blocks"];
const TRUTHS: &[&str] = &["offline", "server", "hardware"];
const NUMBERS: &[&str] = &["share", "minimum", "account_cap", "admin_cap"];
/// Headings under which every value is a number; under `modules`, also `"unlimited"`.
const OF_NUMBERS: &[&str] = &["modules", "administrators", "weights"];
const TEXTS: &[&str] = &[
    "licensee",
    "key",
    "product",
    "type",
    "slot",
    "note",
    "policy",
    "id",
    "version",
    "model",
    "edition",
    "reason",
    "renewal",
    "minimum_version",
    "name",
    "unit",
    "group",
    "pool",
    "then",
];
/// Texts that contain a day or a span.
pub(super) const TIMES: &[&str] = &["starts", "expires", "maintenance", "term", "date", "after"];

impl Wants {
    /// Type named in the deserializer's message, such as `invalid type: string "en", expected a
    /// sequence`.
    pub fn said(message: &str) -> Self {
        if message.starts_with("data did not match") {
            return Self::Number;
        }
        if !message.starts_with("invalid") {
            return Self::Unknown;
        }
        let (_, wanted) = message.rsplit_once(", expected ").unwrap_or_default();
        match wanted.trim() {
            "a string" => Self::Text,
            "a sequence" => Self::List,
            "a boolean" => Self::Truth,
            "a map" => Self::Table,
            wanted if wanted.starts_with("struct") => Self::Table,
            wanted if wanted.starts_with(['u', 'i']) => Self::Number,
            _ => Self::Unknown,
        }
    }

    /// True if the deserializer's message is about a value of the wrong type.
    pub fn is_said(message: &str) -> bool {
        ["invalid", "wanted", "data did not match"].iter().any(|with| message.starts_with(with))
    }

    /// Type of the value of this key under this heading.
    pub fn known(heading: &str, key: &str) -> Self {
        let path = format!("{heading}.{key}");
        let unquoted = |name: &str| name.trim().trim_matches(['"', '\'']).to_string();
        let mut names: Vec<_> = path.split('.').map(unquoted).collect();
        let last = names.pop().unwrap_or_default();
        let is = |names: &[&str]| names.contains(&last.as_str());
        if names.iter().any(|name| OF_NUMBERS.contains(&name.as_str())) || is(NUMBERS) {
            Self::Number
        } else if is(LISTS) {
            Self::List
        } else if is(TRUTHS) {
            Self::Truth
        } else if is(TEXTS) || is(TIMES) {
            Self::Text
        } else {
            Self::Unknown
        }
    }

    /// Description of the type, for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::List => "a list",
            Self::Truth => "true or false",
            Self::Number => "a whole number",
            Self::Table => "a table",
            Self::Unknown => "another value",
        }
    }
}
