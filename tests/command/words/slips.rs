//! Mistakes in a grant or a catalog, other files in their place, and names that look alike: each
//! has its own message.

use crate::words::World;

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
            "the day 2027-12-31 needs quotes",
            "expires = \"2027-12-31\"",
        ),
        (
            expires,
            "expires = 2027-02-30",
            "the day 2027-02-30 needs quotes",
            "expires = \"2027-02-30\"",
        ),
        (expires, "expires = 31/12/2027", "needs quotes", "= \"2027-12-31\""),
        (
            expires,
            "expires = “2027-12-31”",
            "U+201C LEFT DOUBLE QUOTATION MARK is not a quotation mark",
            "straight quotes",
        ),
        (expires, "expires = ‘2027-12-31’", "U+2018 LEFT SINGLE QUOTATION MARK", "straight quotes"),
        (expires, "expires = «never»", "'«' is not a quotation mark", "straight quotes"),
        (
            expires,
            "expires\u{a0}= \"never\"",
            "U+00A0 NO-BREAK SPACE is not allowed outside",
            "delete it",
        ),
        (expires, "\u{200b}expires = \"never\"", "U+200B ZERO WIDTH SPACE", "delete it"),
        (expires, "expires = \"never\"\u{3000}", "U+3000 IDEOGRAPHIC SPACE", "delete it"),
        (expires, "expires = \"2027-02-30\"", "the day 2027-02-30 does not exist", "write a day"),
        (expires, "expires = \"2027-13-01\"", "the day 2027-13-01 does not exist", "write a day"),
        (expires, "expires = \"2027\u{2013}12\u{2013}31\"", "U+2013 EN DASH", "write 2027-12-31"),
        (expires, "expires = \"never", "the quote \" is opened but not closed", "in \"…\""),
        (expires, "expires = 'never", "the quote ' is opened but not closed", "in \"…\""),
        (expires, "expires \"never\"", "there is no = between expires", "expires = \"never\""),
        (
            expires,
            "expires : \"never\"",
            "there is no = between expires",
            "write expires = \"never\"",
        ),
        (
            expires,
            "expires :\"never\"",
            "there is no = between expires",
            "write expires = \"never\"",
        ),
        (expires, "expires: \"never\"", "there is no = between expires", "expires = \"never\""),
        (expires, "expires = never", "the text never needs quotes", "expires = \"never\""),
        (expires, "expires = 1 year", "the text 1 year needs quotes", "expires = \"1 year\""),
        (expires, "expires =", "there is no value after expires", "KEY = VALUE"),
        (expires, "= \"never\"", "there is no key before =", "KEY = VALUE"),
        (
            expires,
            "expires = \"never\"\nexpires = \"never\"",
            "expires is defined twice, first in line",
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
        (modules, "OBM = 10,000", "the number 10,000 has other characters between", "OBM = 10000"),
        (modules, "OBM = 10.000", "the number 10.000 has other characters between", "OBM = 10000"),
        (modules, "OBM = 1 000 000", "has other characters between", "OBM = 1000000"),
        (modules, "OBM = 10,", "there is a comma at the end", "OBM = 10"),
        (modules, "OBM = True", "True must be in lower case", "true"),
        (modules, "OBM = yes", "neither true nor false", "true"),
        (modules, "OBM = unlimited", "the text unlimited needs quotes", "\"unlimited\""),
        (
            modules,
            "Backup Server = 10",
            "the key \"Backup Server\" contains a space",
            "\"Backup Server\" =",
        ),
        (modules, "Größe = 10", "'ö'", "in quotes"),
        (modules, "OBM ＝ 10", "'＝' (full width)", "in quotes"),
        ("[modules]", "[modules", "the heading does not end with ]", "[modules]"),
        ("[modules]", "[modules]\n[modules]", "[modules] is defined twice", "keep one"),
    ] {
        world.write("bad.toml", grant.replacen(from, to, 1));
        let run = world.olr(&["issue", "req.olr", "--grant", "bad.toml"]);
        run.unable(fact).hint(hint);
        assert!(run.fact().contains("bad.toml: grant line "), "{to}: {}", run.fact());
    }
    // Unusual but valid files stay valid: a BOM, tabs, nested quotes, a comment.
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

