//! Proposals as files: read, shown, confirmed, written, put into effect.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_core::proposal::{Content, Proposal};
use olr_core::report::{ProposalReport, masked};
use olr_core::time::Instant;
use olr_core::trust::{DelegationBody, Trust};
use olr_core::wire::codec::Limit;
use olr_core::wire::frame::{Header, Kind};
use olr_core::wire::id::KeyId;
use olr_office::folder::{Adopted, Folder, Published, catalog_for};
use olr_office::key::store;
use olr_office::ledger::AnswerRecord;

use crate::cli::args::vendor::VendorArg;
use crate::cli::files::{OutFile, read_artefact};
use crate::cli::output::{Output, put};
use crate::cli::show;
use crate::cli::terminal::Confirmation;

pub mod changes;
pub mod roots;

pub use changes::{changes, finishing, signature_pairs};

pub const PROPOSAL: &str = "proposal.olr";

// The vendor's trust that is in effect.
#[derive(clap::Args)]
pub struct TrustArg {
    /// The vendor's newest trust [default: the one in the vendor's folder].
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    #[command(flatten)]
    vendor: VendorArg,
}

impl TrustArg {
    pub fn trust(&self) -> Result<Option<Trust>> {
        match (&self.trust, self.vendor.given()) {
            (Some(path), _) => {
                let bytes = read_artefact(Some(Kind::Trust), path)?;
                Trust::pin(&bytes).map(Some).map_err(|error| error.within(file::name(path)))
            }
            (None, Some(folder)) => folder.trust().map(Some),
            (None, None) => Ok(None),
        }
    }

    pub fn required(&self) -> Result<Trust> {
        self.trust()?.ok_or_else(|| {
            let fact = "no trust was named";
            Error::unable(
                Problem::Usage,
                fact,
                "name it with --trust FILE, --vendor DIR or $OLR_VENDOR",
            )
        })
    }

    /// Returns the vendor's folder, unless a separate trust was named.
    pub fn folder(&self) -> Option<Folder> {
        self.vendor.given().filter(|_| self.trust.is_none())
    }
}

/// Reads a proposal and verifies it against the trust. Without a trust, checks what a proposal
/// itself proves.
pub fn read_proposal(path: &Path, trust: Option<&Trust>) -> Result<Proposal> {
    let bytes = read_artefact(Some(Kind::Proposal), path)?;
    let proposal = match trust {
        Some(trust) => Proposal::verify(&bytes, trust),
        None => Proposal::parse(&bytes).and_then(|proposal| {
            proposal.check(None)?;
            Ok(proposal)
        }),
    };
    proposal.map_err(|error| error.within(file::name(path)))
}

/// Reads the copies of one proposal and merges them. `None` if no copy is named.
pub fn read_copies(paths: &[PathBuf], trust: Option<&Trust>) -> Result<Option<Proposal>> {
    let mut all: Option<Proposal> = None;
    for path in paths {
        let copy = read_proposal(path, trust)?;
        all = Some(match all {
            Some(before) => before.merge(&copy).map_err(|error| error.within(file::name(path)))?,
            None => copy,
        });
    }
    Ok(all)
}

/// Fails if a signature by this key would not count, before any passphrase is asked for.
pub fn ensure_counts(path: &Path, proposal: &Proposal, trust: Option<&Trust>) -> Result<()> {
    let key = store::read(path)?;
    if key.role != proposal.role() {
        let fact = format!("{}: this key has the role {}", file::name(path), key.role);
        let hint = format!(
            "name a key with the role {}, which signs a {}",
            proposal.role(),
            proposal.kind()
        );
        return Err(Error::unable(Problem::WrongKey, fact, hint));
    }
    proposal.ensure_counts(&key.public, trust).map(drop)
}

/// Shows what would be signed and whom it affects, and asks.
pub fn confirm(
    proposal: &Proposal,
    trust: Option<&Trust>,
    folder: Option<&Folder>,
    yes: bool,
) -> Result<()> {
    if yes {
        return Ok(());
    }
    let mut hits = described(proposal, trust);
    for (key, signed) in newly_revoked(proposal, trust, folder)? {
        hits += &format!("\n\n{}", ended_with(key, &signed));
    }
    let ask = format!("Sign this {}?", proposal.kind());
    let deed = format!("signing a {}", proposal.kind());
    Confirmation { hits: &hits, ask: &ask, deed: &deed }.confirm(yes)
}

