//! The clocks of server and vendor differ: reported before an answer is signed, and at its import.

use super::{DAY, HOUR, SELF_HOSTED, START, Sale, World};
use olr_core::time::Instant;

const SALE: Sale<'static> = Sale {
    kind: "purchased-oem",
    key: "AbCd-1234",
    slot: "backup",
    lines: "expires = \"1 year\"\nmaintenance = \"1 year\"",
    modules: "CBS = 1\nOBM = 10",
};

/// Returns the concern about the clocks or the age of the request, if any, when the server makes
/// its request at `server` and the vendor answers at `vendor`; and the refusal that the server
/// would give.
fn concern(world: &World, server: &str, vendor: &str) -> Option<(String, Option<String>)> {
    world.at(server).request("home", SALE, "").done();
    let tried = world.at(vendor).answer("home", SALE, "--dry-run");
    let all = tried.done()["concerns"].as_array().unwrap().clone();
    let of_clocks = |c: &&serde_json::Value| matches!(c["about"].as_str(), Some("clocks" | "age"));
    let one = all.iter().find(of_clocks)?;
    assert_eq!(one["asks"], one["about"] == "clocks");
    let there = one["refused_there"].as_str().map(str::to_string);
    Some((one["fact"].as_str().unwrap().to_string(), there))
}

impl World {
    /// Checks that the vendor must confirm a concern about the clocks before `./home.req` is
    /// answered.
    #[track_caller]
    fn says_of_clocks(&self, sale: Sale<'_>, says: &str) {
        let tried = self.answer("home", sale, "--dry-run");
        let all = tried.done()["concerns"].as_array().unwrap().clone();
        let one = all.iter().find(|c| c["about"] == "clocks" && c["asks"] == true).unwrap();
        assert!(one["fact"].as_str().unwrap().contains(says), "{one}");
    }
}

#[test]
fn the_clock_that_is_likely_wrong_is_named_before_an_answer_is_signed() {
    let rolled = Some("clock-rolled-back".to_string());
    let expired = Some("expired".to_string());
    for (server, vendor, says, there) in [
        ("1970-01-01T00:00:10Z", START, "the server's clock is probably wrong", &rolled),
        ("2019-12-31T00:00:00Z", START, "the server's clock is probably wrong", &rolled),
        (START, "2035-11-23T09:00:00Z", "one of the two clocks is probably wrong", &rolled),
        (START, "2026-12-24T09:00:00Z", "31 days behind", &rolled),
        (START, "1999-11-23T09:00:00Z", "the clock here is probably wrong", &expired),
        ("2026-11-24T10:00:00Z", START, "25 hours ahead", &None),
        ("2027-12-24T09:00:00Z", START, "has already expired", &expired),
        ("9999-12-31T23:59:59Z", START, "one of the two clocks is probably wrong", &expired),
        // The request may simply have been in transit for days.
        (START, "2026-11-26T10:00:00Z", "this request is 3 days old", &rolled),
        (START, "2026-12-03T09:00:00Z", "or the clock here is ahead", &rolled),
    ] {
        let world = World::new(SELF_HOSTED);
        let (fact, refused) = concern(&world, server, vendor).expect("no concern about the clocks");
        assert!(fact.contains(says), "{server} {vendor}: {fact}");
        assert!(fact.contains(server) && fact.contains(vendor), "{fact}");
        assert_eq!(&refused, there, "{server} {vendor}: {fact}");
    }
    for (server, vendor) in
        [(START, START), (START, "2026-11-25T09:00:00Z"), ("2026-11-24T09:00:00Z", START)]
    {
        assert_eq!(concern(&World::new(SELF_HOSTED), server, vendor), None);
    }
}

#[test]
fn what_was_issued_before_tells_whose_clock_is_wrong() {
    for (server, vendor, says) in [
        ("2027-02-01T09:00:00Z", "2036-02-01T09:00:00Z", "the clock here is probably wrong"),
        ("2027-02-01T09:00:00Z", "2026-02-01T09:00:00Z", "the clock here is probably wrong"),
        ("2035-02-01T09:00:00Z", "2027-02-01T09:00:00Z", "the server's clock is probably wrong"),
        ("2026-06-01T09:00:00Z", "2027-02-01T09:00:00Z", "the server's clock is probably wrong"),
    ] {
        let world = World::new(SELF_HOSTED);
        world.request("other", SALE, "").done();
        world.issue("other", SALE, "").done();
        let sale = Sale { key: "other-key", ..SALE };
        world.at(server).request("home", sale, "").done();
        world.at(vendor).says_of_clocks(sale, says);
    }
    // The clock of a server that holds a license issued on 10 March cannot be right if it shows 1
    // March.
    let world = World::new(SELF_HOSTED);
    world.at("2027-03-10T09:00:00Z").activate("home", SALE).done();
    world.at("2027-03-01T09:00:00Z").request("home", SALE, "--renew").done();
    world.at("2027-03-11T09:00:00Z").says_of_clocks(SALE, "10 days behind");
    world.says_of_clocks(SALE, "the server's clock is probably wrong");
}