/// For a wrong value, the message says what was written, what is wrong, and what to write.
#[test]
fn a_value_of_another_kind_is_told_with_what_to_write() {
    let world = World::new();
    world.request(&[]).done();
    let grant = world.read("vendor/grant.toml");
    let expires = "expires     = \"never\"";
    let languages = "languages   = [\"en\"]";
    assert!(grant.contains(expires) && grant.contains(languages), "{grant}");
    let check = |from: &str, key: &str, value: &str, fact: &str, hint: &str| {
        world.write("bad.toml", grant.replacen(from, &format!("{key} = {value}"), 1));
        let run = world.olr(&["issue", "req.olr", "--grant", "bad.toml"]);
        run.unable(fact).hint(hint);
        assert!(run.fact().contains("bad.toml: grant line "), "{value}: {}", run.fact());
    };
    let list = "languages = [\"en\", \"de\"]";
    for (value, fact) in [
        ("\"en, de\"", "languages is a text, but a list is needed"),
        ("\"en; de\"", "languages is a text"),
        ("\"[en, de]\"", "languages is a text"),
        ("en, de", "languages is not a list"),
        ("(en de)", "languages is not a list"),
        ("\"en\", \"de\"", "languages is not a list"),
        ("{en, de}", "languages is in braces"),
        ("[en, de]", "an entry of languages lacks quotes or a comma"),
        ("['en', de]", "an entry of languages lacks quotes or a comma"),
        ("[\"en\" \"de\"]", "an entry of languages lacks quotes or a comma"),
        ("[\"en\"; \"de\"]", "an entry of languages lacks quotes or a comma"),
        ("[\"en\",, \"de\"]", "an entry of languages lacks quotes or a comma"),
        ("[\"en, de\"", "the list is opened with [ but never closed"),
    ] {
        check(languages, "languages", value, fact, list);
    }
    check(languages, "languages", "[1]", "is not a text in quotes", "languages = [\"1\"]");
    check(languages, "languages", "[\nen,\n]", "the text en needs quotes", "write \"en\",");
    let lacks = "an entry of languages lacks quotes or a comma";
    for line in ["en, de", "en,de", "en, de,", "en; de", "\"en\", de", "en, 'de'", "en \"de\""] {
        let value = format!("[\n{line}\n]");
        check(languages, "languages", &value, lacks, "write \"en\", \"de\",");
    }
    for (value, fact, hint) in [
        ("010", "the number 010 starts with a zero", "OBM = 10"),
        ("00", "the number 00 starts with a zero", "OBM = 0"),
        ("50%", "50% is not a whole number", "OBM = 50"),
        ("50 %", "50 % is not a whole number", "OBM = 50"),
        ("10 pcs", "10 pcs is not a whole number", "OBM = 10"),
        ("~10", "~10 is not a whole number", "OBM = 10"),
        ("10€", "10€ is not a whole number", "OBM = 10"),
        ("10k", "10k is not a whole number", "such as OBM = 10, or \"unlimited\""),
        ("1e3", "1e3 is not a whole number", "a whole number, such as"),
        ("10.5", "10.5 is not a whole number", "a whole number, such as"),
        ("-5", "-5 is not a whole number", "a whole number, such as"),
        ("0b12", "0b12 is not a whole number", "a whole number, such as"),
        ("99999999999999999999", "is too large", "a whole number, such as"),
        ("[10]", "OBM is a list, but a whole number is needed", "OBM = 10"),
        ("{ quota = 10 }", "OBM is a table", "OBM = 10"),
        ("\"10\"", "\"10\" is not a quantity", "write 10 without quotes"),
        ("\"Unlimited\"", "is not a quantity", "write \"unlimited\""),
        ("2027-12-31", "is not a whole number", "a whole number, such as"),
        ("= 10", "there is == where = is needed", "OBM = 10"),
        ("> 10", "there is => where = is needed", "OBM = 10"),
    ] {
        let sign = if value.starts_with(['=', '>']) { "OBM =" } else { "OBM = " };
        world.write("bad.toml", grant.replacen("OBM = 10", &format!("{sign}{value}"), 1));
        world.olr(&["issue", "req.olr", "--grant", "bad.toml"]).unable(fact).hint(hint);
    }
    for (value, fact, hint) in [
        ("31.12.2027", "the day 31.12.2027 needs quotes", "= \"2027-12-31\""),
        ("31. 12. 2027", "needs quotes", "= \"2027-12-31\""),
        ("31-12-2027", "needs quotes", "= \"2027-12-31\""),
        ("1.1.27", "needs quotes", "= \"2027-01-01\""),
        ("2027.12.31", "needs quotes", "= \"2027-12-31\""),
        ("20271231", "needs quotes", "= \"2027-12-31\""),
        ("31 Dec 2027", "needs quotes", "= \"2027-12-31\""),
        ("2027-12-31T00:00:00Z", "needs quotes", "= \"2027-12-31\""),
        ("12/5/2027", "needs quotes", "= \"2027-05-12\" or \"2027-12-05\""),
        ("\"31.12.2027\"", "is not a day", "write 2027-12-31"),
        ("\"12/5/2027\"", "is not a day", "write 2027-05-12 or 2027-12-05"),
        ("\"2027-1-5\"", "is not a day", "write 2027-01-05"),
        ("\"Never\"", "is not a span", "write \"never\""),
        ("365", "neither a day nor a span", "= \"365 days\""),
        ("2027", "neither a day nor a span", "or a day such as"),
        ("[\"never\"]", "is a list, but a text in quotes is needed", "= \"never\""),
    ] {
        check(expires, "expires", value, fact, hint);
    }
    check("key         = \"AbCd-1234\"", "key", "0123", "the text 0123", "key = \"0123\"");
    // The line above is valid, and must not be reported.
    for above in ["OBM = \"unlimited\"", "OBM = 0x1F", "OBM = 1_000"] {
        world.write("bad.toml", grant.replacen("OBM = 10", &format!("{above}\n<<<"), 1));
        world.olr(&["issue", "req.olr", "--grant", "bad.toml"]).unable("grant line 16");
    }
}