/// Returns the issuer keys that a proposed trust revokes, each with the known licenses that it
/// signed.
fn newly_revoked(
    proposal: &Proposal,
    trust: Option<&Trust>,
    folder: Option<&Folder>,
) -> Result<Vec<(KeyId, Vec<AnswerRecord>)>> {
    let (Content::Trust(next), Some(folder)) = (proposal.content(), folder) else {
        return Ok(Vec::new());
    };
    let before = |key: &KeyId| trust.is_some_and(|t| t.body().revoked.get(key).is_some());
    let keys = next.revoked.iter().filter(|key| !before(key));
    keys.map(|key| Ok((*key, folder.ledger()?.signed_with(*key)?))).collect()
}

/// Describes the licenses that a revoked key signed, and that therefore end: how many, whose, and
/// the first of them.
pub fn ended_with(key: KeyId, signed: &[AnswerRecord]) -> String {
    if signed.is_empty() {
        return format!("Key {key} signed no license that was issued from this folder.");
    }
    let licensees: BTreeSet<_> = signed.iter().map(|record| &record.licensee).collect();
    let row = |r: &AnswerRecord| {
        let slot = format!("{}/{}", r.product, r.slot);
        vec![r.license.to_string(), r.licensee.clone(), masked(&r.license_key), slot]
    };
    let rows: Vec<_> = signed.iter().take(LISTED).map(row).collect();
    let more = signed.len().saturating_sub(LISTED);
    format!(
        "Key {key} signed {} of {}: each ends when its server gets the new trust; answer new \
         requests from these servers with another key:\n{}{}",
        counted(signed.len(), "license"),
        counted(licensees.len(), "licensee"),
        show::table(&["license", "licensee", "key", "slot"], &rows, &[]),
        if more == 0 { String::new() } else { format!("\nand {more} more") }
    )
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Maximum number of licenses listed before a question: a longer list would push it off the screen.
const LISTED: usize = 12;

/// Describes a proposal for people.
pub fn described(proposal: &Proposal, trust: Option<&Trust>) -> String {
    let what = match trust {
        Some(_) => format!("Proposed {}:", proposal.kind()),
        None => format!("Proposed {}, for a vendor that is not known here yet:", proposal.kind()),
    };
    format!("{what}\n{}", changes(proposal, trust))
}

/// Fails early if writing a proposal would replace anything but the same proposal.
pub fn ensure_free(proposal: &Proposal, name: &str, output: &OutFile) -> Result<()> {
    output.ensure_free(name, Kind::Proposal, |bytes| {
        Proposal::parse(bytes).is_ok_and(|old| old.merge(proposal).is_ok())
    })
}

/// Returns a free name for a proposal: an old file in the way must not stop an urgent change.
pub fn free_name(proposal: &Proposal, output: &OutFile) -> Result<String> {
    output.free_name(PROPOSAL, Kind::Proposal, |bytes| {
        Proposal::parse(bytes).is_ok_and(|old| old.merge(proposal).is_ok())
    })
}

/// Adds the signatures of the same proposal at the output path, so that the command can be
/// repeated.
fn with_those_there(
    proposal: &Proposal,
    trust: Option<&Trust>,
    name: &str,
    output: &OutFile,
) -> Proposal {
    let there = output.path(name).filter(|path| path.is_file());
    let there = there.and_then(|path| read_proposal(&path, trust).ok());
    let merged = there.and_then(|there| there.merge(proposal).ok());
    merged.unwrap_or_else(|| proposal.clone())
}

/// Writes a proposal, and describes it and its signers.
pub fn written(
    proposal: &Proposal,
    trust: Option<&Trust>,
    name: &str,
    output: &OutFile,
) -> Result<Output> {
    let proposal = &with_those_there(proposal, trust, name, output);
    let pairs = signature_pairs(proposal, trust)?;
    let file = output.name(name);
    let next = match proposal.still_missing(trust)? {
        Some(_) => "Have enough signers sign it with `olr key sign`, then run",
        None => "It has enough signatures: run",
    };
    let text = format!(
        "{}\n\n{}\n\nWrote the proposal to {file}. {next} {}.",
        described(proposal, trust),
        show::pairs(&pairs),
        finishing(proposal)
    );
    let mut report = Output::new(text, json(proposal, trust)?);
    put(&mut report.json, "file", json!(file));
    if name.starts_with("proposal-") && !output.is_named() {
        report.notes.push(format!("{PROPOSAL} is another file, and was not changed"));
    }
    output.write(name, Kind::Proposal, proposal.bytes(), &mut report)?;
    Ok(report)
}

/// Returns the JSON of a proposal.
pub fn json(proposal: &Proposal, trust: Option<&Trust>) -> Result<Value> {
    let signed: Vec<_> = proposal.signed_by().iter().map(|key| key.to_string()).collect();
    let mut json = show::json(&ProposalReport::new(proposal, trust));
    put(&mut json, "signed_by", signed);
    put(&mut json, "still_missing", proposal.still_missing(trust)?);
    Ok(json)
}

/// Puts a signed file into effect in a vendor's folder, and describes it as text and JSON.
pub fn published(
    folder: &Folder,
    bytes: &[u8],
    catalog: Option<&str>,
    beside: &Path,
    now: Instant,
) -> Result<(String, Value)> {
    let place = file::name(folder.path());
    // A catalog that does not fit is refused before anything is published.
    if let (Some(text), Kind::Trust) = (catalog, Header::peek(bytes)?) {
        catalog_for(&Trust::pin(bytes)?, Some(text), &[])?;
    }
    Ok(match folder.publish(bytes)? {
        Published::Trust { trust, new } => {
            let body = trust.body();
            let (name, version) = (shown(&body.name), body.version);
            let text = match new {
                true => format!(
                    "Trust {version} of {name} is now the newest in {place}. Servers get it with \
                     their next license; give new servers {place}/vendor.trust, vendor code {}.",
                    trust.vendor_code()
                ),
                false => format!("Trust {version} of {name} is already in {place}."),
            };
            let text = match folder.adopt_catalog(&trust, catalog, beside)? {
                Adopted::Kept => text,
                Adopted::New { before } => format!(
                    "{text}\nThe catalog for this trust is now in effect; the former catalog is now \
                     {}.",
                    file::name(&before)
                ),
                Adopted::Unfit => format!(
                    "{text}\n{place}/catalog.toml is not a valid catalog, or lists other products or \
                     slots than this trust, or in another order: correct it, or install the \
                     right catalog with `olr vendor publish {place}/vendor.trust --vendor {place} \
                     --catalog FILE`."
                ),
            };
            (text, json!({"trust": version, "new": new, "vendor_code": trust.vendor_code()}))
        }
        Published::Delegation { delegation, path, new } => {
            let key = delegation.key_id().to_string();
            let text = match new {
                true => {
                    format!("{}: {}.", may_issue(&key, delegation.body(), now), file::name(&path))
                }
                false => format!("This delegation for key {key} is already in {place}."),
            };
            (text, json!({"issuer": key, "new": new, "file": file::name(&path)}))
        }
    })
}

/// Says whether a key may issue now, and if not, from when it may or until when it could.
fn may_issue(key: &str, body: &DelegationBody, now: Instant) -> String {
    match (&body.from, &body.until) {
        (_, Limit::Only(until)) if *until < now => {
            format!("Key {key} may no longer issue: it could issue until {until}")
        }
        (Limit::Only(from), _) if *from > now => format!("Key {key} may issue from {from} on"),
        _ => format!("Key {key} may issue now"),
    }
}

/// Finishes a proposal with enough signatures: puts it into effect in the folder, or writes it if
/// there is no folder or `-o` was given. Without enough signatures, writes it for the remaining
/// signers.
pub fn conclude(
    proposal: &Proposal,
    folder: Option<&Folder>,
    trust: &Trust,
    output: &OutFile,
    now: Instant,
) -> Result<Output> {
    if proposal.still_missing(Some(trust))?.is_some() {
        return written(proposal, Some(trust), &free_name(proposal, output)?, output);
    }
    let bytes = proposal.finish(Some(trust))?;
    let mut text = described(proposal, Some(trust));
    let mut json = json(proposal, Some(trust))?;
    let folder = folder.filter(|_| !output.is_named());
    let mut report = Output::new("", Value::Null);
    let said = match folder {
        Some(folder) => {
            // The question and the signatures take time, in which the trust may have changed.
            folder.ensure_newest(trust)?;
            let (said, published) = published(folder, &bytes, None, folder.path(), now)?;
            put(&mut json, "published", published);
            report.notes.push(format!("vendor: {}", file::name(folder.path())));
            said
        }
        None => {
            let name = finished_name(proposal.kind());
            let file = output.name(name);
            output.write(name, proposal.kind(), &bytes, &mut report)?;
            put(&mut json, "file", json!(file));
            let typed = output.typed_name(name);
            format!("Wrote {file}. Put it into effect with `olr vendor publish {typed}`.")
        }
    };
    text += &format!("\n\nSigned and verified. {said}");
    (report.text, report.json) = (text, json);
    Ok(report)
}

/// Returns the name of the file that a finished proposal becomes.
pub fn finished_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Trust => "vendor.trust",
        Kind::Delegation => "delegation.olr",
        _ => "license.olr",
    }
}
