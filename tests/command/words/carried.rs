//! Files that are not artefacts, and artefacts inside saved mails.

use crate::words::{Run, World};
use std::fs;

#[test]
fn files_of_other_programs_are_named_for_what_they_are() {
    let world = World::activated();
    let tar = [&[0; 257][..], b"ustar\0", &[0; 300]].concat();
    let docx = [&b"PK\x03\x04\x14\0\x06\0"[..], b"word/document.xml"].concat();
    for (content, what) in [
        (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "a picture (PNG)"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture (JPEG)"),
        (b"GIF89a", "a picture (GIF)"),
        (b"BM\x36\0\x0c\0", "a picture (BMP)"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"PK\x03\x04\x14\0\0\0\x08\0license.olr", "a ZIP archive"),
        (b"PK\x05\x06\0\0", "an empty ZIP archive"),
        (&docx, "a Word document (DOCX)"),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"),
        (b"\xfd7zXZ\0\0", "an xz archive"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
        (&tar, "a tar archive"),
        (b"{\\rtf1\\ansi x}", "an RTF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "Outlook"),
        (b"\x78\x9f\x3e\x22\x01", "winmail.dat"),
        (b"<!DOCTYPE html>\n<html><body>Hi</body></html>", "a web page (HTML)"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "a certificate (PEM)"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB\n", "a private key (PEM)"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", "an SSH private key"),
        (b"ssh-ed25519 AAAA me@here\n", "an SSH public key"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQEM\n", "an encrypted message (OpenPGP)"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "a public key (OpenPGP)"),
        (b"From: a@b\nContent-Type: text/plain\n\nHello\n", "a mail without an olr file"),
        (b"\x7fELF\x02\x01", "a program"),
        (&[0; 4096], "only zero bytes"),
        (b" \r\n\t\n", "only blanks"),
        (b"", "it is empty"),
        (b"Dear all, see below.\n", "not an olr file"),
        (b"BMW has bought it\n", "not an olr file"),
    ] {
        fs::write(world.path("other"), content).unwrap();
        for args in [&["import", "other"][..], &["verify", "other"], &["inspect", "other"]] {
            let run = world.olr(args);
            run.refused("malformed");
            assert!(run.fact().contains(what), "{what}: {}", run.fact());
            assert!(!run.json["hint"].as_str().unwrap().is_empty());
        }
    }
    // A photo is longer than any olr file, and is still recognized.
    let photo = [&b"\xff\xd8\xff\xe0"[..], &vec![7; 2 << 20]].concat();
    fs::write(world.path("other"), photo).unwrap();
    let run = world.olr(&["import", "other"]);
    run.refused("malformed").hint("a picture (JPEG)");
    // Staff write a grant themselves, so nobody can send it again.
    fs::write(world.path("grant.toml"), "licensee = \"ACME Ltd\"\n").unwrap();
    let run = world.olr(&["inspect", "grant.toml"]);
    run.refused("malformed").hint("correct it in an editor");
}

#[test]
fn a_saved_mail_is_imported_as_it_is() {
    let world = World::new();
    world.request(&[]).done();
    world.issue(&[]).done();
    let license = world.read("license.olr");
    let base64 = data_encoding::BASE64.encode(license.as_bytes());
    let lines: Vec<_> = base64.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
    let mail = format!(
        "Subject: Your license\nFrom: s@example.org\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"===1==\"\n\n--===1==\n\
         Content-Type: text/plain; charset=\"utf-8\"\n\nHello, see attached.\n\n--===1==\n\
         Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment; filename=\"license.olr\"\n\n{}\n\n--===1==--\n",
        lines.join("\n")
    );
    world.write("mail.eml", &mail);
    assert_eq!(world.olr(&["inspect", "mail.eml"]).done().json["kind"], "license");
    assert_eq!(world.olr(&["import", "mail.eml"]).done().json["imported"], "installed");
    // Another mail parser finds the same part.
    let parsed = mailparse::parse_mail(mail.as_bytes()).unwrap();
    assert_eq!(parsed.subparts[1].get_body_raw().unwrap(), license.as_bytes());
}

#[test]
fn an_answer_to_another_request_names_both_by_their_codes() {
    let world = World::activated();
    let code = |run: &Run| run.done().json["code"].as_str().unwrap().to_string();
    let restored = world.olr(&["request"]);
    fs::copy(world.path("home/state"), world.path("backup")).unwrap();
    let lost = code(&world.olr(&["request"]));
    world.issue(&["--force"]).done();
    for name in ["home/state", "home/state.copy"] {
        fs::copy(world.path("backup"), world.path(name)).unwrap();
    }
    world.olr(&["vendor", "time-anchor", "req.olr"]).done();
    for file in ["license.olr", "time.olr"] {
        let run = world.olr(&["import", file]);
        run.refused("wrong-request").hint("make a new request here");
        run.hint("(--home DIR, `olr request`)");
        assert!(run.fact().contains(&format!("answers request 3 (code {lost})")), "{}", run.fact());
        let newest = format!("request 2, code {}", code(&restored));
        assert!(run.fact().contains(&newest), "{}", run.fact());
    }
    // The lost request was already answered, so the office must confirm that the home may have been
    // restored from a backup.
    world.olr(&["request", "--force"]).done();
    world.issue(&["--force"]).unable("restored from a backup");
    world.issue(&["--force", "--yes"]).done();
    world.olr(&["import", "license.olr"]).done();
}

#[test]
fn a_file_of_another_vendor_names_the_vendor_of_this_home() {
    let world = World::activated();
    world.olr(&["vendor", "init", "other", "--name", "Southwind", "--no-passphrase"]).done();
    let other = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        world.olr(&words).done();
    };
    other("request --home theirs --trust other/vendor.trust --licensee ACME --key K -o their.req");
    other("vendor time-anchor their.req --vendor other -o time.olr");
    let grant =
        world.read("other/grant.toml").replace("ACME Ltd", "ACME").replace("AbCd-1234", "K");
    world.write("other/grant.toml", grant);
    other("issue their.req --vendor other --grant other/grant.toml -o their.license");
    for line in [
        "import time.olr",
        "import their.license",
        "import other/vendor.trust",
        "verify their.license",
    ] {
        let run = world.olr(&line.split(' ').collect::<Vec<_>>());
        run.refused("wrong-vendor").hint("this home trusts Northwind (code ");
        run.hint("name the home of its vendor (--home DIR)");
    }
}

#[test]
fn a_damaged_file_and_an_empty_home_are_named() {
    let world = World::activated();
    let text = world.read("license.olr");
    let raw = olr_core::armor::dearmor(None, text.as_bytes()).unwrap();
    let newer = [&raw[..4], &[9], &raw[5..]].concat();
    for (name, bytes, word) in [
        ("short.bin", &raw[..100], "malformed"),
        ("long.bin", &[&raw[..], b"more"].concat(), "malformed"),
        ("newer.bin", &newer, "unknown-version"),
    ] {
        world.write(name, bytes);
        for verb in ["import", "verify", "inspect"] {
            let run = world.olr(&[verb, name]);
            run.refused(word);
            assert_eq!(run.fact().matches(name).count(), 1, "{verb}: {}", run.fact());
        }
    }
    world.olr(&["import", "license.olr", "--home", "empty"]).unable("empty: nothing was requested");
}

#[test]
fn with_a_picture_on_stdout_the_object_is_on_stderr() {
    let world = World::activated();
    let output = world.command(&["simulate", "--svg", "-", "--json"]).output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"<svg "), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with('{'), "{stderr}");
    for args in [&["simulate", "--help"][..], &["request", "--help"]] {
        let help = world.text(args);
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("on stderr if a file goes to stdout"), "{help}");
        assert!(help.contains("to stderr"), "{help}");
    }
    assert!(world.text(&["simulate", "--help"]).contains("a license is revoked or pooled"));
}
