//! The words for "no" and for "could not tell": two closed lists, and the error that carries one of
//! them.

use std::borrow::Cow;
use std::fmt;

/// What every fallible act of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done: a proved *no* (a [`Refusal`]), or *could not tell*.
///
/// `fact` says what and where, `hint` names one next step. Both are lower-case sentences without
/// a full stop; neither ever contains a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    rules: Vec<&'static str>,
    fact: String,
    hint: Cow<'static, str>,
    /// The next step at the vendor's, where it is another one.
    vendor_hint: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    Refusal(Refusal),
    Problem(Problem),
}

impl Error {
    /// A proved *no*, with the usual next step of its word.
    pub fn refuse(word: Refusal, fact: impl Into<String>) -> Self {
        let (hint, vendor_hint) = word.hints();
        let (fact, hint) = (fact.into(), hint.into());
        Self { kind: ErrorKind::Refusal(word), rules: Vec::new(), fact, hint, vendor_hint }
    }

    /// Could not tell: usage, files, a key that is not at hand.
    pub fn unable(
        problem: Problem,
        fact: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (fact, hint) = (fact.into(), hint.into());
        Self { kind: ErrorKind::Problem(problem), rules: Vec::new(), fact, hint, vendor_hint: None }
    }

    /// The same error with a better next step, whoever reads it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        (self.hint, self.vendor_hint) = (hint.into(), None);
        self
    }

    /// The same error with a better next step for the customer, and one for the vendor's office.
    #[must_use]
    pub(crate) fn hints(mut self, customer: &'static str, vendor: &'static str) -> Self {
        (self.hint, self.vendor_hint) = (customer.into(), Some(vendor));
        self
    }

    /// The same error as the vendor's office reads it: its next step is one that can be taken there.
    #[must_use]
    pub fn at_vendor(self) -> Self {
        match self.vendor_hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// The same error, saying first where it happened: `"issuer.key: …"`.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.fact = format!("{place}: {}", self.fact);
        self
    }

    /// The same error, naming a rule of `docs/format.md` that is broken: the innermost first, then
    /// each that stands for it.
    #[must_use]
    pub fn rule(mut self, id: &'static str) -> Self {
        self.rules.push(id);
        self
    }

    /// The same error with a better fact.
    #[must_use]
    pub fn told(mut self, fact: impl Into<String>) -> Self {
        self.fact = fact.into();
        self
    }

    /// The same fact and rules under another word.
    pub fn become_refusal(self, word: Refusal) -> Self {
        Self { rules: self.rules, ..Self::refuse(word, self.fact) }
    }

    /// The same *could not tell*, as this problem.
    #[must_use]
    pub fn become_problem(mut self, problem: Problem) -> Self {
        self.kind = ErrorKind::Problem(problem);
        self
    }

    /// The rules of `docs/format.md` that are broken, the innermost first; none where no rule of that
    /// page is.
    pub fn rules(&self) -> &[&'static str] {
        &self.rules
    }

    /// The same error, saying more: what `more` says follows the fact as it is.
    #[must_use]
    pub(crate) fn adding(mut self, more: impl fmt::Display) -> Self {
        self.fact = format!("{}{more}", self.fact);
        self
    }

    /// The word, when this is a proved *no*.
    pub fn refusal(&self) -> Option<Refusal> {
        match self.kind {
            ErrorKind::Refusal(word) => Some(word),
            ErrorKind::Problem(_) => None,
        }
    }

    /// What stood in the way, when this is *could not tell*.
    pub fn problem(&self) -> Option<Problem> {
        match self.kind {
            ErrorKind::Problem(problem) => Some(problem),
            ErrorKind::Refusal(_) => None,
        }
    }

    /// What happened, and where.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// One next step.
    pub fn next_step(&self) -> &str {
        &self.hint
    }

    /// The process exit status this error stands for: 1 refused, 2 could not tell.
    pub fn exit_status(&self) -> u8 {
        if self.refusal().is_some() { 1 } else { 2 }
    }
}

/// Names the rule that gives the word of another: `.map_err(under("trust-2"))`.
pub fn under(id: &'static str) -> impl Fn(Error) -> Error {
    move |error| error.rule(id)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refusal() {
            Some(word) => write!(f, "{word}: {}", self.fact),
            None => f.write_str(&self.fact),
        }
    }
}

impl std::error::Error for Error {}

macro_rules! refusals {
    ($($number:literal $variant:ident $word:literal $hint:literal $(, at the vendor $vendor:literal)?;)*) => {
        /// A word for "no". The order of the variants is the order of their numbers, not of the checks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Refusal {
            $(#[doc = concat!("`", $word, "`")] $variant = $number,)*
        }

        impl Refusal {
            /// Every word, by number.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant),*];

            /// Its spelling, the same on every surface.
            pub fn word(self) -> &'static str {
                match self { $(Refusal::$variant => $word),* }
            }

            /// Its number in `docs/format.md`.
            pub fn number(self) -> u16 {
                match self { $(Refusal::$variant => $number),* }
            }

            /// The usual next step, and the one at the vendor's where that is another.
            fn hints(self) -> (&'static str, Option<&'static str>) {
                match self {
                    $(Refusal::$variant => ($hint, None$(.or(Some($vendor)))?)),*
                }
            }
        }
    };
}

