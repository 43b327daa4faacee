//! What a proposal would change, and who still has to sign it.

use olr_core::error::Result;
use olr_core::proposal::Proposal;
use olr_core::report::{ContentReport, Row};
use olr_core::trust::Trust;
use olr_core::wire::frame::Kind;

use crate::cli::show;

/// Describes what would be signed: the changes of a next trust, or the whole of anything else.
pub fn changes(proposal: &Proposal, trust: Option<&Trust>) -> String {
    let content = ContentReport::new(proposal.content(), trust);
    show::laid_out(&content.rows(), &content.tables())
}

/// Lists who has signed, and who still has to.
pub fn signature_pairs(proposal: &Proposal, trust: Option<&Trust>) -> Result<Vec<Row>> {
    let signed: Vec<_> = proposal.signed_by().iter().map(|key| key.to_string()).collect();
    let signed = if signed.is_empty() { "nobody yet".to_string() } else { signed.join(", ") };
    let missing = proposal.still_missing(trust)?;
    let enough = || format!("enough: run {}", finishing(proposal));
    Ok(vec![("signed by", signed), ("signatures", missing.unwrap_or_else(enough))])
}

/// Names the command that finishes a proposal once enough signers have signed it.
pub fn finishing(proposal: &Proposal) -> &'static str {
    match proposal.kind() {
        Kind::License => "`olr issue --signed`",
        _ => "`olr key combine`",
    }
}