#[test]
fn a_license_of_the_future_says_that_one_of_two_clocks_is_wrong() {
    let world = World::new(SELF_HOSTED);
    world.request("home", SALE, "").done();
    world.at("2035-11-23T09:00:00Z").issue("home", SALE, "").done();
    world.at(START);
    for verb in ["import ./home.license", "verify ./home.license"] {
        let said = world.home(verb);
        let json = said.refused("clock-rolled-back", "in the future for this clock");
        let fact = json["fact"].as_str().unwrap();
        assert!(fact.contains("2035-11-23T09:00:00Z") && fact.contains(START), "{fact}");
        assert!(fact.ends_with("this clock or the vendor's is wrong"), "{fact}");
        let hint = json["hint"].as_str().unwrap();
        assert!(hint.contains("compare this clock") && hint.contains("vendor"), "{hint}");
    }
    // Within the tolerance the license is installed; a clock that is set back later is reported as
    // usual.
    world.issue("home", SALE, "--again").done();
    world.at("2026-11-21T10:00:00Z").import("home", "").done();
    world.at(START);
    world.now.set(START.parse::<Instant>().unwrap().seconds + 100 * DAY + HOUR);
    world.verify().licensed();
    world.at(START).verify().refused("clock-rolled-back", "the latest known time is");
}

/// Returns the concern about the clocks, if any, when the same order returns the stored answer.
fn of_stored(world: &World, sale: Sale<'_>) -> Option<serde_json::Value> {
    let stored = world.answer("home", sale, "");
    assert_eq!(stored.done()["stored"], true);
    let all = stored.json["concerns"].as_array().unwrap().clone();
    all.into_iter().find(|c| c["about"] == "clocks")
}

#[test]
fn a_stored_answer_is_compared_again_and_the_way_out_is_named() {
    let (far, next) = ("2035-11-23T09:00:00Z", "2035-11-24T09:00:00Z");
    for (server, then, now, says, again) in [
        (START, far, next, "one of the two clocks is probably wrong", true),
        (START, far, START, "the clock here was probably wrong then", true),
        (START, "1999-11-23T09:00:00Z", START, "the clock here was probably wrong then", true),
        ("1970-01-01T00:00:10Z", START, START, "the server's clock is probably wrong", false),
        ("1970-01-01T00:00:10Z", START, far, "the server's clock is probably wrong", false),
        (far, far, START, "the clock here is probably wrong now", false),
        (far, START, START, "one of the two clocks is probably wrong", true),
    ] {
        let (world, case) = (World::new(SELF_HOSTED), format!("{server} {then} {now}"));
        world.at(server).request("home", SALE, "").done();
        world.at(then).issue("home", SALE, "").done();
        let one = of_stored(world.at(now), SALE).unwrap_or_else(|| panic!("{case}"));
        assert!(one["fact"].as_str().unwrap().contains(says), "{case}: {one}");
        let step = one["next_step"].as_str().unwrap();
        assert_eq!(step.contains("`olr issue --again`"), again, "{case}: {step}");
    }
    for now in [START, "2026-11-24T09:00:00Z", "2027-06-24T09:00:00Z"] {
        let world = World::new(SELF_HOSTED);
        world.request("home", SALE, "").done();
        world.issue("home", SALE, "").done();
        assert_eq!(of_stored(world.at(now), SALE), None, "{now}");
    }
}

#[test]
fn a_clock_years_off_ends_in_a_license_that_is_imported() {
    let world = World::new(SELF_HOSTED);
    world.request("home", SALE, "").done();
    world.at("2035-11-23T09:00:00Z").issue("home", SALE, "").done();
    world.at(START).import("home", "").refused("clock-rolled-back", "in the future");
    let hint = world.import("home", "").json["hint"].as_str().unwrap().to_string();
    assert!(hint.contains("`olr issue --again`"), "{hint}");
    // The vendor's clock is now right. The stored answer is still wrong, and the concern says so.
    let one = of_stored(&world, SALE).unwrap();
    assert!(one["next_step"].as_str().unwrap().contains("`olr issue --again`"), "{one}");
    assert_eq!(one["refused_there"], "clock-rolled-back");
    world.import("home", "").refused("clock-rolled-back", "in the future");
    assert_eq!(world.answer("home", SALE, "--again").done()["stored"], false);
    world.import("home", "").done();
    world.verify().licensed();
}

