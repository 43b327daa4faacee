//! What people write wrong in a grant, each with words of its own.

use crate::World;

#[test]
fn each_slip_has_its_own_hint() {
    let world = World::new();
    world.request(&[]).done();
    let grant = world.read("vendor/grant.toml");
    let note = grant.lines().find(|line| line.starts_with("note")).unwrap();
    let (expires, modules) = ("expires     = \"never\"", "OBM = 10");
    assert!(grant.contains(expires) && grant.contains(modules), "{grant}");
    for (from, to, fact, hint) in [
        (
            expires,
            "expires = 2027-12-31",
            "the day 2027-12-31 stands without quotes",
            "expires = \"2027-12-31\"",
        ),
        (
            expires,
            "expires = 2027-02-30",
            "the day 2027-02-30 stands without quotes",
            "expires = \"2027-02-30\"",
        ),
        (expires, "expires = 31/12/2027", "stands without quotes", "\"31/12/2027\""),
        (
            expires,
            "expires = “2027-12-31”",
            "U+201C LEFT DOUBLE QUOTATION MARK is no quote",
            "straight quotes",
        ),
        (expires, "expires = ‘2027-12-31’", "U+2018 LEFT SINGLE QUOTATION MARK", "straight quotes"),
        (expires, "expires = «never»", "'«' is no quote", "straight quotes"),
        (expires, "expires\u{a0}= \"never\"", "U+00A0 NO-BREAK SPACE stands outside", "delete it"),
        (expires, "\u{200b}expires = \"never\"", "U+200B ZERO WIDTH SPACE", "delete it"),
        (expires, "expires = \"never\"\u{3000}", "U+3000 IDEOGRAPHIC SPACE", "delete it"),
        (
            expires,
            "expires = \"2027-02-30\"",
            "there is no day 2027-02-30 in the calendar",
            "write a day",
        ),
        (expires, "expires = \"2027-13-01\"", "there is no day 2027-13-01", "write a day"),
        (expires, "expires = \"2027\u{2013}12\u{2013}31\"", "U+2013 EN DASH", "write a day"),
        (expires, "expires = \"never", "the quote \" is opened and never closed", "add \""),
        (expires, "expires = 'never", "the quote ' is opened and never closed", "add '"),
        (expires, "expires \"never\"", "there is no = between expires", "expires = \"never\""),
        (expires, "expires: \"never\"", "there is no = between expires", "expires = \"never\""),
        (expires, "expires = never", "the text never stands without quotes", "expires = \"never\""),
        (
            expires,
            "expires = 1 year",
            "the text 1 year stands without quotes",
            "expires = \"1 year\"",
        ),
        (expires, "expires =", "no value follows expires", "KEY = VALUE"),
        (expires, "= \"never\"", "no key stands before =", "KEY = VALUE"),
        (
            expires,
            "expires = \"never\"\nexpires = \"never\"",
            "expires stands twice, in line",
            "keep one",
        ),
        (expires, "expires = \"never\";", "semicolon", "expires = \"never\""),
        (expires, "// forever\nexpires = \"never\"", "comment", "#"),
        (
            expires,
            "expires = \"never\"\nnote = \"C:\\Users\\x\"",
            "a backslash in",
            "single quotes",
        ),
        (expires, "expires = \"never\"\nnote = \"D:\\data\"", "a backslash in", "single quotes"),
        (modules, "OBM = 10,000", "the number 10,000 has something between", "OBM = 10000"),
        (modules, "OBM = 10.000", "the number 10.000 has something between", "OBM = 10000"),
        (modules, "OBM = 1 000 000", "has something between", "OBM = 1000000"),
        (modules, "OBM = 10,", "a comma stands at the end", "OBM = 10"),
        (modules, "OBM = True", "True is not written in lower case", "true"),
        (modules, "OBM = yes", "neither true nor false", "true"),
        (modules, "OBM = unlimited", "the text unlimited stands without quotes", "\"unlimited\""),
        (
            modules,
            "Backup Server = 10",
            "the key \"Backup Server\" has a blank",
            "\"Backup Server\" =",
        ),
        (modules, "Größe = 10", "'ö'", "in quotes"),
        (modules, "OBM ＝ 10", "'＝' (full width)", "in quotes"),
        ("[modules]", "[modules", "the heading lacks its ]", "[modules]"),
        ("[modules]", "[modules]\n[modules]", "[modules] stands twice", "keep one"),
    ] {
        world.write("bad.toml", grant.replacen(from, to, 1));
        let run = world.olr(&["issue", "req.olr", "--grant", "bad.toml"]);
        run.unable(fact).hint(hint);
        assert!(run.fact().contains("bad.toml: grant line "), "{to}: {}", run.fact());
    }
    // What is right stays right: a mark in front, tabs, quotes in quotes, a comment.
    for (from, to) in [
        (expires, "expires\t=\t\"never\"\t# “for ever”, it's said"),
        (note, "note = \"it's \\\"here\\\" \u{a0}– “so”\""),
        (note, "note = \"\"\"two\nlines, = and [\"\"\""),
    ] {
        world.write("good.toml", grant.replacen(from, to, 1));
        world.olr(&["issue", "req.olr", "--grant", "good.toml", "--dry-run"]).done();
    }
    for right in [grant.replace('\n', "\r\n"), format!("\u{feff}{grant}")] {
        world.write("good.toml", right);
        world.olr(&["issue", "req.olr", "--grant", "good.toml", "--dry-run"]).done();
    }
}

