//! The verbs to interrupt, each with what must work afterwards. `_` stands for a space in a word,
//! and `{name}` for the content of that file.

pub struct Verb {
    /// Commands to run before it.
    pub before: &'static [&'static str],
    pub line: &'static str,
    /// Exit statuses that the same command may have afterwards.
    pub again: &'static [i32],
    /// Commands that must work after that.
    pub next: &'static [&'static str],
    /// True if these must work even without repeating the command; false for a first step.
    pub alone: bool,
    /// True if the short test includes it.
    pub sample: bool,
}

const ISSUE: &str = "issue req.olr --grant vendor/grant.toml";
const ASK: &str = "request --trust vendor/vendor.trust --licensee ACME_Ltd --key AbCd-1234 \
    --pin a=1 --pin b=2";
const VENDOR: &[&str] = &[
    "vendor issued",
    "issue req.olr --grant vendor/grant.toml --again --yes -o other.olr",
    "revoke --again -o list.olr --yes",
    "key list",
];

pub const BEGIN: &[&str] = &[
    "vendor init vendor --name Northwind --no-passphrase",
    ASK,
    ISSUE,
    "import license.olr",
    "vendor time-anchor req.olr",
    // A next trust, and another issuer, for `vendor publish`.
    "key new --role sealing --no-passphrase -o new.key",
    "key propose --add-sealing new.pub -o next.olr",
    "key sign next.olr --key root --yes",
    "key combine next.olr -o next.trust",
    "key new --role issuer --no-passphrase -o second.key",
    "key delegate second.pub --act license --yes -o again.olr",
];

const LEDGER: &[&str] = &["ledger check", "license list", "vendor issued"];

const fn verb(line: &'static str, next: &'static [&'static str]) -> Verb {
    Verb { before: &[], line, again: &[0], next, alone: true, sample: false }
}

const fn sample(verb: Verb) -> Verb {
    Verb { sample: true, ..verb }
}

const fn first(verb: Verb) -> Verb {
    Verb { alone: false, ..verb }
}

const fn after(before: &'static [&'static str], verb: Verb) -> Verb {
    Verb { before, ..verb }
}

const fn or_there(verb: Verb) -> Verb {
    Verb { again: &[0, 2], ..verb }
}

const REVOKE: &str = "revoke {license} --reason lost --yes";

pub const VERBS: &[Verb] = &[
    // On the server.
    first(after(&["rm home", "rm req.olr"], verb(ASK, &["request"]))),
    verb("request", &["verify", "status"]),
    sample(verb(
        "request --new-identity --trust vendor/vendor.trust --licensee ACME_Ltd \
        --key AbCd-1234 --pin a=1 --pin b=2",
        &["request"],
    )),
    first(after(
        &[
            "rm home",
            "rm req.olr",
            ASK,
            "issue req.olr --grant vendor/grant.toml --transfer new --yes --force",
        ],
        verb("import license.olr", &["verify", "status", "report OBM=2", "request"]),
    )),
    after(&[REVOKE], verb("import revoked.olr", &["request"])),
    verb("import time.olr", &["verify", "status"]),
    sample(verb("report OBM=2", &["verify", "status", "report OBM=1"])),
    verb("deactivate --yes", &["deactivate --yes", "request"]),
    // At the vendor.
    sample(first(or_there(verb(
        "vendor init second --name Second --no-passphrase",
        &["vendor issued --vendor second", "key list --vendor second"],
    )))),
    after(&[REVOKE], verb("issue req.olr --grant vendor/grant.toml --again --yes", VENDOR)),
    after(&["rm license.olr"], verb(ISSUE, VENDOR)),
    sample(verb(REVOKE, VENDOR)),
    after(&["revoke {license} --pooled --reason pool --yes"], verb(REVOKE, VENDOR)),
    sample(after(&[REVOKE], verb("revoke --again --yes", VENDOR))),
    verb("revoke {issuer} --yes", &["vendor issued", "key list"]),
    sample(verb("key rotate root --no-passphrase --yes", VENDOR)),
    verb("key rotate issuer --no-passphrase --yes", VENDOR),
    verb("key rotate sealing --no-passphrase --yes", VENDOR),
    sample(verb("vendor publish next.trust", VENDOR)),
    first(verb(
        "vendor publish vendor/vendor.trust --vendor third",
        &["vendor issued --vendor third"],
    )),
    verb("vendor publish again.olr", VENDOR),
    // The ledger.
    sample(verb(
        "buy ACME_Ltd --reference R --type oem --module OBM=5 --stock --order one",
        &["stock", "ledger check"],
    )),
    or_there(verb("ledger backup other.db", &["ledger check"])),
    sample(after(&["ledger backup backup.db"], verb("ledger restore backup.db --yes", LEDGER))),
    // The vendor's keys.
    or_there(verb("key new --role issuer --no-passphrase -o own.key", &["key list"])),
    verb("key passwd vendor/keys/issuer.key --no-passphrase", VENDOR),
    verb("vendor time-anchor req.olr", VENDOR),
];
