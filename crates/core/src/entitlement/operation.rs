//! Operations: acts for which a product asks permission, as words. Implements `docs/format.md`,
//! section "Operations".

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Problem};
use crate::wire::codec::{Keyed, Set, Word, record};

record! {
    /// An act for which a product asks permission: a word that the vendor chose, or one of three
    /// built-in ones.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{entitlement::Operation}; }
    /// use olr::Operation;
    ///
    /// const PRINT: Operation = Operation::new("print").unwrap(); // what is no word does not compile
    ///
    /// assert_eq!("print".parse(), Ok(PRINT));
    /// assert!(Operation::RUN.is_built_in() && !PRINT.is_built_in());
    /// ```
    #[derive(Copy, PartialOrd, Ord, Hash)]
    pub struct Operation {
        /// The word: 1 to 32 bytes of `a` to `z`, `0` to `9` and `-`.
        pub word: Word,
    }
}

impl Operation {
    /// Starting the server, or keeping it running.
    pub const RUN: Self = Self::built_in("run");
    /// Importing a license.
    pub const UPDATE_LICENSE: Self = Self::built_in("update-license");
    /// Installing a newer release.
    pub const UPGRADE: Self = Self::built_in("upgrade");
    /// Operations that every license knows.
    pub const BUILT_IN: [Self; 3] = [Self::RUN, Self::UPDATE_LICENSE, Self::UPGRADE];

    /// Returns the operation with this word, or `None` if `word` is not a valid word. A product
    /// defines its own constants:
    ///
    /// ```
    /// use olr_core::entitlement::Operation;
    ///
    /// const PRINT: Operation = Operation::new("print").unwrap();
    /// ```
    pub const fn new(word: &str) -> Option<Self> {
        match Word::new(word) {
            Some(word) => Some(Self { word }),
            None => None,
        }
    }

    /// The word of the operation.
    pub fn word(&self) -> &str {
        self.word.as_ref()
    }

    /// True if every license knows the operation.
    pub fn is_built_in(self) -> bool {
        Self::BUILT_IN.contains(&self)
    }

    const fn built_in(word: &str) -> Self {
        match Self::new(word) {
            Some(operation) => operation,
            None => panic!("a constant that is not a word does not compile"),
        }
    }
}

impl AsRef<str> for Operation {
    fn as_ref(&self) -> &str {
        self.word()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Operation {
    type Err = Error;

    /// Exit 2 if `text` is not a word.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text).ok_or_else(|| {
            let fact = format!("{text:?} is not a valid operation name");
            let hint = "use 1 to 32 characters from a to z, 0 to 9 and -, like \"create-user\"";
            Error::unable(Problem::Content, fact, hint)
        })
    }
}

impl Keyed for Operation {
    type Key = Self;
    fn key(&self) -> &Self {
        self
    }
}

/// Maximum number of operations that a vendor may define. With the three built-in ones, they fill
/// a set of 64.
pub const OPERATIONS_CAP: usize = 61;

/// A set of operations, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operations(Vec<Operation>);

impl Operations {
    /// Returns the built-in operations together with `own`.
    pub fn known(own: &Set<Operation, OPERATIONS_CAP>) -> Self {
        Self::of(own.iter().copied().chain(Operation::BUILT_IN))
    }

    /// Makes a set of these operations.
    pub fn of(operations: impl IntoIterator<Item = Operation>) -> Self {
        let mut all: Vec<_> = operations.into_iter().collect();
        all.sort();
        all.dedup();
        Self(all)
    }

    /// True if the set contains `operation`.
    pub fn contains(&self, operation: Operation) -> bool {
        self.0.binary_search(&operation).is_ok()
    }

    /// Adds `others` to the set.
    #[must_use]
    pub fn and(self, others: impl IntoIterator<Item = Operation>) -> Self {
        Self::of(self.0.into_iter().chain(others))
    }

    /// Removes `others` from the set.
    #[must_use]
    pub fn without(mut self, others: &[Operation]) -> Self {
        self.0.retain(|operation| !others.contains(operation));
        self
    }
}

impl std::ops::Deref for Operations {
    type Target = [Operation];
    fn deref(&self) -> &[Operation] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Operations {
    type Item = &'a Operation;
    type IntoIter = std::slice::Iter<'a, Operation>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
