//! The alert command: its input, and how a missing, failing or hanging command is handled.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant as Stopwatch};

/// Writes a script, and returns settings that run it.
fn script(world: &World, lines: &str) -> Settings {
    let path = world.path("notify");
    fs::write(&path, format!("#!/bin/sh\ncd \"$(dirname \"$0\")\"\n{lines}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    settings_for(world, path.to_str().unwrap())
}

fn settings_for(world: &World, program: &str) -> Settings {
    let args = "args = [\"a b\", \"$(id)\", \"\"]";
    world.settings(&format!("[command]\nprogram = {program:?}\n{args}\ntimeout = 1\n"))
}

#[test]
fn it_gets_the_alert_as_json_and_a_few_words() {
    let world = World::new(&[]);
    let lines =
        "cat > alert.json\nprintf '%s|' \"$@\" > arguments\nenv | grep ^OLR_ | sort > words";
    let settings = script(&world, lines);
    world.uses("OBM", 12, NOW);
    assert_eq!(world.told(&settings, NOW), 1);
    assert_eq!(world.told(&settings, NOW + HOUR), 0);
    let text = fs::read_to_string(world.path("alert.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (key, value) in [
        ("cause", "over-quota"),
        ("stage", "grace"),
        ("then", "stop"),
        ("server", "backup1"),
        ("product", "example"),
        ("slot", "backup"),
        ("at", "2026-11-23T12:00:00Z"),
        ("since", "2026-11-23T12:00:00Z"),
        ("until", "2026-11-24T00:00:00Z"),
        (
            "fact",
            "quota-exceeded: OBM: 12 used, 10 granted; 12 h 0 min of the grace period are left, counting all overuse since \
             2026-11-23T12:00:00Z",
        ),
        ("next_step", "remove what is no longer used, or ask the vendor for more"),
    ] {
        assert_eq!(json[key], value, "{json}");
    }
    assert!(json["text"].as_str().unwrap().contains("Then the server stops"));
    assert_eq!(fs::read_to_string(world.path("arguments")).unwrap(), "a b|$(id)||");
    let alert = json["alert"].as_str().unwrap();
    let subject = json["subject"].as_str().unwrap();
    let words = format!(
        "OLR_ALERT={alert}\nOLR_CAUSE=over-quota\nOLR_PRODUCT=example\nOLR_SERVER=backup1\n\
         OLR_SLOT=backup\nOLR_STAGE=grace\nOLR_SUBJECT={subject}\n"
    );
    assert_eq!(fs::read_to_string(world.path("words")).unwrap(), words);
}

#[test]
fn one_that_fails_is_run_again_in_the_next_round() {
    let world = World::new(&[]);
    world.uses("OBM", 12, NOW);
    let missing = world.path("missing");
    let folder = world.home.folder().to_path_buf();
    fs::write(world.path("text"), "#!/bin/sh\n").unwrap();
    for (program, says) in [
        (missing, "there is no such program, or the interpreter in its #! line is missing"),
        (world.path("text"), "it is not executable, or this user may not run it"),
        (folder, "it is not executable, or this user may not run it"),
    ] {
        let settings = settings_for(&world, program.to_str().unwrap());
        assert!(world.not_told(&settings, NOW).fact().ends_with(says));
    }
    for (lines, says) in [
        ("exit 3", "it exited with status 3"),
        ("cat >/dev/null; exit 255", "it exited with status 255"),
        ("kill -9 $$", "a signal killed it"),
        ("exec /nowhere", "it exited with status 127"),
    ] {
        let error = world.not_told(&script(&world, lines), NOW);
        assert!(error.fact().ends_with(says), "{error}");
    }
    assert_eq!(world.told(&script(&world, "exit 0"), NOW), 1);
    assert_eq!(world.told(&script(&world, "exit 3"), NOW), 0);
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started() {
    let world = World::new(&[]);
    let settings = script(&world, "(sleep 600; touch late) &\necho $! > child\nsleep 600");
    world.uses("OBM", 12, NOW);
    let watch = Stopwatch::now();
    let error = world.not_told(&settings, NOW);
    assert!(error.fact().ends_with("it was killed after 1 second"), "{error}");
    // After the command hung, it is not run for the second change of the round.
    let told = world.tell(&settings, NOW + 12 * HOUR).unwrap();
    assert_eq!(told.len(), 2);
    assert!(watch.elapsed() < Duration::from_secs(60), "the round waited for it");
    let child = fs::read_to_string(world.path("child")).unwrap();
    let has_ended = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        state.is_err() || state.is_ok_and(|state| state.contains(") Z"))
    };
    // A busy system may deliver a signal late.
    while !has_ended() {
        assert!(watch.elapsed() < Duration::from_secs(60), "{child} runs on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_that_reads_nothing_is_no_fault() {
    let world = World::new(&[]);
    world.uses("OBM", 12, NOW);
    assert_eq!(world.told(&script(&world, "exec <&-\nexit 0"), NOW), 1);
}

#[test]
fn command_and_mail_do_not_wait_for_one_another() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let counting = script(&world, "echo told >> count");
    let mail = plain(&server, &["ops@example.org"]);
    let command = fs::read_to_string(world.path(SETTINGS)).unwrap();
    let both = world.settings(&(command + &mail));
    assert_eq!(both.ways().len(), counting.ways().len() + 1);
    let port = server.port;
    drop(server);
    world.uses("OBM", 12, NOW);
    // The command succeeds and the mail fails; the command is not run again because of that.
    for round in 0..3 {
        let told = world.tell(&both, NOW + round).unwrap();
        let command = if round == 0 { Heard::Now } else { Heard::Before };
        assert_eq!((told.len(), &told[0].ways[0].1), (1, &command));
        assert!(matches!(&told[0].ways[1].1, Heard::Not(_)));
    }
    let server = Server::start_at(port, Manners::default());
    assert_eq!(world.told(&both, NOW + HOUR), 1);
    assert_eq!(server.taken().len(), 1);
    assert_eq!(fs::read_to_string(world.path("count")).unwrap(), "told\n");
    // The mail succeeds and the command fails; the mail is not sent again because of that.
    script(&world, "exit 1");
    let settings = world.settings(&fs::read_to_string(world.path(SETTINGS)).unwrap());
    assert_eq!(settings.ways().len(), 1);
    world.uses("OBM", 9, NOW + 2 * HOUR);
    for _ in 0..2 {
        world.not_told(&both, NOW + 2 * HOUR);
    }
    assert_eq!(server.taken().len(), 1);
    script(&world, "echo told >> count");
    assert_eq!(world.told(&both, NOW + 2 * HOUR), 1);
    assert_eq!((server.taken().len(), world.told(&both, NOW + 2 * HOUR)), (0, 0));
    assert_eq!(fs::read_to_string(world.path("count")).unwrap(), "told\ntold\n");
}

#[test]
fn two_rounds_at_once_tell_nothing_twice() {
    let world = World::new(&[]);
    let settings = script(&world, "sleep 0.3; echo told >> count");
    world.uses("OBM", 12, NOW);
    let rounds: Vec<_> = std::thread::scope(|scope| {
        let round = || scope.spawn(|| world.tell(&settings, NOW));
        let all = [round(), round(), round()];
        all.into_iter().map(|round| round.join().unwrap()).collect()
    });
    let busy = rounds.iter().filter_map(|round| round.as_ref().err());
    assert!(busy.clone().all(|error| error.problem() == Some(olr_core::error::Problem::Locked)));
    assert!(rounds.iter().any(Result::is_ok));
    assert_eq!(fs::read_to_string(world.path("count")).unwrap(), "told\n");
}

#[test]
fn a_home_that_cannot_be_written_tells_nothing() {
    let world = World::new(&[]);
    let settings = script(&world, "echo told >> /dev/null");
    world.uses("OBM", 12, NOW);
    // Root can write anywhere, but cannot write a file where a folder is.
    for file in ["alerts.told", "alerts.lock"] {
        let _ = fs::remove_file(world.path(file));
        fs::create_dir(world.path(file)).unwrap();
        let error = world.tell(&settings, NOW).unwrap_err();
        assert_eq!(error.exit_status(), 2, "{error}");
        fs::remove_dir(world.path(file)).unwrap();
    }
    assert_eq!(world.told(&settings, NOW), 1);
}

#[test]
fn a_memory_that_is_damaged_costs_an_alert_that_comes_twice_and_no_more() {
    let (world, server) = (
        World::new(&[]),
        Server::start(Manners { refuses: vec!["gone@example.org"], ..Manners::default() }),
    );
    let settings = world.settings(&plain(&server, &["ann@example.org", "gone@example.org"]));
    world.uses("OBM", 12, NOW);
    world.not_told(&settings, NOW);
    assert_eq!(server.taken().len(), 1);
    for damaged in
        [&b"told = 7"[..], b"\xff\xfe", b"", b"[[refusal]]\nword = \"x\"\nfact = \"\"\nsince = 1\n"]
    {
        fs::write(world.path("alerts.told"), damaged).unwrap();
        world.not_told(&settings, NOW);
        assert_eq!(server.taken().len(), 1);
        world.not_told(&settings, NOW);
        assert_eq!(server.taken().len(), 0);
    }
}
