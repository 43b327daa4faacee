//! From keys on separate machines to a license, with everything that is refused on the way.

use olr_core::key::Role;
use std::fs;

use crate::vendor_roots::office::Town;

pub const ROOTS: [&str; 3] = ["alice", "bob", "carol"];

/// Three roots, two of which must sign; an office with an issuer key and a sealing key; a server.
pub struct Vendor {
    pub town: Town,
    /// Key ids of alice, bob and carol.
    pub roots: Vec<String>,
    pub issuer: String,
    pub sealing: String,
}

impl Vendor {
    /// Creates each key in its final place, the first trust signed by all roots, and the office's
    /// folder.
    pub fn begun() -> Self {
        let town = Town::new();
        let roots = ROOTS.map(|who| town.key(who, Role::Root, who)).to_vec();
        let issuer = town.key("office", Role::Issuer, "issuer");
        let sealing = town.key("office", Role::Sealing, "sealing");
        for who in ROOTS {
            town.carry(&format!("{who}/{who}.pub"), &format!("office/{who}.pub"));
        }
        fs::write(town.path("office/catalog.toml"), CATALOG).unwrap();
        town.run(
            "office",
            "key propose --first --name Northwind --root alice.pub --root bob.pub --root carol.pub \
             --threshold 2 --sealing sealing.pub --catalog catalog.toml",
        )
        .done();
        let vendor = Self { town, roots, issuer, sealing };
        vendor.all_sign("proposal.olr", &ROOTS, false);
        vendor.town.run("office", "key combine alice.olr bob.olr carol.olr -o first.trust").done();
        vendor
            .town
            .run("office", "vendor publish first.trust --vendor vendor --catalog catalog.toml")
            .done();
        for key in ["issuer", "sealing"] {
            vendor
                .town
                .carry(&format!("office/{key}.key"), &format!("office/vendor/keys/{key}.key"));
            fs::remove_file(vendor.town.path(&format!("office/{key}.key"))).unwrap();
        }
        fs::write(vendor.town.path("office/vendor/grant.toml"), GRANT).unwrap();
        vendor
    }

    /// Like [`Vendor::begun`], with a delegation for everything.
    pub fn new() -> Self {
        let vendor = Self::begun();
        vendor.delegate("issuer.pub --act license --act revoke --act time", &["alice", "bob"]);
        vendor
    }

    /// Lets each of `who` sign a proposal of the office, and copies the results back as `WHO.olr`.
    pub fn all_sign(&self, proposal: &str, who: &[&str], with_trust: bool) {
        for who in who {
            self.sign(proposal, who, with_trust).done();
        }
    }

    pub fn sign(
        &self,
        proposal: &str,
        who: &str,
        with_trust: bool,
    ) -> crate::vendor_roots::office::Run {
        self.town.carry(&format!("office/{proposal}"), &format!("{who}/in.olr"));
        let trust = match with_trust {
            true => {
                self.town.carry("office/vendor/vendor.trust", &format!("{who}/vendor.trust"));
                "--trust vendor.trust"
            }
            false => "",
        };
        let run = self
            .town
            .run(who, &format!("key sign in.olr --key {who}.key {trust} -o out.olr --force --yes"));
        if run.status == 0 {
            self.town.carry(&format!("{who}/out.olr"), &format!("office/{who}.olr"));
        }
        run
    }

    /// Proposes a next trust, lets `who` sign it, and publishes it.
    pub fn next_trust(&self, changes: &str, who: &[&str]) {
        self.propose(changes).done();
        self.all_sign("proposal.olr", who, true);
        self.publish(who, "next.trust").done();
    }

    pub fn propose(&self, changes: &str) -> crate::vendor_roots::office::Run {
        self.town.run("office", &format!("key propose {changes} --force"))
    }