#[test]
fn a_stored_answer_that_has_ended_or_was_followed_by_another_says_so() {
    let world = World::new(SELF_HOSTED);
    world.request("home", SALE, "").done();
    world.issue("home", SALE, "").done();
    let about = |said: &super::Said| {
        let all = said.done()["concerns"].as_array().unwrap().clone();
        all.iter().map(|c| c["about"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    let late = world.at("2028-01-01T09:00:00Z").answer("home", SALE, "");
    assert_eq!((about(&late), &late.json["stored"]), (vec!["end".to_string()], &true.into()));
    let step = late.json["concerns"][0]["next_step"].as_str().unwrap().to_string();
    assert!(step.contains("correct `expires`") && step.contains("--again"), "{step}");
    // An answer to a later request: a server that imported it cannot import this one.
    world.at(START);
    std::fs::copy(world.path("home.req"), world.path("first.req")).unwrap();
    world.request("home", SALE, "").done();
    world.issue("home", SALE, "").done();
    std::fs::copy(world.path("first.req"), world.path("home.req")).unwrap();
    for more in ["", "--again --dry-run"] {
        assert_eq!(about(&world.answer("home", SALE, more)), ["later"], "{more}");
    }
}

#[test]
fn a_delegation_that_has_ended_signs_nothing_and_is_not_put_in_place_as_if_it_did() {
    let world = World::new(SELF_HOSTED);
    let until = |day: &str| format!("--until {day} {}", world.maxima("any"));
    // A delegation that is signed in time, but published after its end.
    world.olr(&format!("{} -o ./late.olr", world.delegating(&until("2027-01-01")))).done();
    world.delegate(&until("2027-01-31"));
    world.request("home", SALE, "").done();
    world.issue("home", SALE, "").done();
    world.at("2027-02-02T09:00:00Z").request("home", SALE, "").done();
    world.issue("home", SALE, "").refused("not-delegated", "valid until 2027-02-01T11:59:59Z");
    let late = world.olr("vendor publish ./late.olr --vendor ./vendor");
    late.done();
    assert!(late.text.contains("could issue until") && !late.text.contains("now"), "{}", late.text);
    // Rotating the issuer's key does not pass the ended delegation on to the new key.
    let rotate = "key rotate issuer --no-passphrase --yes --vendor ./vendor";
    world.olr(rotate).unable("has already ended");
    assert!(!world.path("vendor/keys/issuer-2.key").exists());
    world.olr(&world.delegating(&until("2027-01-31"))).unable("has already ended");
    world.delegate(&until("2027-02-28"));
    world.issue("home", SALE, "").done();
}

/// Returns the next step, on which `verify`, `status` and `check` agree.
#[track_caller]
fn step(world: &World, word: &str) -> String {
    let steps = ["verify", "status", "check OBM"].map(|verb| {
        let said = world.home(verb);
        said.refused(word, "")["hint"].as_str().unwrap().to_string()
    });
    assert!(steps.iter().all(|step| *step == steps[0]), "{steps:#?}");
    steps[0].clone()
}

/// Whether the step is to send the file of request `number`, and a new request only if that file is
/// lost.
fn sends(step: &str, number: u64) -> bool {
    let lost = "(if it is lost, make another request)";
    step.contains(&format!("send the file of request {number} (code "))
        && step.contains(lost)
        && !step.contains("olr request")
}

#[test]
fn with_a_request_on_its_way_nobody_is_told_to_make_another() {
    let ending = Sale { lines: "expires = \"2027-11-22\"", ..SALE };
    let world = World::sold(SELF_HOSTED, ending);
    let headline = || world.home("verify").done()["headline"].as_str().unwrap().to_string();
    assert!(headline_at(&world, "2027-11-10T09:00:00Z").contains("olr request --renew"));
    world.at("2027-12-20T09:00:00Z");
    assert!(step(&world, "expired").contains("olr request --renew"));
    world.request("home", ending, "--renew").done();
    let sent = step(&world, "expired");
    assert!(sends(&sent, 2), "{sent}");
    // Importing the answer resolves the expiry. When the next end comes, the step is to make a
    // request again.
    let longer = Sale { lines: "expires = \"2028-11-22\"", ..SALE };
    world.issue("home", longer, "").done();
    world.import("home", "").done();
    world.at("2028-11-10T09:00:00Z");
    assert!(headline().contains("olr request --renew"), "{}", headline());
    world.request("home", longer, "--renew").done();
    assert!(headline().contains("import the answer"), "{}", headline());
}

fn headline_at(world: &World, instant: &str) -> String {
    world.at(instant).home("verify").done()["headline"].as_str().unwrap().to_string()
}

#[test]
fn a_clock_that_was_set_right_after_a_jump_is_not_to_be_set() {
    let world = World::sold(SELF_HOSTED, SALE);
    // The clock was half a year ahead for a while.
    world.at("2027-06-01T09:00:00Z").home("verify").done();
    world.at("2026-12-01T09:00:00Z");
    let first = step(&world, "clock-rolled-back");
    assert!(first.starts_with("compare the clock"), "{first}");
    assert!(first.contains("`olr request`") && first.contains("`olr import time.olr`"), "{first}");
    world.request("home", SALE, "").done();
    let sent = step(&world, "clock-rolled-back");
    assert!(sent.starts_with("compare the clock") && sends(&sent, 2), "{sent}");
    assert!(sent.contains("time.olr"), "{sent}");
    world.olr("vendor time-anchor ./home.req --vendor ./vendor -o ./time.olr").done();
    world.home("import ./time.olr").done();
    world.verify().licensed();
}

#[test]
fn a_machine_that_has_asked_already_is_not_told_to_ask() {
    let world = World::sold(SELF_HOSTED, SALE);
    world.at("2026-12-20T09:00:00Z").on("other");
    let first = step(&world, "wrong-machine");
    assert!(first.contains("olr request"), "{first}");
    world.request("home", SALE, "").done();
    let sent = step(&world, "wrong-machine");
    assert!(sends(&sent, 2), "{sent}");
}

#[test]
fn a_request_older_than_the_jump_of_the_clock_is_not_what_takes_it_back() {
    let asks = |step: &str| step.starts_with("compare the clock") && step.contains("`olr request`");
    for jump in ["verify --evidence 2027-05-01", "verify"] {
        let world = World::sold(SELF_HOSTED, SALE);
        world.request("home", SALE, "--renew").done();
        world.at(if jump == "verify" { "2027-05-01T12:00:00Z" } else { "2026-12-02T09:00:00Z" });
        world.home(jump);
        world.at("2026-12-02T09:00:00Z");
        let first = step(&world, "clock-rolled-back");
        assert!(asks(&first) && !sends(&first, 2), "{first}");
        // The timestamp is accepted but changes nothing, so the step is named again, both times.
        world.olr("vendor time-anchor ./home.req --vendor ./vendor -o ./time.olr").done();
        for new in [true, false] {
            let said = world.home("import ./time.olr");
            assert_eq!(said.done()["new"], new);
            assert!(
                said.text.contains("still refuses") && said.text.contains("`olr request`"),
                "{}",
                said.text
            );
        }
        let again = step(&world, "clock-rolled-back");
        assert_eq!(again, first);
        // The answer to a request made now can set the high-water mark back.
        world.request("home", SALE, "--renew").done();
        assert!(sends(&step(&world, "clock-rolled-back"), 3));
        world.olr("vendor time-anchor ./home.req --vendor ./vendor -o ./new.olr").done();
        let said = world.home("import ./new.olr");
        said.done();
        assert!(said.text.contains("is now recorded"), "{}", said.text);
        world.verify().licensed();
        // A second jump needs another request.
        world.home("verify --evidence 2027-05-01");
        let third = step(&world, "clock-rolled-back");
        assert!(asks(&third) && !sends(&third, 3), "{third}");
    }
}

#[test]
fn a_clock_far_ahead_is_met_with_a_request_that_a_time_may_still_answer() {
    let world = World::sold(SELF_HOSTED, SALE);
    world.request("home", SALE, "--renew").done();
    let far = |world: &World| world.at("2029-06-01T09:00:00Z").home("verify").text.clone();
    assert!(far(&world).contains("the file of your newest request"), "{}", far(&world));
    world.at("2026-12-02T09:00:00Z");
    world.olr("vendor time-anchor ./home.req --vendor ./vendor -o ./time.olr").done();
    world.home("import ./time.olr").done();
    let said = far(&world);
    assert!(said.contains("run `olr request` and import"), "{said}");
}
