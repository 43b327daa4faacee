//! Acceptance of a license that answers a request. Implements `docs/judgement.md`, section "Order of
//! answers".

use crate::error::{Error, NextStep, Refusal, Remedy, Result};
use crate::license::License;
use crate::state::{Held, Overuse, Pair, Slot, SlotName, State};
use crate::time::Instant;
use crate::wire::codec::{Blob, List, Set};

/// Result of accepting a license.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// The license is in effect.
    Installed,
    /// The license waits, and takes over at its start.
    AsNext,
    /// Exactly this file is already installed or waiting; nothing changed.
    Already,
}

impl State {
    /// Checks that a verified license answers a request of this installation, and is newer than
    /// every answer accepted before in its slot.
    ///
    /// # Errors
    /// `wrong-request`, `replayed`, `superseded`, in this order.
    pub fn ensure_answer(&self, license: &License) -> Result<()> {
        let body = license.body();
        let name = SlotName { product: body.product.clone(), slot: body.slot.clone() };
        let sent = self.memory.requests.iter().find(|sent| sent.hash == body.request_hash);
        let asked = sent.is_some_and(|sent| {
            (sent.request, sent.number, &sent.product, &sent.slot)
                == (body.request, body.number, &name.product, &name.slot)
        });
        if !asked {
            let answers = ("license", body.number, body.request_hash);
            return Err(self.answers_another(answers).rule("answer-1"));
        }
        let Some(slot) = self.memory.slots.get(&name) else { return Ok(()) };
        if body.number < slot.floor {
            let fact = "this license answers a request made before this slot was deactivated";
            return Err(Error::refuse(Refusal::Replayed, fact).rule("answer-2"));
        }
        if (Pair { number: body.number, answer: body.answer }) <= slot.highest {
            let fact =
                "a newer answer, or another one with the same number, was already imported here";
            return Err(Error::refuse(Refusal::Superseded, fact)
                .hint(NextStep::new(
                    "keep the license that is here; if you need another one, make a new request",
                    &[Remedy::MakeRequest],
                ))
                .rule("answer-3"));
        }
        Ok(())
    }

    /// True if exactly this file is installed or waiting.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let held = self.memory.slots.iter().flat_map(|slot| [&slot.installed, &slot.next]);
        held.flatten().any(|held| *held.license == *bytes)
    }

    /// Stores a license that passed [`Self::ensure_answer`] and judgement. Call this after
    /// [`Self::observe`]. A license that starts after the high-water mark waits behind the
    /// installed one.
    ///
    /// # Errors
    /// Exit 2 if a cap is exceeded.
    pub fn accept(&mut self, license: &License, clock: Instant) -> Result<Accepted> {
        let body = license.body();
        let name = SlotName { product: body.product.clone(), slot: body.slot.clone() };
        let sent = self.memory.requests.iter().find(|sent| sent.hash == body.request_hash);
        let enrolled: List<_> = sent.map(|sent| sent.found.clone()).unwrap_or_default();
        let held = Held { license: Blob::new(license.bytes())?, enrolled };
        // This comes first, because it changes what the slots have recorded.
        self.raise(body.issued);
        self.let_waiting_take_over();
        let before = self.memory.slots.get(&name).cloned();
        let mut slot = before.unwrap_or_else(|| Slot {
            name: name.clone(),
            installed: None,
            next: None,
            took_over: false,
            highest: Pair::default(),
            floor: 0,
            matched: Instant::default(),
            revoked: None,
            usage: Set::default(),
            over: Overuse::default(),
            announced: Set::default(),
            receipt: None,
        });
        let mark = self.memory.mark;
        let old = self.note_start(&mut slot);
        slot.receipt = None;
        slot.highest = Pair { number: body.number, answer: body.answer };
        let accepted = if mark < body.starts.begins() {
            // A waiting license that has begun by now becomes the installed one, so that it is not
            // lost.
            if slot.has_taken_over() {
                slot.installed = slot.next.take();
            }
            slot.next = Some(held);
            Accepted::AsNext
        } else {
            slot.installed = Some(held);
            slot.next = None;
            Accepted::Installed
        };
        slot.took_over = false;
        // A waiting license does not show whether the machine matches the installed one.
        if accepted == Accepted::Installed || slot.installed.is_none() {
            slot.matched = mark;
        }
        if let Some(new) = self.in_force(&slot) {
            slot.over.take_over(old.as_ref(), &new, &slot.usage, self.note(clock));
        }
        self.put(slot)?;
        self.remember(license.bytes());
        Ok(accepted)
    }
}