    pub fn publish(&self, who: &[&str], file: &str) -> crate::vendor_roots::office::Run {
        let copies: Vec<_> = who.iter().map(|who| format!("{who}.olr")).collect();
        let line = format!("key combine {} -o {file} --force", copies.join(" "));
        let combined = self.town.run("office", &line);
        if combined.status != 0 {
            return combined;
        }
        self.town.run("office", &format!("vendor publish {file}"))
    }

    pub fn delegate(&self, flags: &str, who: &[&str]) {
        self.town.run("office", &format!("key delegate {flags} -o delegate.olr --force")).done();
        self.all_sign("delegate.olr", who, true);
        self.publish(who, "delegation.olr").done();
    }

    /// Writes the request of server `home` to `office/HOME.req`.
    pub fn ask(&self, home: &str) {
        self.town.carry("office/vendor/vendor.trust", "server/vendor.trust");
        self.town
            .run(
                "server",
                &format!(
                    "request --home {home} --trust vendor.trust --licensee ACME_Ltd --key K-{home} \
                     --pin rack=B12 --pin asset=4711 -o {home}.req --force"
                ),
            )
            .done();
        self.town.carry(&format!("server/{home}.req"), &format!("office/{home}.req"));
        let grant = GRANT.replace("K-1", &format!("K-{home}"));
        fs::write(self.town.path("office/grant.toml"), grant).unwrap();
    }

    pub fn issue(&self, home: &str, more: &str) -> crate::vendor_roots::office::Run {
        self.town.run(
            "office",
            &format!("issue {home}.req --grant grant.toml -o {home}.license --force {more}"),
        )
    }

    pub fn import(&self, home: &str, file: &str) -> crate::vendor_roots::office::Run {
        self.town.carry(&format!("office/{file}"), "server/answer");
        self.town.run("server", &format!("import answer --home {home}"))
    }

    /// Requests, issues and imports a license for the server `home`, and checks that it is in
    /// effect.
    pub fn licensed(&self, home: &str) {
        self.ask(home);
        self.issue(home, "").done();
        self.import(home, &format!("{home}.license")).done();
        self.verify(home).done();
    }

    pub fn verify(&self, home: &str) -> crate::vendor_roots::office::Run {
        self.town.run("server", &format!("verify --home {home}"))
    }
}

const CATALOG: &str = olr_office::catalog::STARTER;
pub const GRANT: &str = "licensee = \"ACME Ltd\"\nkey = \"K-1\"\nproduct = \"example\"\n\
    type = \"oem\"\nslot = \"backup\"\nstarts = \"today\"\nexpires = \"never\"\n\
    maintenance = \"never\"\n[modules]\nOBM = 10\nACB = 10\n";

#[test]
fn no_folder_ever_holds_the_key_of_another() {
    let vendor = Vendor::new();
    vendor.licensed("a");
    let holders = [("office", ["issuer", "sealing"].as_slice())];
    let holders =
        holders.into_iter().chain(ROOTS.iter().map(|who| (*who, std::slice::from_ref(who))));
    let all = ["alice", "bob", "carol", "issuer", "sealing"];
    for (who, own) in holders.chain([("server", &[][..])]) {
        for key in all {
            let (holds, should) = (vendor.town.holds(who, key), own.contains(&key));
            assert_eq!(holds, should, "{who} and the key of {key}");
        }
    }
}

