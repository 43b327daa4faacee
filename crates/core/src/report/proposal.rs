//! Report of a proposal: what it proposes, and who must still sign it.

use crate::proposal::{Content, Proposal, ProposalBody};
use crate::report::{
    DelegationReport, ExtensionReport, LicenseReport, Row, Table, TrustReport, extension, joined,
    present,
};
use crate::trust::{Trust, TrustBody};
use crate::wire::codec::Text;
use crate::wire::frame::Kind;
use crate::wire::id::KeyId;

/// Report of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ProposalReport {
    /// Kind of the proposed file.
    pub proposes: Kind,
    /// Ids of the keys that are to sign a license.
    pub signers: Vec<KeyId>,
    /// Kinds of the files attached to the proposed file.
    pub carries: Vec<Kind>,
    /// Number of missing signatures for each set of keys. `None` if it cannot be determined.
    pub missing: Option<Vec<usize>>,
    /// Content of the proposed file.
    pub content: ContentReport,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

/// Content of a proposed file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(untagged))]
pub enum ContentReport {
    /// The changes of a next trust.
    Trust(TrustContent),
    /// A delegation.
    Delegation(DelegationContent),
    /// A license.
    License(Box<LicenseReport>),
}

/// The changes of a next trust. Without a trust to compare with, each value is a change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TrustContent {
    /// Version of the next trust.
    pub version: u32,
    /// Name of the vendor.
    pub vendor: Text,
    /// Each change: what changes, the current value, and the proposed one. `-` stands for no value.
    pub changes: Vec<[String; 3]>,
    /// True if it was compared with another trust.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub compared: bool,
}

/// Rows of a delegation. In JSON, they form an object that is meant for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DelegationContent(
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::rows"))] pub Vec<Row>,
);

impl ProposalReport {
    /// Makes the report of a proposal, compared with `trust` if there is one.
    pub fn new(proposal: &Proposal, trust: Option<&Trust>) -> Self {
        let ProposalBody { kind, signers, attachments: _, body: _, extensions } = proposal.body();
        let target = proposal.target();
        let carries = target.iter().flat_map(|frame| &frame.attachments);
        let quorums = proposal.quorums(trust).ok();
        let missing = quorums.map(|all| all.iter().map(|quorum| quorum.missing()).collect());
        Self {
            proposes: *kind,
            signers: signers.to_vec(),
            carries: carries.map(|frame| frame.kind).collect(),
            missing,
            content: ContentReport::new(proposal.content(), trust),
            extensions: extension::reports(extensions),
        }
    }

    /// Returns all rows except the content.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = vec![("proposes", self.proposes.to_string())];
        rows.extend(present([
            ("must be signed by", joined(&self.signers)),
            ("attached", joined(&self.carries)),
        ]));
        rows.extend(extension::row(&self.extensions));
        rows
    }
}

impl ContentReport {
    /// Makes the report of what would be signed: for a next trust only the differences from
    /// `trust`, otherwise everything.
    pub fn new(content: &Content, trust: Option<&Trust>) -> Self {
        match content {
            Content::Trust(next) => Self::Trust(TrustContent::new(next, trust)),
            Content::Delegation(body) => {
                Self::Delegation(DelegationContent(DelegationReport::from(body).rows()))
            }
            Content::License(body) => Self::License(Box::new((&**body).into())),
        }
    }

    /// Returns labels and values. A trust has none.
    pub fn rows(&self) -> Vec<Row> {
        match self {
            Self::Trust(_) => Vec::new(),
            Self::Delegation(content) => content.0.clone(),
            Self::License(license) => license.rows(),
        }
    }

    /// Returns the changes of a trust, or the modules of a license.
    pub fn tables(&self) -> Vec<Table> {
        match self {
            Self::Trust(content) => vec![content.table()],
            Self::Delegation(_) => Vec::new(),
            Self::License(license) => license.tables(),
        }
    }
}

impl TrustContent {
    fn new(next: &TrustBody, trust: Option<&Trust>) -> Self {
        let now = trust.map(|trust| TrustReport::from(trust.body()).facts()).unwrap_or_default();
        let then = TrustReport::from(next).facts();
        Self {
            version: next.version,
            vendor: next.name.clone(),
            changes: differences(&now, &then),
            compared: trust.is_some(),
        }
    }

    fn table(&self) -> Table {
        let titles: &[_] = if self.compared { &["what", "now", "then"] } else { &["what", "then"] };
        let row = |[what, now, then]: &[String; 3]| match self.compared {
            true => vec![what.clone(), now.clone(), then.clone()],
            false => vec![what.clone(), then.clone()],
        };
        Table {
            header: titles.to_vec(),
            rows: self.changes.iter().map(row).collect(),
            numbers: Vec::new(),
        }
    }
}

/// Returns the facts that only one side has. If each side has one such fact for a label, both are
/// in one row.
fn differences(now: &[Row], then: &[Row]) -> Vec<[String; 3]> {
    let gone: Vec<_> = now.iter().filter(|fact| !then.contains(fact)).collect();
    let new: Vec<_> = then.iter().filter(|fact| !now.contains(fact)).collect();
    let single = |list: &[&Row], what: &str| list.iter().filter(|fact| fact.0 == what).count() == 1;
    let is_pair = |what: &str| single(&gone, what) && single(&new, what);
    let nothing = || "-".to_string();
    let mut rows = Vec::new();
    for (what, now) in gone.iter().copied() {
        let pair = new.iter().find(|other| other.0 == *what).filter(|_| is_pair(what));
        let then = pair.map_or_else(nothing, |pair| pair.1.clone());
        rows.push([what.to_string(), now.clone(), then]);
    }
    let only_new = new.iter().filter(|fact| !is_pair(fact.0));
    rows.extend(only_new.map(|(what, then)| [what.to_string(), nothing(), then.clone()]));
    rows
}
