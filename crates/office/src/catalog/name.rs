//! Names in a catalog: texts for display that licenses and trusts carry.

use std::collections::BTreeSet;

use olr_core::display::is_shown;
use olr_core::error::Result;
use olr_core::wire::codec::Text;
use olr_files::toml_text::Written;

/// Maximum length of a list in a license or trust.
pub(super) const LIST_CAP: usize = 64;
/// Maximum length in bytes of a name in a license or trust.
const NAME_CAP: usize = 256;
const USUAL: &str = "write a short name without invisible characters";

/// Checks the name at `path`; `what` describes it in errors.
pub(super) fn name(written: Written<'_>, path: &[&str], what: &str, name: &str) -> Result<Text> {
    let problem = if name.trim().is_empty() {
        "it is empty"
    } else if name.len() > NAME_CAP {
        "it is longer than 256 bytes"
    } else if !name.chars().all(is_shown) {
        "it contains an invisible character"
    } else {
        return Text::new(name);
    };
    Err(written.wrong(path, &format!("{what}: {problem}"), USUAL))
}

/// Checks a list of names, which must not contain duplicates.
pub(super) fn names(
    written: Written<'_>,
    path: &[&str],
    what: &str,
    names: &[String],
) -> Result<Vec<Text>> {
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    for (index, text) in names.iter().enumerate() {
        let index = index.to_string();
        let here = [path, &[index.as_str()]].concat();
        read.push(name(written, &here, what, text)?);
        if !seen.insert(text) {
            let fact = format!("{what}: {text} appears twice");
            return Err(written.wrong(&here, &fact, "list it only once"));
        }
    }
    if names.len() > LIST_CAP {
        let fact = format!("{what}: {} entries, but at most {LIST_CAP} are allowed", names.len());
        return Err(written.wrong(path, &fact, "use fewer"));
    }
    Ok(read)
}
