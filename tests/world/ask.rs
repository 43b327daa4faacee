//! Puts a fixture's question to the library.

use crate::world::machine;

use olr::{Home, Import, RequestParams};
use olr_core::armor::{dearmor, dearmor_answer};
use olr_core::entitlement::Operation;
use olr_core::error::{Error, Refusal, Result};
use olr_core::import::OverQuota;
use olr_core::judge::Question;
use olr_core::license::License;
use olr_core::proposal::Proposal;
use olr_core::receipt::Receipt;
use olr_core::request::SealedRequest;
use olr_core::revocation::Revocations;
use olr_core::state::Expected;
use olr_core::state::State;
use olr_core::time::{Day, Instant};
use olr_core::timestamp::Timestamp;
use olr_core::trust::{Trust, VendorCode};
use olr_core::wire::codec::{Hidden, Text};
use olr_core::wire::frame::{Frame, Kind};
use olr_office::catalog::Catalog;
use olr_office::folder::{Folder, Handover, Issue, Locked};
use olr_office::issue::GrantFile;
use olr_office::key::file::KeyFile;
use olr_office::key::typed::Passphrase;
use std::path::Path;

use crate::world::scenario::{Scenario, root};
use crate::world::{NOW, rng};

/// Answer to a fixture: `None` is yes, `Some(None)` is "could not tell", else the refusal word.
pub type Answer = Option<Option<Refusal>>;

/// Asks the question of `scenario` about `file`, which is its artefact in one of its forms.
pub fn ask(scenario: &Scenario, file: &[u8]) -> Answer {
    word(&outcome(scenario, file))
}

/// Like [`ask`], but returns the whole error, including the rules that are broken.
pub fn outcome(scenario: &Scenario, file: &[u8]) -> Result<()> {
    let (verb, at) = match scenario.expect("question").split_once(" at ") {
        Some((verb, at)) => (verb, at),
        None => (scenario.expect("question"), NOW),
    };
    let at = at.parse::<Instant>().unwrap();
    match scenario.expect("artefact") {
        _ if verb == "import" => import(scenario, at, &dearmor_answer(file)?),
        "armor" => {
            dearmor(scenario.get("wanted").and_then(|word| word.parse().ok()), file).map(drop)
        }
        "grant" => GrantFile::parse(str::from_utf8(file).unwrap()).map(drop),
        "catalog" => Catalog::parse(str::from_utf8(file).unwrap()).map(drop),
        "state" => ask_state(scenario, verb, at, file),
        _ => dearmor(scenario.kind(), file).and_then(|file| ask_binary(scenario, verb, at, &file)),
    }
}

fn ask_binary(scenario: &Scenario, verb: &str, at: Instant, file: &[u8]) -> Result<()> {
    match (scenario.kind().unwrap(), verb) {
        (Kind::Request, "parse") => SealedRequest::parse(file).map(drop),
        (Kind::Request, "open") => open(scenario, &snakeoil(), file).map(drop),
        (Kind::Request, "issue") => issue(scenario, at, file),
        (Kind::License, "verify") => License::verify(file, &newest(scenario, file)?).map(drop),
        (Kind::Usage, "look") => Frame::parse(Kind::Usage, file).map(drop),
        (Kind::Revocations, "verify") => {
            Revocations::verify(file, &newest(scenario, file)?).map(drop)
        }
        (Kind::Timestamp, "verify") => Timestamp::verify(file, &newest(scenario, file)?).map(drop),
        (Kind::Receipt, "verify") => receipt(file, &trust(scenario)),
        (Kind::Proposal, "verify") => Proposal::verify(file, &trust(scenario)).map(drop),
        (Kind::Proposal, "read") => Proposal::parse(file)?.check(None),
        (Kind::Trust, "pin") => pin(scenario, at, file),
        (Kind::Trust, "follow") => follow(&trust(scenario), file),
        (Kind::Delegation, "verify") => {
            trust(scenario).delegation(&Frame::parse(Kind::Delegation, file)?)?.check_key()
        }
        (Kind::KeyFile, "parse") => KeyFile::parse(file).map(drop),
        (Kind::KeyFile, "open") => open_key(scenario, file),
        (kind, verb) => panic!("{}: nobody can {verb} a {kind}", scenario.name),
    }
}

fn snakeoil() -> Folder {
    Folder::at(root().join("keys/snakeoil"))
}

