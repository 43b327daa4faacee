//! Every fixture through the command line: `inspect`, and the verbs that its question is for, must
//! give the same word as the library. Clock and machine are those of the fixture.
#![cfg(all(unix, feature = "cli", feature = "vendor"))]

use crate::world::machine;

use serde_json::Value;
use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use olr::Home;
use olr_core::armor::armor;
use olr_core::crypto::digest::sha256;
use olr_core::error::Refusal;
use olr_core::machine::Machine;
use olr_core::time::Instant;
use olr_core::wire::frame::{FRAME_CAP, Frame, Header, Kind};
use olr_office::folder::Folder;

use crate::world::ask::Answer;
use crate::world::called::{Around, outcome};

use crate::world::scenario::{Scenario, committed, root};

/// Minimum number of calls: with fewer, some question was forgotten.
const AT_LEAST: usize = 1000;

#[test]
fn every_fixture_is_answered_by_the_command_line() {
    let scenarios: Vec<_> = committed().into_iter().enumerate().collect();
    let parts = scenarios.chunks(scenarios.len().div_ceil(4));
    let (wrong, calls) = std::thread::scope(|scope| {
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| answer_all(part))).collect();
        let parts = threads.into_iter().map(|thread| thread.join().unwrap());
        parts.fold((Vec::new(), 0), |(wrong, calls), part| {
            ([wrong, part.0].concat(), calls + part.1)
        })
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(calls >= AT_LEAST, "only {calls} calls");
}

/// Returns the wrong answers to all calls of these fixtures, and the number of calls.
fn answer_all(scenarios: &[(usize, Scenario)]) -> (Vec<String>, usize) {
    let (mut wrong, mut calls) = (Vec::new(), 0);
    for (number, scenario) in scenarios {
        for file in forms(scenario, number % 3 == 0) {
            let desk = Desk::new(scenario, &file);
            for (call, expected) in desk.calls() {
                let answer = desk.ask(&call);
                calls += 1;
                if !expected.contains(&answer) {
                    wrong.push(format!("{}: {call:?}: {answer:?}", scenario.name));
                }
            }
        }
    }
    (wrong, calls)
}

/// Returns the forms in which the artefact may be in a file: binary, and if it has a text form and
/// `text` is set, armored.
fn forms(scenario: &Scenario, text: bool) -> Vec<Vec<u8>> {
    let mut forms = vec![scenario.bytes.clone()];
    if let Some(kind) = scenario.kind().filter(|_| text)
        && scenario.expect("artefact") != "state"
        && scenario.bytes.len() <= FRAME_CAP
    {
        let kind = Header::peek(&scenario.bytes).unwrap_or(kind);
        forms.push(armor(kind, &scenario.bytes).into_bytes());
    }
    forms
}

/// An empty ledger.
static LEDGER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    Folder::at(folder.path()).create_ledger().unwrap();
    std::fs::read(folder.path().join("ledger.db")).unwrap()
});

/// Files for the caller of a verb: the artefact, a vendor's folder, a server's home.
struct Desk<'a> {
    scenario: &'a Scenario,
    folder: tempfile::TempDir,
}