#[test]
fn a_threshold_is_what_it_takes() {
    let vendor = Vendor::begun();
    let office = |line: &str| vendor.town.run("office", line);
    let proposed = office("key delegate issuer.pub --act license -o delegate.olr");
    assert!(proposed.done()["still_missing"].as_str().unwrap().contains("0 of 2"), "{proposed:?}");
    vendor.all_sign("delegate.olr", &["alice"], true);
    let alone = office("key combine alice.olr -o delegation.olr");
    alone.unable("1 of 2 signatures so far");
    for who in [1, 2] {
        assert!(alone.json["fact"].as_str().unwrap().contains(&vendor.roots[who]), "{alone:?}");
    }
    assert!(!vendor.town.path("office/delegation.olr").exists());
    // Two signatures by the same root count as one.
    office("key combine alice.olr alice.olr -o delegation.olr").unable("1 of 2");
    vendor.all_sign("delegate.olr", &["carol"], true);
    office("key combine alice.olr carol.olr -o delegation.olr").done();
    let look = office("inspect delegation.olr");
    assert_eq!(
        (&look.done()["verified"], &look.json["issuer"]),
        (&"yes".into(), &vendor.issuer.clone().into())
    );
    assert_eq!(office("vendor publish delegation.olr").done()["new"], true);
    assert_eq!(office("vendor publish delegation.olr").done()["new"], false);
    vendor.licensed("a");
}

#[test]
fn a_look_at_a_proposal_says_what_it_would_make() {
    let vendor = Vendor::new();
    vendor.propose("--threshold 3").done();
    vendor.all_sign("proposal.olr", &["bob"], true);
    let look = vendor.town.run("office", "inspect bob.olr");
    let json = look.done();
    assert_eq!((&json["kind"], &json["proposes"]), (&"proposal".into(), &"trust".into()));
    assert_eq!(
        (&json["verified"], &json["signed_by"][0]),
        (&"yes".into(), &vendor.roots[1].clone().into())
    );
    assert_eq!(json["missing"], serde_json::json!([1, 2]));
    assert_eq!(json["content"]["version"], 2);
    // Without a trust, nobody can tell who may sign a delegation.
    vendor.town.run("office", "key delegate issuer.pub --act time -o time.olr").done();
    vendor.town.carry("office/time.olr", "nobody/time.olr");
    let look = vendor.town.run("nobody", "inspect time.olr --home nowhere");
    assert_eq!(look.done()["verified"], "not checked");
    assert_eq!(look.json["content"]["may_sign"], "time");
}

#[test]
fn who_may_not_sign_signs_nothing() {
    let vendor = Vendor::begun();
    vendor.town.key("mallory", Role::Root, "mallory");
    vendor.town.run("office", "key delegate issuer.pub --act license -o delegate.olr").done();
    vendor.sign("delegate.olr", "mallory", true).unable("is not one of the roots of trust 1");
    vendor.town.carry("office/issuer.pub", "mallory/issuer.pub");
    vendor.town.key("mallory", Role::Issuer, "mallory");
    vendor.sign("delegate.olr", "mallory", true).unable("this key has the role issuer");
    // A next trust is signed only together with the trust that it follows.
    vendor.propose("--threshold 1").done();
    vendor.sign("proposal.olr", "alice", false).unable("only if it has the current trust");
    // Parts of different proposals cannot be combined.
    vendor.all_sign("proposal.olr", &["alice"], true);
    vendor.propose("--threshold 3").done();
    vendor.all_sign("proposal.olr", &["bob"], true);
    vendor.town.run("office", "key combine alice.olr bob.olr").unable("for different files");
    // An incomplete proposal cannot be published.
    vendor.town.run("office", "vendor publish bob.olr").unable("not the finished file");
    vendor.town.run("office", "vendor publish bob.pub").refused("malformed", "");
    // Signing twice changes nothing.
    let before = vendor.town.binary("office/bob.olr");
    vendor.town.carry("office/bob.olr", "office/again.olr");
    let again = vendor.sign("again.olr", "bob", true);
    assert_eq!(
        (again.done()["already"].as_bool(), before),
        (Some(true), vendor.town.binary("office/bob.olr"))
    );
}