#[test]
fn names_that_look_alike_are_told_apart() {
    let world = World::new();
    for (licensee, says) in [
        ("ACME\u{a0}Ltd", "U+00A0 NO-BREAK SPACE, the grant has U+0020 SPACE"),
        ("\u{410}CME Ltd", "U+0410 'А' (Cyrillic), the grant has U+0041 LATIN CAPITAL LETTER A"),
        ("ACME  Ltd", "the request has U+0020 SPACE"),
        ("Acme Ltd", "only in upper and lower case"),
    ] {
        world.request(&["--licensee", licensee, "--force"]);
        let run = world.olr(&[
            "request",
            "--trust",
            "vendor/vendor.trust",
            "--licensee",
            licensee,
            "--key",
            "AbCd-1234",
            "--pin",
            "a=b",
            "--pin",
            "c=d",
            "-o",
            "alike.olr",
            "--force",
        ]);
        run.done();
        let run = world.olr(&["issue", "alike.olr", "--grant", "vendor/grant.toml"]);
        run.refused("wrong-licensee");
        assert!(run.fact().contains(says), "{}", run.fact());
    }
    // Composed and decomposed letters become one when they are typed; a file may hold the others.
    world.edit("vendor/grant.toml", "ACME Ltd", "Cafe\u{301} Ltd");
    let args = ["request", "--licensee", "Café Ltd", "-o", "alike.olr", "--force"];
    world.olr(&args).done();
    let run = world.olr(&["issue", "alike.olr", "--grant", "vendor/grant.toml"]);
    run.refused("wrong-licensee");
    assert!(run.fact().contains("U+0301 COMBINING ACUTE ACCENT"), "{}", run.fact());
    // Of a key no character is shown.
    world.edit("vendor/grant.toml", "Cafe\u{301} Ltd", "Café Ltd");
    world.olr(&["request", "--key", "AbCd-I234", "-o", "alike.olr", "--force"]).done();
    let run = world.olr(&["issue", "alike.olr", "--grant", "vendor/grant.toml"]);
    run.refused("wrong-licensee");
    assert!(run.fact().ends_with("they differ from character 6 on"), "{}", run.fact());
    assert!(!run.json.to_string().contains("I234") && !run.json.to_string().contains("1234"));
}
