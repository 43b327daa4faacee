//! `alerts.toml`: errors name the line, and a file that other users can write is rejected.

use super::*;
use olr::alert::{EXAMPLE, Tls};
use olr_core::error::Remedy;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

const GOOD: &str = "server = \"backup-1\"\n\
[command]\n\
program = \"/bin/true\"\n\
args = [\"a\"]\n\
timeout = 5\n\
[mail]\n\
host = \"mail.example.org\"\n\
port = 2525\n\
tls = \"starttls\"\n\
from = \"a@example.org\"\n\
to = [\"b@example.org\",\n\
  \"c@example.org\"]\n\
user = \"u\"\n\
password-file = \"p\"\n\
ca-file = \"c\"\n\
timeout = 7\n";

#[test]
fn what_is_good_is_taken() {
    let settings = Settings::parse(GOOD).unwrap();
    assert_eq!(settings.ways().len(), 3);
    let mail = settings.mail.unwrap();
    assert_eq!((mail.port(), mail.tls, mail.timeout), (2525, Tls::Starttls, 7));
    let example = Settings::parse(EXAMPLE).unwrap();
    assert_eq!(example.mail.unwrap().port(), 587);
    let all = EXAMPLE.replace("# server", "server").replace("# port", "port");
    let all = all.replace("# user", "user").replace("# password", "password").replace("# ca", "ca");
    assert_eq!(Settings::parse(&all).unwrap().mail.unwrap().user.unwrap(), "backup-1");
    for (tls, port) in [("implicit", 465), ("starttls", 587)] {
        let text = GOOD.replace("port = 2525\n", "").replace("starttls", tls);
        assert_eq!(Settings::parse(&text).unwrap().mail.unwrap().port(), port);
    }
    for address in ["root@localhost", "a.b+c@x-1.example", "_@1.2", "o'neil=x@e.org"] {
        assert!(Settings::parse(&GOOD.replace("a@example.org", address)).is_ok(), "{address}");
    }
    for host in ["localhost", "127.0.0.1", "::1", "2001:db8::1", "xn--bcher-kva.example"] {
        assert!(Settings::parse(&GOOD.replace("mail.example.org", host)).is_ok(), "{host}");
    }
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let long = "x".repeat(65);
    let (nine, many) = (format!("args = [{}]", "\"a\",".repeat(65)), "\"x@e.org\",".repeat(17));
    let cases: &[(&str, &str, usize, &str)] = &[
        ("server = \"backup-1\"", "server = \"\"", 1, "a name must have 1 to 64 bytes"),
        (
            "server = \"backup-1\"",
            &format!("server = {long:?}"),
            1,
            "a name must have 1 to 64 bytes",
        ),
        (
            "server = \"backup-1\"",
            "server = \"a\\nb\"",
            1,
            "no control, invisible or private-use characters",
        ),
        (
            "server = \"backup-1\"",
            "server = \"\\u202e\"",
            1,
            "no control, invisible or private-use characters",
        ),
        ("server = \"backup-1\"", "server = 7", 1, "the text 7 needs quotes"),
        ("server =", "name =", 1, "unknown key \"name\""),
        ("\"/bin/true\"", "\"true\"", 3, "not an absolute path"),
        ("\"/bin/true\"", "\"\"", 3, "not an absolute path"),
        ("\"/bin/true\"", "\"~/notify\"", 3, "not an absolute path"),
        ("\"/bin/true\"", "\"/bin/\\u0000\"", 3, "a zero byte"),
        ("args = [\"a\"]", "args = [\"a\\u0000\"]", 4, "a zero byte"),
        ("program =", "run =", 3, "unknown key \"run\""),
        ("args = [\"a\"]", "args = \"a\"", 4, "args is a text, but a list is needed"),
        ("args = [\"a\"]", &nine, 4, "more than 64 arguments"),
        ("timeout = 5", "timeout = 0", 5, "a timeout must be 1 to 300 seconds"),
        ("timeout = 5", "timeout = 301", 5, "a timeout must be 1 to 300 seconds"),
        ("timeout = 5", "timeout = -1", 5, "-1 is not a whole number"),
        ("timeout = 5", "timeout = \"5\"", 5, "timeout is a text, but a whole number is needed"),
        ("timeout = 5", "timeout = 5\ntimeout = 6", 6, "timeout is defined twice, first in line 5"),
        ("\"mail.example.org\"", "\"\"", 7, "neither a host name"),
        ("\"mail.example.org\"", "\"mail example.org\"", 7, "neither a host name"),
        ("\"mail.example.org\"", "\"mail.example.org:25\"", 7, "neither a host name"),
        ("\"mail.example.org\"", "\"smtp://mail\"", 7, "neither a host name"),
        ("\"mail.example.org\"", "\"a..b\"", 7, "neither a host name"),
        ("\"mail.example.org\"", "\"-a.b\"", 7, "neither a host name"),
        ("\"mail.example.org\"", "\"bücher.example\"", 7, "neither a host name"),
        ("port = 2525", "port = 0", 8, "port 0 does not exist"),
        ("port = 2525", "port = 65536", 8, "the number 65536 is too large"),
        ("\"starttls\"", "\"STARTTLS\"", 9, "\"STARTTLS\" is not a valid value"),
        ("\"starttls\"", "\"required\"", 9, "\"required\" is not a valid value"),
        ("\"starttls\"", "true", 9, "a value of the wrong kind"),
        ("\"a@example.org\"", "\"a\"", 10, "this is not a mail address"),
        ("\"a@example.org\"", "\"A <a@example.org>\"", 10, "this is not a mail address"),
        ("\"a@example.org\"", "\"a@b@c\"", 10, "this is not a mail address"),
        ("\"a@example.org\"", "\".a@example.org\"", 10, "this is not a mail address"),
        ("\"a@example.org\"", "\"a@example.org\\r\\nBcc: x@y\"", 10, "this is not a mail address"),
        ("\"a@example.org\"", "\"a@[127.0.0.1]\"", 10, "this is not a mail address"),
        ("\"a@example.org\"", "\"ä@example.org\"", 10, "this is not a mail address"),
        ("\"a@example.org\"", &format!("\"{long}@example.org\""), 10, "this is not a mail address"),
        ("\"c@example.org\"", "\"c\"", 12, "this is not a mail address"),
        ("\"c@example.org\"", "\"B@Example.org\"", 11, "a recipient appears twice"),
        ("\"c@example.org\"", &many, 11, "the number of recipients must be 1 to 16"),
        (
            "\"b@example.org\",\n\"c@example.org\"",
            "",
            11,
            "the number of recipients must be 1 to 16",
        ),
        ("user = \"u\"\n", "", 13, "a password needs a user"),
        ("password-file = \"p\"\n", "", 13, "a user needs a password"),
        ("password-file = \"p\"", "password = \"secret\"", 14, "unknown key \"password\""),
        ("password-file = \"p\"", "password-file = \"\"", 14, "the file name is empty"),
        ("ca-file = \"c\"", "ca-file = \"\"", 15, "the file name is empty"),
        ("\"starttls\"", "\"none\"", 13, "the password would be sent unencrypted"),
        ("timeout = 7", "timeout = 3000000000", 16, "a timeout must be 1 to 300 seconds"),
        ("timeout = 7", "timeout = ", 16, "there is no value after timeout ="),
        ("[mail]", "[mail", 6, "the heading does not end with ]"),
        ("[mail]", "[mails]", 6, "unknown key \"mails\""),
    ];
    for (from, to, line, says) in cases {
        assert!(GOOD.contains(from), "{from}");
        let error = Settings::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
        let place = format!("alerts.toml line {line}: ");
        assert!(error.fact().starts_with(&place) && error.fact().contains(says), "{to}: {error}");
        assert_eq!(error.exit_status(), 2);
        assert!(!error.next_step().text().is_empty());
    }
    let open =
        GOOD.replace("user = \"u\"\npassword-file = \"p\"\n", "").replace("starttls", "none");
    let error = Settings::parse(&open).unwrap_err();
    assert!(
        error.fact().starts_with("alerts.toml line 13: without TLS, no certificate is checked"),
        "{error}"
    );
    for (text, says) in [
        ("", "neither [command] nor [mail]"),
        ("server = \"a\"\n", "neither [command] nor [mail]"),
        ("[command]\n", "the key \"program\" is missing"),
        ("[mail]\nhost = \"h\"\nfrom = \"a@b\"\nto = [\"a@b\"]\n", "the key \"tls\" is missing"),
        ("\u{feff}[command", "the heading does not end with ]"),
    ] {
        let error = Settings::parse(text).unwrap_err();
        assert!(error.fact().contains(says), "{text}: {error}");
    }
    let secret = Settings::parse(&GOOD.replace("password-file = \"p\"", "password = \"hunter2\""));
    let error = secret.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"));
    assert!(error.next_step().text().contains("password-file"), "{}", error.next_step());
    assert!(Settings::parse(&"#".repeat(300_000)).is_err());
}

