//! Keys in a PKCS #11 token, tested against SoftHSM: real processes, and a new token for each test.
//!
//! Needs `softhsm2-util` and `pkcs11-tool`, and fails without them.

#![cfg(all(feature = "pkcs11", feature = "cli", unix))]

use data_encoding::HEXLOWER;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::{Signer, SigningKey, sign, verify};
use olr_core::key::Role;
use olr_core::trust::{Trust, TrustBody, sign_by_issuers, sign_by_roots, vendor_id};
use olr_core::wire::codec::{List, Set, Text, encode};
use olr_core::wire::frame::{Kind, SUITE, Unsigned};
use olr_office::folder::{Locked, open_signer, public_of};
use olr_office::key::typed::Passphrase;
use std::path::Path;

use crate::world::office::{Office, Run};

const PIN: &str = "740195";

fn module() -> &'static str {
    const PLACES: [&str; 4] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
    ];
    PLACES.into_iter().find(|place| Path::new(place).is_file()).expect("SoftHSM 2 is not installed")
}

/// An office with a token that contains an Ed25519 signing key.
fn office() -> Office {
    let mut office = Office::new();
    std::fs::create_dir(office.path("tokens")).unwrap();
    let tokens = office.path("tokens");
    let text = format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display());
    let conf = office.write("softhsm.conf", &text);
    office.set("SOFTHSM2_CONF", conf);
    office.set("OLR_PKCS11_MODULE", module());
    office.write("pin", &format!("{PIN}\n"));
    token(&office, "olr");
    key(&office, "issuer", "01", "EC:edwards25519");
    office
}

fn token(office: &Office, label: &str) {
    let free = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"];
    office.tool("softhsm2-util", &free);
}

fn key(office: &Office, label: &str, id: &str, kind: &str) {
    let args = ["--module", module(), "--token-label", "olr", "--login", "--pin", PIN];
    let make = ["--keypairgen", "--key-type", kind, "--label", label, "--id", id];
    office.tool("pkcs11-tool", &[args.as_slice(), &make].concat());
}

/// The URI of a key whose PIN is in the file `pin`.
fn uri(office: &Office, which: &str) -> String {
    format!("pkcs11:{which}?pin-source=file:{}", office.path("pin").display())
}

/// Calls the library on a token in a separate process, whose environment tells SoftHSM where the
/// tokens are.
fn library(office: &Office, act: &str, named: &str) -> String {
    let mut command = office.command(std::env::current_exe().unwrap().to_str().unwrap());
    command.args(["--exact", "pkcs11::in_a_process_of_its_own", "--nocapture"]);
    let output = command.env("OLR_TEST_ACT", act).env("OLR_TEST_NAMED", named).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().find_map(|line| line.split_once("said: "));
    said.unwrap_or_else(|| panic!("{text} {:?}", String::from_utf8(output.stderr))).1.to_string()
}

#[test]
fn in_a_process_of_its_own() {
    let (Ok(act), Ok(named)) = (std::env::var("OLR_TEST_ACT"), std::env::var("OLR_TEST_NAMED"))
    else {
        return;
    };
    let mut asked = 0;
    let mut ask = |locked: &Locked| {
        assert!(matches!(locked, Locked::Token(pin) if pin.token == "olr" && !pin.last_try));
        asked += 1;
        Ok(Passphrase::new(PIN.to_string().into()))
    };
    let said = match act.as_str() {
        "public" => public_of(&named, Role::Issuer, &mut ask).map(|key| HEXLOWER.encode(&key)),
        "root" => open_signer(&named, Role::Root, &mut ask).map(|root| be_a_root(&*root)),
        _ => panic!("{act}"),
    };
    let said = said.unwrap_or_else(|error| format!("{error}; {}", error.next_step()));
    println!("said: {said} (PIN asked for {asked} times)");
}

/// Signs a first trust with the key in the token, then an empty and a long message, and verifies
/// all signatures.
fn be_a_root(root: &dyn Signer) -> String {
    let body = TrustBody {
        version: 1,
        name: Text::new("Northwind").unwrap(),
        roots: Set::new(vec![root.public()]).unwrap(),
        threshold: 1,
        sealing: List::new(vec![[7; 32]]).unwrap(),
        suites: Set::new(vec![SUITE]).unwrap(),
        products: List::new(vec![olr_core::trust::Product {
            id: Text::new("p").unwrap(),
            slots: List::new(vec![Text::new("s").unwrap()]).unwrap(),
        }])
        .unwrap(),
        kept: Set::default(),
        revoked: Set::default(),
        signer_rules: List::default(),
        test: true,
        extensions: Set::default(),
    };
    let body = encode(&body);
    let unsigned = Unsigned::new(Kind::Trust, vendor_id(&body), Vec::new(), body).unwrap();
    Trust::pin(&sign_by_roots(&unsigned, &[root]).unwrap()).unwrap();
    for message in [&b""[..], &[0; 100_000]] {
        assert!(verify(&root.public(), message, &sign(root, message).unwrap()));
    }
    "a trust".to_string()
}