/// Returns the trust that the fixture names; by default the first one of `keys/snakeoil`.
fn trust(scenario: &Scenario) -> Trust {
    let first = snakeoil().trust().unwrap();
    match scenario.get("trust") {
        None => first,
        Some(name) => first.successor(&Scenario::read(name).bytes).unwrap(),
    }
}

/// Returns the newest trust: the last successor that is attached to the file, or else the trust of
/// the fixture itself.
fn newest(scenario: &Scenario, file: &[u8]) -> Result<Trust> {
    let trust = trust(scenario);
    let frame = Frame::parse(scenario.kind().unwrap(), file)?;
    Ok(trust.followed_by(&frame)?.pop().unwrap_or(trust))
}

/// Checks first contact. If the fixture has a vendor code, which the operator was told, this is a
/// request in a new home with that code.
fn pin(scenario: &Scenario, at: Instant, file: &[u8]) -> Result<()> {
    let Some(code) = scenario.get("code") else { return Trust::pin(file).map(drop) };
    // A malformed code is refused by the rule that compares it, which comes last.
    Trust::pin(file)?;
    let scratch = tempfile::tempdir().unwrap();
    let home = Home::at(scratch.path().join("home"));
    let order = RequestParams {
        trust: Some(file.to_vec()),
        vendor_code: Some(code.parse::<VendorCode>()?),
        licensee: Some(Text::new("ACME Ltd")?),
        license_key: Some(Hidden(Text::new("AbCd-1234")?)),
        dry_run: true,
        ..RequestParams::default()
    };
    let around = machine::around("server", at);
    home.request(&order, &around, &mut rng(&scenario.name)).map(drop)
}

/// Returns the vendor that the caller expects.
fn expected(scenario: &Scenario) -> Result<Expected> {
    let trust = scenario.get("anchor").map(|name| Trust::pin(&Scenario::read(name).bytes));
    let code = scenario.get("code").map(str::parse::<VendorCode>);
    Ok(Expected { trust: trust.transpose()?, code: code.transpose()? })
}

/// Accepts the bytes of the trust itself; anything else must be a successor.
fn follow(trust: &Trust, file: &[u8]) -> Result<()> {
    if file == trust.bytes() { Ok(()) } else { trust.successor(file).map(drop) }
}

fn receipt(file: &[u8], trust: &Trust) -> Result<()> {
    Frame::parse(Kind::Receipt, file)?.ensure_vendor(trust.vendor())?;
    Receipt::verify(file).map(drop)
}

fn no_passphrase(_: &Locked) -> Result<Passphrase> {
    panic!("the keys of keys/snakeoil have no passphrases")
}

fn open(
    scenario: &Scenario,
    folder: &Folder,
    file: &[u8],
) -> Result<olr_core::request::OpenedRequest> {
    folder.open_request(file, scenario.get("code"), &folder.trust()?, &mut no_passphrase)
}

/// Answers the request in a copy of the vendor's folder, after the request that `after` names.
fn issue(scenario: &Scenario, at: Instant, file: &[u8]) -> Result<()> {
    let scratch = tempfile::tempdir().unwrap();
    copy(&root().join("keys/snakeoil"), scratch.path());
    let folder = Folder::at(scratch.path());
    folder.create_ledger().unwrap();
    if let Some(before) = scenario.get("after") {
        let first = Scenario::read(before);
        let answer = issue_in(&folder, &first, at, &first.bytes).unwrap();
        if let Some(name) = scenario.get("answer") {
            assert_eq!(answer, Scenario::read(name).bytes, "{}: the answer given", scenario.name);
        }
    }
    issue_in(&folder, scenario, at, file).map(drop)
}

fn issue_in(folder: &Folder, scenario: &Scenario, now: Instant, request: &[u8]) -> Result<Vec<u8>> {
    let opened = open(scenario, folder, request)?;
    let grant = match scenario.get("grant") {
        Some(name) => String::from_utf8(Scenario::read(name).bytes).unwrap(),
        None => std::fs::read_to_string(folder.path().join("grant.toml")).unwrap(),
    };
    let grant = &GrantFile::parse(&grant)?;
    let trust = folder.trust()?;
    let receipt = scenario.get("receipt").map(|name| Scenario::read(name).bytes);
    let receipt = receipt.map(|bytes| Receipt::verify_for(trust.vendor(), &bytes)).transpose()?;
    let handover = match (&receipt, scenario.get("transfer")) {
        (Some(receipt), _) => Handover::Receipt(receipt),
        (None, Some(reason)) => Handover::Transfer(reason),
        (None, None) => Handover::Nothing,
    };
    let mut rng = rng(&scenario.name);
    let order = Issue { handover, ..Issue::new(request, grant, now) };
    folder
        .issue(&opened, &order, &trust, &mut no_passphrase, &mut rng)
        .map(|issued| issued.outcome.license().unwrap().bytes().to_vec())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            std::fs::copy(&entry, &target).unwrap();
        }
    }
}

