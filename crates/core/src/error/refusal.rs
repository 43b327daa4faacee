//! The words for a proven *no*: a closed list, explained in `docs/refusals.md`.

use std::fmt;
use std::str::FromStr;

use crate::error::next::Remedy::{self, *};
use crate::error::{Error, Problem, Result};

/// A next step in the list: its text, and the acts that it names.
type Step = (&'static str, &'static [Remedy]);

macro_rules! refusals {
    ($($number:literal $variant:ident $word:literal $step:literal $([$($act:ident),*])?
        $(, at the vendor $vendor:literal $([$($there:ident),*])?)?;)*) => {
        /// A word for a proven *no*. The variants are in the order of their numbers, not of the
        /// checks.
        ///
        /// ```
        /// # mod olr { pub use olr_core::{error::{Error, Refusal}}; }
        /// use olr::{Error, Refusal};
        ///
        /// /// Whether the page of renewals is to be shown.
        /// fn has_expired(error: &Error) -> bool {
        ///     error.refusal() == Some(Refusal::Expired)
        /// }
        ///
        /// assert_eq!("expired".parse(), Ok(Refusal::Expired));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Refusal {
            $(#[doc = concat!("`", $word, "`")] $variant = $number,)*
        }

        impl Refusal {
            /// Every refusal, by number.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant),*];

            /// Word of the refusal, the same everywhere.
            pub fn word(self) -> &'static str {
                match self { $(Refusal::$variant => $word),* }
            }

            /// Number of the refusal in `docs/format.md`.
            pub fn number(self) -> u16 {
                match self { $(Refusal::$variant => $number),* }
            }

            /// Returns the usual next step, and the one for the vendor's office if it is a
            /// different one.
            pub(super) fn steps(self) -> (Step, Option<Step>) {
                match self {
                    $(Refusal::$variant => (
                        ($step, &[$($($act),*)?]),
                        None$(.or(Some(($vendor, &[$($($there),*)?]))))?,
                    )),*
                }
            }
        }
    };
}

refusals! {
    1 Malformed "malformed" "ask for the file again, as an attachment, and compare its size at both ends";
    2 UnknownVersion "unknown-version" "update olr, or ask the sender for a file that this version can read";
    3 WrongKind "wrong-kind" "check what this file is, and name the right one" [Inspect];
    4 WrongVendor "wrong-vendor" "this file belongs to another vendor; check which vendor.trust was used"
        , at the vendor "this file belongs to another vendor; check which vendor folder was used" [NameVendor];
    5 WrongRequest "wrong-request" "compare the codes of the requests, and use the answer to a request of this installation"
        , at the vendor "compare the code of the request with the server's operator, and use the right request";
    6 Undecryptable "undecryptable" "ask for a new request from the server, made with your current vendor.trust";
    7 WrongSignature "wrong-signature" "the file was changed in transit, or its signer did not sign it; ask for it again";
    8 WrongProduct "wrong-product" "check the product name on both sides"
        , at the vendor "check the product in the grant, or ask for a new request for the right product";
    9 WrongSlot "wrong-slot" "use the license key in the slot that it belongs to"
        , at the vendor "check the slot in the grant, or ask for a new request for the slot of this license key";
    10 WrongLicensee "wrong-licensee" "copy the licensee's name and the license key from the sales receipt; both are case-sensitive"
        , at the vendor "compare the licensee's name and the license key with the sale; correct the grant, or ask for a new request with the right values";
    11 OfflineNotAllowed "offline-not-allowed" "this license type is activated online; offer a type that the catalog marks offline";
    12 Replayed "replayed" "make a new request on the server" [MakeRequest]
        , at the vendor "ask for a new request from the server" [MakeRequest];
    13 AlreadyActivated "already-activated" "deactivate the other installation, and send its receipt to the vendor" [Deactivate]
        , at the vendor "have the other installation deactivated, and add its receipt" [Deactivate, BringReceipt];
    14 UntrustedSigner "untrusted-signer" "ask the vendor for a file signed by a key that your vendor.trust knows"
        , at the vendor "check which key signed this file, and which keys are trusted here" [Inspect, ListKeys];
    15 NotDelegated "not-delegated" "ask the vendor for a file that is signed with a key whose delegation covers it"
        , at the vendor "sign with a key whose delegation covers this file, or have the roots sign a wider delegation" [Delegate];
    16 Revoked "revoked" "contact the vendor"
        , at the vendor "issue another license if this server may still run" [IssueAgain];
    17 WrongMachine "wrong-machine" "make a new request on this machine" [MakeRequest]
        , at the vendor "ask for a new request from that server" [MakeRequest];
    18 Superseded "superseded" "the newer file that is already here stays in effect; if you need what this file says, have it made again";
    19 DamagedState "damaged-state" "restore the home folder from a backup, or start again as a new installation" [NewIdentity];
    20 NotActivated "not-activated" "make a request, carry it to your vendor, and import the answer" [MakeRequest, ImportLicense]
        , at the vendor "ask for a request from the server" [MakeRequest];
    21 Deactivated "deactivated" "make a new request to activate again" [MakeRequest]
        , at the vendor "ask for a new request from the server" [MakeRequest];
    22 ClockRolledBack "clock-rolled-back" "compare the clock of this machine with a watch: if it is wrong, set it; if it is right, make a request, have the vendor answer it with a time, and import the answer" [MakeRequest, AnswerTime, ImportTime]
        , at the vendor "have the clock of that server compared with a watch: if it is wrong, have it set; if it is right, ask for a request and answer it with a time" [MakeRequest, AnswerTime];
    23 NotYetValid "not-yet-valid" "wait for the first day of the license, or check the clock";
    24 Expired "expired" "ask the vendor for a renewal" [Renew]
        , at the vendor "issue a renewal, with a later end in the grant";
    25 NotEntitled "not-entitled" "ask the vendor for a license with this module"
        , at the vendor "grant this module";
    26 QuotaExceeded "quota-exceeded" "remove what is no longer used, or ask the vendor for more"
        , at the vendor "grant at least the number in use, or ask the customer to use less";
    27 MaintenanceEnded "maintenance-ended" "stay on the installed release, or renew maintenance";
}

impl FromStr for Refusal {
    type Err = Error;

    /// Exit 2 if `word` is not in the list.
    fn from_str(word: &str) -> Result<Self> {
        let known = Self::ALL.iter().copied().find(|refusal| refusal.word() == word);
        known.ok_or_else(|| {
            let fact = format!("{word:?} is not a refusal word");
            Error::unable(Problem::Usage, fact, "compare it with the list of refusal words")
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
