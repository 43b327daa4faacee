//! Text that people type or write with an editor: passphrases, keys printed on paper.

use std::fmt;
use zeroize::Zeroizing;

use olr_core::error::{Error, Problem, Result};

/// A passphrase or PIN, zeroized on drop.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Wraps `text`.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text as bytes.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Takes the first line of a file, without its line ending; `None` if it is empty.
    ///
    /// # Errors
    /// Same as [`text_of`].
    pub fn in_file(bytes: &[u8]) -> Result<Option<Self>> {
        let text = text_of(bytes)?;
        let line = text.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        Ok((!line.is_empty()).then(|| Self(Zeroizing::new(line.to_string()))))
    }

    /// The text in Normalization Form C, so that the derived key does not depend on how a keyboard
    /// composes accents.
    pub fn nfc(&self) -> Zeroizing<String> {
        use unicode_normalization::UnicodeNormalization;
        // Worst-case capacity, so that the string is never reallocated and leaves no copy in
        // memory.
        let mut text = Zeroizing::new(String::with_capacity(self.0.len().saturating_mul(3)));
        text.extend(self.0.nfc());
        text
    }
}

/// Decodes a file that people write with any editor: UTF-8 with or without a byte order mark, or
/// UTF-16 of either byte order with one. The mark is not part of the text.
///
/// # Errors
/// Exit 2 when it is neither, or contains a NUL character, which indicates UTF-16 without a mark,
/// or binary data.
pub fn text_of(bytes: &[u8]) -> Result<Zeroizing<String>> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => from_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => from_utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => from_utf8(rest),
        _ => from_utf8(bytes),
    };
    text.filter(|text| !text.contains('\0'))
        .ok_or_else(|| Error::unable(Problem::Content, "it is not UTF-8 text", "save it as UTF-8"))
}

fn from_utf8(bytes: &[u8]) -> Option<Zeroizing<String>> {
    str::from_utf8(bytes).ok().map(|text| Zeroizing::new(text.to_string()))
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Zeroizing<String>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(2)));
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        text.push(c.ok()?);
    }
    rest.is_empty().then_some(text)
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passphrases_do_not_print() {
        assert_eq!(format!("{:?}", Passphrase::new("hush".to_string().into())), "[redacted]");
    }

    #[test]
    fn a_passphrase_file_may_come_from_any_editor() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| {
            text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
        };
        let read = |bytes: &[u8]| {
            Passphrase::in_file(bytes).map(|found| found.map(|p| p.expose().to_vec()))
        };
        for end in ["", "\n", "\r\n", "\r", "\r\r\n", "\nsecond line\n", "\r\n\r\n"] {
            let text = format!("größer 🗝 {end}");
            let marked = format!("\u{feff}{text}");
            for bytes in [
                text.clone().into_bytes(),
                marked.clone().into_bytes(),
                utf16(&marked, u16::to_le_bytes),
                utf16(&marked, u16::to_be_bytes),
            ] {
                let expected = Some("größer 🗝 ".as_bytes().to_vec());
                assert_eq!(read(&bytes).unwrap(), expected, "{bytes:?}");
            }
        }
        for empty in
            [&b""[..], b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff\0\n", b"\nx"]
        {
            assert_eq!(read(empty).unwrap(), None, "{empty:?}");
        }
        for wrong in [
            &b"\xff"[..],
            b"\xe4",
            b"a\0b\0",
            b"\0a",
            b"\xff\xfea",
            b"\xff\xfe\x00\xd8",
            b"\xff\xfe\0\0a\0\0\0",
            b"\xef\xbb\xbf\xff",
        ] {
            assert!(read(wrong).unwrap_err().fact().contains("UTF-8"), "{wrong:?}");
        }
    }

    #[test]
    fn an_accent_is_one_however_it_was_typed() {
        let nfc = |text: &str| Passphrase::new(text.to_string().into()).nfc().to_string();
        assert_eq!(nfc("Z\u{65}\u{301}"), "Z\u{e9}");
        assert_eq!(nfc("Z\u{e9}"), "Z\u{e9}");
        assert_eq!(nfc("\u{1112}\u{1161}\u{11ab}"), "\u{d55c}");
        assert_eq!(nfc("\u{212b}"), "\u{c5}");
        // NFC keeps compatibility characters: they are different letters.
        assert_eq!(nfc("\u{fb01} \u{ff21}"), "\u{fb01} \u{ff21}");
        assert_ne!(nfc("a"), nfc("A"));
    }
}
