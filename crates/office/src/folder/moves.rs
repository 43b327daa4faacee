//! Moving a license key from one installation to another. Implements `docs/format.md`, sections
//! "Request" (request-18) and "Receipt" (receipt-7, receipt-8).

use crate::file::{self, Access, Lock};
use crate::folder::fork::{Hardware, compare};
use crate::folder::init::PARTS;
use crate::folder::{AskPassphrase, Folder};
use crate::ledger::{AnswerRecord, KeyName, Ledger};
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
    /// The license that the receipt ends.
    pub answer: AnswerRecord,
    /// Latest expiry among the licenses issued to that installation for this key before the
    /// receipt; `None` if one of them never expires. A copy of the home made before the receipt
    /// could run until then.
    pub last_day: Option<Day>,
    /// True if a later request of that installation was answered for this key.
    pub answered_since: bool,
}

/// What the ledger says about the license key, product and slot of a request.
pub(super) struct KeyHistory {
    /// Newest answer for the key, to any installation.
    pub(super) newest: Option<AnswerRecord>,
    /// Newest of them that is not a trial.
    holding: Option<AnswerRecord>,
    /// Answers to the installation that asks, for any key, in the order of issue.
    pub(super) own: Vec<AnswerRecord>,
}

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

    /// The receipt in binary, as recorded.
    pub(super) fn receipt(&self) -> Option<&[u8]> {
        if let Self::Receipt(receipt) = self { Some(receipt.bytes()) } else { None }
    }

    /// The reason, as recorded.
    pub(super) fn transfer(&self) -> Option<&str> {
        if let Self::Transfer(reason) = self { Some(reason.trim()) } else { None }
    }
}

impl KeyHistory {
    /// Reads the history for a request.
    pub(super) fn of(ledger: &mut Ledger, asked: &RequestBody) -> Result<Self> {
        let newest = ledger.newest_answer(name(asked))?;
        let holding = ledger.holding_answer(name(asked))?;
        Ok(Self { newest, holding, own: ledger.answers_for(&asked.install_key)? })
    }

    /// Number of the newest answer for the key; 0 if there is none.
    pub(super) fn turn(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.turn)
    }

    /// Returns the newest answer that is not a trial, if it went to another installation.
    pub(super) fn other_holder(&self, asked: &RequestBody) -> Option<&AnswerRecord> {
        self.holding.as_ref().filter(|holding| holding.install_key != asked.install_key)
    }

    /// Returns the newest answer for the key to the installation that asks, skipping the answers
    /// to this request.
    pub(super) fn newest_for(&self, asked: &RequestBody) -> Option<&AnswerRecord> {
        let fits = |answer: &&&AnswerRecord| answer.request != asked.request;
        self.of_key(asked).collect::<Vec<_>>().iter().rev().find(fits).copied()
    }

    /// Returns the highest request number above `number` that was answered for the key and the
    /// installation that asks.
    pub(super) fn later_for(&self, asked: &RequestBody, number: u64) -> Option<u64> {
        self.of_key(asked).map(|answer| answer.number).filter(|other| *other > number).max()
    }

    /// Returns the first answer to a later request of the installation that asks.
    pub(super) fn next_after(&self, asked: &RequestBody) -> Option<&AnswerRecord> {
        let later = self.own.iter().filter(|answer| answer.number > asked.number);
        later.min_by_key(|answer| answer.number)
    }

    fn of_key(&self, asked: &RequestBody) -> impl Iterator<Item = &AnswerRecord> {
        let name = name(asked);
        self.own.iter().filter(move |answer| answer.key_name() == name)
    }
}

/// License key, product and slot of a request.
pub(super) fn name(asked: &RequestBody) -> KeyName<'_> {
    KeyName { key: &asked.license_key.0, product: &asked.product, slot: &asked.slot }
}

