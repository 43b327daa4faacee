//! Paper backup of a key: five lines to type. Implements `docs/format.md`, section "Paper".

use data_encoding::BASE32;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use crate::key::file::public_of;
use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::PAPER;
use olr_core::crypto::secret::Secret;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};
use olr_core::wire::id::KeyId;

/// Size limit of a typed page. A printed one takes 1 KiB.
pub const PAGE_CAP: usize = 16 * 1024;
/// Bytes of the encoded data in one line.
const PART: usize = 7;
/// Bytes of the checksum at the end of each line.
const CHECK: usize = 3;
/// Characters of one line: base32 of data and checksum.
const WIDTH: usize = 16;
/// Length of the encoded data: role, seed, and the first bytes of the key id.
const WHOLE: usize = 1 + 32 + 2;
const LINES: u8 = 5;
const READ: &str = "compare what you typed with the page, and correct it";

/// Formats the page, which contains the unencrypted seed.
pub fn to_page(role: Role, seed: &Secret) -> Zeroizing<String> {
    let id = key_id(role, &public_of(role, seed));
    let mut page = Zeroizing::new(String::with_capacity(2048));
    page.push_str(&format!(
        "OLR KEY ON PAPER. SECRET: ANYBODY WHO READS THIS PAGE HAS THE KEY.\n\n\
         role    {role}\nkey id  {id}\n\n"
    ));
    let whole = whole(role, seed, id);
    for (number, part) in (1..).zip(whole.chunks(PART)) {
        let mut line = Zeroizing::new(Vec::with_capacity(PART.saturating_add(CHECK)));
        line.extend(part);
        line.extend(check(number, part));
        let text = Zeroizing::new(BASE32.encode(&line));
        page.push_str(&format!("{number} "));
        for (at, c) in text.chars().enumerate() {
            if at.is_multiple_of(4) {
                page.push(' ');
            }
            page.push(c);
        }
        page.push('\n');
    }
    page.push_str(
        "\nTo restore the key file, type the five lines into FILE and run:\n  \
         olr key restore FILE\n\
         Each line ends with its own checksum, so olr names a line that is mistyped.\n\n\
         Without olr: a line is base32 (RFC 4648) of seven bytes and a checksum of three.\n\
         The seven bytes of all lines are the role (one byte: root 1, issuer 2,\n\
         sealing 3), the seed (32 bytes), and the first two bytes of the key id.\n",
    );
    page
}

/// Reads a page, or what was typed from one. Ignores lines that are not lines of a key.
///
/// # Errors
/// Exit 2 when lines are missing or mistyped, which the error names, or are not all from the page
/// of one key.
pub fn from_page(text: &str) -> Result<(Role, Secret)> {
    let mut lines: BTreeMap<u8, Option<Zeroizing<Vec<u8>>>> = BTreeMap::new();
    for (number, typed) in text.lines().filter_map(numbered) {
        let part = read_line(number, &typed);
        let again = lines.get(&number).is_some_and(|before| *before != part);
        lines.insert(number, part.filter(|_| !again));
    }
    let named = |numbers: Vec<u8>, problem: &str| {
        let (line, is) = if numbers.len() == 1 { ("line", "is") } else { ("lines", "are") };
        let numbers: Vec<_> = numbers.iter().map(u8::to_string).collect();
        Error::unable(
            Problem::Content,
            format!("{line} {} {is} {problem}", numbers.join(", ")),
            READ,
        )
    };
    if lines.is_empty() {
        let fact = "there is no key line here: a key line is a number and 16 characters";
        return Err(Error::unable(
            Problem::Content,
            fact,
            "type the five lines of the page, each with its number",
        ));
    }
    let wrong = |(number, part): (&u8, &Option<_>)| part.is_none().then_some(*number);
    let mistyped: Vec<u8> = lines.iter().filter_map(wrong).collect();
    if !mistyped.is_empty() {
        return Err(named(mistyped, "mistyped"));
    }
    let missing: Vec<u8> = (1..=LINES).filter(|number| !lines.contains_key(number)).collect();
    if !missing.is_empty() {
        return Err(named(missing, "missing").hint("type all five lines of the page"));
    }
    let mut whole: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(WHOLE));
    for part in lines.values().flatten() {
        whole.extend(part.as_slice());
    }
    let mixed = || {
        Error::unable(
            Problem::Content,
            "each line is correct, but the lines are not from the same key",
            "take all five lines from one page",
        )
    };
    let (number, rest) = whole.split_first().ok_or_else(mixed)?;
    let role = Role::from_number((*number).into()).filter(|role| *role != Role::Install);
    let (role, (seed, start)) = role.zip(rest.split_first_chunk()).ok_or_else(mixed)?;
    let seed = Secret::new(seed);
    let id = key_id(role, &public_of(role, &seed));
    if !id.0.starts_with(start) {
        return Err(mixed());
    }
    match text.lines().find_map(said_id) {
        Some(said) if said != id => {
            let fact = format!("the five lines belong to key {id}, but the page names key {said}");
            Err(Error::unable(
                Problem::Content,
                fact,
                "type all lines from the page of the key that you want",
            ))
        }
        _ => Ok((role, seed)),
    }
}

