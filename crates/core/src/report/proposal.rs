//! The report of a proposal: what it proposes, and who has still to sign it.

use crate::proposal::{Content, Proposal, ProposalBody};
use crate::report::{
    DelegationReport, ExtensionReport, LicenseReport, Row, Table, TrustReport, extension, joined,
    present,
};
use crate::trust::{Trust, TrustBody};
use crate::wire::codec::Text;
use crate::wire::frame::Kind;
use crate::wire::id::KeyId;

/// What a proposal says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ProposalReport {
    /// What it will be.
    pub proposes: Kind,
    /// Who is to sign a license.
    pub signers: Vec<KeyId>,
    /// What is attached to it.
    pub carries: Vec<Kind>,
    /// How many signatures are missing, for each group of keys; `None` where nobody can tell.
    pub missing: Option<Vec<usize>>,
    /// What it will say.
    pub content: ContentReport,
    /// Its extensions.
    pub extensions: Vec<ExtensionReport>,
}

/// What a proposal would say once enough have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(untagged))]
pub enum ContentReport {
    /// What the next trust changes.
    Trust(TrustContent),
    /// A delegation.
    Delegation(DelegationContent),
    /// A license.
    License(Box<LicenseReport>),
}

/// What a next trust changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TrustContent {
    /// Its version.
    pub version: u32,
    /// The vendor's name.
    pub vendor: Text,
    /// What, now and then, each `-` where there is nothing.
    pub changes: Vec<[String; 3]>,
    /// Whether it was compared with a trust at hand.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub compared: bool,
}

/// The rows of a delegation: in JSON an object for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct DelegationContent(
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::rows"))] pub Vec<Row>,
);

impl ProposalReport {
    /// The report of a proposal, held against the trust at hand.
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

    /// All of it but the content.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = vec![("proposes", self.proposes.to_string())];
        rows.extend(present([
            ("to be signed by", joined(&self.signers)),
            ("carries", joined(&self.carries)),
        ]));
        rows.extend(extension::row(&self.extensions));
        rows
    }
}

impl ContentReport {
    /// What would be signed: of a next trust what differs from the one at hand, of anything else all.
    pub fn new(content: &Content, trust: Option<&Trust>) -> Self {
        match content {
            Content::Trust(next) => Self::Trust(TrustContent::new(next, trust)),
            Content::Delegation(body) => {
                Self::Delegation(DelegationContent(DelegationReport::from(body).rows()))
            }
            Content::License(body) => Self::License(Box::new((&**body).into())),
        }
    }

    /// Labels and values; a trust has none.
    pub fn rows(&self) -> Vec<Row> {
        match self {
            Self::Trust(_) => Vec::new(),
            Self::Delegation(content) => content.0.clone(),
            Self::License(license) => license.rows(),
        }
    }

    /// The changes of a trust, or the modules of a license.
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

/// What is on one side alone; where both sides have one value, in one row.
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
