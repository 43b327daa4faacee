//! A license over time, and the one mail for each change.

use super::*;
use olr::alert::NoticeKind;
use olr_core::state::Surroundings;

#[test]
fn over_quota_countdown_stop_and_solution_are_one_mail_each() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    assert_eq!(world.told(&settings, NOW), 0);
    let start = NOW + HOUR;
    world.uses("OBM", 12, start);
    let mut all = Vec::new();
    // Every ten minutes for a day, as a timer would; resolved after 20 hours.
    for minute in (0..24 * 60).step_by(10) {
        if minute == 20 * 60 {
            world.uses("OBM", 9, start + minute * 60);
        }
        let told = world.told(&settings, start + minute * 60);
        let taken = server.taken();
        assert_eq!(told, taken.len());
        all.extend(taken.into_iter().map(|taken| (minute, taken)));
    }
    let minutes: Vec<_> = all.iter().map(|(minute, _)| *minute).collect();
    assert_eq!(minutes, [0, 11 * 60, 12 * 60, 20 * 60]);
    let mails: Vec<_> = all.into_iter().map(|(_, taken)| taken).collect();
    assert_eq!(
        subjects(&mails),
        [
            "olr: backup1: example/backup: grace until 2026-11-24T01:00:00Z (over-quota)",
            "olr: backup1: example/backup: stops within an hour, at 2026-11-24T01:00:00Z (over-quota)",
            "olr: backup1: example/backup: stopped (over-quota)",
            "olr: backup1: example/backup: resolved (over-quota)",
        ]
    );
    let state = world.home.load().unwrap().unwrap();
    let id =
        state.memory().slots.iter().next().unwrap().installed.as_ref().unwrap().license.clone();
    let id = state.license(
        &state.memory().slots.iter().next().unwrap().name,
        &olr_core::state::Held { license: id, enrolled: Default::default() },
    );
    let id = id.unwrap().body().license.to_string();
    for (mail, says) in mails.iter().zip([
        &[
            "OBM: 12 used, 10 granted",
            "since 2026-11-23T13:00:00Z",
            "until 2026-11-24T01:00:00Z",
            "Then the server stops",
            "Next step: remove what is no longer used",
        ][..],
        &["At 2026-11-24T01:00:00Z, within the hour, the server stops", "Next step: "],
        &[
            "the grace period ended at 2026-11-24T01:00:00Z",
            "The server has stopped",
            "Next step: ",
        ],
        &["This is resolved (over-quota)", "no action is needed"],
    ]) {
        let body = mail.body();
        for says in says {
            assert!(body.contains(says), "{says:?} is not in\n{body}");
        }
        assert!(body.contains(&format!("License: {id}\n")), "{body}");
        assert_eq!(mail.to, ["ops@example.org"]);
        assert_eq!(mail.header("From"), "backup1@example.org");
        assert_eq!(mail.header("To"), "ops@example.org");
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        let alert = mail.header("X-Olr-Alert");
        assert_eq!(mail.header("Message-ID"), format!("<{alert}.olr@example.org>"));
        assert!(body.contains(&format!("Alert:   {alert}\n")));
    }
    assert_eq!(mails[0].header("Date"), "Mon, 23 Nov 2026 13:00:00 +0000");
    assert!(!mails[3].body().contains("Next step"));
    let ids: std::collections::BTreeSet<_> =
        mails.iter().map(|m| m.header("X-Olr-Alert")).collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn an_end_is_announced_a_month_a_week_and_a_day_before() {
    let edit = [("expires     = \"never\"", "expires = \"60 days\"")];
    let (world, server) = (World::new(&edit), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let mut told = Vec::new();
    for day in 0..70 {
        world.told(&settings, NOW + day * DAY);
        told.extend(subjects(&server.taken()).into_iter().map(|subject| (day, subject)));
    }
    let told: Vec<_> =
        told.iter().map(|(day, subject)| (*day, subject.rsplit(": ").next().unwrap())).collect();
    assert_eq!(
        told,
        [
            (31, "the license expires within 30 days"),
            (54, "the license expires within 7 days"),
            (60, "the license expires within a day"),
            (61, "stopped (expired)"),
        ]
    );
}

#[test]
fn the_next_step_before_and_after_the_end_is_the_answer_to_a_request_on_its_way() {
    let edit = [("expires     = \"never\"", "expires = \"60 days\"")];
    let (world, server) = (World::new(&edit), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let mut steps = Vec::new();
    for day in [31, 54, 61] {
        world.told(&settings, NOW + day * DAY);
        let body = server.taken().pop().unwrap().body();
        steps.push(body.lines().find(|line| line.starts_with("Next step: ")).unwrap().to_string());
        if day == 31 {
            let around = around("server", Instant::new(NOW + 40 * DAY));
            let order = RequestParams { renew: true, ..RequestParams::default() };
            let _ = world.home.request(&order, &around, &mut rng(2)).unwrap();
        }
    }
    assert_eq!(steps[0], "Next step: ask for a renewal.");
    assert_eq!(steps[1], "Next step: import the answer to your request in time.");
    let sent = "Next step: send the file of request 2 (code ";
    assert!(steps[2].starts_with(sent) && steps[2].ends_with("import the answer."), "{steps:?}");
}

#[test]
fn for_a_license_that_was_added_to_a_pool_the_next_step_is_a_request_for_that_pool() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    world.pool(NOW);
    assert_eq!(world.told(&settings, NOW + HOUR), 1);
    let body = server.taken().pop().unwrap().body();
    let step = "Next step: make a request with a license key of that pool.";
    assert!(body.contains("was added to a pool") && body.contains(step), "{body}");
}

#[test]
fn a_refusal_without_an_event_is_told_once_and_once_more_when_it_is_over() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    assert_eq!(world.told(&settings, NOW + 20 * DAY), 0);
    // The clock is set back.
    for _ in 0..3 {
        world.told(&settings, NOW + DAY);
    }
    assert_eq!(
        subjects(&server.taken()),
        ["olr: backup1: example/backup: refused (clock-rolled-back)"]
    );
    // The whole state is damaged, so the change of the clock is unknown too.
    let copies = world.home.state_files();
    let intact = copies.clone().map(|file| fs::read(file).unwrap());
    copies.iter().for_each(|file| fs::write(file, b"OLR").unwrap());
    for _ in 0..3 {
        world.told(&settings, NOW + DAY);
    }
    let taken = server.taken();
    assert_eq!(subjects(&taken), ["olr: backup1: refused (damaged-state)"]);
    assert!(taken[0].body().contains("Next step: restore the home folder from a backup"));
    copies.iter().zip(&intact).for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    for _ in 0..3 {
        world.told(&settings, NOW + 21 * DAY);
    }
    let over = [
        "olr: backup1: example/backup: resolved (clock-rolled-back)",
        "olr: backup1: resolved (damaged-state)",
    ];
    let mut taken = subjects(&server.taken());
    taken.sort();
    assert_eq!(taken, over);
    // The next occurrence is a new change.
    world.told(&settings, NOW + 2 * DAY);
    assert_eq!(server.taken().len(), 1);
}

