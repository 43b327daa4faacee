//! Texts that people type as arguments.

use unicode_normalization::UnicodeNormalization;

use olr_core::display::{code_point, is_shown, shown};
use olr_core::entitlement::Count;
use olr_core::error::{Error, Problem, Result};
#[cfg(feature = "vendor")]
use olr_core::time::Span;
use olr_core::wire::codec::Text;

/// Trims typed text and normalizes it to NFC. Fails if it is empty or too long, or contains
/// invisible characters. Text in files is compared as it is.
pub fn typed(what: &str, text: &str) -> Result<Text> {
    let text = nfc(text);
    if text.is_empty() {
        return Err(Error::unable(
            Problem::Usage,
            format!("{what} is empty"),
            "type a value; the licensee's name and the license key are on the sales receipt",
        ));
    }
    ensure_visible(what, &text)?;
    Text::new(&text)
}

/// Fails on invisible characters. Text copied from a page or a mail may contain some, and then it
/// does not match the same text typed by hand. Joiners are allowed, because some scripts need them.
pub fn ensure_visible(what: &str, text: &str) -> Result<()> {
    let hidden = |c: &char| !is_shown(*c) && !matches!(c, '\u{200c}' | '\u{200d}');
    match text.chars().find(hidden) {
        None => Ok(()),
        Some(c) => {
            let fact = format!("{what} contains the invisible character {}", code_point(c));
            Err(Error::unable(Problem::Usage, fact, "type the text instead of copying it"))
        }
    }
}

pub fn nfc(text: &str) -> String {
    text.trim().nfc().collect()
}

/// Parses a module and a number; `like` is an example for the error.
pub fn count(text: &str, like: &str) -> Result<Count> {
    let wrong = || {
        let fact = format!("{:?} is not MODULE=NUMBER", shown(text));
        Error::unable(Problem::Usage, fact, format!("write it like {like}"))
    };
    let (module, count) = text.split_once('=').ok_or_else(wrong)?;
    Ok(Count {
        module: typed("the module", module)?,
        count: count.trim().parse().map_err(|_| wrong())?,
    })
}

/// Parses a span: `1 year`, or for short `30d`, `6m` or `1y`.
#[cfg(feature = "vendor")]
pub fn span(text: &str) -> Result<Span> {
    let number = |end| text.trim().strip_suffix(end).and_then(|number| number.parse().ok());
    match (number('d'), number('m'), number('y')) {
        (Some(days), ..) => Ok(Span::Days(days)),
        (_, Some(months), _) => Ok(Span::Months(months)),
        (.., Some(years)) => Ok(Span::Years(years)),
        _ => text.parse(),
    }
}
