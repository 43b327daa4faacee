//! Recognition of files from other programs, so that a refusal can say what they are.

use crate::error::{Error, NextStep, Refusal, Remedy};

/// A file from another program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// Description: `a picture (PNG)`.
    pub what: &'static str,
    advice: Advice,
}

/// What to do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Advice {
    Unpack,
    Save,
    AsText,
    AsPlainText,
    LookBeside,
    AskAgain,
    Decrypt,
    /// A private key that can be imported if it is an Ed25519 key.
    ImportKey,
    /// A private key that cannot be used here.
    KeepSecret,
}

use Advice::*;

impl Foreign {
    /// True if the file contains a secret.
    pub fn is_secret(self) -> bool {
        matches!(self.advice, ImportKey | KeepSecret)
    }

    fn next_step(self) -> NextStep {
        match self.advice {
            Unpack => "unpack it, and use the .olr file inside",
            Save => {
                "save the attachment itself, and use that file; if there is none, ask for the .olr \
                 file as an attachment"
            }
            AsText => {
                "ask for the .olr file as an attachment; if its text is in here, copy that into a \
                 text file"
            }
            AsPlainText => "ask the sender to send the mail as plain text",
            LookBeside => "find the .olr file that came with it",
            AskAgain => {
                "ask for the file again, as an attachment, and compare its size at both ends"
            }
            Decrypt => "decrypt it first",
            ImportKey => {
                return NextStep::new(
                    "keep it secret; if it is an Ed25519 key, you can import it",
                    &[Remedy::ImportKey],
                );
            }
            KeepSecret => "keep it secret, and find the .olr file",
        }
        .into()
    }
}

/// First bytes of a file, its description, and what to do with it.
const STARTS: &[(&[u8], &str, Advice)] = &[
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", AsText),
    (b"\xff\xd8\xff", "a picture (JPEG)", AsText),
    (b"GIF8", "a picture (GIF)", AsText),
    (b"BM", "a picture (BMP)", AsText),
    (b"II*\0", "a picture (TIFF)", AsText),
    (b"MM\0*", "a picture (TIFF)", AsText),
    (b"%PDF-", "a PDF document", AsText),
    (b"{\\rtf", "an RTF document", AsText),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Office document, or a mail saved by Outlook (.msg)",
        Save,
    ),
    (b"\x78\x9f\x3e\x22", "a winmail.dat file from Outlook (TNEF)", AsPlainText),
    (b"PK\x05\x06", "an empty ZIP archive", AskAgain),
    (b"\x1f\x8b", "a gzip archive", Unpack),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", Unpack),
    (b"\xfd7zXZ\0", "an xz archive", Unpack),
    (b"BZh", "a bzip2 archive", Unpack),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", Unpack),
    (b"Rar!\x1a\x07", "a RAR archive", Unpack),
    (b"MSCF", "a CAB archive", Unpack),
    (b"\x7fELF", "a program", LookBeside),
    (b"MZ", "a Windows program", LookBeside),
    (b"SQLite format 3\0", "an SQLite database", LookBeside),
    (b"-----BEGIN CERTIFICATE-----", "a certificate (PEM)", LookBeside),
    (b"-----BEGIN TRUSTED CERTIFICATE-----", "a certificate (PEM)", LookBeside),
    (b"-----BEGIN CERTIFICATE REQUEST-----", "a certificate request (PEM)", LookBeside),
    (b"-----BEGIN PUBLIC KEY-----", "a public key (PEM)", LookBeside),
    (b"-----BEGIN PRIVATE KEY-----", "a private key (PEM)", ImportKey),
    (b"-----BEGIN ENCRYPTED PRIVATE KEY-----", "a private key (PEM)", ImportKey),
    (b"-----BEGIN EC PRIVATE KEY-----", "a private key (PEM)", KeepSecret),
    (b"-----BEGIN RSA PRIVATE KEY-----", "a private key (PEM)", KeepSecret),
    (b"-----BEGIN OPENSSH PRIVATE KEY-----", "an SSH private key", KeepSecret),
    (b"ssh-", "an SSH public key", LookBeside),
    (b"ecdsa-sha2-", "an SSH public key", LookBeside),
    (b"-----BEGIN PGP MESSAGE-----", "an encrypted message (OpenPGP)", Decrypt),
    (b"-----BEGIN PGP PUBLIC KEY", "a public key (OpenPGP)", LookBeside),
    (b"-----BEGIN PGP PRIVATE KEY", "a private key (OpenPGP)", KeepSecret),
    (b"-----BEGIN PGP SIGNATURE-----", "a detached signature (OpenPGP)", LookBeside),
    (b"-----BEGIN PKCS7-----", "an encrypted or signed mail (S/MIME)", Decrypt),
    (b"age-encryption.org/", "a file encrypted with age", Decrypt),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "a file encrypted with age", Decrypt),
];

/// Number of bytes that are searched for words inside an archive or a page.
const LOOK: usize = 64 * 1024;

/// Returns the refusal for a file that contains no artefact. It says what the file is.
pub(crate) fn refuse(file: &[u8]) -> Error {
    let unknown = Foreign { what: "not an olr file", advice: AskAgain };
    let found = named(file).unwrap_or(unknown);
    Error::refuse(Refusal::Malformed, format!("this is {}", found.what)).hint(found.next_step())
}

/// Recognizes a file by its first bytes.
pub(super) fn named(file: &[u8]) -> Option<Foreign> {
    known(file).map(|(what, advice)| Foreign { what, advice })
}

fn known(file: &[u8]) -> Option<(&'static str, Advice)> {
    if file.iter().all(|byte| *byte == 0) {
        return Some(("a file that lost its content (only zero bytes)", AskAgain));
    }
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).trim_ascii_start();
    if text.is_empty() {
        return Some(("a file that contains only blanks and line breaks", AskAgain));
    }
    if file.starts_with(b"PK\x03\x04") {
        return Some(archive(file));
    }
    // A text may have whitespace before these bytes; a binary file has none.
    let starts = |(start, ..): &&(&[u8], &str, Advice)| text.starts_with(start);
    if let Some((start, what, advice)) = STARTS.iter().find(starts) {
        // A text may also begin with "BM" or "MZ".
        let is_text =
            start_of(file).iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
        if !(is_text && [&b"BM"[..], b"MZ"].contains(start)) {
            return Some((what, *advice));
        }
    }
    if file.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", Unpack));
    }
    let lower = start_of(text).to_ascii_lowercase();
    if lower.starts_with(b"<!doctype html") || has(&lower, b"<html") {
        return Some(("a web page (HTML) without an olr file in it", AsText));
    }
    if has(&lower, b"\ncontent-type:") || lower.starts_with(b"content-type:") {
        return Some(("a mail without an olr file in it", Save));
    }
    if let Some(start) = find(&lower, b"-----begin pgp message") {
        return (start > 0).then_some(("a mail with an encrypted message (OpenPGP)", Decrypt));
    }
    None
}

/// Recognizes a ZIP archive, or a document stored as one.
fn archive(file: &[u8]) -> (&'static str, Advice) {
    let start = start_of(file);
    for (inside, what) in [
        (&b"word/"[..], "a Word document (DOCX)"),
        (b"xl/", "a spreadsheet (XLSX)"),
        (b"ppt/", "a presentation (PPTX)"),
        (b"opendocument", "an OpenDocument file"),
    ] {
        if has(start, inside) {
            return (what, AsText);
        }
    }
    ("a ZIP archive", Unpack)
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
