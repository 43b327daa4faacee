//! The kinds of *could not tell*: a closed list, given with its numbers in `docs/json.md`.

use std::fmt;

macro_rules! problems {
    ($($number:literal $variant:ident $word:literal $doc:literal;)*) => {
        /// What prevented an answer. Programs act on it; people read the fact next to it.
        ///
        /// ```
        /// # mod olr { pub use olr_core::{error::{Error, Problem}}; }
        /// use olr::{Error, Problem};
        ///
        /// /// Whether to try again in a moment.
        /// fn is_busy(error: &Error) -> bool {
        ///     error.problem() == Some(Problem::Locked)
        /// }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Problem {
            $(#[doc = concat!("`", $word, "`: ", $doc)] $variant = $number,)*
        }

        impl Problem {
            /// Every problem, by number.
            pub const ALL: &'static [Problem] = &[$(Problem::$variant),*];

            /// Word of the problem, the same everywhere.
            pub fn word(self) -> &'static str {
                match self { $(Problem::$variant => $word),* }
            }

            /// Number of the problem, for other languages. A number is never reused.
            pub fn number(self) -> u16 {
                match self { $(Problem::$variant => $number),* }
            }
        }
    };
}

problems! {
    1 Usage "usage" "an argument is missing, wrong or contradicts another";
    2 Content "content" "a file from the caller has wrong or missing content";
    3 NotFound "not-found" "a file, folder, key or record does not exist";
    4 Exists "exists" "something already exists, and olr does not overwrite it";
    5 Io "io" "the system failed to read or write";
    6 Permission "permission" "the system or this program does not allow access to a file";
    7 Locked "locked" "another process is using the folder or file";
    8 Changed "changed" "something changed between two reads";
    9 Damaged "damaged" "olr cannot use one of its own records";
    10 NewerVersion "newer-version" "another version of olr wrote the state";
    11 NeedsPassphrase "needs-passphrase" "a passphrase or PIN is missing";
    12 WrongPassphrase "wrong-passphrase" "a passphrase or PIN is wrong";
    13 WrongKey "wrong-key" "a key cannot do what the caller named it for";
    14 NotConfirmed "not-confirmed" "nobody confirmed an action that cannot be undone";
    15 TooLarge "too-large" "there is more data than fits";
    16 Device "device" "a token or an SSH agent failed";
    17 Network "network" "another host did not answer, or gave a wrong answer";
    18 Unsupported "unsupported" "this build or this system cannot do it";
    19 System "system" "the system provides no clock or no randomness";
    20 Fault "fault" "a bug in olr";
    21 Grant "grant" "a grant contradicts itself or does not fit the catalog";
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
