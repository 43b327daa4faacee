//! Key files as people create, encrypt, print, type and copy them, and exchange with OpenSSL in
//! both directions.

#![cfg(all(feature = "cli", feature = "vendor"))]

use crate::world::alone;

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

struct Run {
    status: i32,
    json: Value,
    stdout: String,
    stderr: String,
}

impl Run {
    #[track_caller]
    fn done(self) -> Self {
        assert_eq!(self.status, 0, "{} {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn unable(&self, fact: &str, hint: &str) {
        let said = |name: &str| self.json[name].as_str().unwrap_or_default();
        assert_eq!((self.status, said("state")), (2, "unknown"), "{} {}", self.stdout, self.stderr);
        assert!(said("fact").contains(fact), "{:?} should say {fact:?}", said("fact"));
        assert!(said("hint").contains(hint), "{:?} should say {hint:?}", said("hint"));
    }

    fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.stdout))
    }
}

/// A folder with three passphrase files: `old`, `new` and `wrong`.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for name in ["old", "new", "wrong"] {
            fs::write(desk.path(name), format!("the-{name}-words\n")).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs a command line with `--json`.
    fn olr(&self, line: &str) -> Run {
        let mut run = self.run(env!("CARGO_BIN_EXE_olr"), &format!("{line} --json"));
        run.json = serde_json::from_str(&run.stdout)
            .or_else(|_| serde_json::from_str(run.stderr.split("\nolr:").next().unwrap()))
            .unwrap_or_else(|_| panic!("no JSON: {} {}", run.stdout, run.stderr));
        assert!(!run.stderr.contains("-words"), "a passphrase is shown: {}", run.stderr);
        run
    }

    fn openssl(&self, line: &str) -> Run {
        self.run("openssl", line)
    }

    fn run(&self, program: &str, line: &str) -> Run {
        let words = line.split_whitespace();
        let mut command = alone::alone(program);
        command.current_dir(self.0.path()).args(words).stdin(Stdio::null());
        command.env_remove("OLR_VENDOR").env_remove("OLR_HOME");
        let output = command.output().unwrap_or_else(|_| panic!("{program} is not installed"));
        Run {
            status: output.status.code().expect("killed by a signal"),
            json: Value::Null,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The public key that OpenSSL derives from a private key.
    fn public_by_openssl(&self, pem: &str) -> String {
        self.openssl(&format!("pkey -in {pem} -passin pass:the-new-words -pubout")).done().stdout
    }

    /// The PEM of a public key file, without the line before it.
    fn public(&self, name: &str) -> String {
        self.read(name).split_once('\n').unwrap().1.to_string()
    }
}

#[cfg(unix)]
fn mode(path: PathBuf) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
fn a_new_key_is_two_files_that_are_never_written_over() {
    let desk = Desk::new();
    for role in ["root", "issuer", "sealing"] {
        let made =
            desk.olr(&format!("key new --role {role} --passphrase-file old -o {role}.key")).done();
        assert_eq!((made.text("role"), made.text("public_file")), (role, &*format!("{role}.pub")));
        assert!(desk.read(&format!("{role}.pub")).starts_with(&format!(
            "olr {role} key {}\n-----BEGIN PUBLIC KEY-----\n",
            made.text("id")
        )));
        let sees = desk.openssl(&format!("pkey -pubin -in {role}.pub -noout -text")).done().stdout;
        let hex: String = sees.chars().filter(|c| c.is_ascii_hexdigit()).collect();
        assert!(hex.ends_with(made.text("public_key")), "OpenSSL reads another key: {sees}");
        for file in ["key", "pub"] {
            let shown = desk.olr(&format!("key show {role}.{file}")).done();
            assert_eq!(shown.text("id"), made.text("id"));
            assert_eq!(shown.text("public_key"), made.text("public_key"));
            assert_eq!(shown.text("pem"), desk.read(&format!("{role}.pub")));
        }
        #[cfg(unix)]
        assert_eq!(mode(desk.path(&format!("{role}.key"))), 0o600);
        let before = desk.read(&format!("{role}.key"));
        desk.olr(&format!("key new --role {role} --no-passphrase")).unable("already exists", "-o");
        fs::remove_file(desk.path(&format!("{role}.key"))).unwrap();
        desk.olr(&format!("key new --role {role} --no-passphrase")).unable("already exists", "-o");
        fs::write(desk.path(&format!("{role}.key")), before).unwrap();
    }
    desk.olr("key new --role root --no-passphrase -o root").unable("must end in .key", "-o");
    desk.olr("key new --role root -o other.key").unable("passphrase is missing", "terminal");
    desk.olr("key new --role install --no-passphrase").unable("invalid value", "--help");
    assert!(!desk.path("other.pub").exists());
    let shown = desk.run(env!("CARGO_BIN_EXE_olr"), "key show --public root.key").done().stdout;
    assert_eq!(shown, desk.read("root.pub"));
    desk.olr("key show old").unable("not an olr file", "name a key file");
    fs::write(desk.path("bare.pub"), desk.public("root.pub")).unwrap();
    desk.olr("key show bare.pub").unable("gives the role of its key", ".pub file that olr wrote");
}

#[test]
fn a_passphrase_is_changed_in_place_or_not_at_all() {
    let desk = Desk::new();
    let id = desk.olr("key new --role issuer --passphrase-file old").done();
    let before = desk.read("issuer.key");
    let same = |desk: &Desk| assert_eq!(desk.read("issuer.key"), before);
    let wrong = "key passwd issuer.key --passphrase-file wrong --new-passphrase-file new";
    desk.olr(wrong).unable("issuer.key: the passphrase is wrong", "try again");
    same(&desk);
    desk.olr("key passwd issuer.key --passphrase-file old")
        .unable("is missing", "--new-passphrase-file");
    desk.olr("key passwd issuer.key --no-passphrase")
        .unable("staff passphrase", "--passphrase-file");
    same(&desk);
    #[cfg(unix)]
    std::os::unix::fs::symlink("issuer.key", desk.path("link.key")).unwrap();
    #[cfg(not(unix))]
    fs::hard_link(desk.path("issuer.key"), desk.path("link.key")).unwrap();
    desk.olr("key passwd link.key --passphrase-file old --new-passphrase-file new").done();
    assert_ne!(desk.read("issuer.key"), before);
    assert_eq!(desk.read("link.key"), desk.read("issuer.key"));
    desk.olr("key paper issuer.key --passphrase-file old -o -").unable("wrong", "try again");
    let open = desk.olr("key passwd issuer.key --passphrase-file new --no-passphrase").done();
    assert!(open.stderr.contains("anyone who reads the file can sign"), "{}", open.stderr);
    let shown = desk.olr("key show issuer.key").done();
    assert_eq!((shown.text("id"), &shown.json["passphrase"]), (id.text("id"), &false.into()));
    desk.olr("key passwd issuer.key --new-passphrase-file old").done();
    desk.olr("key paper issuer.key --passphrase-file old -o page").done();
    #[cfg(unix)]
    assert_eq!((mode(desk.path("issuer.key")), mode(desk.path("page"))), (0o600, 0o600));
    let files = fs::read_dir(desk.0.path()).unwrap().count();
    assert_eq!(files, 7, "nothing is left behind");
}

#[test]
fn keys_go_to_openssl_and_come_back() {
    let desk = Desk::new();
    for role in ["root", "issuer"] {
        let made = desk.olr(&format!("key new --role {role} --no-passphrase")).done();
        let plain = desk.olr(&format!("key export {role}.key --plain")).done();
        assert!(plain.stderr.contains("anyone who reads it can sign"), "{}", plain.stderr);
        let sealed = "--new-passphrase-file new -o sealed.pem";
        desk.olr(&format!("key export {role}.key {sealed}")).done();
        assert!(desk.read("sealed.pem").contains("ENCRYPTED PRIVATE KEY"));
        for pem in [&*format!("{role}.pem"), "sealed.pem"] {
            assert_eq!(desk.public_by_openssl(pem), desk.public(&format!("{role}.pub")));
            #[cfg(unix)]
            assert_eq!(mode(desk.path(pem)), 0o600);
            let back = desk
                .olr(&format!(
                    "key import {pem} --role {role} --passphrase-file new --no-passphrase -o back.key"
                ))
                .done();
            assert_eq!(back.text("id"), made.text("id"));
            assert_eq!(desk.read("back.key"), desk.read(&format!("{role}.key")));
            for name in ["back.key", "back.pub"] {
                fs::remove_file(desk.path(name)).unwrap();
            }
        }
        let stdout = desk.olr(&format!("key export {role}.key --plain -o -")).done().stdout;
        assert_eq!(stdout, desk.read(&format!("{role}.pem")));
        desk.olr(&format!("key export {role}.key --plain")).unable("already exists", "-o");
        fs::remove_file(desk.path("sealed.pem")).unwrap();
    }
    desk.olr("key export root.key -o other.pem").unable("export passphrase", "--new-passphrase");
    desk.olr("key new --role sealing --no-passphrase").done();
    desk.olr("key export sealing.key --plain").unable("cannot be exported", "olr key paper");
    assert!(!desk.path("sealing.pem").exists() && !desk.path("other.pem").exists());
}

#[test]
fn keys_of_openssl_become_key_files() {
    let desk = Desk::new();
    let plain = "genpkey -algorithm ed25519 -out plain.pem";
    desk.openssl(plain).done();
    let words = "-passout pass:the-new-words -passin pass:the-new-words";
    for (name, how) in [
        ("cbc", "-v2 aes-256-cbc"),
        ("small", "-v2 aes-128-cbc -v2prf hmacWithSHA512 -iter 100000"),
        ("scrypt", "-scrypt"),
        ("large", "-scrypt -scrypt_N 8192 -scrypt_r 16 -scrypt_p 2"),
    ] {
        desk.openssl(&format!("pkcs8 -topk8 -in plain.pem -out {name}.pem {how} {words}")).done();
        let import = format!("key import {name}.pem --role issuer --no-passphrase -o {name}.key");
        desk.olr(&import).unable("needs a passphrase", "--passphrase-file");
        let wrong = desk.olr(&format!("{import} --passphrase-file wrong"));
        wrong.unable("the passphrase is wrong, or the file was changed", "try again");
        assert!(!desk.path(&format!("{name}.key")).exists());
        desk.olr(&format!("{import} --passphrase-file new")).done();
        assert_eq!(desk.public(&format!("{name}.pub")), desk.public_by_openssl("plain.pem"));
    }
    desk.olr("key import plain.pem --role root --new-passphrase-file old").done();
    assert_eq!(desk.public("root.pub"), desk.public_by_openssl("plain.pem"));
    desk.olr("key paper root.key --passphrase-file old -o -").done();
    // The export is byte for byte what OpenSSL wrote.
    desk.olr("key export root.key --passphrase-file old --plain -o again.pem").done();
    assert_eq!(desk.read("again.pem"), desk.read("plain.pem"));
}

#[test]
fn other_keys_and_too_much_work_are_refused_by_name() {
    let desk = Desk::new();
    let words = "-passout pass:the-new-words";
    desk.openssl("genpkey -algorithm ed25519 -out plain.pem").done();
    for (name, line) in [
        ("x25519", "genpkey -algorithm x25519"),
        ("ed448", "genpkey -algorithm ed448"),
        ("ec", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        ("rsa", "genrsa 1024"),
        ("old", "genrsa -traditional 1024"),
        ("public", "pkey -in plain.pem -pubout"),
        ("des3", &format!("pkcs8 -topk8 -in plain.pem -v2 des3 {words}")),
        ("sha1", &format!("pkcs8 -topk8 -in plain.pem -v2prf hmacWithSHA1 {words}")),
        ("pbes1", &format!("pkcs8 -topk8 -in plain.pem -v1 PBE-SHA1-3DES {words}")),
        ("rounds", &format!("pkcs8 -topk8 -in plain.pem -iter 10000001 {words}")),
        ("der", "pkey -in plain.pem -outform DER"),
    ] {
        let (verb, rest) = line.split_once(' ').unwrap();
        desk.openssl(&format!("{verb} -out {name}.pem {rest}")).done();
    }
    fs::write(desk.path("long.pem"), "x".repeat(16 * 1024 + 1)).unwrap();
    for (name, fact, hint) in [
        ("x25519", "key is X25519,", "ed25519"),
        ("ed448", "key is Ed448,", "ed25519"),
        ("ec", "key is EC,", "ed25519"),
        ("rsa", "key is RSA,", "ed25519"),
        ("old", "key is RSA,", "ed25519"),
        ("public", "holds a public key", "private key"),
        ("des3", "too old or unknown", "openssl pkcs8 -topk8"),
        ("sha1", "too old or unknown", "openssl pkcs8 -topk8"),
        ("pbes1", "too old or unknown", "openssl pkcs8 -topk8"),
        ("rounds", "more work than olr accepts", "normal settings"),
        ("der", "it is not text", "-inform DER"),
        ("long", "longer than", "the right file"),
    ] {
        let line =
            format!("key import {name}.pem --role root --passphrase-file new --no-passphrase");
        desk.olr(&line).unable(fact, hint);
    }
    desk.olr("key import plain.pem --role sealing --no-passphrase")
        .unable("invalid value", "--help");
    assert!(!desk.path("root.key").exists());
}

#[test]
fn a_key_is_printed_and_typed_again() {
    let desk = Desk::new();
    for (role, old, new) in [
        ("root", "--passphrase-file old", "--passphrase-file new"),
        ("issuer", "--no-passphrase", "--no-passphrase"),
        ("sealing", "--no-passphrase", "--no-passphrase"),
    ] {
        let made = desk.olr(&format!("key new --role {role} {old}")).done();
        let mut paper = format!("key paper {role}.key -o -");
        if role == "root" {
            desk.olr(&paper).unable("passphrase", "--passphrase-file");
            paper += " --passphrase-file old";
        }
        let printed = desk.olr(&paper).done();
        assert!(printed.stderr.contains("anyone who reads it has the key"), "{}", printed.stderr);
        assert!(printed.stdout.contains("ANYBODY WHO READS THIS PAGE HAS THE KEY"));
        assert!(printed.stdout.contains(made.text("id")));
        fs::write(desk.path("typed"), printed.stdout.to_lowercase()).unwrap();
        let line = format!("key restore typed -o again-{role}.key");
        desk.olr(&line).unable("passphrase is missing", "--passphrase-file");
        let again = desk.olr(&format!("{line} {new}")).done();
        assert_eq!((again.text("role"), again.text("id")), (role, made.text("id")));
        assert_eq!(desk.read(&format!("again-{role}.pub")), desk.read(&format!("{role}.pub")));
        let third = printed.stdout.lines().find(|line| line.starts_with('3')).unwrap();
        let mut wrong = third.to_string();
        wrong.replace_range(3..4, if &third[3..4] == "Q" { "R" } else { "Q" });
        fs::write(desk.path("typed"), printed.stdout.replace(third, &wrong)).unwrap();
        desk.olr(&line).unable("line 3 is mistyped", "page");
        fs::write(desk.path("typed"), printed.stdout.replace(third, "")).unwrap();
        desk.olr(&line).unable("line 3 is missing", "all five");
    }
    desk.olr("key restore --no-passphrase -o other.key")
        .unable("there is no key line", "five lines");
    fs::write(desk.path("typed"), "1".repeat(20_000)).unwrap();
    desk.olr("key restore typed --no-passphrase -o other.key").unable("longer", "the right file");
    assert!(!desk.path("other.key").exists());
}

#[test]
fn the_list_says_what_the_trust_says() {
    let desk = Desk::new();
    desk.olr("vendor init vendor --name Northwind --no-passphrase").done();
    desk.olr("key new --role issuer --passphrase-file old -o vendor/keys/new.key").done();
    fs::write(desk.path("vendor/keys/torn.key"), "x").unwrap();
    let listed = desk.olr("key list --vendor vendor").done();
    let standing = |run: &Run| -> Vec<String> {
        let keys = run.json["keys"].as_array().unwrap().iter();
        keys.map(|key| format!("{} {} {}", key["file"], key["trust"], key["passphrase"])).collect()
    };
    let expected = [
        r#""issuer.key" "delegated" false"#,
        r#""new.key" "unknown" true"#,
        r#""root.key" "in trust" false"#,
        r#""sealing.key" "in trust" false"#,
        r#""torn.key" null null"#,
    ];
    assert_eq!(standing(&listed), expected);
    assert!(listed.stderr.contains("torn.key"), "{}", listed.stderr);
    assert_eq!(standing(&desk.olr("key list vendor")), expected);
    assert_eq!(standing(&desk.olr("key list vendor/keys --vendor vendor")), expected);
    let alone = standing(&desk.olr("key list vendor/keys"));
    assert_eq!(alone[0], r#""issuer.key" null false"#);
    desk.olr("key list").unable("no vendor folder was named", "--vendor");
    desk.olr("key list nowhere").unable("cannot be read", "check the name");
    let text = desk.run(env!("CARGO_BIN_EXE_olr"), "key list vendor").done().stdout;
    assert!(text.contains("file        new.key\nrole        issuer\n"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_warned_of_wherever_it_is_used() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.olr("vendor init vendor --name Northwind --no-passphrase").done();
    let trust = "--trust vendor/vendor.trust --licensee ACME --key AbCd-1234 --pin a=1 --pin b=2";
    desk.olr(&format!("request --home home {trust}")).done();
    let issue = "issue req.olr --grant vendor/grant.toml --vendor vendor --dry-run";
    let uses = [
        issue,
        "inspect req.olr --vendor vendor",
        "vendor compare req.olr req.olr --vendor vendor",
        "vendor time-anchor req.olr --vendor vendor -o -",
        "key list vendor",
    ];
    let said = "issuer.key: other users of this computer can read this key (mode 0640)";
    let warned = |line: &str| {
        let stderr = desk.run(env!("CARGO_BIN_EXE_olr"), line).stderr;
        stderr.replace("\n     ", " ").contains(said)
    };
    for line in uses {
        assert!(!warned(line), "{line}");
    }
    let key = desk.path("vendor/keys/issuer.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    for line in uses.into_iter().chain([
        "key show vendor/keys/issuer.key",
        "key paper vendor/keys/issuer.key",
        "key export vendor/keys/issuer.key --plain -o -",
    ]) {
        assert!(warned(line), "{line}");
    }
    desk.olr("key passwd vendor/keys/issuer.key --new-passphrase-file new").done();
    assert!(!warned("key list vendor"), "its new file is for its owner only");
}
