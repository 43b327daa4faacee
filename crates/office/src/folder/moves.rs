//! Moving a license key from one installation to another. Implements `docs/format.md`, sections
//! "Request" (request-18) and "Receipt" (receipt-7, receipt-8).

use base64::prelude::{BASE64_STANDARD, Engine};
use data_encoding::HEXLOWER;

use crate::file::{self, Access, Lock};
use crate::folder::fork::{Hardware, compare};
use crate::folder::init::PARTS;
use crate::folder::{AskPassphrase, Folder, IssuedRecord};
use olr_core::crypto::digest::sha256;
use olr_core::display::shown;
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result};
use olr_core::key::{Role, key_id};
use olr_core::machine::FactorKind;
use olr_core::receipt::{Receipt, ReceiptBody};
use olr_core::request::{OpenedRequest, RequestBody};
use olr_core::time::Day;
use olr_core::trust::Trust;
use olr_core::wire::codec::Note;
use olr_core::wire::id::RequestId;

/// Justification for moving a license key away from the installation that holds it.
#[derive(Debug, Clone, Copy, Default)]
pub enum Handover<'a> {
    /// No justification: the key must not be held by another installation.
    #[default]
    Nothing,
    /// Receipt in which that installation states that it stopped.
    Receipt(&'a Receipt),
    /// The vendor's reason in free text, stored with the license record.
    Transfer(&'a str),
}

/// What the vendor's records say about a receipt.
#[derive(Debug)]
pub struct Ended {
    /// Record of the license that the receipt ends.
    pub record: IssuedRecord,
    /// Latest expiry among the licenses issued to that installation for this key before the
    /// receipt; `None` if one of them never expires. A copy of the home made before the receipt
    /// could run until then.
    pub last_day: Option<Day>,
    /// True if a later request of that installation was answered for this key.
    pub answered_since: bool,
}

/// All answers for one license key, product and slot, in the order of `turn`.
pub(super) struct KeyHistory(Vec<IssuedRecord>);

/// Snapshot of the ids of all licenses issued for one license key, product and slot, to detect
/// answers added since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecords(Vec<String>);

impl Handover<'_> {
    /// Checks that a receipt is for this vendor, or that a reason is not empty and not too long.
    pub(super) fn check(self, trust: &Trust) -> Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Receipt(receipt) => {
                Receipt::verify_for(trust.vendor(), receipt.bytes()).map(|_| ())
            }
            Self::Transfer(reason) if reason.trim().is_empty() => {
                let fact = "the reason for the transfer is empty";
                Err(Error::unable(
                    Problem::Usage,
                    fact,
                    "give the reason why the key moves without a receipt",
                ))
            }
            Self::Transfer(reason) => Note::new(reason)
                .map(|_| ())
                .map_err(|error| error.within("the reason for the transfer")),
        }
    }

    pub(super) fn record(self, record: &mut IssuedRecord) {
        match self {
            Self::Nothing => {}
            Self::Receipt(receipt) => {
                record.receipt = Some(BASE64_STANDARD.encode(receipt.bytes()));
            }
            Self::Transfer(reason) => record.transfer = Some(reason.trim().to_string()),
        }
    }
}

impl KeyHistory {
    /// Returns the license ids, which change with every further answer.
    pub(super) fn records(&self) -> KeyRecords {
        KeyRecords(self.0.iter().map(|record| record.license_id.clone()).collect())
    }

    /// The newest answer.
    pub(super) fn newest(&self) -> Option<&IssuedRecord> {
        self.0.last()
    }

    /// Returns the newest answer if it went to another installation.
    pub(super) fn other_holder(&self, asked: &RequestBody) -> Option<&IssuedRecord> {
        self.0.last().filter(|last| last.install_key != HEXLOWER.encode(&asked.install_key))
    }

    /// Returns the newest answer to the installation with this install key (hexadecimal), skipping
    /// the answers to request `but`.
    pub(super) fn newest_for(self, install_key: &str, but: RequestId) -> Option<IssuedRecord> {
        let but = but.to_string();
        let fits = |r: &IssuedRecord| r.install_key == install_key && r.request_id != but;
        self.0.into_iter().rev().find(fits)
    }

