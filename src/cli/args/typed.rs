//! What people type as an argument.

use unicode_normalization::UnicodeNormalization;

use olr_core::display::{code_point, is_shown, shown};
use olr_core::entitlement::Count;
use olr_core::error::{Error, Problem, Result};
use olr_core::wire::codec::Text;

/// What people type is trimmed and brought to one Unicode form; files are compared as they are.
pub fn typed(what: &str, text: &str) -> Result<Text> {
    let text = nfc(text);
    if text.is_empty() {
        return Err(Error::unable(
            Problem::Usage,
            format!("{what} is empty"),
            "write it as on the receipt",
        ));
    }
    ensure_visible(what, &text)?;
    Text::new(&text)
}

/// What is copied from a page or a mail may hold characters that nobody sees, and then fits nothing
/// that was typed. Joiners are letters' business in some scripts.
pub fn ensure_visible(what: &str, text: &str) -> Result<()> {
    let hidden = |c: &char| !is_shown(*c) && !matches!(c, '\u{200c}' | '\u{200d}');
    match text.chars().find(hidden) {
        None => Ok(()),
        Some(c) => {
            let fact = format!("{what} holds the invisible character {}", code_point(c));
            Err(Error::unable(Problem::Usage, fact, "type it instead of copying it"))
        }
    }
}

pub fn nfc(text: &str) -> String {
    text.trim().nfc().collect()
}

/// A module and a number; `like` is how it is written right.
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
