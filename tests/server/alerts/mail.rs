//! Failures of mail: nothing is lost, nobody is told twice, no password is sent in plain text.

use super::*;
use server::Offer;

const PASSWORD: &str = "correct horse";

/// Returns settings with a login, and this value of `tls`.
fn secured(world: &World, server: &Server, tls: &str, to: &[&str]) -> Settings {
    fs::write(world.path("password"), format!("{PASSWORD}\nnot this\n")).unwrap();
    fs::write(world.path("ca.pem"), &server.certificate).unwrap();
    let text = plain(server, to)
        .replace("127.0.0.1", "localhost")
        .replace("\"none\"", &format!("{tls:?}"));
    let login = "user = \"backup1\"\npassword-file = \"password\"\nca-file = \"ca.pem\"\n";
    world.settings(&(text + login))
}

fn manners(tls: Offer) -> Manners {
    Manners { tls, login: Some(("backup1", PASSWORD)), ..Manners::default() }
}

#[test]
fn a_server_that_is_down_gets_it_later() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let port = server.port;
    drop(server);
    world.uses("OBM", 12, NOW);
    for round in 0..3 {
        let error = world.not_told(&settings, NOW + round * 60);
        assert!(error.fact().ends_with("no server listens there"), "{error}");
    }
    let server = Server::start_at(port, Manners::default());
    assert_eq!(world.told(&settings, NOW + HOUR), 1);
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert!(
        taken[0].body().contains("Noticed: 2026-11-23T12:00:00Z"),
        "when it was noticed, not sent"
    );
    assert_eq!(world.told(&settings, NOW + HOUR), 0);
}

#[test]
fn two_changes_kept_are_two_mails_in_their_order() {
    let (world, server) = (World::new(&[]), Server::start(Manners::default()));
    let settings = world.settings(&plain(&server, &["ops@example.org"]));
    let port = server.port;
    drop(server);
    world.uses("OBM", 12, NOW);
    assert!(!world.tell(&settings, NOW).unwrap()[0].is_whole());
    assert_eq!(world.tell(&settings, NOW + 12 * HOUR).unwrap().len(), 2);
    let server = Server::start_at(port, Manners::default());
    assert_eq!(world.told(&settings, NOW + 13 * HOUR), 2);
    let taken = subjects(&server.taken());
    assert!(taken[0].contains("grace until") && taken[1].contains("stopped"), "{taken:?}");
    assert_eq!(server.connections(), 1, "one connection serves them all");
}

#[test]
fn a_recipient_that_is_refused_keeps_nobody_else_from_being_told() {
    let world = World::new(&[]);
    let server = Server::start(Manners { refuses: vec!["gone@example.org"], ..Manners::default() });
    let to = ["ann@example.org", "gone@example.org", "bob@example.org"];
    let settings = world.settings(&plain(&server, &to));
    world.uses("OBM", 12, NOW);
    let error = world.not_told(&settings, NOW);
    assert!(
        error.fact().contains("refuses mail from backup1@example.org to gone@example.org (550)")
    );
    let taken = server.taken();
    let of: Vec<_> = taken.iter().map(|taken| taken.to.join(" ")).collect();
    assert_eq!(of, ["ann@example.org", "bob@example.org"]);
    assert_eq!(taken[0].raw, taken[1].raw);
    // The failure is reported in each round; the others are not told again.
    for round in 1..4 {
        world.not_told(&settings, NOW + round * 60);
        assert!(server.taken().is_empty());
    }
    let text = fs::read_to_string(world.path("alerts.told")).unwrap();
    assert!(text.contains("mail to ann@example.org") && !text.contains("gone"), "{text}");
    // Only the new recipient is told.
    let settings = world.settings(&plain(&server, &["ann@example.org", "new@example.org"]));
    assert_eq!(world.told(&settings, NOW + HOUR), 1);
    let taken = server.taken();
    assert_eq!((taken.len(), taken[0].to.join(" ")), (1, "new@example.org".to_string()));
    assert!(!fs::read_to_string(world.path("alerts.told")).unwrap().contains("ann"));
}

#[test]
fn starttls_and_tls_protect_what_is_sent() {
    for (offer, tls) in [(Offer::Starttls, "starttls"), (Offer::Implicit, "implicit")] {
        let (world, server) = (World::new(&[]), Server::start(manners(offer)));
        let settings = secured(&world, &server, tls, &["ops@example.org"]);
        world.uses("OBM", 12, NOW);
        assert_eq!(world.told(&settings, NOW), 1);
        let taken = server.taken();
        assert_eq!(taken[0].login, Some(("backup1".to_string(), PASSWORD.to_string())));
        assert!(taken[0].encrypted);
        let open = server.said_in_the_open();
        assert!(!open.contains("AUTH") && !open.contains("MAIL"), "{open}");
        assert_eq!(open.contains("STARTTLS"), offer == Offer::Starttls);
    }
}

