//! Report of extensions. No version defines any yet.

use crate::crypto::digest::sha256;
use crate::display::code;
use crate::report::{Row, joined};
use crate::wire::extension::{Extension, Extensions};

/// Report of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ExtensionReport {
    /// Number of the extension.
    pub number: u16,
    /// True if a reader that does not know the number must refuse the body.
    pub critical: bool,
    /// Content of the extension.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::hex"))]
    pub bytes: Vec<u8>,
}

impl From<&Extension> for ExtensionReport {
    fn from(extension: &Extension) -> Self {
        let Extension { number, critical, bytes } = extension;
        Self { number: *number, critical: *critical, bytes: bytes.to_vec() }
    }
}

pub(super) fn reports(extensions: &Extensions) -> Vec<ExtensionReport> {
    extensions.iter().map(ExtensionReport::from).collect()
}

/// Formats the content as its length and a code, because it is not meant for people.
pub(super) fn text(extension: &ExtensionReport) -> String {
    let ExtensionReport { number, critical, bytes } = extension;
    let critical = if *critical { "critical, " } else { "" };
    format!("{number} ({critical}{} bytes, {})", bytes.len(), code(&sha256(bytes)))
}

/// Returns one row, or `None` if there are no extensions.
pub(super) fn row(extensions: &[ExtensionReport]) -> Option<Row> {
    (!extensions.is_empty()).then(|| ("extensions", joined(extensions.iter().map(text))))
}