    /// Returns the highest request number above `number` that was answered for the installation
    /// with this install key (hexadecimal).
    pub(super) fn later_for(&self, install_key: &str, number: u64) -> Option<u64> {
        let of_it = self.0.iter().filter(|record| record.install_key == install_key);
        let numbers = of_it.filter_map(|record| Some(record.license_body().ok()?.number));
        numbers.filter(|other| *other > number).max()
    }

    pub(super) fn next_turn(&self) -> u64 {
        self.0.last().and_then(|last| last.turn).unwrap_or(0).saturating_add(1)
    }
}

impl Folder {
    /// Collects every answer for the license key, product and slot of a request.
    pub(super) fn key_of(&self, asked: &RequestBody) -> Result<KeyHistory> {
        let (key, product, slot) = (&*asked.license_key.0, &*asked.product, &*asked.slot);
        let mut records = self.issued("")?;
        records.retain(|r| (&*r.license_key, &*r.product, &*r.slot) == (key, product, slot));
        // The sort is stable: records from before `turn` existed come first, in order of issue.
        records.sort_by_key(|record| record.turn);
        Ok(KeyHistory(records))
    }

    /// Snapshot of the answers for the license key, product and slot of a request, for
    /// [`crate::folder::Issue::shown`].
    ///
    /// # Errors
    /// Exit 2 when a record cannot be read.
    pub fn records_of(&self, asked: &RequestBody) -> Result<KeyRecords> {
        Ok(self.key_of(asked)?.records())
    }