#[test]
fn without_starttls_nothing_is_sent_least_of_all_the_password() {
    let (world, server) = (World::new(&[]), Server::start(manners(Offer::Nothing)));
    let settings = secured(&world, &server, "starttls", &["ops@example.org"]);
    world.uses("OBM", 12, NOW);
    let error = world.not_told(&settings, NOW);
    assert!(error.fact().ends_with("it does not offer STARTTLS; nothing was sent"), "{error}");
    let open = server.said_in_the_open();
    let commands: Vec<_> = open.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(commands, ["EHLO", "QUIT"]);
    assert!(server.taken().is_empty());
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_talked_to() {
    let other = Server::start(manners(Offer::Starttls));
    for (offer, tls) in [(Offer::Starttls, "starttls"), (Offer::Implicit, "implicit")] {
        let (world, server) = (World::new(&[]), Server::start(manners(offer)));
        world.uses("OBM", 12, NOW);
        let settings = secured(&world, &server, tls, &["ops@example.org"]);
        // A certificate of another server, and the right one for another name.
        fs::write(world.path("ca.pem"), &other.certificate).unwrap();
        let untrusted = "its certificate is not trusted";
        assert!(world.not_told(&settings, NOW).fact().ends_with(untrusted));
        fs::write(world.path("ca.pem"), &server.certificate).unwrap();
        let text = fs::read_to_string(world.path(SETTINGS)).unwrap();
        let elsewhere = world.settings(&text.replace("localhost", "127.0.0.1"));
        assert!(world.not_told(&elsewhere, NOW).fact().ends_with(untrusted));
        // The system does not trust this certificate either.
        let systems = world.settings(&text.replace("ca-file = \"ca.pem\"\n", ""));
        assert!(world.not_told(&systems, NOW).fact().ends_with(untrusted));
        assert!(server.taken().is_empty());
        assert!(!server.said_in_the_open().contains("AUTH"));
        assert_eq!(world.told(&settings, NOW), 1);
    }
}

#[test]
fn a_login_that_is_refused_is_said_without_the_password() {
    let (world, server) = (World::new(&[]), Server::start(manners(Offer::Starttls)));
    let settings = secured(&world, &server, "starttls", &["a@example.org", "b@example.org"]);
    fs::write(world.path("password"), "wrong battery\n").unwrap();
    world.uses("OBM", 12, NOW);
    let told = world.tell(&settings, NOW).unwrap();
    let text = format!("{told:?} {settings:?}");
    assert!(text.contains("it refuses the login of backup1 (535)"), "{text}");
    assert!(!text.contains("battery"));
    assert_eq!(server.connections(), 1, "a wrong password is tried once a round");
    for (content, says) in [("", "the password is empty"), ("\nx\n", "the password is empty")] {
        fs::write(world.path("password"), content).unwrap();
        assert!(format!("{:?}", world.tell(&settings, NOW)).contains(says));
    }
    fs::remove_file(world.path("password")).unwrap();
    assert!(
        format!("{:?}", world.tell(&settings, NOW)).contains("password: there is no such file")
    );
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_file_without_a_certificate_is_reported() {
    let (world, server) = (World::new(&[]), Server::start(manners(Offer::Starttls)));
    let settings = secured(&world, &server, "starttls", &["ops@example.org"]);
    world.uses("OBM", 12, NOW);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for content in ["", "no certificate", broken, "-----BEGIN CERTIFICATE-----\n"] {
        fs::write(world.path("ca.pem"), content).unwrap();
        let error = world.not_told(&settings, NOW);
        assert!(error.fact().ends_with("ca.pem: it contains no valid certificate"), "{error}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn whatever_else_listens_there_is_waited_for_no_longer_than_said() {
    let (world, silent) =
        (World::new(&[]), Server::start(Manners { silent: true, ..Manners::default() }));
    let to = ["a@example.org", "b@example.org"];
    let settings = world.settings(&plain(&silent, &to).replace("timeout = 2", "timeout = 1"));
    world.uses("OBM", 12, NOW);
    let told = world.tell(&settings, NOW).unwrap();
    let text = format!("{told:?}");
    assert!(text.contains("it does not answer within 1 second"), "{text}");
    assert_eq!(silent.connections(), 1, "it is waited for once a round");
    let nonsense = Server::start(Manners { talks_nonsense: true, ..Manners::default() });
    let settings = world.settings(&plain(&nonsense, &["a@example.org"]));
    let error = world.not_told(&settings, NOW);
    assert!(error.fact().ends_with("its answer is not SMTP"), "{error}");
    let settings =
        world.settings(&plain(&nonsense, &["a@example.org"]).replace("none", "implicit"));
    let error = world.not_told(&settings, NOW);
    assert!(error.fact().contains("it does not use TLS"), "{error}");
}

#[test]
fn a_password_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let (world, server) = (World::new(&[]), Server::start(manners(Offer::Starttls)));
    let settings = secured(&world, &server, "starttls", &["ops@example.org"]);
    for (mode, warns) in
        [(0o600, false), (0o400, false), (0o640, true), (0o644, true), (0o602, true)]
    {
        fs::set_permissions(world.path("password"), fs::Permissions::from_mode(mode)).unwrap();
        let warning = settings.warning(world.home.folder());
        assert_eq!(warning.is_some(), warns, "{mode:o} {warning:?}");
        assert!(warning.is_none_or(|text| text.contains("chmod 600")));
    }
}
