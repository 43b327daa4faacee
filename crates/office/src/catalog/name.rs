//! Names in a catalog: texts that people read, and that licenses and trusts carry.

use std::collections::BTreeSet;

use olr_core::display::is_shown;
use olr_core::error::Result;
use olr_core::wire::codec::Text;
use olr_files::toml_text::Written;

/// Most entries of a list that a license or a trust carries.
pub(super) const LIST_CAP: usize = 64;
/// Most bytes of a name there.
const NAME_CAP: usize = 256;

/// The name that stands at `path`; `what` names it in errors.
pub(super) fn name(written: Written<'_>, path: &[&str], what: &str, name: &str) -> Result<Text> {
    let problem = if name.trim().is_empty() {
        "it is empty"
    } else if name.len() > NAME_CAP {
        "it is longer than 256 bytes"
    } else if !name.chars().all(is_shown) {
        "it has a character that is not shown"
    } else {
        return Text::new(name);
    };
    Err(written.wrong(path, &format!("{what}: {problem}"), "write a short name"))
}

/// A list of names, none twice.
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
            let fact = format!("{what}: {text} stands twice");
            return Err(written.wrong(&here, &fact, "name it once"));
        }
    }
    if names.len() > LIST_CAP {
        let fact = format!("{what}: {} entries, where at most {LIST_CAP} fit", names.len());
        return Err(written.wrong(path, &fact, "use fewer"));
    }
    Ok(read)
}