#[test]
fn another_machine_is_told_and_so_is_a_home_without_a_license() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let elsewhere = around("other", Instant::new(NOW + DAY));
    for _ in 0..2 {
        tell(&world.home, &settings, &elsewhere, ToString::to_string).unwrap();
    }
    assert_eq!(subjects(&server.taken()), ["olr: mail1: example/backup: stopped (conflict)"]);
    let empty = Home::at(world.folder.path().join("empty"));
    fs::create_dir(empty.folder()).unwrap();
    for _ in 0..2 {
        tell(&empty, &settings, &elsewhere, ToString::to_string).unwrap();
    }
    assert_eq!(subjects(&server.taken()), ["olr: mail1: refused (not-activated)"]);
}

/// A grant for the other slot, which has a key of its own.
fn redirector() -> String {
    STARTER_GRANT.replace("\"backup\"", "\"redirector\"").replace("AbCd-1234", "Redi-1234")
}

#[test]
fn every_slot_is_told_of() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    world.license(&redirector(), NOW + 60);
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    for slot in ["backup", "redirector"] {
        let count = Count { module: Text::new("ACB").unwrap(), count: 11 };
        let around = around("server", Instant::new(NOW + HOUR));
        world.home.report(None, Some(slot), &[count], &around).unwrap();
    }
    assert_eq!(world.told(&settings, NOW + HOUR), 2);
    let mut taken = subjects(&server.taken());
    taken.sort();
    assert!(taken[0].contains(": example/backup: grace until "), "{taken:?}");
    assert!(taken[1].contains(": example/redirector: grace until "), "{taken:?}");
    assert_eq!(world.told(&settings, NOW + HOUR), 0);
}

#[test]
fn what_is_only_shown_is_told_later_and_a_test_changes_nothing() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    world.uses("OBM", 12, NOW);
    let around = around("server", Instant::new(NOW));
    let before = world.home.state_files().map(|file| fs::read(file).unwrap());
    for _ in 0..2 {
        let shown = dry_run(&world.home, &settings, &around).unwrap();
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].1, settings.ways());
        assert!(matches!(shown[0].0.about, NoticeKind::Change { .. }));
    }
    assert_eq!(server.connections(), 0);
    let tried = test(&world.home, &settings, &around, ToString::to_string);
    assert!(tried.is_whole());
    assert_eq!(subjects(&server.taken()), ["olr: backup1: test"]);
    assert_eq!(world.home.state_files().map(|file| fs::read(file).unwrap()), before);
    assert!(!world.path("alerts.told").exists());
    assert_eq!(world.told(&settings, NOW), 1);
}