fn whole(role: Role, seed: &Secret, id: KeyId) -> Zeroizing<[u8; WHOLE]> {
    let mut whole = Zeroizing::new([0; WHOLE]);
    let number = [u8::try_from(role.number()).unwrap_or(0)];
    let pieces = number.iter().chain(seed.expose()).chain(&id.0);
    for (to, from) in whole.iter_mut().zip(pieces) {
        *to = *from;
    }
    whole
}

fn check(number: u8, part: &[u8]) -> impl Iterator<Item = u8> {
    tagged(&[PAPER, &[number], part]).into_iter().take(CHECK)
}

/// Splits a line into its number and its characters, without separators.
fn numbered(line: &str) -> Option<(u8, Zeroizing<String>)> {
    let mut typed = Zeroizing::new(String::with_capacity(line.len()));
    let shown = line.chars().filter(|c| !c.is_whitespace() && !".:)|-".contains(*c));
    typed.extend(shown.map(|c| c.to_ascii_uppercase()));
    let mut rest = typed.chars();
    let number = rest.next()?.to_digit(10).and_then(|number| u8::try_from(number).ok())?;
    let is_one = (1..=LINES).contains(&number) && !rest.as_str().is_empty();
    is_one.then(|| (number, Zeroizing::new(rest.as_str().to_string())))
}

/// Decodes a line, if its checksum matches. Accepts characters that base32 does not have: `0` as O,
/// `8` as B, and `1` as I or L, whichever matches the checksum.
fn read_line(number: u8, typed: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Each `1` doubles the number of readings to try.
    if typed.len() != WIDTH || typed.matches('1').count() > 4 {
        return None;
    }
    let mut base = Zeroizing::new(String::with_capacity(WIDTH));
    base.extend(typed.chars().map(|c| match c {
        '0' => 'O',
        '8' => 'B',
        other => other,
    }));
    let mut readings = vec![base];
    while readings.first().is_some_and(|reading| reading.contains('1')) {
        let both =
            |reading: &Zeroizing<String>| ["I", "L"].map(|c| reading.replacen('1', c, 1).into());
        readings = readings.iter().flat_map(both).collect();
    }
    readings.iter().find_map(|reading| {
        let line = Zeroizing::new(BASE32.decode(reading.as_bytes()).ok()?);
        let (part, found) = line.split_at_checked(PART)?;
        check(number, part).eq(found.iter().copied()).then(|| Zeroizing::new(part.to_vec()))
    })
}