#[test]
fn slips_of_a_catalog_are_told_like_those_of_a_grant() {
    let world = World::new();
    let catalog = world.read("vendor/catalog.toml");
    let truth = "offline = true\nterm";
    let below = "[module.OBM]";
    for (from, to, fact, hint) in [
        ("slots = [\"backup\"", "slots = \"backup\" #", "slots is a text", "slots = [\"backup\"]"),
        (truth, "offline = 1\nterm", "1 is neither true nor false", "offline = true"),
        (truth, "offline = \"yes\"\nterm", "offline is a text", "offline = true"),
        (truth, "offline = maybe\nterm", "maybe is neither", "offline = true or offline = false"),
        ("share = 50", "share = 60%", "60% is not a whole number", "share = 60"),
        ("share = 50", "share = \"60\"", "share is a text", "share = 60"),
        ("share = 50", "share = 060", "starts with a zero", "share = 60"),
        ("share = 50", "share = 99999999999", "is too large", "a whole number"),
        (below, "[module.OBM]\nminimum_version = 10.1", "the text 10.1", "\"10.1\""),
        (below, "[module.OBM]\nminimum_version = 10.1.12", "the text 10.1.12", "\"10.1.12\""),
        (below, "[module.OBM]\nrequires = ACB", "requires is not a list", "[\"ACB\"]"),
        (below, "[module.OBM]\nextra = \"x\"", "a table is needed", "[module.OBM.extra]"),
        ("[[product]]", "[product]", "there can be several product tables", "[[product]]"),
        ("term = \"never\"", "term = 365", "neither a day nor a span", "term = \"365 days\""),
    ] {
        assert!(catalog.contains(from), "{from}");
        world.write("bad.toml", catalog.replacen(from, to, 1));
        let run = world.olr(&["vendor", "check-catalog", "bad.toml"]);
        run.unable(fact).hint(hint);
        assert!(run.fact().contains("bad.toml: catalog line "), "{to}: {}", run.fact());
    }
}