impl<'a> Desk<'a> {
    fn new(scenario: &'a Scenario, file: &[u8]) -> Self {
        let desk = Self { scenario, folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(desk.path("vendor")).unwrap();
        std::fs::write(desk.path("vendor/ledger.db"), &**LEDGER).unwrap();
        // No call changes these.
        for kept in ["keys", "delegations", "grant.toml", "catalog.toml"] {
            let kept = Path::new("vendor").join(kept);
            symlink(snakeoil(&kept), desk.folder.path().join(&kept)).unwrap();
        }
        copy_file(&snakeoil(Path::new("vendor/vendor.trust")), &desk.path("vendor/vendor.trust"));
        std::fs::create_dir(desk.path("home")).unwrap();
        std::fs::write(desk.path("file"), file).unwrap();
        let state = match (scenario.expect("artefact"), scenario.get("home")) {
            ("state", _) => Some(scenario.bytes.clone()),
            (_, Some(home)) => Some(Scenario::read(home).bytes),
            ("license" | "trust", None) if !scenario.expect("question").starts_with("import") => {
                Some(Scenario::read("state/asked").bytes)
            }
            _ => None,
        };
        if let Some(state) = state {
            let copy = scenario.get("copy").map(|copy| Scenario::read(copy).bytes);
            let [first, second] = Home::at(desk.path("home")).state_files();
            std::fs::write(first, &state).unwrap();
            std::fs::write(second, copy.unwrap_or(state)).unwrap();
        }
        if let Some(receipt) = scenario.get("receipt") {
            std::fs::write(desk.path("receipt"), Scenario::read(receipt).bytes).unwrap();
        }
        for line in ["anchor", "trust"].into_iter().filter(|line| scenario.get(line).is_some()) {
            std::fs::write(desk.path(line), Scenario::read(scenario.expect(line)).bytes).unwrap();
        }
        if scenario.get("trust").is_some() {
            copy_file(&desk.path("trust"), &desk.path("vendor/vendor.trust"));
        }
        let before = scenario.get("after").unwrap_or("request/good");
        std::fs::write(desk.path("request"), Scenario::read(before).bytes).unwrap();
        match scenario.get("grant") {
            Some(grant) => std::fs::write(desk.path("grant"), Scenario::read(grant).bytes).unwrap(),
            None => copy_file(&desk.path("vendor/grant.toml"), &desk.path("grant")),
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the calls to make, each with the answers that agree with the fixture.
    fn calls(&self) -> Vec<(String, Vec<Answer>)> {
        let expected = self.scenario.expected();
        let same = |call: &str| (call.to_string(), vec![expected]);
        let (verb, artefact) = (self.verb(), self.scenario.expect("artefact"));
        let code = self.scenario.get("code").map(|code| format!(" --vendor-code {code}"));
        let anchor = if self.has("anchor") { " --trust anchor" } else { "" };
        let vendor = code.unwrap_or_default() + anchor;
        if self.breaks("frame-5") {
            // An artefact of the wrong kind is given to a verb that expects another one.
            return match artefact {
                "license" => vec![same("verify file --home home")],
                "request" => vec![same("issue file --grant grant --vendor vendor")],
                "trust" => vec![same("request --trust file --home new --dry-run")],
                _ => Vec::new(),
            };
        }
        let mut calls = match (artefact, verb) {
            ("grant", _) => {
                // A valid grant may still not fit the request.
                let call = "issue request --grant file --vendor vendor --dry-run".to_string();
                let fits =
                    [None, Some(Some(Refusal::WrongSlot)), Some(Some(Refusal::OfflineNotAllowed))];
                return vec![(
                    call,
                    if expected.is_none() { fits.to_vec() } else { vec![expected] },
                )];
            }
            ("catalog", _) => {
                return vec![
                    same("vendor check-catalog file"),
                    same("vendor init new --name Test --catalog file --no-passphrase"),
                ];
            }
            ("state", "parse") => {
                let begun = vec![
                    None,
                    Some(Some(Refusal::NotActivated)),
                    Some(Some(Refusal::Deactivated)),
                    Some(Some(Refusal::Revoked)),
                    Some(Some(Refusal::Expired)),
                ];
                let agrees = if expected.is_none() { begun } else { vec![expected] };
                vec![("status --home home".to_string(), agrees)]
            }
            ("state", verb) if verb.starts_with("limit ") => {
                let number = |line| self.scenario.expect(line);
                vec![same(&format!(
                    "check {} --operation {} --unlisted --admin-uses {} --admin-limit {} --home home",
                    number("module"),
                    verb.strip_prefix("limit ").unwrap(),
                    number("uses"),
                    number("limit")
                ))]
            }
            ("state", verb) if verb.starts_with("ask ") => {
                self.question(verb).map_or_else(Vec::new, |call| vec![same(&call)])
            }
            ("state", _) => {
                let flags = self.flags(&["product", "slot"]);
                vec![same(&format!("verify --home home{flags}{vendor}"))]
            }
            ("request", "parse") => vec![same("inspect file --home home")],
            ("request", "open") => {
                vec![same(&format!(
                    "issue file --grant grant --vendor vendor --dry-run{}",
                    self.flags(&["code"])
                ))]
            }
            ("request", _) => {
                let first = "issue request --grant grant --vendor vendor -o first";
                let answered = self.has("after").then(|| (first.to_string(), vec![None]));
                let mut issue = "issue file --grant grant --vendor vendor -o answer".to_string();
                if self.has("receipt") {
                    issue += " --receipt receipt";
                }
                if self.has("transfer") {
                    // The call is split at spaces, and there is no terminal to answer on.
                    issue += " --transfer lost --yes";
                }
                answered.into_iter().chain([same(&issue)]).collect()
            }
            ("trust", "pin") => {
                let call =
                    "request --trust file --home new --licensee ACME --key K --pin a=1 --dry-run";
                let code = self.scenario.get("code").map(|code| format!(" --vendor-code {code}"));
                vec![same(&(call.to_string() + &code.unwrap_or_default()))]
            }
            ("trust", "follow") | (_, "import") => {
                let accept = if self.has("accept") { " --accept-over-quota" } else { "" };
                let call = &format!("import file --home home{accept}{vendor}");
                let before = self.has("trust").then_some("import trust --home home");
                let before = before.map(|call| (call.to_string(), vec![None]));
                before.into_iter().chain([same(call), same(call)]).collect()
            }
            ("license", _) if expected.is_some() && !self.has("trust") => {
                vec![same("verify file --home home"), same("import file --home home")]
            }
            _ => Vec::new(),
        };
        calls.extend(self.look(expected));
        calls
    }

    /// Returns a `check` call, if the question is about at most one module.
    fn question(&self, verb: &str) -> Option<String> {
        let (adds, account) = (self.scenario.counts("adds"), self.scenario.counts("account"));
        let mut call = "check".to_string();
        match (adds.as_slice(), account.as_slice()) {
            ([], []) => {}
            ([(module, count)], []) => call += &format!(" {module} {count}"),
            ([(module, count)], [(other, account)]) if module == other => {
                call += &format!(" {module} {count} --account {account}");
            }
            _ => return None,
        }
        // Without `--unlisted`, the command line takes a module that no license names for a typing
        // error; a fixture tests the decision.
        call += " --unlisted";
        call += &format!(" --operation {}", verb.strip_prefix("ask ").unwrap());
        for (line, flag) in [("version", "product-version"), ("release", "release")] {
            let value = self.scenario.get(line).map(|value| format!(" --{flag} {value}"));
            call += &value.unwrap_or_default();
        }
        Some(call + " --home home" + &self.flags(&["product", "slot"]))
    }

    /// Returns the `inspect` call, and the answers that it may give.
    fn look(&self, expected: Answer) -> Option<(String, Vec<Answer>)> {
        let call = "inspect file --vendor vendor --home home".to_string();
        let (is, word) = (|name| self.scenario.name == name, |word| vec![Some(Some(word))]);
        let agrees = match (self.scenario.expect("artefact"), self.verb()) {
            // A state is never shown; a file that cannot be recognized as one is refused.
            ("state", _) => {
                let words = [Refusal::Malformed, Refusal::UnknownVersion, Refusal::WrongKind];
                words.map(|word| Some(Some(word))).into_iter().chain([Some(None)]).collect()
            }
            // Parsing a request checks less than inspecting it at a vendor.
            ("request", "parse") if expected.is_none() => return None,
            // `inspect` accepts any kind, while a server expects a license.
            ("armor", verb) if self.has("wanted") || verb == "import" => return None,
            // `--vendor` names a vendor, but nothing can be verified: the body has no defined form
            // yet.
            ("usage statement", _) if expected.is_none() => vec![Some(None)],
            // A vendor is known here, so a first trust is not accepted any more.
            ("proposal", "read") => return None,
            // The block in this file does not contain an artefact.
            _ if is("cap/block-full") => word(Refusal::Malformed),
            // The delegation of the list's signer is missing: license-3.
            _ if is("attached/list-stray") => word(Refusal::Malformed),
            // `inspect` does not apply the list, so the license is refused for its attachments.
            _ if is("attached/receipt-beside-list-flipped") => word(Refusal::UnknownVersion),
            // A known vendor is a stricter check than the expected code.
            _ if self.breaks("expected-1") => word(Refusal::UntrustedSigner),
            // `inspect` does not apply a list that is attached to a license, and it cannot check a
            // list without the delegation of its signer.
            _ if self.scenario.name.starts_with("attached/list-") => vec![None],
            _ if self.is_bare_list() => vec![None],
            _ if self.scenario.rules().any(|rule| self.a_look_tells(rule)) => vec![expected],
            // Without a trust, `inspect` cannot tell either; but it needs no home.
            ("revocations", verb) if expected == Some(None) => {
                let needs_home = verb == "import" && !self.has("home");
                vec![if needs_home { None } else { expected }]
            }
            // At first contact, the signers of a successor are checked differently.
            ("trust", "follow") => vec![None, expected],
            ("request", "open") if expected == Some(None) && !self.has("code") => vec![expected],
            _ => vec![None],
        };
        Some((call, agrees))
    }

    /// Returns whether the artefact is a list of revocations to be attached, without the delegation
    /// of its signer.
    fn is_bare_list(&self) -> bool {
        Frame::parse(Kind::Revocations, &self.scenario.bytes)
            .is_ok_and(|list| list.attachments.is_empty())
    }

    fn has(&self, line: &str) -> bool {
        self.scenario.get(line).is_some()
    }

    fn breaks(&self, rule: &str) -> bool {
        self.scenario.rules().any(|broken| broken == rule)
    }

    /// Returns whether `inspect` can tell that the file breaks this rule. The call gives no code to
    /// `inspect`, which neither checks for a server nor follows a trust. A fixture that breaks a
    /// rule through another one names both.
    fn a_look_tells(&self, rule: &str) -> bool {
        let (part, number) = rule.split_once('-').unwrap();
        let number: u32 = number.parse().unwrap();
        match part {
            "answer" | "judgement" | "expected" | "state" => false,
            "frame" => number != 15 || self.scenario.expect("artefact") != "trust",
            "delegation" => number != 4 || self.scenario.expect("artefact") == "delegation",
            "request" => number != 1 && number != 5 && number <= 12,
            "receipt" => number <= 6,
            // Attached trusts must follow the known one, as for an import.
            "trust" => (2..=12).contains(&number) || self.scenario.expect("artefact") != "trust",
            "license" => number <= 12,
            "revocations" => number <= 5,
            "time" => number <= 3,
            "policy" => number != 6,
            "key" => (2..=6).contains(&number),
            _ => true,
        }
    }

    fn verb(&self) -> &str {
        self.scenario.expect("question").split(" at ").next().unwrap()
    }

    /// Returns these lines of the header as flags.
    fn flags(&self, names: &[&str]) -> String {
        let flag = |name: &&str| self.scenario.get(name).map(|value| format!(" --{name} {value}"));
        names.iter().filter_map(flag).collect()
    }

    /// Runs `call` with the clock and the machine of the fixture.
    fn ask(&self, call: &str) -> Answer {
        let at = self.scenario.expect("question").split_once(" at ").map(|(_, at)| at);
        let at = at.unwrap_or("2027-11-23T09:00:00Z").parse::<Instant>().unwrap();
        let name = self.scenario.get("machine").unwrap_or("server");
        let around = machine::around(name, at);
        let findings = Machine {
            factors: around.factors,
            boot_id: Some(around.boot),
            uptime: Some(around.uptime),
            ..Machine::default()
        };
        let seed = sha256(self.seed(call).as_bytes());
        let called = Around { now: at, seed, found: findings }.call(self.words(call));
        let (status, report) = outcome(&called);
        agreed(status, &report)
    }

    /// Returns the text from which the seed of a call is made: the call itself, or, for the call
    /// that signs an earlier answer, the name of the fixture of that request.
    fn seed<'c>(&'c self, call: &'c str) -> &'c str {
        self.scenario.get("after").filter(|_| call.ends_with("-o first")).unwrap_or(call)
    }

    /// Splits `call` into words, and replaces names of prepared files by their paths.
    fn words(&self, call: &str) -> Vec<OsString> {
        let on_desk = [
            "file", "vendor", "home", "anchor", "request", "grant", "first", "answer", "new",
            "trust", "receipt",
        ];
        let word = |(at, word): (usize, &str)| match at > 0 && on_desk.contains(&word) {
            true => self.path(word).into_os_string(),
            false => word.into(),
        };
        call.split(' ').enumerate().map(word).collect()
    }
}

/// Returns the answer, after checking that exit status and report agree.
fn agreed(status: u8, report: &Value) -> Answer {
    let word = report.get("refusal").map(|word| word.as_str().unwrap().parse::<Refusal>().unwrap());
    let state = report.get("state").and_then(Value::as_str);
    match (status, word, state) {
        (0, None, None | Some("licensed" | "grace")) => None,
        (1, Some(word), Some("refused")) => Some(Some(word)),
        (2, None, Some("unknown")) => Some(None),
        other => panic!("exit status and report differ: {other:?}"),
    }
}

/// Path of a file of the vendor in `keys/snakeoil`.
fn snakeoil(path: &Path) -> PathBuf {
    root().join("keys/snakeoil").join(path.strip_prefix("vendor").unwrap())
}

fn copy_file(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}
