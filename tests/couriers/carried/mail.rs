//! Mails as a mail program saves them.

use data_encoding::BASE64;
use olr_core::armor::dearmor;

/// Base64 in lines of 76 characters, as mail programs write it.
pub fn base64(bytes: &[u8]) -> String {
    let symbols = BASE64.encode(bytes);
    let lines: Vec<_> = symbols.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
    lines.join("\r\n")
}

/// Quoted-printable, broken at 60 characters.
pub fn quoted_printable(text: &str) -> String {
    let line = |line: &str| {
        let mut quoted = String::new();
        for (n, byte) in line.bytes().enumerate() {
            if n > 0 && n % 60 == 0 {
                quoted += "=\r\n";
            }
            match byte {
                b'=' | 0x80.. => quoted += &format!("={byte:02X}"),
                byte => quoted.push(char::from(byte)),
            }
        }
        quoted
    };
    text.lines().map(line).collect::<Vec<_>>().join("\r\n")
}

/// A MIME part: its type, the encoding of its body, the body.
pub fn part(kind: &str, encoding: &str, body: &str) -> String {
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
}

/// A multipart entity.
pub fn multipart(kind: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!(
        "Content-Type: multipart/{kind};\r\n boundary=\"{boundary}\"\r\n\r\n\
         This is a message with several parts.\r\n\r\n{parts}--{boundary}--\r\n\r\n"
    )
}

/// A mail: the usual header fields before the entity.
pub fn mail(entity: &str) -> String {
    format!(
        "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n\tby mx.example.net;\r\n\
         \tMon, 23 Nov 2026 09:00:00 +0000\r\nFrom: =?utf-8?q?Zo=C3=AB?= <s@example.org>\r\n\
         Subject: Your license: BEGIN\r\nMIME-Version: 1.0\r\n{entity}"
    )
}

pub fn letter() -> String {
    part("text/plain; charset=utf-8", "7bit", "Hello,\r\n\r\nsee attached.\r\n")
}

/// A MIME part with the text as an attachment.
pub fn attached(text: &str) -> String {
    let kind = "application/octet-stream; name=\"license; of ACME.olr\"";
    part(kind, "base64", &base64(text.as_bytes()))
}

/// A MIME part with the binary form of the text as an attachment.
pub fn binary(text: &str) -> String {
    let bytes = dearmor(None, text.as_bytes()).unwrap();
    part("application/octet-stream", "BASE64", &base64(&bytes))
}

pub fn html(text: &str) -> String {
    let page = format!("<html><body><pre>{}</pre></body></html>", text.replace('+', "&#43;"));
    part("text/html; charset=\"utf-8\"", "Quoted-Printable", &quoted_printable(&page))
}
