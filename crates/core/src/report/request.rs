//! Report of a request, without its secrets.

use crate::display::code;
use crate::entitlement::Count;
use crate::key::{Role, key_id};
use crate::machine::{changes, judgement};
use crate::report::{
    ChangeReport, ExtensionReport, FactorReport, Row, extension, joined, joined_or_none, masked,
    present,
};
use crate::request::{Earlier, Fact, RequestBody};
use crate::time::Instant;
use crate::wire::codec::{Note, Set, Text};
use crate::wire::id::{KeyId, LicenseId, RequestId};

/// Report of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RequestReport {
    /// Id of the request.
    pub request: RequestId,
    /// Number among the requests and deactivations of the installation.
    pub number: u64,
    /// Earlier requests.
    pub earlier: Vec<EarlierReport>,
    /// Id of the installation.
    pub install_id: KeyId,
    /// The product asked for.
    pub product: Text,
    /// Installed release. Empty if not stated.
    pub product_version: Text,
    /// The slot asked for.
    pub slot: Text,
    /// Name of the licensee.
    pub licensee: Text,
    /// License key, masked by [`masked`].
    pub license_key: String,
    /// Factors for which the installed license was issued.
    pub enrolled: Vec<FactorReport>,
    /// Factors found now.
    pub found: Vec<FactorReport>,
    /// Local IP addresses.
    pub addresses: Vec<Text>,
    /// Facts about host and system, by name.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::texts"))]
    pub facts: Vec<(Text, Text)>,
    /// The server's clock.
    pub clock: Instant,
    /// Id of this boot of the system. Empty if unknown.
    pub boot: Text,
    /// License that the answer is to replace.
    pub renews: Option<LicenseId>,
    /// Number in use, by module.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::counts"))]
    pub used: Vec<(Text, u64)>,
    /// Number wanted, by module.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::counts"))]
    pub wanted: Vec<(Text, u64)>,
    /// Message to the support staff.
    pub note: Note,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

/// A request made earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EarlierReport {
    /// Number of the request.
    pub number: u64,
    /// Code of the request.
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
    /// Returns all rows except the factors found.
    pub fn rows(&self) -> Vec<Row> {
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
            ("addresses", joined_or_none(self.addresses.iter().map(|address| &**address))),
            ("host", joined_or_none(facts)),
        ];
        rows.extend(present([
            ("boot", self.boot.to_string()),
            ("earlier requests", earlier_text(&self.earlier)),
            ("enrolled factors", joined(self.enrolled.iter().map(FactorReport::text))),
            ("in use", counts_text(&self.used)),
            ("renews", self.renews.map(|id| id.to_string()).unwrap_or_default()),
            ("wanted", counts_text(&self.wanted)),
            ("note", self.note.to_string()),
        ]));
        rows.extend(extension::row(&self.extensions));
        rows
    }
}

/// Changes of the factors for which the installed license was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RequestChangesReport {
    /// Each factor. Its points are not known.
    pub factors: Vec<ChangeReport>,
    /// What probably happened to the machine, in one sentence.
    pub judgement: String,
}

impl RequestChangesReport {
    /// Returns the changes that a request reports, or `None` if it contains no enrolled factors.
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
