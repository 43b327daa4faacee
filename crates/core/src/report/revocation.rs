//! Report of a list of revocations.

use crate::entitlement::Cause;
use crate::report::{ExtensionReport, Row, Table, extension};
use crate::revocation::{RevocationsBody, Withdrawn};
use crate::time::Instant;
use crate::wire::id::RevokedId;

/// Report of a list of revocations.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RevocationsReport {
    /// Version of the trust under which it was made.
    pub version: u32,
    /// Number among the lists under that trust.
    pub sequence: u64,
    /// When it was issued.
    pub issued: Instant,
    /// The revoked licenses.
    pub licenses: Vec<WithdrawnReport>,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

/// A revoked license.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WithdrawnReport {
    /// Digest of the license id.
    pub license: RevokedId,
    /// The cause.
    pub cause: Cause,
}

impl From<&RevocationsBody> for RevocationsReport {
    fn from(body: &RevocationsBody) -> Self {
        let RevocationsBody { version, sequence, issued, licenses, extensions } = body;
        let withdrawn = |withdrawn: &Withdrawn| {
            let Withdrawn { license, cause } = withdrawn;
            WithdrawnReport { license: *license, cause: *cause }
        };
        Self {
            version: *version,
            sequence: *sequence,
            issued: *issued,
            licenses: licenses.iter().map(withdrawn).collect(),
            extensions: extension::reports(extensions),
        }
    }
}

impl RevocationsReport {
    /// Returns all rows except the digests.
    pub fn rows(&self) -> Vec<Row> {
        let named = match self.licenses.len() {
            1 => "1 license, listed by the digest of its id".to_string(),
            count => format!("{count} licenses, listed by the digests of their ids"),
        };
        let mut rows = vec![
            ("list", format!("{} under trust {}", self.sequence, self.version)),
            ("issued", self.issued.to_string()),
            ("revoked", named),
        ];
        rows.extend(extension::row(&self.extensions));
        rows
    }

    /// Returns a table of the digests, if there are any.
    pub fn tables(&self) -> Vec<Table> {
        let row = |withdrawn: &WithdrawnReport| {
            vec![withdrawn.license.to_string(), withdrawn.cause.to_string()]
        };
        let table = Table {
            header: vec!["digest", "cause"],
            rows: self.licenses.iter().map(row).collect(),
            numbers: Vec::new(),
        };
        Some(table).filter(|table| !table.rows.is_empty()).into_iter().collect()
    }
}
