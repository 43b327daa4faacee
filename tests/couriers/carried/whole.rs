//! Changes in transit that lose nothing: the exact bytes are read.

use crate::carried::hand::Carry::{self, Bytes, Text};
use crate::carried::hand::{another_kind, around, every, in_data, prefixed, utf16, wrapped};
use crate::carried::mail::{
    attached, base64, binary, html, letter, mail, multipart, part, quoted_printable,
};

/// One row: who changes the text, what the change is, and how to make it.
pub type Whole = (&'static str, &'static str, Carry);

pub const WHOLE: &[Whole] = &[
    // Files.
    ("Windows", "line ends are CR LF", Text(|t| t.replace('\n', "\r\n"))),
    ("old Mac software", "line ends are CR", Text(|t| t.replace('\n', "\r"))),
    ("FTP in text mode, twice", "line ends are CR CR LF", Text(|t| t.replace('\n', "\r\r\n"))),
    ("note apps", "line ends are U+2028", Text(|t| t.replace('\n', "\u{2028}"))),
    ("editors", "the last line end is lost", Text(|t| t.trim_end().into())),
    ("Notepad", "a byte order mark at the start", Text(|t| format!("\u{feff}{t}"))),
    (
        "Notepad, PowerShell",
        "saved as Unicode (UTF-16 with a byte order mark)",
        Bytes(|t| utf16(&format!("\u{feff}{t}"), u16::to_le_bytes)),
    ),
    (
        "older Unix tools",
        "saved as big-endian UTF-16 with a byte order mark",
        Bytes(|t| utf16(&format!("\u{feff}{t}"), u16::to_be_bytes)),
    ),
    (
        "editors",
        "text in a Windows code page around it",
        Bytes(|t| [b"Gr\xfc\xdfe,\r\n\r\n", t.as_bytes(), b"Jos\xe9\r\n"].concat()),
    ),
    ("DOS tools", "Ctrl-Z at the end", Text(|t| format!("{t}\u{1a}"))),
    (
        "file systems after a crash",
        "zero bytes follow",
        Text(|t| format!("{t}{}", "\0".repeat(512))),
    ),
    // Quoting.
    ("mail", "quoted with `> `", Text(|t| prefixed(t, "> "))),
    ("mail", "quoted three times, `> > > `", Text(|t| prefixed(t, "> > > "))),
    ("mail", "quoted without spaces, `>>`", Text(|t| prefixed(t, ">>"))),
    ("mail, wikis", "quoted with `| `", Text(|t| prefixed(t, "| "))),
    ("mail", "quoted, with empty lines between", Text(|t| around(t, "> ", "\n>"))),
    ("mail", "a space around each line (format=flowed)", Text(|t| around(t, " ", " "))),
    ("chats", "quoted with `&gt; `", Text(|t| prefixed(t, "&gt; "))),
    (
        "mail, old systems",
        "PGP puts `- ` before the dashes",
        Text(|t| t.replace("-----BEGIN", "- -----BEGIN").replace("-----END", "- -----END")),
    ),
    // Wrapping and spaces.
    ("mail", "wrapped at 40 characters", Text(|t| wrapped(t, 40))),
    ("mail", "wrapped at 60 characters", Text(|t| wrapped(t, 60))),
    ("mail", "wrapped at 72 characters", Text(|t| wrapped(t, 72))),
    ("mail", "wrapped at 76 characters", Text(|t| wrapped(t, 76))),
    ("forms", "all data on one line", Text(|t| wrapped(t, usize::MAX))),
    ("forms", "everything on one line, with spaces", Text(|t| t.replace('\n', " "))),
    ("forms", "everything on one line, without spaces", Text(|t| t.replace('\n', ""))),
    ("mail", "an empty line after each line", Text(|t| t.replace('\n', "\n\n"))),
    ("editors", "spaces at the line ends", Text(|t| around(t, "", "   "))),
    ("editors", "indented with spaces", Text(|t| prefixed(t, "    "))),
    ("editors", "indented with tabs", Text(|t| prefixed(t, "\t\t"))),
    ("word processors", "indented with no-break spaces", Text(|t| prefixed(t, "\u{a0}\u{a0}"))),
    ("spreadsheets", "each line a cell, followed by tabs", Text(|t| around(t, "", "\t\t\t"))),
    ("people", "a space every ten characters", Text(|t| every(t, 10, " "))),
    ("people", "several spaces in the markers", Text(|t| t.replace(" OLR ", "   OLR  "))),
    (
        "word processors",
        "no-break spaces in the markers",
        Text(|t| t.replace(" OLR ", "\u{a0}OLR\u{a0}")),
    ),
    // Invisible characters.
    ("web pages, chats", "zero-width spaces inside", Text(|t| every(t, 20, "\u{200b}"))),
    ("word processors", "soft hyphens inside", Text(|t| every(t, 25, "\u{ad}"))),
    ("web pages", "zero-width and word joiners inside", Text(|t| every(t, 30, "\u{2060}\u{200d}"))),
    ("programs that join files", "byte order marks inside", Text(|t| every(t, 64, "\u{feff}\n"))),
    // Dashes.
    ("word processors", "two dashes become an en dash", Text(|t| t.replace("--", "\u{2013}"))),
    ("word processors", "two dashes become an em dash", Text(|t| t.replace("--", "\u{2014}"))),
    ("word processors", "dashes become minus signs", Text(|t| t.replace('-', "\u{2212}"))),
    ("word processors", "dashes become no-break hyphens", Text(|t| t.replace('-', "\u{2011}"))),
    ("East Asian keyboards", "dashes become full-width", Text(|t| t.replace('-', "\u{ff0d}"))),
    (
        "word processors",
        "five dashes become a drawn line and are lost",
        Text(|t| t.replace("-----", "")),
    ),
    (
        "people",
        "too few or too many dashes",
        Text(|t| t.replacen("-----", "--", 1).replacen("-----", "--------", 1)),
    ),
    // Markup.
    ("chats, wikis", "a code block, ```` ``` ````", Text(|t| format!("```\n{t}```\n"))),
    ("chats, wikis", "a code block with a language", Text(|t| format!("~~~text\n{t}~~~\n"))),
    ("chats", "all of it in bold, `**`", Text(|t| format!("**{}**\n", t.trim_end()))),
    (
        "web pages",
        "saved with `<pre>`",
        Text(|t| format!("<html><body>\n<pre class=\"mail\">{t}</pre></body></html>\n")),
    ),
    ("web mail", "lines end in `<br>`", Text(|t| t.replace('\n', "<br>"))),
    ("web mail", "lines end in `<br />`", Text(|t| t.replace('\n', "<br />\r\n"))),
    ("web mail", "each line a `<div>`", Text(|t| around(t, "<div dir=\"ltr\">", "</div>"))),
    ("web mail", "each line a `<p>`", Text(|t| around(t, "<p>", "</p>"))),
    (
        "Outlook",
        "each line a paragraph with spans",
        Text(|t| {
            around(
                t,
                "<p class=MsoNormal><span lang=EN-US style='font-size:10.0pt'>",
                "<o:p></o:p></span></p>",
            )
        }),
    ),
    (
        "web mail",
        "a whole page: head, comment, block quote",
        Text(|t| {
            format!(
                "<!DOCTYPE html><html><head><title>Re: license</title></head><body><!-- mail --><blockquote>{}</blockquote></body></html>",
                t.replace('\n', "<br>")
            )
        }),
    ),
    (
        "web mail",
        "`+`, `/` and `=` as `&#43;`, `&#x2f;` and `&#61;`",
        Text(|t| t.replace('+', "&#43;").replace('/', "&#x2f;").replace('=', "&#61;")),
    ),
    (
        "web mail",
        "`+`, `/` and `=` as `&plus;`, `&sol;` and `&equals;`",
        Text(|t| t.replace('+', "&plus;").replace('/', "&sol;").replace('=', "&equals;")),
    ),
    (
        "web mail",
        "dashes as `&ndash;` and `&mdash;`",
        Text(|t| t.replace("-----", "&mdash;&ndash;&#45;")),
    ),
    ("web mail", "indented with `&nbsp;`", Text(|t| prefixed(t, "&nbsp;&nbsp;"))),
    ("web pages", "`<wbr>` and `&shy;` inside", Text(|t| every(t, 16, "<wbr>&shy;"))),
    // Surrounding text.
    (
        "mail",
        "a signature below",
        Text(|t| format!("{t}\n-- \nBob Example\nSupport, +44 20 7946 0000\n")),
    ),
    (
        "mail",
        "a reply above the quoted text",
        Text(|t| {
            format!(
                "Here it is again.\n\nOn Mon, 22 Nov 2027, Bob <bob@example.com> wrote:\n{}",
                prefixed(t, "> ")
            )
        }),
    ),
    (
        "mail",
        "forwarded, with headers",
        Text(|t| {
            format!(
                "---------- Forwarded message ----------\nFrom: Bob <bob@example.com>\nSubject: Fwd: license\n\n{t}"
            )
        }),
    ),
    (
        "Outlook",
        "forwarded, `-----Original Message-----` above",
        Text(|t| format!("-----Original Message-----\nFrom: Bob\nSent: Monday\n\n{t}")),
    ),
    (
        "companies",
        "a warning above and a disclaimer below",
        Text(|t| {
            format!(
                "CAUTION: this message came from outside.\n\n{t}\nThis message is confidential & meant for its recipient <only>.\n"
            )
        }),
    ),
    (
        "mailing lists",
        "a footer below",
        Text(|t| format!("{t}_______________________________\nlist mailing list\n")),
    ),
    ("chats", "a name and a time above", Text(|t| format!("[10:32] Bob Example\n{t}"))),
    (
        "mail",
        "the source of the mail, with its headers and parts",
        Text(|t| {
            format!(
                "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b1\"\n\n--b1\nContent-Type: text/plain\n\n{t}\n--b1--\n"
            )
        }),
    ),
    (
        "people",
        "quotation marks around it",
        Text(|t| format!("\u{201c}{}\u{201d}\n", t.trim_end())),
    ),
    ("spreadsheets", "one cell of a CSV file", Text(|t| format!("name;file\nBob;\"{t}\"\n"))),
    ("people", "sent twice", Text(|t| format!("{t}\n{t}"))),
    ("mail", "sent once and quoted below", Text(|t| format!("{t}\n{}", prefixed(t, "> ")))),
    (
        "mail",
        "a file of another kind quoted below",
        Text(|t| format!("{t}\n{}", prefixed(&another_kind(), "> "))),
    ),
    (
        "mail",
        "a file of another kind below, cut off",
        Text(|t| format!("{t}\n{}", &another_kind()[..80])),
    ),
    (
        "people",
        "\"please send OLR licenses\" in the mail",
        Text(|t| format!("Please send OLR LICENSE files. BEGIN with the first.\n\n{t}")),
    ),
    // Whole mails.
    (
        "mail programs",
        "a mail saved with the file attached in base64",
        Text(|t| mail(&multipart("mixed", "=_b.1", &[letter(), attached(t)]))),
    ),
    (
        "mail programs",
        "a mail saved with the binary file attached",
        Text(|t| mail(&multipart("mixed", "b1", &[letter(), binary(t)]))),
    ),
    (
        "mail programs",
        "the same with Unix line ends, from a mailbox file",
        Text(|t| {
            let mail = mail(&multipart("mixed", "b1", &[letter(), binary(t)]));
            format!("From s@example.org Mon Nov 23 09:00:00 2026\n{}", mail.replace('\r', ""))
        }),
    ),
    (
        "mail programs",
        "a mail saved, its text quoted-printable",
        Text(|t| mail(&part("text/plain", "quoted-printable", &quoted_printable(t)))),
    ),
    (
        "mail programs",
        "a mail saved, its text in base64",
        Text(|t| mail(&part("text/plain", "base64", &base64(t.as_bytes())))),
    ),
    (
        "mail programs",
        "a mail saved, its text in base64 of UTF-16",
        Text(|t| {
            let text = utf16(&format!("\u{feff}{t}"), u16::to_le_bytes);
            mail(&part("text/plain; charset=utf-16", "base64", &base64(&text)))
        }),
    ),
    (
        "mail programs",
        "a mail saved, as text and as HTML",
        Text(|t| {
            let plain = part("text/plain", "8bit", t);
            mail(&multipart("alternative", "b(1)", &[plain, html(t)]))
        }),
    ),
    ("mail programs", "a mail saved, as HTML alone", Text(|t| mail(&html(t)))),
    (
        "mail programs",
        "nested parts, the file in the innermost",
        Text(|t| {
            let inner = multipart("mixed", "b", &[letter(), attached(t)]);
            let related = multipart("related", "bb", &[html("a logo"), inner]);
            mail(&multipart("signed", "bbb", &[related, letter()]))
        }),
    ),
    (
        "mail programs",
        "a mail forwarded as an attachment",
        Text(|t| {
            let inner = mail(&multipart("mixed", "in", &[letter(), attached(t)]));
            let forwarded = part("message/rfc822", "7bit", &inner);
            mail(&multipart("mixed", "out", &[letter(), forwarded]))
        }),
    ),
    (
        "mail programs",
        "a mail saved, cut off after the file",
        Text(|t| {
            let mail = mail(&multipart("mixed", "b1", &[letter(), attached(t)]));
            mail.split("\r\n--b1--").next().unwrap().to_string()
        }),
    ),
    (
        "mail programs",
        "a mail saved, with a file of another kind attached too",
        Text(|t| mail(&multipart("mixed", "b1", &[attached(&another_kind()), attached(t)]))),
    ),
    ("people", "the source of one part of a mail, copied", Text(attached)),
    // Several changes at once.
    (
        "mail, then Windows",
        "quoted, wrapped at 72, CR LF, with a byte order mark",
        Text(|t| format!("\u{feff}{}", prefixed(&wrapped(t, 72), "> ").replace('\n', "\r\n"))),
    ),
    (
        "chat, then web mail",
        "zero-width spaces and `<br>`",
        Text(|t| in_data(t, |data| data.replace('\n', "\u{200b}<br>"))),
    ),
];
