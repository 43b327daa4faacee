//! The report of a request, without what must not be shown.

use crate::display::code;
use crate::entitlement::Count;
use crate::key::{Role, key_id};
use crate::machine::{changes, judgement};
use crate::report::{
    ChangeReport, ExtensionReport, FactorReport, Row, extension, joined, masked, present,
};
use crate::request::{Earlier, Fact, RequestBody};
use crate::time::Instant;
use crate::wire::codec::{Note, Set, Text};
use crate::wire::id::{KeyId, LicenseId, RequestId};

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RequestReport {
    /// Names the request.
    pub request: RequestId,
    /// Counts the requests and deactivations of the installation.
    pub number: u64,
    /// Requests made before.
    pub earlier: Vec<EarlierReport>,
    /// The installation.
    pub install_id: KeyId,
    /// The product asked for.
    pub product: Text,
    /// The release installed; empty when not said.
    pub product_version: Text,
    /// The slot.
    pub slot: Text,
    /// The licensee's name.
    pub licensee: Text,
    /// The end of the license key.
    pub license_key: String,
    /// The factors that the installed license was issued for.
    pub enrolled: Vec<FactorReport>,
    /// The factors found now.
    pub found: Vec<FactorReport>,
    /// Local IP addresses.
    pub addresses: Vec<Text>,
    /// Facts about host and system, by name.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::texts"))]
    pub facts: Vec<(Text, Text)>,
    /// The server's clock.
    pub clock: Instant,
    /// Names the boot of the system; empty when unknown.
    pub boot: Text,
    /// The license that the answer shall replace.
    pub renews: Option<LicenseId>,
    /// How many are in use, by module.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::counts"))]
    pub used: Vec<(Text, u64)>,
    /// How many are wanted, by module.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::counts"))]
    pub wanted: Vec<(Text, u64)>,
    /// A note to the support staff.
    pub note: Note,
    /// Its extensions.
    pub extensions: Vec<ExtensionReport>,
}

/// A request made before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EarlierReport {
    /// Its number.
    pub number: u64,
    /// Its code.
    pub code: String,
}

impl From<&Earlier> for EarlierReport {
    fn from(earlier: &Earlier) -> Self {
        let Earlier { number, hash } = earlier;
        Self { number: *number, code: code(hash) }
    }
}

pub(super) fn earlier_text(earlier: &[EarlierReport]) -> String {
    joined(earlier.iter().map(|request| format!("{} ({})", request.number, request.code)))
}

impl From<&RequestBody> for RequestReport {
    fn from(body: &RequestBody) -> Self {
        let RequestBody {
            request,
            number,
            earlier,
            install_key,
            commitment_key: _, // a secret
            product,
            product_version,
            slot,
            licensee,
            license_key,
            enrolled,
            found,
            addresses,
            facts,
            clock,
            boot,
            renews,
            usage,
            wanted,
            note,
            extensions,
        } = body;
        let fact = |fact: &Fact| {
            let Fact { name, value } = fact;
            (name.clone(), value.clone())
        };
        Self {
            request: *request,
            number: *number,
            earlier: earlier.iter().map(EarlierReport::from).collect(),
            install_id: key_id(Role::Install, install_key),
            product: product.clone(),
            product_version: product_version.clone(),
            slot: slot.clone(),
            licensee: licensee.clone(),
            license_key: masked(&license_key.0),
            enrolled: enrolled.iter().map(FactorReport::from).collect(),
            found: found.iter().map(FactorReport::from).collect(),
            addresses: addresses.to_vec(),
            facts: facts.iter().map(fact).collect(),
            clock: *clock,
            boot: boot.clone(),
            renews: *renews,
            used: counts(usage),
            wanted: counts(wanted),
            note: note.clone(),
            extensions: extension::reports(extensions),
        }
    }
}

fn counts(counts: &Set<Count, 4096>) -> Vec<(Text, u64)> {
    let count = |count: &Count| {
        let Count { module, count } = count;
        (module.clone(), *count)
    };
    counts.iter().map(count).collect()
}

fn counts_text(counts: &[(Text, u64)]) -> String {
    joined(counts.iter().map(|(module, count)| format!("{}={count}", &**module)))
}

impl RequestReport {
    /// All of it but the factors that were found.
    pub fn rows(&self) -> Vec<Row> {
        let or_none = |text: String| if text.is_empty() { "none".to_string() } else { text };
        let product = [&*self.product, &*self.product_version].join(" ");
        let facts = self.facts.iter().map(|(name, value)| format!("{} {}", &**name, &**value));
        let mut rows = vec![
            ("licensee", self.licensee.to_string()),
            ("license key", self.license_key.clone()),
            ("product", product.trim_end().to_string()),
            ("slot", self.slot.to_string()),
            ("request", format!("{} (number {})", self.request, self.number)),
            ("install id", self.install_id.to_string()),
            ("server clock", self.clock.to_string()),
            ("addresses", or_none(joined(self.addresses.iter().map(|address| &**address)))),
            ("host", or_none(joined(facts))),
        ];
        rows.extend(present([
            ("boot", self.boot.to_string()),
            ("made before", earlier_text(&self.earlier)),
            ("licensed for", joined(self.enrolled.iter().map(FactorReport::text))),
            ("in use", counts_text(&self.used)),
            ("renews", self.renews.map(|id| id.to_string()).unwrap_or_default()),
            ("wanted", counts_text(&self.wanted)),
            ("note", self.note.to_string()),
        ]));
        rows.extend(extension::row(&self.extensions));
        rows
    }
}

/// What became of the factors that the installed license was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RequestChangesReport {
    /// Each of them; nobody knows their points.
    pub factors: Vec<ChangeReport>,
    /// What that looks like.
    pub judgement: String,
}

impl RequestChangesReport {
    /// The changes that a request tells of; `None` where it names nothing to compare with.
    pub fn of(body: &RequestBody) -> Option<Self> {
        if body.enrolled.is_empty() {
            return None;
        }
        let changes = changes(&body.enrolled, &body.found, &[]);
        let judgement = judgement(&changes);
        let factors = changes.iter().map(|line| ChangeReport { weight: None, ..line.into() });
        Some(Self { factors: factors.collect(), judgement })
    }
}
