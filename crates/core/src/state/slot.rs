//! What a server remembers of one slot of a product. Implements `docs/judgement.md`, section "State".

use crate::entitlement::Count;
use crate::machine::Factor;
use crate::state::{Announced, Noted, Overuse};
use crate::time::Instant;
use crate::wire::codec::{Blob, Keyed, List, Set, Text, record};
use crate::wire::frame::FRAME_CAP;

record! {
    /// Name of a slot: the product and the slot within it.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{state::SlotName}; }
    /// use olr::SlotName;
    ///
    /// let name = SlotName { product: "example".parse()?, slot: "backup".parse()? };
    /// assert_eq!(&*name.slot, "backup");
    /// # Ok::<(), olr_core::error::Error>(())
    /// ```
    #[derive(PartialOrd, Ord)]
    pub struct SlotName {
        /// The product.
        pub product: Text,
        /// The slot.
        pub slot: Text,
    }
}

record! {
    /// Content of a slot.
    pub struct Slot {
        /// Name of the slot.
        pub name: SlotName,
        /// The installed license.
        pub installed: Option<Held>,
        /// The license that takes over at its start.
        pub next: Option<Held>,
        /// True if `next` has taken over. It then stays in effect even if it is revoked.
        pub took_over: bool,
        /// The highest (number, answer) accepted.
        pub highest: Pair,
        /// Answers to requests with a lower number are refused.
        pub floor: u64,
        /// The high-water mark when the machine last matched the license in effect.
        pub matched: Instant,
        /// Since when the license in effect is known to be revoked.
        pub revoked: Option<Noted>,
        /// Use of each module, as the product last reported it.
        pub usage: Set<Count, 4096>,
        /// Time for which usage exceeded the quotas.
        pub over: Overuse,
        /// What was last announced about the license.
        pub announced: Set<Announced>,
        /// Receipt of the last deactivation. `None` while a license is held.
        pub receipt: Option<Blob<FRAME_CAP>>,
    }
}

record! {
    /// A license file with the factors for which it was issued.
    pub struct Held {
        /// The license in its binary form.
        pub license: Blob<FRAME_CAP>,
        /// The factors of the request that it answers.
        pub enrolled: List<Factor>,
    }
}

record! {
    /// Position of a license in the order of answers.
    #[derive(Copy, PartialOrd, Ord, Default)]
    pub struct Pair {
        /// Number of the request.
        pub number: u64,
        /// Number of the answer to that request.
        pub answer: u32,
    }
}

impl Keyed for Slot {
    type Key = SlotName;
    fn key(&self) -> &SlotName {
        &self.name
    }
}

impl Slot {
    /// Returns the license in effect as far as it is recorded: `next` if it has taken over or no
    /// other license is installed, otherwise `installed`.
    pub fn held(&self) -> Option<&Held> {
        self.installed.as_ref().filter(|_| !self.has_taken_over()).or(self.next.as_ref())
    }

    /// True if `next` exists and has taken over.
    pub fn has_taken_over(&self) -> bool {
        self.took_over && self.next.is_some()
    }
}