refusals! {
    1 Malformed "malformed" "ask for the file again, as an attachment, and compare its size at both ends";
    2 UnknownVersion "unknown-version" "update olr, or ask the sender for a file in format version 1";
    3 WrongKind "wrong-kind" "check which file you meant; `olr inspect FILE` says what a file is";
    4 WrongVendor "wrong-vendor" "this file belongs to another vendor; check which vendor.trust was used"
        , at the vendor "this file belongs to another vendor; check which folder --vendor names";
    5 WrongRequest "wrong-request" "compare the codes, and use the answer to a request of this installation"
        , at the vendor "compare the codes with the server's operator, and use the request that was meant";
    6 Undecryptable "undecryptable" "ask the server for a new request made with your current vendor.trust";
    7 WrongSignature "wrong-signature" "the file was changed on its way or was not made by its signer; ask for it again";
    8 WrongProduct "wrong-product" "check the product name on both sides"
        , at the vendor "check the product in the grant, or ask the server for a request for the right one";
    9 WrongSlot "wrong-slot" "install the key in the slot it belongs to"
        , at the vendor "check the slot in the grant, or ask the server for a request for the slot of its key";
    10 WrongLicensee "wrong-licensee" "copy licensee name and key from the receipt; both are case-sensitive"
        , at the vendor "compare both with what was sold; correct the grant, or ask the server for a request with the right ones";
    11 OfflineNotAllowed "offline-not-allowed" "this license type is activated online; offer a type that the catalog marks offline";
    12 Replayed "replayed" "make a new request on the server with `olr request`"
        , at the vendor "ask the server for a new request, made with `olr request`";
    13 AlreadyActivated "already-activated" "deactivate the other installation and bring its receipt"
        , at the vendor "let `olr deactivate` run on the other installation, and add --receipt with its receipt";
    14 UntrustedSigner "untrusted-signer" "ask the vendor for a license signed by a key that your vendor.trust knows"
        , at the vendor "look who signed it with `olr inspect`, and which keys count here with `olr key list`";
    15 NotDelegated "not-delegated" "ask the vendor to issue it again with a key whose delegation covers it"
        , at the vendor "use a key whose delegation covers it, or have the roots sign a wider one: `olr key delegate`";
    16 Revoked "revoked" "contact the vendor"
        , at the vendor "issue another license where this server may still run: `olr issue --again`";
    17 WrongMachine "wrong-machine" "make a new request on this machine with `olr request`"
        , at the vendor "ask that server for a new request, made with `olr request`";
    18 Superseded "superseded" "use the newer file that is already here";
    19 DamagedState "damaged-state" "restore the home folder from a backup, or begin again with `olr request --new-identity`";
    20 NotActivated "not-activated" "run `olr request`, carry req.olr to your vendor, and import the answer"
        , at the vendor "ask the server for a request, made with `olr request`";
    21 Deactivated "deactivated" "make a new request with `olr request` to activate again"
        , at the vendor "ask the server for a new request, made with `olr request`";
    22 ClockRolledBack "clock-rolled-back" "compare the clock of this machine with a watch: if it is right, run `olr request`, have the vendor answer with `olr vendor time-anchor`, and import time.olr; if it is wrong, set it"
        , at the vendor "have the clock of that server compared with a watch: if it is right, ask for a request and answer it with `olr vendor time-anchor`; if it is wrong, have it set";
    23 NotYetValid "not-yet-valid" "wait for the first day of the license, or check the clock";
    24 Expired "expired" "ask the vendor for a renewal: `olr request --renew`"
        , at the vendor "issue a renewal, with a later end in the grant";
    25 NotEntitled "not-entitled" "ask the vendor for a license with this module"
        , at the vendor "grant this module";
    26 QuotaExceeded "quota-exceeded" "remove what is no longer used, or ask the vendor for more"
        , at the vendor "grant what is in use, or ask the customer to use less";
    27 MaintenanceEnded "maintenance-ended" "stay on the installed release, or renew maintenance";
}

impl Refusal {
    /// The word spelled `word`, if there is one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|refusal| refusal.word() == word)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

macro_rules! problems {
    ($($number:literal $variant:ident $word:literal $doc:literal;)*) => {
        /// What stood in the way of an answer. Programs act on it; people read the fact beside it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Problem {
            $(#[doc = concat!("`", $word, "`: ", $doc)] $variant = $number,)*
        }

        impl Problem {
            /// Every problem, by number.
            pub const ALL: &'static [Problem] = &[$(Problem::$variant),*];

            /// Its spelling, the same on every surface.
            pub fn word(self) -> &'static str {
                match self { $(Problem::$variant => $word),* }
            }

            /// Its number, for other languages. A number is never used again.
            pub fn number(self) -> u16 {
                match self { $(Problem::$variant => $number),* }
            }
        }
    };
}

problems! {
    1 Usage "usage" "an argument is missing, wrong or contradicts another";
    2 Content "content" "a file of the caller's does not say what it must say";
    3 NotFound "not-found" "a file, folder, key or record is not there";
    4 Exists "exists" "something is there already and is not overwritten";
    5 Io "io" "the system failed to read or write";
    6 Permission "permission" "the system or this program does not allow access to a file";
    7 Locked "locked" "another process is working there";
    8 Changed "changed" "something changed between two looks at it";
    9 Damaged "damaged" "a record of this program's own cannot be used";
    10 NewerVersion "newer-version" "another version of this program wrote it";
    11 NeedsPassphrase "needs-passphrase" "a passphrase or PIN is missing";
    12 WrongPassphrase "wrong-passphrase" "a passphrase or PIN is wrong";
    13 WrongKey "wrong-key" "a key cannot do what it was named for";
    14 NotConfirmed "not-confirmed" "nobody confirmed what cannot be undone";
    15 TooLarge "too-large" "there is more of it than fits";
    16 Device "device" "a token or an SSH agent failed";
    17 Network "network" "another host did not answer, or answered wrong";
    18 Unsupported "unsupported" "this build or this system cannot do it";
    19 System "system" "the system gives no clock or no randomness";
    20 Fault "fault" "this program is at fault";
    21 Grant "grant" "a grant contradicts itself or does not fit the catalog";
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