#[test]
fn settings_that_others_may_have_written_are_not_followed() {
    let world = World::new(&[]);
    let read = || Settings::read(world.home.folder());
    let error = read().unwrap_err();
    assert!(error.fact().contains("there are no settings for alerts"));
    assert_eq!(error.next_step().remedies(), [Remedy::ShowAlertSettings]);
    let path = world.path(SETTINGS);
    fs::write(&path, GOOD).unwrap();
    for (mode, taken) in [
        (0o600, true),
        (0o644, true),
        (0o444, true),
        (0o664, false),
        (0o646, false),
        (0o622, false),
        (0o666, false),
    ] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let read = read();
        assert_eq!(read.is_ok(), taken, "{mode:o}: {read:?}");
        assert!(read.err().is_none_or(|error| error.next_step().text().contains("chmod go-w")));
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, b"\xff").unwrap();
    assert!(read().unwrap_err().fact().ends_with("this is not UTF-8"));
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    assert!(read().unwrap_err().fact().ends_with("there is no such file"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(read().unwrap_err().exit_status(), 2);
    fs::remove_dir(&path).unwrap();
    // Only root can change the owner of a file.
    fs::write(&path, GOOD).unwrap();
    if chown(&path, Some(65_534), None).is_ok() {
        let error = read().unwrap_err();
        assert!(error.fact().contains("it belongs to user 65534"), "{error}");
    }
}