#[test]
fn the_product_is_told_apart_from_the_operator() {
    use olr_core::state::Listener;
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    world.uses("OBM", 12, NOW);
    let around = around("server", Instant::new(NOW));
    let events = world.home.news(&around, Listener::Product, false).unwrap().events;
    world.home.acknowledge(Listener::Product, &[events[0].id]).unwrap();
    assert_eq!(world.told(&settings, NOW), 1);
    assert_eq!(server.taken()[0].header("X-Olr-Alert"), events[0].id.to_string());
    let state = world.home.load().unwrap().unwrap();
    assert!(state.memory().events.is_empty(), "product and operator both acknowledged it");
}

#[test]
fn maintenance_and_a_changed_machine_are_told_with_what_to_do() {
    let edit = [("maintenance = \"1 year\"", "maintenance = \"60 days\"")];
    let (world, server) = (World::new(&edit), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let (mut told, mut mails) = (Vec::new(), Vec::new());
    for day in 0..90 {
        let machine = if (5..8).contains(&day) { "card-replaced" } else { "server" };
        let around = around(machine, Instant::new(NOW + day * DAY));
        let all = tell(&world.home, &settings, &around, ToString::to_string).unwrap();
        assert!(all.iter().all(Told::is_whole), "{all:#?}");
        let taken = server.taken();
        told.extend(subjects(&taken).into_iter().map(|subject| (day, subject)));
        mails.extend(taken);
    }
    let told: Vec<_> =
        told.iter().map(|(day, subject)| (*day, subject.rsplit(": ").next().unwrap())).collect();
    assert_eq!(
        told,
        [
            (5, "the machine has changed (drift)"),
            (8, "resolved (drift)"),
            (31, "maintenance ends within 30 days"),
            (54, "maintenance ends within 7 days"),
            (60, "maintenance ends within a day"),
            (61, "maintenance has ended"),
        ]
    );
    let maintenance = "Next step: buy maintenance";
    let goes_on = "The installed release continues to run";
    for (mail, says) in mails.iter().zip([
        &[
            "the network card eth1 was replaced",
            "nothing stops",
            "Next step: ",
            "ask for a new license",
        ][..],
        &["This is resolved (drift)"],
        &["Maintenance lasts until", goes_on, maintenance],
        &["Maintenance lasts until", goes_on, maintenance],
        &["Maintenance lasts until", goes_on, maintenance],
        &["maintenance ended on", goes_on, maintenance],
    ]) {
        let body = mail.body();
        for says in says {
            assert!(body.contains(says), "{says:?} is not in\n{body}");
        }
        assert!(!body.contains("server stops") && !body.contains("has stopped"), "{body}");
    }
}

#[test]
fn a_clock_that_is_far_ahead_is_told_once_for_the_whole_home() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    world.license(&redirector(), NOW + 60);
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let far = NOW + 500 * DAY;
    let warning = "olr: backup1: warning (clock)";
    let solved = "olr: backup1: resolved (clock)";
    for round in 0..3 {
        assert_eq!((world.told(&settings, far), world.told(&settings, far + HOUR)), (1, 0));
        let mail = server.taken().remove(0);
        assert_eq!(mail.header("Subject"), warning, "{round}");
        assert!(mail.body().contains("the clock says 2028-"), "{}", mail.body());
        if round == 1 {
            // Deactivate the slot in which the far clock was announced: the other slot must then
            // announce the resolution.
            let state = world.home.load().unwrap().unwrap();
            let noticed =
                |slot: &&olr_core::state::Slot| slot.announced.get(&Cause::Clock).is_some();
            let slots: Vec<_> = state.memory().slots.iter().filter(noticed).collect();
            assert_eq!(slots.len(), 1);
            let around = Surroundings { clock: Instant::new(far), ..Surroundings::default() };
            world.home.deactivate(&slots[0].name, &around).unwrap();
        }
        let right = NOW + 2 * HOUR + round * HOUR;
        world.told(&settings, right);
        assert_eq!(world.told(&settings, right), 0);
        let mut told = subjects(&server.taken());
        told.retain(|subject| !subject.contains("(deactivated)"));
        assert_eq!(told, [solved], "{round}");
    }
}

#[test]
fn what_is_told_under_a_far_clock_is_what_is_remembered() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let far = NOW + 500 * DAY;
    world.uses("OBM", 12, far);
    // By that clock, the grace period is over.
    world.told(&settings, far + 13 * HOUR);
    let mails = server.taken();
    let is_over = |mail: &&Taken| mail.header("Subject").contains("(over-quota)");
    let mail = mails.iter().find(is_over).unwrap();
    let subject = mail.header("Subject");
    assert!(subject.ends_with("grace until 2026-11-24T00:00:00Z (over-quota)"), "{subject}");
    let body = mail.body();
    assert!(body.contains("since 2026-11-23T12:00:00Z"), "{body}");
    assert!(!body.contains("2028"), "{body}");
}
