//! Words in place of a value. Implements `docs/format.md`, section "Fillers".

use super::sequence::{counts, repeats, runs};

/// True if `all` consists only of words from forms, with or without separators, and digits without
/// meaning.
pub(super) fn only(parts: &[&[u8]], all: &[u8]) -> bool {
    let (digits, letters): (Vec<u8>, Vec<u8>) = all.iter().partition(|byte| byte.is_ascii_digit());
    let number = digits.iter().skip_while(|digit| **digit == b'0').count();
    let says_nothing = digits.is_empty()
        || (digits.len() >= 3 && (repeats(&digits) || counts(&digits) || runs(&digits)));
    if letters.len() < 2 || (!says_nothing && number > 2) {
        return false;
    }
    let apart = || {
        parts.iter().all(|part| {
            let letters: Vec<u8> = part.iter().filter(|b| !b.is_ascii_digit()).copied().collect();
            letters.is_empty() || is_word(&letters)
        })
    };
    match longest_word(&letters) {
        Some(LONG..) => true,
        // Two short words could also be the letters of a real serial number.
        Some(longest) => {
            says_nothing && (longest == letters.len() || letters.len() >= 6 || apart())
        }
        None => false,
    }
}

const LONG: usize = 4;
/// Maximum length of a word.
const LONGEST: usize = 16;

fn is_word(letters: &[u8]) -> bool {
    std::str::from_utf8(letters).is_ok_and(|text| WORDS.split_whitespace().any(|w| w == text))
}

/// Returns the length of the longest word if `letters` consists of words without separators. If
/// there are several ways to split them, uses the one with the longest word.
fn longest_word(letters: &[u8]) -> Option<usize> {
    let mut best: Vec<Option<usize>> = vec![Some(0)];
    for end in 1..=letters.len() {
        let near = end.saturating_sub(LONGEST);
        let ways = best.iter().enumerate().skip(near).filter_map(|(start, longest)| {
            let part = letters.get(start..end)?;
            longest.filter(|_| is_word(part)).map(|longest| longest.max(part.len()))
        });
        let longest = ways.max();
        best.push(longest);
    }
    best.pop().flatten()
}

/// Words found in forms: names of fields, and ways to say that nobody filled them in.
const WORDS: &str = "
    na nil no non none not null nul tba tbc tbd tbf void xxx
    applicable assigned available configured defined detected entered existing filled
    found given implemented initialised initialized installed known present programmed provided readable
    recorded required set settable specified supplied supported used valid
    bad blank default defaults dummy empty fake filler free inapplicable invalid missing nothing
    placeholder reserved unassigned unavailable undefined undetermined uninitialised uninitialized
    unknown unprogrammed unset unspecified unsupported unused
    be by fill for here in index insert is it later manufacturing of oem odm or out spec specification
    the this to with yet your
    changeme change customer enter example sample template test testing qwerty qwertyuiop asdf asdfgh
    asset base baseboard bios board chassis computer device enclosure hardware machine main mainboard
    mother motherboard node pc platform processor product rack server sys system unit
    code data field generic id identifier identity info information label maker manufacturer
    model name nr num number numbers nbr part pn rev revision ser serial series sku sn sno standard std
    string tag text type uuid guid value vendor ver version
    bsn csn mb mbsn msn psn ssn syssn
";
