//! PKCS#11 URIs (RFC 7512): identify a key on a token, and the library to access it.

use std::fmt;
use std::str::FromStr;

use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};

/// Size limit of a URI.
pub const URI_CAP: usize = 1024;

const SCHEME: &str = "pkcs11:";
const USUAL: &str = "write it like pkcs11:token=NAME;object=KEY?module-path=/path/to/library.so";

/// A PKCS#11 URI for a private key. Path attributes that are `None` match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uri {
    /// Label of the token.
    pub token: Option<String>,
    /// Manufacturer of the token.
    pub manufacturer: Option<String>,
    /// Serial number of the token.
    pub serial: Option<String>,
    /// Model of the token.
    pub model: Option<String>,
    /// Label of the key.
    pub object: Option<String>,
    /// Id of the key, arbitrary bytes.
    pub id: Option<Vec<u8>>,
    /// Number of the slot that contains the token.
    pub slot: Option<u64>,
    /// Absolute path of the PKCS#11 library.
    pub module_path: Option<String>,
    /// Absolute path of a file that contains the PIN.
    pub pin_source: Option<String>,
}

impl FromStr for Uri {
    type Err = Error;

    /// Parses a URI of at most 1 KiB. Ignores unknown attributes in the query, as the RFC requires;
    /// rejects unknown attributes in the path.
    ///
    /// # Errors
    /// Exit 2. The message never contains the text, which may include a PIN.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > URI_CAP {
            return Err(wrong(format!("is longer than {URI_CAP} bytes")));
        }
        let rest = text.get(SCHEME.len()..).filter(|_| Self::is_one(text));
        let rest = rest.ok_or_else(|| wrong("does not begin with pkcs11:"))?;
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, query),
            None => (rest, ""),
        };
        let mut uri = Self::default();
        let mut seen = Vec::new();
        for (name, value) in attributes(path, ';', "&")? {
            ensure_first(&mut seen, name)?;
            uri.take_path(name, value)?;
        }
        let mut seen = Vec::new();
        for (name, value) in attributes(query, '&', "/?|")? {
            if is_standard(name) {
                ensure_first(&mut seen, name)?;
            }
            uri.take_query(name, value)?;
        }
        Ok(uri)
    }
}

impl Uri {
    /// True if `text` begins like a PKCS#11 URI.
    pub fn is_one(text: &str) -> bool {
        text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
    }

    fn take_path(&mut self, name: &str, value: Vec<u8>) -> Result<()> {
        match name {
            "token" => self.token = Some(text(name, value)?),
            "manufacturer" => self.manufacturer = Some(text(name, value)?),
            "serial" => self.serial = Some(text(name, value)?),
            "model" => self.model = Some(text(name, value)?),
            "object" => self.object = Some(text(name, value)?),
            "id" => self.id = Some(value),
            "slot-id" => self.slot = Some(number(value)?),
            "type" if value == b"private" => {}
            "type" => {
                let fact = "does not name a private key";
                return Err(wrong(fact).hint("write type=private, or leave out the type"));
            }
            "pin-value" => return Err(pin_value()),
            _ => {
                let fact = format!("has the unknown attribute {}", shown(name));
                return Err(wrong(fact).hint(
                    "use only token, manufacturer, serial, model, slot-id, object, id and type before \
                     the ?",
                ));
            }
        }
        Ok(())
    }