impl Folder {
    /// Number of the newest answer for the license key, product and slot of a request, for
    /// [`crate::folder::Issue::seen`]. 0 if there is none.
    ///
    /// # Errors
    /// Exit 2 when the ledger cannot be read.
    pub fn newest_turn(&self, asked: &RequestBody) -> Result<u64> {
        let newest = self.ledger()?.newest_answer(name(asked))?;
        Ok(newest.map_or(0, |newest| newest.turn))
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
    ) -> Result<Option<AnswerRecord>> {
        let asked = opened.body();
        let Some(holder) = history.other_holder(asked) else { return Ok(None) };
        match handover {
            Handover::Nothing => {
                let request = self.ledger()?.request_bytes(holder)?;
                return Err(self.in_use(opened, (holder, &request), trust, ask));
            }
            Handover::Receipt(receipt) => {
                ensure_fit(receipt.body(), asked, holder)?;
                let mut theirs = self.ledger()?.answers_for(&holder.install_key)?;
                theirs.retain(|answer| answer.key_name() == holder.key_name() && !answer.is_trial);
                self.ensure_end(receipt.body(), &theirs)?;
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
        (holder, request): (&AnswerRecord, &[u8]),
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Error {
        let mut fact = format!(
            "this license key is in use on another installation: {}, license {} issued {}, last day: {}",
            holder.install_id(),
            holder.license,
            holder.issued,
            holder.last_day()
        );
        if let Ok(theirs) = self.open_request(request, None, trust, ask) {
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
    /// Exit 2 when the ledger cannot be read.
    pub fn ended(&self, receipt: &Receipt) -> Result<Option<Ended>> {
        let (body, mut ledger) = (receipt.body(), self.ledger()?);
        let own = ledger.answers_for(&body.install_key)?;
        let Some(answer) = own.iter().find(|answer| answer.license == body.license) else {
            return Ok(None);
        };
        if sha256(&ledger.license_bytes(answer)?) != body.license_hash {
            return Ok(None);
        }
        let (mut last_day, mut answered_since) = (Some(Day::default()), false);
        for other in own.iter().filter(|other| other.key_name() == answer.key_name()) {
            if other.number < body.number {
                last_day = last_day.zip(other.expires).map(|(a, b)| a.max(b));
            } else {
                answered_since = true;
            }
        }
        Ok(Some(Ended { answer: answer.clone(), last_day, answered_since }))
    }

    /// Checks that a receipt ends one of `theirs`, the licenses that were issued to the holder for
    /// this key, and that no later one was issued to it.
    fn ensure_end(&self, receipt: &ReceiptBody, theirs: &[AnswerRecord]) -> Result<()> {
        let ended = theirs.iter().find(|answer| answer.license == receipt.license);
        let hash = ended.map(|ended| self.ledger()?.license_bytes(ended)).transpose()?;
        if hash.is_none_or(|license| sha256(&license) != receipt.license_hash) {
            let fact = format!(
                "the receipt ends license {}, which was not issued to that installation for this key",
                receipt.license
            );
            return Err(Error::refuse(Refusal::AlreadyActivated, fact).rule("receipt-8"));
        }
        let Some(later) = theirs.iter().find(|answer| answer.number >= receipt.number) else {
            return Ok(());
        };
        let fact = format!(
            "request {} of that installation was answered after this receipt (number {}), so the \
             receipt does not end license {}",
            later.number, receipt.number, later.license
        );
        Err(Error::refuse(Refusal::AlreadyActivated, fact)
            .hint(NextStep::new(
                "have that installation import its newest license if it has not yet, have it \
                 deactivated again, and use the new receipt",
                &[Remedy::ImportLicense, Remedy::Deactivate],
            ))
            .rule("receipt-8"))
    }

    /// Takes the lock that keeps other processes from revoking and publishing until it is
    /// dropped, and removes temporary files that a killed process left.
    pub(super) fn lock(&self) -> Result<Lock> {
        let path = self.path().join("lock");
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
fn ensure_fit(receipt: &ReceiptBody, asked: &RequestBody, holder: &AnswerRecord) -> Result<()> {
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
    if receipt.install_key != holder.install_key {
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
