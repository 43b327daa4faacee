//! One next step, and the acts that it names. The command, a page or a product that shows the step
//! adds how an act is done there.

use std::borrow::Cow;
use std::fmt;

/// What to do next, in one lower-case sentence without a full stop.
///
/// The text names no command or flag of `olr`, so that a page, a product and a command can all show
/// it. `remedies` lists the acts in the sentence, in the same order: the command adds how each is
/// typed, and a page may show a button.
///
/// ```
/// # mod olr { pub use olr_core::{error::{NextStep, Remedy}}; }
/// use olr::{NextStep, Remedy};
///
/// let step = NextStep::new("ask the vendor for a renewal", &[Remedy::Renew]);
/// assert_eq!(step.to_string(), "ask the vendor for a renewal");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    text: Cow<'static, str>,
    remedies: &'static [Remedy],
}

impl NextStep {
    /// Makes a next step that names `remedies`.
    pub fn new(text: impl Into<Cow<'static, str>>, remedies: &'static [Remedy]) -> Self {
        Self { text: text.into(), remedies }
    }

    /// The sentence.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The acts that the sentence names, in the same order.
    pub fn remedies(&self) -> &'static [Remedy] {
        self.remedies
    }
}

impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Makes a next step that names no act.
impl<T: Into<Cow<'static, str>>> From<T> for NextStep {
    fn from(text: T) -> Self {
        Self::new(text, &[])
    }
}

macro_rules! remedies {
    ($($number:literal $variant:ident $word:literal $doc:literal;)*) => {
        /// An act that helps. The list contains only acts that the command, a page or a product
        /// can explain.
        ///
        /// ```
        /// # mod olr { pub use olr_core::{error::{Error, Remedy}}; }
        /// use olr::{Error, Remedy};
        ///
        /// /// Whether the page offers a button that makes a request.
        /// fn offers_request(error: &Error) -> bool {
        ///     error.next_step().remedies().contains(&Remedy::MakeRequest)
        /// }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Remedy {
            $(#[doc = concat!("`", $word, "`: ", $doc)] $variant = $number,)*
        }

        impl Remedy {
            /// Every remedy, by number.
            pub const ALL: &'static [Remedy] = &[$(Remedy::$variant),*];

            /// Word of the remedy, the same everywhere.
            pub fn word(self) -> &'static str {
                match self { $(Remedy::$variant => $word),* }
            }

            /// Number of the remedy, for other languages. A number is never reused.
            pub fn number(self) -> u16 {
                match self { $(Remedy::$variant => $number),* }
            }
        }
    };
}

remedies! {
    1 MakeRequest "make-request" "make a request on the server";
    2 Renew "renew" "make a request on the server that renews its license";
    3 NewIdentity "new-identity" "make a request on the server as a new installation";
    4 ImportLicense "import-license" "import a license on the server";
    5 ImportTime "import-time" "import a time on the server";
    6 Deactivate "deactivate" "deactivate an installation, and keep its receipt";
    7 Inspect "inspect" "show what a file is and what it says";
    8 ShowStatus "show-status" "show the state of the server's license";
    9 ShowAlertSettings "show-alert-settings" "show example settings for alerts";
    10 TestAlerts "test-alerts" "test whether alerts arrive";
    11 ShowAlerts "show-alerts" "show the alerts, and notify nobody";
    12 NameHome "name-home" "name another home";
    13 NameTrust "name-trust" "name the file with the vendor's trust";
    14 NameLicensee "name-licensee" "give the licensee's name";
    15 NameLicenseKey "name-license-key" "give the license key";
    16 NameSlot "name-slot" "name product and slot";
    17 Pin "pin" "pin a value of your own to the machine";
    18 ReadPrivileged "read-privileged" "also read what only root may read";
    19 AcceptOverQuota "accept-over-quota" "import although more is in use than granted";
    20 NameEnd "name-end" "name another end";
    21 NameVendor "name-vendor" "name another vendor folder";
    22 MakeVendor "make-vendor" "make a vendor folder";
    23 AnswerTime "answer-time" "answer a request with a time, at the vendor";
    24 PublishTrust "publish-trust" "install a finished trust or delegation";
    25 ListIssued "list-issued" "list the licenses that were issued";
    26 IssueAgain "issue-again" "answer a request with another license";
    27 BringReceipt "bring-receipt" "name the receipt of the other installation";
    28 Transfer "transfer" "move a license without a receipt, and say why";
    29 NameReason "name-reason" "give a reason";
    30 NameAbsent "name-absent" "name the keys that are not available";
    31 RevokeKey "revoke-key" "revoke a key";
    32 RevokeAgain "revoke-again" "sign the list of revocations again";
    33 ListKeys "list-keys" "list the keys of the vendor";
    34 MakeIssuer "make-issuer" "make an issuer key";
    35 RotateIssuer "rotate-issuer" "make an issuer key, and have the roots delegate it";
    36 Delegate "delegate" "have the roots sign a delegation";
    37 SignProposal "sign-proposal" "sign a proposal";
    38 ProposeTrust "propose-trust" "say what the next trust changes";
    39 RemoveKey "remove-key" "remove a root or sealing key in the next trust";
    40 ImportKey "import-key" "import a key of another program";
    41 NamePassphrase "name-passphrase" "name the file with the passphrase";
    42 NameCatalog "name-catalog" "name the catalog";
    43 NameAct "name-act" "name what a delegation allows";
    44 AllowAny "allow-any" "let a delegation allow any number of a module";
    45 ConfirmDate "confirm-date" "confirm today's date to the ledger";
    46 ShortenMaintenance "shorten-maintenance" "accept the earlier end of maintenance";
    47 BuyMaintenance "buy-maintenance" "buy maintenance for the difference";
    48 AddParty "add-party" "add a party to the ledger";
    49 ListStock "list-stock" "list what is in stock";
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