    fn take_query(&mut self, name: &str, value: Vec<u8>) -> Result<()> {
        match name {
            "module-path" => self.module_path = Some(absolute(name, text(name, value)?)?),
            "pin-source" => {
                let source = text(name, value)?;
                let path = match source.strip_prefix("file:") {
                    // `file://` is followed by a host, which must be empty, and a third slash.
                    Some(path) if path.starts_with("//") => path.strip_prefix("//"),
                    path => path,
                };
                let Some(path) = path else {
                    let fact = "has a pin-source that does not begin with file:";
                    return Err(wrong(fact).hint("write pin-source=file:/path/to/pin"));
                };
                // Decoding a second time would make the path ambiguous.
                if path.contains('%') {
                    let fact = "has a pin-source that is encoded twice";
                    return Err(wrong(fact).hint("write pin-source=file:/path/to/pin"));
                }
                self.pin_source = Some(absolute(name, path.to_string())?);
            }
            "pin-value" => return Err(pin_value()),
            "module-name" => {
                let fact = "has a module-name, which olr does not support";
                return Err(wrong(fact).hint("name the library with module-path"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Formats an equivalent URI: attributes in a fixed order, every byte except letters, digits and
/// `-._~` percent-encoded.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |text: &Option<String>| text.as_ref().map(|text| text.clone().into_bytes());
        let path = [
            ("token", bytes(&self.token)),
            ("manufacturer", bytes(&self.manufacturer)),
            ("serial", bytes(&self.serial)),
            ("model", bytes(&self.model)),
            ("slot-id", self.slot.map(|slot| slot.to_string().into_bytes())),
            ("object", bytes(&self.object)),
            ("id", self.id.clone()),
        ];
        let source = self.pin_source.as_ref().map(|path| format!("file://{path}").into_bytes());
        let query = [("module-path", bytes(&self.module_path)), ("pin-source", source)];
        f.write_str(SCHEME)?;
        let mut between = "";
        for (name, value) in path {
            write_attribute(f, &mut between, ";", name, value)?;
        }
        let mut between = "?";
        for (name, value) in query {
            write_attribute(f, &mut between, "&", name, value)?;
        }
        Ok(())
    }
}

fn write_attribute(
    f: &mut fmt::Formatter<'_>,
    between: &mut &'static str,
    next: &'static str,
    name: &str,
    value: Option<Vec<u8>>,
) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    write!(f, "{between}{name}=")?;
    *between = next;
    for byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                write!(f, "{}", char::from(byte))?;
            }
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
}

fn wrong(fact: impl fmt::Display) -> Error {
    Error::unable(Problem::Content, format!("the PKCS#11 URI {fact}"), USUAL)
}

fn pin_value() -> Error {
    let fact = "contains a PIN, which others may be able to read";
    wrong(fact)
        .hint("remove pin-value and change that PIN; then type it, or write pin-source=file:PATH")
}

/// Splits and decodes the attributes of a path or a query. `extra` lists characters that values may
/// contain unencoded, in addition to [`is_plain`].
fn attributes<'a>(part: &'a str, between: char, extra: &str) -> Result<Vec<(&'a str, Vec<u8>)>> {
    if part.is_empty() {
        return Ok(Vec::new());
    }
    let attribute = |text: &'a str| {
        let (name, value) = text.split_once('=').unwrap_or(("", text));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(wrong("has a part that is not NAME=VALUE"));
        }
        // Checked before the value is decoded, so that no other error is reported for a PIN.
        if name == "pin-value" {
            return Err(pin_value());
        }
        Ok((name, decode(name, value, extra)?))
    };
    part.split(between).map(attribute).collect()
}

/// Percent-decodes one value (RFC 3986).
fn decode(name: &str, value: &str, extra: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c == '%' {
            let mut digit = || rest.next().and_then(|digit| digit.to_digit(16));
            let (high, low) = (digit(), digit());
            let byte = high.zip(low).map(|(high, low)| high << 4 | low);
            let byte = byte.and_then(|byte| u8::try_from(byte).ok());
            bytes.push(byte.ok_or_else(|| {
                wrong(format!("has a % without two hexadecimal digits in {}", shown(name)))
            })?);
        } else if is_plain(c) || extra.contains(c) {
            bytes.extend(u8::try_from(c).ok());
        } else {
            let fact = format!("has a character in {} that must be encoded", shown(name));
            return Err(wrong(fact)
                .hint("write it as % and two hexadecimal digits, for example a space as %20"));
        }
    }
    Ok(bytes)
}

/// Characters that values may contain unencoded: `unreserved` and `pk11-res-avail` of RFC 7512.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:[]@!$'()*+,=".contains(c)
}

fn is_standard(name: &str) -> bool {
    ["module-path", "module-name", "pin-source", "pin-value"].contains(&name)
}

fn ensure_first<'a>(seen: &mut Vec<&'a str>, name: &'a str) -> Result<()> {
    if seen.contains(&name) {
        return Err(wrong(format!("has {} twice", shown(name))));
    }
    seen.push(name);
    Ok(())
}

fn text(name: &str, value: Vec<u8>) -> Result<String> {
    let text = String::from_utf8(value).ok().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| wrong(format!("has a {} that is not text", shown(name))))
}

