//! Damage that is refused: the missing data cannot be guessed, or the result is ambiguous, or the
//! inserted characters have a meaning in the format.

use crate::carried::hand::Carry::{self, Bytes, Text};
use crate::carried::hand::{
    around, every, fixture, in_data, parts, percent_encoded, prefixed, rot13, utf16, with_data,
};

/// One row: who causes the damage, what it is, how to cause it, the refusal words that the three
/// artefacts may get, and why they are refused.
pub struct Refused {
    pub by: &'static str,
    pub damage: &'static str,
    pub carry: Carry,
    pub words: &'static [&'static str],
    pub why: &'static str,
}

const fn row(
    by: &'static str,
    damage: &'static str,
    carry: Carry,
    words: &'static [&'static str],
    why: &'static str,
) -> Refused {
    Refused { by, damage, carry, words, why }
}

const MALFORMED: &[&str] = &["malformed"];
const LOST: &str = "data is missing";
const FOREIGN: &str = "it contains characters that are not base64";
const MARKERS: &str = "its first or last line is not recognized";
const DIGITS: &str = "letters and digits are base64 too";
const OTHER: &str = "it decodes to other bytes";

pub const REFUSED: &[Refused] = &[
    // Lost data.
    row("phones", "cut off at the end", Text(|t| t[..t.len() * 2 / 3].into()), MALFORMED, LOST),
    row(
        "people",
        "the last line was not copied",
        Text(|t| t.replace(parts(t).2, "")),
        MALFORMED,
        LOST,
    ),
    row(
        "people",
        "the first line was not copied",
        Text(|t| t.replace(parts(t).0, "")),
        MALFORMED,
        LOST,
    ),
    row(
        "web mail",
        "\"message clipped\" in place of the end",
        Text(|t| format!("{}\n[Message clipped]\n", &t[..t.len() / 2])),
        MALFORMED,
        LOST,
    ),
    row(
        "people",
        "\"...\" in place of the middle",
        Text(|t| {
            let (_, data, _) = parts(t);
            with_data(t, &[data[0], "...", data[data.len() - 1]])
        }),
        MALFORMED,
        LOST,
    ),
    row(
        "people",
        "a line lost",
        Text(|t| {
            let (_, mut data, _) = parts(t);
            data.remove(1);
            with_data(t, &data)
        }),
        MALFORMED,
        LOST,
    ),
    row(
        "people",
        "a line twice",
        Text(|t| {
            let (_, mut data, _) = parts(t);
            data.insert(1, data[1]);
            with_data(t, &data)
        }),
        MALFORMED,
        OTHER,
    ),
    row(
        "people",
        "two lines swapped",
        Text(|t| {
            let (_, mut data, _) = parts(t);
            data.swap(1, 2);
            with_data(t, &data)
        }),
        &["malformed", "undecryptable"],
        OTHER,
    ),
    row(
        "people",
        "a character lost",
        Text(|t| in_data(t, |data| data.replacen("U9", "U", 1))),
        MALFORMED,
        LOST,
    ),
    row(
        "people",
        "a character added",
        Text(|t| in_data(t, |data| data.replacen("U9", "U9x", 1))),
        MALFORMED,
        OTHER,
    ),
    row(
        "transmission",
        "a character changed",
        Text(|t| {
            let mut t = t.to_string();
            let at = t.len() / 2;
            let c = if t[at..].starts_with('A') { "B" } else { "A" };
            t.replace_range(at..=at, c);
            t
        }),
        &["malformed", "undecryptable", "wrong-signature"],
        OTHER,
    ),
    row(
        "people",
        "the `=` at the end lost",
        Text(|t| t.replace('=', "")),
        MALFORMED,
        "more than the padding may be missing",
    ),
    // Changed letters.
    row(
        "forms, search fields",
        "all in lower case",
        Text(str::to_lowercase),
        MALFORMED,
        "base64 is case-sensitive",
    ),
    row(
        "forms",
        "all in upper case",
        Text(str::to_uppercase),
        MALFORMED,
        "base64 is case-sensitive",
    ),
    row(
        "phones",
        "a capital at the start of each line",
        Text(|t| {
            in_data(t, |data| {
                data.lines().map(|l| l[..1].to_uppercase() + &l[1..] + "\n").collect()
            })
        }),
        MALFORMED,
        OTHER,
    ),
    row(
        "text recognition",
        "`0` and `O`, `1` and `l` confused",
        Text(|t| in_data(t, |data| data.replace('0', "O").replace('l', "1"))),
        &["malformed", "no word"],
        OTHER,
    ),
    row(
        "spelling correction",
        "LICENSE, REQUEST or TRUST misspelled",
        Text(|t| {
            t.replace("LICENSE", "LICENCE").replace("REQUEST", "REQEST").replace("TRUST", "TRUSTS")
        }),
        MALFORMED,
        MARKERS,
    ),
    row(
        "spelling correction",
        "OLR becomes OR",
        Text(|t| t.replace("OLR", "OR")),
        MALFORMED,
        MARKERS,
    ),
    row(
        "translators",
        "the markers in another language",
        Text(|t| t.replace("BEGIN", "ANFANG").replace("END", "ENDE")),
        MALFORMED,
        MARKERS,
    ),
    row("forums", "ROT13", Text(rot13), MALFORMED, MARKERS),
    row(
        "East Asian keyboards",
        "full-width letters",
        Text(|t| in_data(t, |data| data.replace('A', "\u{ff21}"))),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "keyboards",
        "look-alike letters of another script",
        Text(|t| in_data(t, |data| data.replace('A', "\u{410}"))),
        MALFORMED,
        FOREIGN,
    ),
    // Text before or after each line.
    row(
        "editors",
        "line numbers before each line",
        Text(|t| t.lines().enumerate().map(|(n, l)| format!("{:6}  {l}\n", n + 1)).collect()),
        MALFORMED,
        DIGITS,
    ),
    row(
        "editors, listings",
        "line numbers with colons before each line",
        Text(|t| t.lines().enumerate().map(|(n, l)| format!("{}: {l}\n", n + 1)).collect()),
        MALFORMED,
        FOREIGN,
    ),
    row("mail", "quoted with initials, `BM> `", Text(|t| prefixed(t, "BM> ")), MALFORMED, DIGITS),
    row(
        "chats",
        "time and name before each line",
        Text(|t| prefixed(t, "[10:32] Bob: ")),
        MALFORMED,
        FOREIGN,
    ),
    row("wikis", "each line a list item, `* `", Text(|t| prefixed(t, "* ")), MALFORMED, FOREIGN),
    row(
        "word processors",
        "each line a list item, a bullet",
        Text(|t| prefixed(t, "\u{2022} ")),
        MALFORMED,
        FOREIGN,
    ),
    row("scripts", "commented out, `# `", Text(|t| prefixed(t, "# ")), MALFORMED, FOREIGN),
    row(
        "programs",
        "commented out, `// `",
        Text(|t| prefixed(t, "// ")),
        MALFORMED,
        "`/` is base64 too",
    ),
    row(
        "version control",
        "a patch, `+` before each line",
        Text(|t| prefixed(t, "+")),
        MALFORMED,
        "`+` is base64 too",
    ),
    row(
        "spreadsheets, programs",
        "each line in quotation marks",
        Text(|t| around(t, "\"", "\"")),
        MALFORMED,
        FOREIGN,
    ),
    row("wikis", "each line in backquotes", Text(|t| around(t, "`", "`")), MALFORMED, FOREIGN),
    row(
        "chats",
        "each marker in bold, `**`",
        Text(|t| {
            let (b, _, e) = parts(t);
            t.replace(b, &format!("**{b}**")).replace(e, &format!("**{e}**"))
        }),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "wikis",
        "backslashes before punctuation",
        Text(|t| t.replace('+', "\\+").replace('-', "\\-")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "terminals",
        "colour codes around each line",
        Text(|t| around(t, "\u{1b}[32m", "\u{1b}[0m")),
        MALFORMED,
        FOREIGN,
    ),
    // Text inside.
    row(
        "PDF files",
        "hyphens at the line ends",
        Text(|t| in_data(t, |data| data.replace('\n', "-\n"))),
        MALFORMED,
        "`-` belongs to the alphabet of base64url",
    ),
    row(
        "printers",
        "\"Page 1 of 2\" inside",
        Text(|t| in_data(t, |data| data.replacen('\n', "\nPage 1 of 2\n", 1))),
        MALFORMED,
        DIGITS,
    ),
    row(
        "printers",
        "form feeds inside",
        Text(|t| in_data(t, |data| data.replacen('\n', "\n\u{c}", 1))),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "word processors",
        "vertical tabs as line ends",
        Text(|t| t.replace('\n', "\u{b}")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "East Asian keyboards",
        "full-width spaces (U+3000) before each line",
        Text(|t| prefixed(t, "\u{3000}")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "chats",
        "left-to-right marks (U+200E) before each line",
        Text(|t| prefixed(t, "\u{200e}")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "PGP, PEM tools",
        "header lines below the first line",
        Text(|t| t.replacen('\n', "\nComment: from Bob\n\n", 1)),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "PGP",
        "a checksum line above the last",
        Text(|t| t.replace("-----END", "=yjEF\n-----END")),
        MALFORMED,
        "data follows the padding",
    ),
    row(
        "word processors",
        "saved as rich text",
        Text(|t| format!("{{\\rtf1\\ansi {}}}", around(t, "", "\\par"))),
        MALFORMED,
        FOREIGN,
    ),
    // Other encodings.
    row(
        "mail source",
        "quoted-printable, `=` as `=3D`",
        Text(|t| t.replace('=', "=3D")),
        MALFORMED,
        "`=` is padding, and nothing may follow it",
    ),
    row(
        "mail source",
        "quoted-printable, lines broken with `=`",
        Text(|t| every(t, 60, "=\n")),
        MALFORMED,
        "`=` is padding, and nothing may follow it",
    ),
    row(
        "mail source",
        "the body in base64",
        Text(|t| data_encoding::BASE64_MIME.encode(t.as_bytes())),
        MALFORMED,
        MARKERS,
    ),
    row("URLs", "`%2B` and the like", Text(percent_encoded), MALFORMED, MARKERS),
    row("forms", "`+` became a space", Text(|t| t.replace('+', " ")), MALFORMED, LOST),
    row(
        "programs",
        "the alphabet of base64url, `-` and `_`",
        Text(|t| in_data(t, |data| data.replace('+', "-").replace('/', "_"))),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "old mail",
        "UTF-7",
        Text(|t| t.replace('+', "+-").replace('=', "+AD0-")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "programs",
        "`\\n` in place of line ends (JSON)",
        Text(|t| t.replace('\n', "\\n")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "web mail",
        "escaped twice, `&amp;#43;`",
        Text(|t| t.replace('+', "&amp;#43;")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "web mail",
        "entities cut short, `&#43`",
        Text(|t| t.replace('+', "&#43")),
        MALFORMED,
        FOREIGN,
    ),
    row(
        "Outlook",
        "saved as a page, a tag broken over two lines",
        Text(|t| around(t, "<p class=MsoNormal><span\nlang=EN-US>", "</span></p>")),
        MALFORMED,
        "a tag must end on the line where it begins",
    ),
    row(
        "programs",
        "UTF-16 without a byte order mark",
        Bytes(|t| utf16(t, u16::to_le_bytes)),
        MALFORMED,
        "nothing identifies the encoding",
    ),
    // Several blocks, or none.
    row(
        "people",
        "two different files of the same kind",
        Text(|t| format!("{t}\n{}", another_of_the_kind(t))),
        MALFORMED,
        "it is unclear which one is meant",
    ),
    row(
        "mail",
        "the same file below, cut off",
        Text(|t| format!("{t}\n{}", &t[..t.len() / 2])),
        MALFORMED,
        "the two may differ",
    ),
    row(
        "people",
        "a file of another kind instead",
        Text(|_| crate::carried::hand::another_kind()),
        &["wrong-kind"],
        "another kind is wanted",
    ),
    row(
        "people",
        "a mail without the file",
        Text(|_| "Here is the file.\n\nBob\n".into()),
        MALFORMED,
        MARKERS,
    ),
    row("mail gateways", "an empty file", Text(|_| String::new()), MALFORMED, LOST),
];

/// Another complete artefact of the same kind as `text`.
fn another_of_the_kind(text: &str) -> String {
    let others = ["request/by-hand", "license/good", "trust/good"];
    let same = |other: &String| parts(other).0 == parts(text).0;
    others.map(fixture).into_iter().find(same).unwrap()
}