/// Delegates to the key in the token.
fn delegate(office: &Office, which: &str) {
    let said = library(office, "public", &format!("pkcs11:{which}"));
    let (public, asked) = said.split_once(' ').unwrap();
    assert_eq!(asked, "(PIN asked for 0 times)", "public keys are no secret");
    office.delegate(HEXLOWER.decode(public.as_bytes()).unwrap().try_into().unwrap());
}

#[test]
fn a_license_is_signed_by_a_key_that_was_never_in_a_file() {
    let office = office();
    delegate(&office, "token=olr;object=issuer");
    let run = office.issue(&uri(&office, "token=olr;object=issuer"));
    run.done();
    office.in_force();
    for which in ["token=olr;id=%01", "object=issuer;type=private", "", "model=SoftHSM%20v2"] {
        office.issue(&uri(&office, which)).done();
    }
    assert!(!run.text.contains(PIN), "{}", run.text);
}

#[test]
fn roots_and_issuers_in_a_token_go_through_the_whole_ceremony() {
    let office = office();
    key(&office, "root", "02", "EC:edwards25519");
    let public = |which: &str, role: &str| {
        let run = office.custodian(&format!("key show pkcs11:{which} --role {role}"));
        run.done();
        office.write(&format!("{role}.pub"), run.json["pem"].as_str().unwrap());
    };
    office
        .custodian("key show pkcs11:object=root")
        .unable("does not know the role of a key", "--role");
    public("object=root", "root");
    public("object=issuer", "issuer");
    office.custodian("key new --role sealing --no-passphrase").done();
    let first = "key propose --first --name Token --threshold 1 --root root.pub";
    office.custodian(&format!("{first} --sealing sealing.pub -o first.olr")).done();
    let root = uri(&office, "object=root");
    office.custodian(&format!("key sign first.olr --key {root} --yes -o signed.olr")).done();
    office.custodian("key combine signed.olr -o second.trust").done();
    office.custodian("vendor publish second.trust --vendor second").done();
    let may = "key delegate issuer.pub --act license --trust second.trust";
    office.custodian(&format!("{may} --root {root} --yes -o delegation.olr")).done();
    office.custodian("vendor publish delegation.olr --vendor second").done();
    let look = office.custodian("inspect delegation.olr --vendor second");
    assert_eq!(look.json["verified"], "yes", "{look:?}");
}

#[test]
fn a_root_in_a_token_founds_a_vendor() {
    let office = office();
    let said = library(&office, "root", "pkcs11:object=issuer");
    assert_eq!(said, "a trust (PIN asked for 1 times)");
}

#[test]
fn pins() {
    let office = office();
    delegate(&office, "object=issuer");
    // A dry run needs no PIN. Signing does: nobody is there to type it, and the passphrase from the
    // file is not tried on a token.
    office.write("staff", PIN);
    office.write("vendor/keys/issuer.uri", "pkcs11:object=issuer");
    office.olr("issue req.olr --grant vendor/grant.toml --dry-run").done();
    let run = office.olr("issue req.olr --grant vendor/grant.toml --passphrase-file staff");
    run.unable("token olr needs its PIN", "pin-source");
    let issue = || office.issue(&uri(&office, "object=issuer"));
    office.write("pin", "98765\n");
    let run = issue();
    run.unable("the PIN of token olr is wrong", "most tokens lock");
    assert!(!run.text.contains("98765"), "{}", run.text);
    office.write("pin", "\n");
    issue().unable("its first line is empty", "write the PIN there");
    std::fs::remove_file(office.path("pin")).unwrap();
    issue().unable("pin: there is no such file", "check the name");
    let run = office.issue("pkcs11:object=issuer?pin-value=740195");
    run.unable("contains a PIN", "pin-source=file:PATH");
    assert!(!run.text.contains(PIN), "{}", run.text);
    office.write("pin", PIN);
    issue().done();
}