fn number(value: Vec<u8>) -> Result<u64> {
    let digits = text("slot-id", value)?;
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|c| c.is_ascii_digit()));
    number.ok_or_else(|| wrong("has a slot-id that is not a number"))
}

/// Rejects relative paths: their meaning depends on the current directory.
fn absolute(name: &str, path: String) -> Result<String> {
    if std::path::Path::new(&path).is_absolute() {
        return Ok(path);
    }
    let fact = format!("has a {} that is not an absolute path", shown(name));
    let hint = "write the complete path, starting with /; a pin-source needs file: before it";
    Err(wrong(fact).hint(hint))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_decoded_and_written_again() {
        let text = "PKCS11:token=My%20olr;id=%00%ff=;slot-id=7;object=a%3bb;type=private\
            ?module-path=/usr/lib/x.so&pin-source=file:///etc/pin&x-vendor=1&x-vendor=2";
        let uri = text.parse::<Uri>().unwrap();
        assert_eq!(uri.token.as_deref(), Some("My olr"));
        assert_eq!(uri.id.as_deref(), Some(b"\0\xff=".as_slice()));
        assert_eq!((uri.slot, uri.object.as_deref()), (Some(7), Some("a;b")));
        assert_eq!(uri.module_path.as_deref(), Some("/usr/lib/x.so"));
        assert_eq!(uri.pin_source.as_deref(), Some("/etc/pin"));
        assert_eq!(uri.to_string().parse::<Uri>().unwrap(), uri);
        assert_eq!("pkcs11:".parse::<Uri>().unwrap(), Uri::default());
        assert_eq!("pkcs11:?".parse::<Uri>().unwrap().to_string(), "pkcs11:");
        for path in ["/a", "//a", "///a"] {
            let uri = format!("pkcs11:?pin-source=file://{path}").parse::<Uri>().unwrap();
            assert_eq!(uri.pin_source.as_deref(), Some(path));
            assert_eq!(uri.to_string().parse::<Uri>().unwrap(), uri);
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_a_pin_never() {
        for (text, says) in [
            ("pkcs11:token", "NAME=VALUE"),
            ("pkcs11:;token=a", "NAME=VALUE"),
            ("pkcs11:token=a;", "NAME=VALUE"),
            ("pkcs11:token=a;token=a", "token twice"),
            ("pkcs11:token=%4", "two hexadecimal digits"),
            ("pkcs11:token=%+4", "two hexadecimal digits"),
            ("pkcs11:token=a b", "must be encoded"),
            ("pkcs11:token=a/b", "must be encoded"),
            ("pkcs11:token=\u{e9}", "must be encoded"),
            ("pkcs11:token=%ff", "not text"),
            ("pkcs11:object=a%00", "not text"),
            ("pkcs11:slot-id=%2b7", "not a number"),
            ("pkcs11:slot-id=99999999999999999999", "not a number"),
            ("pkcs11:type=public", "does not name a private key"),
            ("pkcs11:library-version=1", "unknown attribute library-version"),
            ("pkcs11:x-mine=1", "unknown attribute x-mine"),
            ("pkcs11:?module-path=softhsm.so", "not an absolute path"),
            ("pkcs11:?module-name=softhsm2", "module-name"),
            ("pkcs11:?module-path=/a&module-path=/b", "module-path twice"),
            ("pkcs11:?pin-source=|cat", "does not begin with file:"),
            ("pkcs11:?pin-source=file:pin", "not an absolute path"),
            ("pkcs11:?pin-source=file://host/pin", "not an absolute path"),
            ("pkcs11:?pin-source=file:/a%2520b", "encoded twice"),
            ("pkcs11:?pin-value=s3cret", "contains a PIN"),
            ("pkcs11:pin-value=s3cret", "contains a PIN"),
            ("pkcs11:?pin-value=s3c ret", "contains a PIN"),
            ("pkcs12:token=a", "does not begin"),
        ] {
            let error = text.parse::<Uri>().unwrap_err();
            assert!(error.fact().contains(says), "{text}: {}", error.fact());
            assert_eq!(error.exit_status(), 2);
            assert!(!format!("{error:?}").contains("s3c"), "{error:?}");
        }
        let long = format!("pkcs11:token={}", "a".repeat(URI_CAP));
        assert!(long.parse::<Uri>().unwrap_err().fact().contains("longer"));
    }
}
