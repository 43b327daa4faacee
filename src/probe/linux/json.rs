//! Extracts one string from a JSON text of another program. See `docs/format.md`, section
//! "Factors".

/// Returns the string at `path`, whose steps are object keys. Returns `None` if there is no such
/// string, or if the text is cut off or malformed before it.
pub(super) fn string_at(text: &str, path: &[&str]) -> Option<String> {
    // The current key of each open object; `None` for a list.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut rest = text;
    loop {
        let at = rest.find(['"', '{', '[', '}', ']', ','])?;
        let (_, tail) = rest.split_at_checked(at)?;
        let mark = tail.chars().next()?;
        rest = tail.get(1..)?;
        match mark {
            '{' | '[' if open.len() >= DEPTH => return None,
            '{' | '[' => open.push(None),
            '}' | ']' => drop(open.pop()?),
            ',' => *open.last_mut()? = None,
            _ => {
                let (string, after) = unquote(rest)?;
                let key = after.trim_start().strip_prefix(':');
                rest = key.unwrap_or(after);
                if key.is_some() {
                    *open.last_mut()? = Some(string);
                } else if open.iter().map(Option::as_deref).eq(path.iter().map(|key| Some(*key))) {
                    return Some(string);
                }
            }
        }
    }
}

/// Returns the text before the closing quote, and the rest after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut string = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((string, text.split_at_checked(at)?.1.get(1..)?)),
            '\\' => match letters.next()?.1 {
                'n' => string.push('\n'),
                't' => string.push('\t'),
                // Ids need no other escapes; those keep their backslash, so that they differ from
                // plain text.
                plain @ ('"' | '\\' | '/') => string.push(plain),
                other => string.extend(['\\', other]),
            },
            _ => string.push(letter),
        }
    }
    None
}

/// Nesting beyond this depth is not parsed.
const DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::string_at;

    #[test]
    fn the_string_at_a_path() {
        let text = r#"{ "ds": {"v1": {"id": "no"}, "list": ["id", {"id": "no"}], "id": "no"},
            "id": "no", "text": "\"v1\": {\"id\": \"no\"}", "v1": {"n": 4, "a": null, "id": "i-1\"\\"}}"#;
        assert_eq!(string_at(text, &["v1", "id"]).as_deref(), Some("i-1\"\\"));
        assert_eq!(string_at(text, &["v1", "n"]), None);
        assert_eq!(string_at(text, &["ds", "v1", "id"]).as_deref(), Some("no"));
        assert_eq!(string_at(r#"{"v1": null, "x": {"id": "no"}}"#, &["v1", "id"]), None);
    }

    #[test]
    fn broken_texts_say_nothing() {
        let whole = r#"{"v1": {"a": ["x"], "id": "i-1"}}"#;
        for end in 0..whole.len() - 2 {
            assert_eq!(string_at(&whole[..end], &["v1", "id"]), None, "{end}");
        }
        for broken in ["", "]", "\"", "{\"a", "{\"v1\": \"id\"", ",", &"[".repeat(100)] {
            assert_eq!(string_at(broken, &["v1", "id"]), None, "{broken}");
        }
    }
}
