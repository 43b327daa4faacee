//! A saved mail: its decoded parts. Implements `docs/format.md`, section "A message".

use crate::wire::frame::MAGIC;

/// Maximum depth of nested parts. Deeper ones are not decoded.
const DEPTH_CAP: usize = 8;

/// Encoding of the body of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    None,
    Base64,
    QuotedPrintable,
}

/// What a header states about its body.
struct Header {
    /// True if a field states how to read the body. Without one, the text may not be a mail at all.
    is_mime: bool,
    encoding: Encoding,
    is_message: bool,
    /// Separator of the parts.
    boundary: Option<Vec<u8>>,
}

/// Passes every decoded part of the mail `file` to `take`. Does nothing if the file is not a mail.
pub(super) fn parts(file: &[u8], take: &mut dyn FnMut(&[u8])) {
    if file.starts_with(&MAGIC) {
        return;
    }
    let mut rest = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        rest = after;
    }
    if rest.starts_with(b"From ") {
        rest = cut_line(rest).1;
    }
    if let Some((header, body)) = header(rest).filter(|(header, _)| header.is_mime) {
        read_body(&header, body, DEPTH_CAP, take);
    }
}

fn read_part(part: &[u8], depth: usize, take: &mut dyn FnMut(&[u8])) {
    match header(part) {
        Some((header, body)) => read_body(&header, body, depth, take),
        None => take(part),
    }
}

fn read_body(header: &Header, body: &[u8], depth: usize, take: &mut dyn FnMut(&[u8])) {
    let Some(deeper) = depth.checked_sub(1) else { return take(body) };
    if header.is_message {
        return read_part(body, deeper, take);
    }
    if let Some(boundary) = &header.boundary {
        return divide(body, boundary, &mut |part| read_part(part, deeper, take));
    }
    match header.encoding {
        Encoding::None => take(body),
        Encoding::Base64 => take(&base64(body)),
        Encoding::QuotedPrintable => take(&quoted_printable(body)),
    }
}

/// Splits a header from the start of `text`. Returns `None` if there is none.
fn header(text: &[u8]) -> Option<(Header, &[u8])> {
    let mut header =
        Header { is_mime: false, encoding: Encoding::None, is_message: false, boundary: None };
    let mut rest = text;
    loop {
        let (mut line, after) = cut_line(rest);
        if line.is_empty() {
            // A text that ends with its header has no body.
            return (after.len() < rest.len()).then_some((header, after));
        }
        rest = after;
        // A line that begins with a space or tab continues the field above it.
        let mut field = line.to_vec();
        while rest.starts_with(b" ") || rest.starts_with(b"\t") {
            (line, rest) = cut_line(rest);
            field.extend(line);
        }
        read_field(&field, &mut header)?;
    }
}

fn read_field(field: &[u8], header: &mut Header) -> Option<()> {
    let colon = field.iter().position(|byte| *byte == b':').filter(|at| *at > 0)?;
    let (name, value) = field.split_at_checked(colon)?;
    let (name, value) = (name.trim_ascii_end(), value.get(1..)?.trim_ascii());
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
        header.is_mime = true;
        header.encoding = match value.to_ascii_lowercase().as_slice() {
            b"base64" => Encoding::Base64,
            b"quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::None,
        };
    } else if name.eq_ignore_ascii_case(b"content-type") {
        header.is_mime = true;
        let starts = |with: &[u8]| {
            value.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        header.is_message = starts(b"message/rfc822");
        header.boundary = if starts(b"multipart/") { boundary(value) } else { None };
    }
    Some(())
}

/// Returns the parameter `boundary` of a content type.
fn boundary(value: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value;
    loop {
        rest = rest.get(rest.iter().position(|byte| *byte == b';')?..)?.get(1..)?;
        let equals = rest.iter().position(|byte| matches!(byte, b'=' | b';'))?;
        let (name, after) = rest.split_at_checked(equals)?;
        let Some(after) = after.strip_prefix(b"=") else { continue };
        let after = after.trim_ascii_start();
        let (value, after) = match after.strip_prefix(b"\"") {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = after.iter().position(|byte| *byte == b';').unwrap_or(after.len());
                let (value, after) = after.split_at_checked(end)?;
                (value.trim_ascii_end().to_vec(), after)
            }
        };
        if name.trim_ascii().eq_ignore_ascii_case(b"boundary") {
            return Some(value).filter(|value| !value.is_empty());
        }
        rest = after;
    }
}

/// Reads a quoted string whose opening quote was removed. Returns its content and the rest of the
/// text.
fn unquoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut value, mut is_escaped) = (Vec::new(), false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' if !is_escaped => return (value, text.get(at..).unwrap_or_default()),
            b'\\' if !is_escaped => is_escaped = true,
            byte => {
                is_escaped = false;
                value.push(*byte);
            }
        }
    }
    (value, b"")
}

/// Splits a body at its separators, which are lines of `--` followed by the boundary, and passes
/// each part to `take`. Without a separator, the body is one part.
fn divide(body: &[u8], boundary: &[u8], take: &mut dyn FnMut(&[u8])) {
    let (mut start, mut rest, mut at) = (None, body, 0usize);
    while !rest.is_empty() {
        let (line, after) = cut_line(rest);
        let next = at.saturating_add(rest.len().saturating_sub(after.len()));
        if let Some(is_last) = delimits(line, boundary) {
            if let Some(start) = start {
                let part = body.get(start..at).unwrap_or_default();
                // The line break before a separator belongs to the separator.
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                take(part.strip_suffix(b"\r").unwrap_or(part));
            }
            start = Some(next);
            if is_last {
                return;
            }
        }
        (rest, at) = (after, next);
    }
    take(body.get(start.unwrap_or(0)..).unwrap_or_default());
}

/// Returns `None` if the line is not a separator, otherwise whether it is the last one.
fn delimits(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let after = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (is_last, after) = match after.strip_prefix(b"--") {
        Some(after) => (true, after),
        None => (false, after),
    };
    after.trim_ascii().is_empty().then_some(is_last)
}

/// Splits off the first line. The line is returned without its line break.
fn cut_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (line, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default())
}

/// Decodes complete bytes of base64 up to the first `=`. Ignores other characters.
fn base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len().div_ceil(4).saturating_mul(3));
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(six);
        held = held.saturating_add(6);
        if let Some(left) = held.checked_sub(8) {
            let [.., byte] = (bits >> left).to_be_bytes();
            bytes.push(byte);
            held = left;
        }
    }
    bytes
}

/// Decodes quoted-printable: `=` with two hexadecimal digits is a byte; `=` at the end of a line,
/// possibly followed by spaces, joins the line to the next. Any other `=` is kept.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'=' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        if let (Some(high), Some(low)) = (digit(0), digit(1)) {
            bytes.extend(u8::try_from((high << 4) | low));
            rest = after.get(2..).unwrap_or_default();
            continue;
        }
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() && *byte != b'\n';
        let blanks = after.iter().take_while(|byte| is_blank(byte)).count();
        match after.get(blanks) {
            Some(b'\n') => rest = after.get(blanks.saturating_add(1)..).unwrap_or_default(),
            None => break,
            Some(_) => bytes.push(*first),
        }
    }
    bytes
}