/// Parses the key id, if the line contains one.
fn said_id(line: &str) -> Option<KeyId> {
    let start = line.trim_start().get(..6).filter(|start| start.eq_ignore_ascii_case("key id"))?;
    let rest = line.trim_start().get(start.len()..)?;
    let digits = rest.chars().filter(|c| !c.is_whitespace() && !".:-".contains(*c));
    let digits = digits.map(|c| match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    digits.collect::<String>().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 3] = [Role::Root, Role::Issuer, Role::Sealing];
    /// The base32 alphabet, and characters that are accepted in its place.
    const TYPED: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ2345670189";

    /// The five lines of a page.
    fn lines(role: Role, seed: &[u8; 32]) -> Vec<String> {
        let page = to_page(role, &Secret::new(seed));
        let lines = page.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        let lines: Vec<_> = lines.map(str::to_string).collect();
        assert_eq!(lines.len(), 5, "a line of the text looks like one of the key");
        lines
    }

    fn read(lines: &[String]) -> Result<(Role, Secret)> {
        from_page(&lines.join("\n"))
    }

    #[test]
    fn what_is_printed_is_read_however_it_is_typed() {
        for role in ROLES {
            let page = to_page(role, &Secret::new(&[role.number() as u8; 32]));
            for typed in [
                page.to_string(),
                page.to_lowercase(),
                page.replace('\n', "\r\n"),
                lines(role, &[role.number() as u8; 32]).join("\n").replace(' ', ""),
                page.replace("  ", ".\t").replace(' ', "-"),
                lines(role, &[role.number() as u8; 32])
                    .into_iter()
                    .rev()
                    .collect::<Vec<_>>()
                    .join("\n\n"),
            ] {
                let (read, seed) =
                    from_page(&typed).unwrap_or_else(|error| panic!("{error} {typed}"));
                assert_eq!((read, seed.expose()), (role, &[role.number() as u8; 32]));
            }
        }
    }

    #[test]
    fn what_looks_alike_is_taken_for_what_was_printed() {
        let mut seen = 0;
        for number in 0..32 {
            let good = lines(Role::Root, &[number; 32]);
            for (line, text) in good.iter().enumerate() {
                let (head, tail) = text.split_at(3);
                let alike = tail.replace('O', "0").replace('B', "8").replace(['I', 'L'], "1");
                seen += usize::from(alike != tail);
                let mut typed = good.clone();
                typed[line] = format!("{head}{alike}");
                if alike.matches('1').count() <= 4 {
                    assert_eq!(read(&typed).unwrap().1.expose(), &[number; 32], "{typed:?}");
                }
            }
        }
        assert!(seen > 100);
    }

    #[test]
    fn every_wrong_character_is_found_and_its_line_named() {
        let mut tried = 0;
        for (role, seed) in ROLES.into_iter().zip([[0; 32], [0x5a; 32], [255; 32]]) {
            let good = lines(role, &seed);
            for line in 0..5 {
                for at in 3..good[line].len() {
                    let right = &good[line][at..=at];
                    for wrong in TYPED.chars().filter(|_| right != " ") {
                        let mut typed = good.clone();
                        typed[line].replace_range(at..=at, &wrong.to_string());
                        tried += 1;
                        match read(&typed) {
                            Ok((_, read)) => {
                                let alike = ["OO", "O0", "BB", "B8", "I1", "L1", "II", "LL"];
                                let pair = format!("{right}{wrong}");
                                let same = right == wrong.to_string();
                                assert!(same || alike.contains(&pair.as_str()), "{pair} {typed:?}");
                                assert_eq!(read.expose(), &seed);
                            }
                            Err(error) => {
                                assert_eq!(error.fact(), format!("line {} is mistyped", line + 1));
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(tried, 3 * 5 * 16 * 36);
    }

    #[test]
    fn swapped_lost_and_doubled_characters_are_found_and_their_line_named() {
        let seed = std::array::from_fn(|at| (at as u8).wrapping_mul(37));
        let good = lines(Role::Sealing, &seed);
        let mut tried = 0;
        for line in 0..5 {
            let digits: Vec<char> = good[line].chars().filter(|c| *c != ' ').collect();
            for at in 1..digits.len() {
                let mut changed = vec![[&digits[..at], &digits[at + 1..]].concat()];
                changed.push([&digits[..=at], &digits[at..]].concat());
                if at + 1 < digits.len() && digits[at] != digits[at + 1] {
                    let mut swapped = digits.clone();
                    swapped.swap(at, at + 1);
                    changed.push(swapped);
                }
                for changed in changed {
                    let mut typed = good.clone();
                    typed[line] = changed.into_iter().collect();
                    let fact = format!("line {} is mistyped", line + 1);
                    assert_eq!(read(&typed).unwrap_err().fact(), fact, "{typed:?}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 200);
    }

    #[test]
    fn lines_that_are_missing_doubled_or_of_another_key_are_named() {
        let (good, other) = (lines(Role::Root, &[1; 32]), lines(Role::Root, &[2; 32]));
        let fact = |lines: &[String]| read(lines).unwrap_err().fact().to_string();
        assert!(fact(&[]).starts_with("there is no key line"));
        assert_eq!(fact(&good[..4]), "line 5 is missing");
        assert_eq!(fact(&good[2..3]), "lines 1, 2, 4, 5 are missing");
        assert!(read(&[good.clone(), good.clone()].concat()).is_ok());
        assert_eq!(fact(&[good.clone(), vec![other[1].clone()]].concat()), "line 2 is mistyped");
        let renumbered = good[1].replacen('2', "3", 1);
        assert_eq!(fact(&[good.clone(), vec![renumbered]].concat()), "line 3 is mistyped");
        let mixed = [&good[..2], &other[2..]].concat();
        assert!(fact(&mixed).contains("not from the same key"));
        let page = to_page(Role::Root, &Secret::new(&[1; 32]));
        let id = key_id(Role::Root, &public_of(Role::Root, &Secret::new(&[2; 32])));
        let told = format!("Key ID: {id}\n{}", page.as_str());
        assert!(from_page(&told).unwrap_err().fact().contains(&format!("the page names key {id}")));
        let install = lines(Role::Install, &[1; 32]);
        assert!(fact(&install).contains("not from the same key"));
    }
}