#[test]
fn what_servers_would_refuse_is_not_proposed() {
    let vendor = Vendor::new();
    vendor.town.key("office", Role::Root, "dave");
    let [alice, bob, _] = &vendor.roots[..] else { panic!() };
    let sealing = &vendor.sealing;
    let mut weak = vendor.town.path("office/weak.pub");
    fs::write(&weak, olr_office::key::public::to_pem(Role::Root, &[0; 32])).unwrap();
    weak.set_file_name("low.pub");
    fs::write(&weak, olr_office::key::public::to_pem(Role::Sealing, &[0; 32])).unwrap();
    let none = "00".repeat(16);
    for (changes, says) in [
        (String::new(), "no change"),
        ("--threshold 2".into(), "no change"),
        ("--threshold 4".into(), "4 of 3 roots is not possible"),
        ("--threshold 0".into(), "0 of 3 roots is not possible"),
        (format!("--remove-root {alice} --remove-root {bob}"), "2 of 1 roots is not possible"),
        (format!("--remove-sealing {sealing}"), "sealing keys: at least one"),
        ("--add-root weak.pub".into(), "a root key is weak"),
        ("--add-sealing low.pub".into(), "requests cannot be sealed to key"),
        ("--add-root sealing.pub".into(), "algorithm"),
        ("--add-root issuer.pub".into(), "role issuer"),
        ("--add-root alice.pub".into(), "the trust already has"),
        (format!("--remove-root {none}"), "the trust has no root key"),
        (format!("--remove-root {sealing}"), "the trust has no root key"),
        (format!("--revoke {none}"), "names issuer key"),
        (format!("--revoke {alice}"), "names issuer key"),
        ("--revoke x".into(), "is not a key id"),
        ("--rule model=any_signers=1".into(), "signers=1 is not possible in a rule"),
        ("--rule model=any".into(), "needs a model and a number"),
        ("--remove-rule model=any_signers=2".into(), "no such rule"),
        ("--keep alice.pub".into(), "alice.pub"),
    ] {
        let run = vendor.town.run("office", &format!("key propose {changes} -o never.olr"));
        assert_ne!(run.status, 0, "{changes}");
        if changes.starts_with("--keep") {
            run.refused("malformed", says);
        } else {
            run.unable(says);
        }
        assert!(!vendor.town.path("office/never.olr").exists(), "{changes}");
    }
    vendor.propose("--add-root dave.pub").done();
}

#[test]
fn several_roots_are_made_in_one_place_when_it_is_said_so() {
    let town = Town::new();
    town.run("office", "vendor init v --name N --no-passphrase --roots 3")
        .unable("how many of the 3 roots");
    for (roots, threshold) in [("3", "4"), ("3", "0"), ("9", "2"), ("0", "1")] {
        let line = format!(
            "vendor init v --name N --no-passphrase --roots {roots} --threshold {threshold}"
        );
        town.run("office", &line).unable("is not possible");
    }
    assert!(!town.path("office/v").exists());
    let made = town.run("office", "vendor init v --name N --no-passphrase --roots 3 --threshold 2");
    assert_eq!((&made.done()["roots"], &made.json["threshold"]), (&3.into(), &2.into()));
    fs::rename(town.path("office/v"), town.path("office/vendor")).unwrap();
    for name in ["root-1", "root-2", "root-3", "issuer", "sealing"] {
        assert!(town.path(&format!("office/vendor/keys/{name}.key")).exists(), "{name}");
    }
    assert_eq!(
        town.binary("office/vendor/trusts/1.trust"),
        town.binary("office/vendor/vendor.trust")
    );
    // Two of the three keys suffice to rotate in one step; one key does not.
    fs::remove_file(town.path("office/vendor/keys/root-2.key")).unwrap();
    let rotated = town.run("office", "key rotate sealing --no-passphrase --yes");
    assert_eq!(rotated.done()["published"]["trust"], 2, "{rotated:?}");
    fs::remove_file(town.path("office/vendor/keys/root-1.key")).unwrap();
    let rotated = town.run("office", "key rotate sealing --no-passphrase --yes");
    assert!(rotated.done()["still_missing"].as_str().unwrap().contains("1 of 2"), "{rotated:?}");
    assert!(town.path("office/proposal.olr").exists());
}
