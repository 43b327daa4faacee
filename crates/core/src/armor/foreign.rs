//! Files of other programs, named for what they are in the message that refuses them.

use crate::error::{Error, Refusal};

const UNPACK: &str = "unpack it, and use the .olr file inside";
const SAVE: &str = "save the attachment itself, and use that file";
const TEXT: &str = "ask for the .olr file as an attachment, or copy its text into a text file";
const OTHER: &str = "look for the .olr file that came with it";
const AGAIN: &str = "ask for the file again, as an attachment, and compare its size at both ends";

/// How a file begins, what it is, and what to do.
const STARTS: &[(&[u8], &str, &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", TEXT),
    (b"\xff\xd8\xff", "a picture (JPEG)", TEXT),
    (b"GIF8", "a picture (GIF)", TEXT),
    (b"BM", "a picture (BMP)", TEXT),
    (b"II*\0", "a picture (TIFF)", TEXT),
    (b"MM\0*", "a picture (TIFF)", TEXT),
    (b"%PDF-", "a PDF document", TEXT),
    (b"{\\rtf", "a document in RTF", TEXT),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Office document, or a mail saved by Outlook (.msg)",
        SAVE,
    ),
    (
        b"\x78\x9f\x3e\x22",
        "a winmail.dat of Outlook (TNEF)",
        "ask the sender to send it as plain text",
    ),
    (b"PK\x05\x06", "an empty ZIP archive", AGAIN),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"MSCF", "a CAB archive", UNPACK),
    (b"\x7fELF", "a program", OTHER),
    (b"MZ", "a program of Windows", OTHER),
    (b"SQLite format 3\0", "an SQLite database", OTHER),
    (b"-----BEGIN CERTIFICATE-----", "a certificate (PEM)", OTHER),
    (b"-----BEGIN TRUSTED CERTIFICATE-----", "a certificate (PEM)", OTHER),
    (b"-----BEGIN CERTIFICATE REQUEST-----", "a request for a certificate (PEM)", OTHER),
    (b"-----BEGIN PUBLIC KEY-----", "a public key (PEM)", OTHER),
    (
        b"-----BEGIN PRIVATE KEY-----",
        "a private key (PEM)",
        "keep it secret; `olr key import` reads it",
    ),
    (
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "a private key (PEM)",
        "keep it secret; `olr key import` reads it",
    ),
    (
        b"-----BEGIN EC PRIVATE KEY-----",
        "a private key (PEM)",
        "keep it secret, and look for the .olr file",
    ),
    (
        b"-----BEGIN RSA PRIVATE KEY-----",
        "a private key (PEM)",
        "keep it secret, and look for the .olr file",
    ),
    (
        b"-----BEGIN OPENSSH PRIVATE KEY-----",
        "a private key of SSH",
        "keep it secret, and look for the .olr file",
    ),
    (b"ssh-", "a public key of SSH", OTHER),
    (b"ecdsa-sha2-", "a public key of SSH", OTHER),
    (b"-----BEGIN PGP MESSAGE-----", "an encrypted message (OpenPGP)", "decrypt it first"),
    (b"-----BEGIN PGP PUBLIC KEY", "a public key (OpenPGP)", OTHER),
    (
        b"-----BEGIN PGP PRIVATE KEY",
        "a private key (OpenPGP)",
        "keep it secret, and look for the .olr file",
    ),
    (b"-----BEGIN PGP SIGNATURE-----", "a detached signature (OpenPGP)", OTHER),
    (b"-----BEGIN PKCS7-----", "an encrypted or signed mail (S/MIME)", "decrypt it first"),
    (b"age-encryption.org/", "a file that age encrypted", "decrypt it first"),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "a file that age encrypted", "decrypt it first"),
];

/// Bytes that are looked at for words inside an archive or a page.
const LOOK: usize = 64 * 1024;

/// Refuses a file in which nothing of olr was found, by what it is.
pub(crate) fn refuse(file: &[u8]) -> Error {
    let (what, step) = named(file).unwrap_or(("not a file of olr", AGAIN));
    Error::refuse(Refusal::Malformed, format!("file: this is {what}")).hint(step)
}

pub(super) fn named(file: &[u8]) -> Option<(&'static str, &'static str)> {
    if file.iter().all(|byte| *byte == 0) {
        return Some(("nothing but zero bytes: its content was lost", AGAIN));
    }
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).trim_ascii_start();
    if text.is_empty() {
        return Some(("nothing but blanks and line ends", AGAIN));
    }
    if file.starts_with(b"PK\x03\x04") {
        return Some(archive(file));
    }
    // What a text begins with may come after blanks; a binary file has none in front.
    let starts = |(start, ..): &&(&[u8], &str, &str)| text.starts_with(start);
    if let Some((_, what, step)) = STARTS.iter().find(starts) {
        // "BM", "MZ" and "ssh-" begin texts, too.
        let is_text =
            start_of(file).iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
        if !(is_text && ["a picture (BMP)", "a program of Windows"].contains(what)) {
            return Some((what, step));
        }
    }
    if file.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", UNPACK));
    }
    let lower = start_of(text).to_ascii_lowercase();
    if lower.starts_with(b"<!doctype html") || has(&lower, b"<html") {
        return Some(("a web page (HTML) without a file of olr in it", TEXT));
    }
    if has(&lower, b"\ncontent-type:") || lower.starts_with(b"content-type:") {
        return Some(("a mail without a file of olr in it", SAVE));
    }
    if let Some(start) = find(&lower, b"-----begin pgp message") {
        return (start > 0)
            .then_some(("a mail with an encrypted message (OpenPGP)", "decrypt it first"));
    }
    None
}

/// A ZIP archive, or a document that is one.
fn archive(file: &[u8]) -> (&'static str, &'static str) {
    let start = start_of(file);
    for (inside, what) in [
        (&b"word/"[..], "a Word document (DOCX)"),
        (b"xl/", "a spreadsheet (XLSX)"),
        (b"ppt/", "a presentation (PPTX)"),
        (b"opendocument", "an OpenDocument file"),
    ] {
        if has(start, inside) {
            return (what, TEXT);
        }
    }
    ("a ZIP archive", UNPACK)
}

fn start_of(file: &[u8]) -> &[u8] {
    file.get(..LOOK).unwrap_or(file)
}

fn has(text: &[u8], word: &[u8]) -> bool {
    find(text, word).is_some()
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|part| part == word)
}