/// Imports the file as a dry run, which must change nothing, and then for real, with the same
/// result. A file that was imported must be accepted again.
fn import(scenario: &Scenario, at: Instant, file: &[u8]) -> Result<()> {
    let scratch = tempfile::tempdir().unwrap();
    let home = Home::at(scratch.path()).expecting(expected(scenario)?);
    if let Some(state) = scenario.get("home") {
        for copy in home.state_files() {
            std::fs::write(copy, Scenario::read(state).bytes).unwrap();
        }
    }
    let before = state_of(&home);
    let around = machine::around(scenario.get("machine").unwrap_or("server"), at);
    let over_quota = match scenario.get("accept") {
        Some("over-quota") => OverQuota::Accepted,
        _ => OverQuota::Refused,
    };
    let how = Import { over_quota, dry_run: true };
    let tried = home.import(file, &around, how).map(drop);
    assert_eq!(state_of(&home), before, "{}", scenario.name);
    let done = home.import(file, &around, Import { dry_run: false, ..how }).map(drop);
    assert_eq!(tried, done, "{}", scenario.name);
    if done.is_err() {
        assert_eq!(state_of(&home), before, "{}", scenario.name);
    } else {
        home.import(file, &around, Default::default()).expect("the same file again succeeds");
    }
    done
}

/// Reads both copies of the state, if they exist.
fn state_of(home: &Home) -> [Option<Vec<u8>>; 2] {
    home.state_files().map(|copy| std::fs::read(copy).ok())
}

fn word(answer: &Result<()>) -> Answer {
    answer.as_ref().err().map(Error::refusal)
}

fn ask_state(scenario: &Scenario, verb: &str, at: Instant, file: &[u8]) -> Result<()> {
    let copy = scenario.get("copy").map(|name| Scenario::read(name).bytes);
    if verb == "parse" && copy.is_none() {
        return State::parse(file).map(drop);
    }
    let scratch = tempfile::tempdir().unwrap();
    let home = Home::at(scratch.path()).expecting(expected(scenario)?);
    let [first, second] = home.state_files();
    std::fs::write(first, file).unwrap();
    std::fs::write(second, copy.as_deref().unwrap_or(file)).unwrap();
    if verb == "parse" {
        return home.load().map(drop);
    }
    let around = machine::around(scenario.get("machine").unwrap_or("server"), at);
    let (_, decision) = home.decide(scenario.get("product"), scenario.get("slot"), &around)?;
    let refusal = match verb {
        "judge" => decision.refusal().cloned(),
        _ if verb.starts_with("limit ") => {
            let word = verb.strip_prefix("limit ").unwrap();
            let number = |line| scenario.expect(line).parse().unwrap();
            let (module, operation) = (scenario.expect("module"), word.parse().unwrap());
            decision.ask_admin(operation, module, number("uses"), number("limit")).refusal()
        }
        _ => {
            let operation = verb.strip_prefix("ask ").and_then(Operation::new);
            let question = Question {
                operation: operation.unwrap_or_else(|| panic!("{}: {verb}", scenario.name)),
                adds: &scenario.counts("adds"),
                account: &scenario.counts("account"),
                version: scenario.get("version").unwrap_or_default(),
                release: scenario.get("release").map(|day| day.parse::<Day>().unwrap()),
            };
            decision.ask(&question).refusal()
        }
    };
    refusal.map_or(Ok(()), Err)
}

fn open_key(scenario: &Scenario, file: &[u8]) -> Result<()> {
    let key = KeyFile::parse(file)?;
    let passphrase =
        scenario.get("passphrase").map(|text| Passphrase::new(text.to_string().into()));
    match key.role {
        olr_core::key::Role::Sealing => key.open_sealing(passphrase.as_ref()).map(drop),
        role => key.open_signing(role, passphrase.as_ref()).map(drop),
    }
}
