//! Report of a time from the vendor.

use crate::display::code;
use crate::key::{Role, key_id};
use crate::report::{ExtensionReport, Row, extension};
use crate::time::Instant;
use crate::timestamp::TimestampBody;
use crate::wire::id::{KeyId, RequestId};

/// Report of a time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TimestampReport {
    /// Id of the request that it answers.
    pub request: RequestId,
    /// Code of that request.
    pub code: String,
    /// Number of that request.
    pub number: u64,
    /// Id of the installation that it is for.
    pub install_id: KeyId,
    /// Time of the vendor's clock.
    pub time: Instant,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

impl From<&TimestampBody> for TimestampReport {
    fn from(body: &TimestampBody) -> Self {
        let TimestampBody { request, request_hash, number, install_key, time, extensions } = body;
        Self {
            request: *request,
            code: code(request_hash),
            number: *number,
            install_id: key_id(Role::Install, install_key),
            time: *time,
            extensions: extension::reports(extensions),
        }
    }
}

impl TimestampReport {
    /// Returns all rows.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = vec![
            ("answers request", format!("{} (number {})", self.code, self.number)),
            ("request id", self.request.to_string()),
            ("install id", self.install_id.to_string()),
            ("time", self.time.to_string()),
        ];
        rows.extend(extension::row(&self.extensions));
        rows
    }
}