#[test]
fn another_file_in_the_place_of_a_catalog_or_a_grant_is_named() {
    let world = World::activated();
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAA\n-----END PRIVATE KEY-----\n";
    let request: Vec<u8> = b"OLR\x01".to_vec();
    for (name, content) in [
        ("private.pem", pem.as_bytes()),
        ("public.pem", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        ("cert.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("catalog.json", b"{\"product\": []}"),
        ("catalog.xml", b"<?xml version=\"1.0\"?><catalog/>"),
        ("empty.toml", b""),
        ("blank.toml", b" \n\n"),
        ("wide.toml", b"\xff\xfep\0r\0o\0"),
        ("binary.bin", b"\x7fELF\x02\x01\xff\xfe"),
        ("bytes.bin", &[&request[..], b"\xff\xfe"].concat()),
    ] {
        world.write(name, content);
    }
    for (name, says) in [
        ("private.pem", "this is a private key (PEM), not a "),
        ("public.pem", "this is a public key (PEM), not a "),
        ("cert.pem", "this is a certificate (PEM), not a "),
        ("req.olr", "this is an olr file (request), not a "),
        ("license.olr", "this is an olr file (license), not a "),
        ("vendor/vendor.trust", "this is an olr file (trust), not a "),
        ("vendor/keys/issuer.key", "this is an olr file (key file), not a "),
        ("catalog.json", "this is JSON, not a "),
        ("catalog.xml", "this is XML, not a "),
        ("empty.toml", "it is empty"),
        ("blank.toml", "it is empty"),
        ("wide.toml", "it is UTF-16 text"),
        ("binary.bin", "this is a program, not a text file"),
        ("bytes.bin", "it is not UTF-8 text"),
    ] {
        for args in [&["vendor", "check-catalog", name][..], &["issue", "req.olr", "--grant", name]]
        {
            let run = world.olr(args);
            run.unable(says);
            assert!(run.fact().starts_with(name), "{}", run.fact());
        }
    }
    world.olr(&["vendor", "check-catalog", "private.pem"]).hint("keep it secret");
    let run = world.olr(&["vendor", "check-catalog", "vendor/grant.toml"]);
    run.unable("this is a grant, not a catalog").hint("catalog.toml");
    let run = world.olr(&["issue", "req.olr", "--grant", "vendor/catalog.toml"]);
    run.unable("this is a catalog, not a grant").hint("grant.toml");
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
    // Typed letters are normalized; a file may hold decomposed ones.
    world.edit("vendor/grant.toml", "ACME Ltd", "Cafe\u{301} Ltd");
    let args = ["request", "--licensee", "Café Ltd", "-o", "alike.olr", "--force"];
    world.olr(&args).done();
    let run = world.olr(&["issue", "alike.olr", "--grant", "vendor/grant.toml"]);
    run.refused("wrong-licensee");
    assert!(run.fact().contains("U+0301 COMBINING ACUTE ACCENT"), "{}", run.fact());
    // No character of a license key is shown.
    world.edit("vendor/grant.toml", "Cafe\u{301} Ltd", "Café Ltd");
    world.olr(&["request", "--key", "AbCd-I234", "-o", "alike.olr", "--force"]).done();
    let run = world.olr(&["issue", "alike.olr", "--grant", "vendor/grant.toml"]);
    run.refused("wrong-licensee");
    assert!(run.fact().ends_with("they differ from character 6 on"), "{}", run.fact());
    assert!(!run.json.to_string().contains("I234") && !run.json.to_string().contains("1234"));
}