#[test]
fn exactly_one_key_and_one_token_must_fit() {
    let office = office();
    delegate(&office, "object=issuer");
    let issue = |which: &str| office.issue(&uri(&office, which));
    issue("object=isuer").unable("there are: \"issuer\" (id=%01)", "correct object=");
    issue("token=other").unable("no token matches the URI; there are: \"olr\"", "right token");
    key(&office, "issuer", "02", "EC:edwards25519");
    let run = issue("object=issuer");
    run.unable("\"issuer\" (id=%01), ", "id=");
    run.unable("\"issuer\" (id=%02)", "id=");
    issue("object=issuer;id=%01").done();
    token(&office, "second");
    issue("object=issuer;id=%01").unable("several tokens match the URI: ", "serial=");
    issue("token=second").unable("token second holds no private key", "name another token");
    // The other key is in the token, but has no delegation.
    issue("token=olr;id=%02").unable("there is no delegation for issuer key", "olr key delegate");
}

#[test]
fn what_cannot_sign_is_refused_before_it_is_asked_to() {
    let office = office();
    delegate(&office, "object=issuer");
    for (label, id, kind) in [("p256", "0A", "EC:prime256v1"), ("rsa", "0B", "rsa:2048")] {
        key(&office, label, id, kind);
        let run = office.issue(&uri(&office, &format!("object={label}")));
        let fact = format!("key \"{label}\" (id=%{id}) on token olr is not an Ed25519 key");
        run.unable(&fact, "edwards25519");
    }
    let args = ["--module", module(), "--token-label", "olr", "--login", "--pin", PIN];
    let remove = ["--delete-object", "--type", "pubkey", "--id", "01"];
    office.tool("pkcs11-tool", &[args.as_slice(), &remove].concat());
    let run = office.issue(&uri(&office, "object=issuer"));
    run.unable("the public half of key \"issuer\" (id=%01) is missing", "the id and the label");
}

#[test]
fn libraries() {
    let mut office = office();
    delegate(&office, "object=issuer");
    let run = office.issue(&format!("pkcs11:object=issuer?module-path={}", module()));
    run.unable("that a file names", "OLR_PKCS11_MODULE");
    let mut issue = |module: &str| {
        office.set("OLR_PKCS11_MODULE", module);
        office.issue("pkcs11:object=issuer")
    };
    issue("").unable("no PKCS#11 library is named for the token", "module-path");
    issue("libsofthsm2.so").unable("not the absolute path of a library", "came with the token");
    issue("/nonexistent.so").unable("not the absolute path of a library", "came with the token");
    issue("/etc/hostname")
        .unable("/etc/hostname: this file cannot be loaded as a PKCS#11 library", "processor");
    // A library that the caller names in the URI is loaded.
    let named = format!("pkcs11:object=issuer?module-path={}", module());
    office.set("OLR_PKCS11_MODULE", "");
    assert!(library(&office, "root", &named).starts_with("a trust"));
    let pin = office.path("pin");
    let named = format!("{named}&pin-source=file:{}", pin.display());
    let mut issue = office.command(env!("CARGO_BIN_EXE_olr"));
    issue.args(["issue", "req.olr", "--grant", "vendor/grant.toml", "--issuer", &named]);
    let output = issue.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    office.in_force();
}

/// A token may report success and sign something else: SoftHSM does so if it is given the
/// parameters of Ed25519ctx.
#[test]
fn a_signature_over_something_else_leaves_nobody() {
    struct Other(SigningKey);
    impl Signer for Other {
        fn public(&self) -> [u8; 32] {
            self.0.public()
        }
        fn sign_unverified(&self, message: &[u8]) -> olr_core::error::Result<[u8; 64]> {
            self.0.sign_unverified(&[b"SigEd25519 no Ed25519 collisions", message].concat())
        }
    }
    let key = Other(SigningKey::from_seed(&Secret::new(&[7; 32])));
    let error = sign(&key, b"message").unwrap_err();
    assert_eq!((error.exit_status(), error.fact().contains("does not verify")), (2, true));
    let office = Office::new();
    office.delegate(key.public());
    let trust = olr_office::folder::Folder::at(office.path("vendor")).trust().unwrap();
    let delegation = std::fs::read(office.path("vendor/delegations/issuer.olr")).unwrap();
    let delegation = olr_core::armor::dearmor(None, &delegation).unwrap().into_owned();
    let issuers: [(&dyn Signer, &[u8]); 1] = [(&key, &delegation)];
    let error = sign_by_issuers(Kind::License, vec![1], &trust, &issuers, &[]).unwrap_err();
    assert!(error.fact().contains("does not verify"), "{error}");
}

/// Error messages of the dependency are not shown.
#[test]
fn failures_are_told_in_plain_words() {
    let office = office();
    delegate(&office, "object=issuer");
    let run: Run = office.issue(&uri(&office, "object=nothing"));
    for word in ["CKR_", "C_Find", "PKCS11 error", "softhsm"] {
        assert!(!run.text.contains(word), "{}", run.text);
    }
}