    /// Checks that the key is free for this installation, or handed over to it. Returns the newest
    /// answer to the other installation that holds the key, if there is one.
    pub(super) fn ensure_free(
        &self,
        history: &KeyHistory,
        opened: &OpenedRequest,
        handover: Handover<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Option<IssuedRecord>> {
        let asked = opened.body();
        let Some(holder) = history.other_holder(asked) else { return Ok(None) };
        match handover {
            Handover::Nothing => return Err(self.in_use(opened, holder, trust, ask)),
            Handover::Receipt(receipt) => {
                ensure_fit(receipt.body(), asked, holder)?;
                ensure_end(receipt.body(), history, holder)?;
            }
            Handover::Transfer(_) => {}
        }
        Ok(Some(holder.clone()))
    }

    /// Error naming the installation that holds the key, with details from its request if that can
    /// be opened.
    fn in_use(
        &self,
        opened: &OpenedRequest,
        holder: &IssuedRecord,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Error {
        let mut fact = format!(
            "this license key is in use on another installation: {}, license {} issued {}, last day: {}",
            holder.install_id(),
            holder.license_id,
            holder.issued,
            holder.last_day()
        );
        let request = holder.request_bytes();
        let theirs = request.and_then(|bytes| self.open_request(&bytes, None, trust, ask)).ok();
        if let Some(theirs) = theirs {
            fact += &host_of(theirs.body()).map_or(String::new(), |host| format!(", {host}"));
            fact += match compare((&theirs).into(), opened.into()).hardware {
                Hardware::Same => "; this request has the same hardware",
                Hardware::Other => "; this request has different hardware",
                Hardware::Unknown => "",
            };
        }
        Error::refuse(Refusal::AlreadyActivated, fact).rule("request-18").hint(NextStep::new(
            "if that installation is still running, have it deactivated and add its receipt; if it \
             is lost, or is this same machine set up again, transfer the license and give the \
             reason",
            &[Remedy::Deactivate, Remedy::BringReceipt, Remedy::Transfer],
        ))
    }

    /// Finds the license that a receipt ends, by license id, license hash and install key, and
    /// evaluates the other licenses of that installation for the same key. `None` if this folder
    /// did not issue that license.
    ///
    /// # Errors
    /// Exit 2 when a record cannot be read.
    pub fn ended(&self, receipt: &Receipt) -> Result<Option<Ended>> {
        let body = receipt.body();
        let mut records = self.issued("")?;
        records.retain(|record| record.install_key == HEXLOWER.encode(&body.install_key));
        let Some(record) = records.iter().find(|record| is_ended(record, body)).cloned() else {
            return Ok(None);
        };
        let key = |r: &IssuedRecord| (r.license_key.clone(), r.product.clone(), r.slot.clone());
        let (mut last_day, mut answered_since) = (Some(Day::default()), false);
        for other in records.iter().filter(|other| key(other) == key(&record)) {
            let license = other.license_body()?;
            if license.number < body.number {
                last_day = last_day.zip(license.expires).map(|(a, b)| a.max(b));
            } else {
                answered_since = true;
            }
        }
        Ok(Some(Ended { record, last_day, answered_since }))
    }

    /// Takes the lock that keeps other processes from issuing, revoking and publishing until it is
    /// dropped, and removes temporary files that a killed process left.
    pub(super) fn lock(&self) -> Result<Lock> {
        let path = self.path().join("issued").join("lock");
        let lock = file::open_lock(&path).and_then(|lock| lock.lock().map(|()| Lock::held(lock)));
        // The files may contain keys.
        file::remove_left(self.path());
        PARTS.iter().for_each(|part| file::remove_left(&self.path().join(part)));
        lock.map_err(|error| {
            let say = |why: &str| format!("it cannot be locked: {why}");
            file::failed_saying(Access::Lock, &path, &error, say)
        })
    }
}

/// Host name and addresses of a machine, for display: `host web-1, at 10.0.0.2 and 10.0.1.2`.
pub(super) fn host_of(body: &RequestBody) -> Option<String> {
    let host = body.found.iter().find(|factor| factor.kind == FactorKind::Hostname);
    let host = host.map(|host| format!("host {}", shown(&host.value)));
    let addresses: Vec<_> = body.addresses.iter().take(3).map(|a| shown(a)).collect();
    let at = (!addresses.is_empty()).then(|| format!("at {}", addresses.join(" and ")));
    let parts: Vec<_> = host.into_iter().chain(at).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Checks that a receipt is for the requested product and slot, and from the installation that
/// holds the key.
fn ensure_fit(receipt: &ReceiptBody, asked: &RequestBody, holder: &IssuedRecord) -> Result<()> {
    for (what, word, its, wanted) in [
        ("product", Refusal::WrongProduct, &receipt.product, &asked.product),
        ("slot", Refusal::WrongSlot, &receipt.slot, &asked.slot),
    ] {
        if its != wanted {
            let (its, wanted) = (shown(its), shown(wanted));
            let fact = format!("the receipt is for {what} {its}, but the request is for {wanted}");
            return Err(Error::refuse(word, fact)
                .hint("use the receipt of the license that moves")
                .rule("receipt-7"));
        }
    }
    if HEXLOWER.encode(&receipt.install_key) != holder.install_key {
        let fact = format!(
            "the receipt is from installation {}, but the key is in use on {}",
            key_id(Role::Install, &receipt.install_key),
            holder.install_id()
        );
        return Err(Error::refuse(Refusal::WrongMachine, fact)
            .hint(NextStep::new(
                "have the installation that uses the key deactivated, and use its receipt",
                &[Remedy::Deactivate],
            ))
            .rule("receipt-7"));
    }
    Ok(())
}

/// Checks that a receipt ends a license that was issued to the holder for this key, and that no
/// later one was issued to it.
fn ensure_end(receipt: &ReceiptBody, history: &KeyHistory, holder: &IssuedRecord) -> Result<()> {
    let theirs = || history.0.iter().filter(|record| record.install_key == holder.install_key);
    if !theirs().any(|record| is_ended(record, receipt)) {
        let fact = format!(
            "the receipt ends license {}, which was not issued to that installation for this key",
            receipt.license
        );
        return Err(Error::refuse(Refusal::AlreadyActivated, fact).rule("receipt-8"));
    }
    for record in theirs() {
        let number = record.license_body()?.number;
        if number >= receipt.number {
            let fact = format!(
                "request {number} of that installation was answered after this receipt (number {}), \
                 so the receipt does not end license {}",
                receipt.number, record.license_id
            );
            return Err(Error::refuse(Refusal::AlreadyActivated, fact)
                .hint(NextStep::new(
                    "have that installation import its newest license if it has not yet, have it \
                     deactivated again, and use the new receipt",
                    &[Remedy::ImportLicense, Remedy::Deactivate],
                ))
                .rule("receipt-8"));
        }
    }
    Ok(())
}

fn is_ended(record: &IssuedRecord, receipt: &ReceiptBody) -> bool {
    let hash = || record.license_bytes().map(|license| sha256(&license));
    record.license_id == receipt.license.to_string() && hash() == Ok(receipt.license_hash)
}
