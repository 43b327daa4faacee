//! What a server remembers of one slot of a product. Obeys `docs/format.md`, section "State".

use crate::entitlement::Count;
use crate::machine::Factor;
use crate::state::{Announced, Noted, Overuse};
use crate::time::Instant;
use crate::wire::codec::{Blob, Keyed, List, Set, Text, record};
use crate::wire::frame::FRAME_CAP;

record! {
    /// A product's slot on this server.
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
    /// What is installed in a slot.
    pub struct Slot {
        /// Which one.
        pub name: SlotName,
        /// The license in force.
        pub installed: Option<Held>,
        /// The license that takes over at its start.
        pub next: Option<Held>,
        /// Whether it has taken over. Then it stays in force, also once it is revoked.
        pub took_over: bool,
        /// The highest (number, answer) accepted.
        pub highest: Pair,
        /// Answers to requests numbered below this are refused.
        pub floor: u64,
        /// When the machine last matched the license in force, by the mark.
        pub matched: Instant,
        /// Since when the installed license is known to be revoked.
        pub revoked: Option<Noted>,
        /// What is in use, as the product last said.
        pub usage: Set<Count, 4096>,
        /// For how long more was used than granted.
        pub over: Overuse,
        /// What was last told of it.
        pub announced: Set<Announced>,
        /// The receipt of the last deactivation; nothing while a license is here.
        pub receipt: Option<Blob<FRAME_CAP>>,
    }
}

record! {
    /// A license file and the factors that it was issued for.
    pub struct Held {
        /// The binary license.
        pub license: Blob<FRAME_CAP>,
        /// The factors of the request that it answers.
        pub enrolled: List<Factor>,
    }
}

record! {
    /// The order of answers.
    #[derive(Copy, PartialOrd, Ord, Default)]
    pub struct Pair {
        /// The number of the request.
        pub number: u64,
        /// The answer to it.
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
    /// The license in force, as far as it is remembered: the waiting one once it has taken over, or
    /// where no other is installed.
    pub fn held(&self) -> Option<&Held> {
        self.installed.as_ref().filter(|_| !self.has_taken_over()).or(self.next.as_ref())
    }

    /// Whether the waiting license is remembered to have taken over.
    pub fn has_taken_over(&self) -> bool {
        self.took_over && self.next.is_some()
    }
}
