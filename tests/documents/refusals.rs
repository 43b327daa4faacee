//! `docs/refusals.md` explains every refusal word once, in numerical order.

use olr_core::error::{Error, Problem, Refusal, Remedy};

const TEXT: &str = include_str!("../../docs/refusals.md");
const PARTS: [&str; 3] = ["**What happened.** ", "**What to ask.** ", "**What to do.** "];

fn sections() -> Vec<(&'static str, &'static str)> {
    let after_heading = TEXT.split("\n## ").skip(1);
    after_heading.map(|section| section.split_once('\n').unwrap()).collect()
}

#[test]
fn every_word_has_one_section_in_order_and_no_other_has() {
    let found: Vec<_> = sections().iter().map(|(word, _)| *word).collect();
    let words: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.word()).collect();
    assert_eq!(words.len(), 27, "a new word needs a section, a rule and a fixture");
    assert_eq!(found, words);
}

#[test]
fn every_section_says_what_happened_what_to_ask_and_what_to_do() {
    for (word, section) in sections() {
        let paragraphs: Vec<_> = section.trim().split("\n\n").collect();
        assert_eq!(paragraphs.len(), PARTS.len(), "{word}");
        for (paragraph, part) in paragraphs.iter().zip(PARTS) {
            let text = paragraph.strip_prefix(part);
            let text = text.unwrap_or_else(|| panic!("{word}: no paragraph begins with {part:?}"));
            assert!(text.len() > 20, "{word}: {part:?} says nothing");
            assert!(text.ends_with(['.', '?', '"']), "{word}: {part:?} breaks off");
        }
    }
}

#[test]
fn it_fits_a_terminal() {
    for (number, line) in TEXT.lines().enumerate() {
        let number = number + 1;
        assert!(line.chars().count() <= 96, "line {number} is longer than 96 characters");
        assert!(!line.contains("](") && !line.ends_with(' '), "line {number}: plain prose, please");
    }
}

#[test]
fn no_word_is_only_promised() {
    let flat = TEXT.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!flat.contains("of this version gives this word yet"));
}

/// The next step for the vendor's office must differ: "ask the vendor" would be no help there.
#[test]
fn at_the_vendor_every_word_has_a_step_for_the_office() {
    for refusal in Refusal::ALL {
        let step = Error::refuse(*refusal, "").at_vendor().next_step().to_string();
        for customer in ["ask the vendor", "the vendor ", "your vendor", "this machine"] {
            assert!(!step.contains(customer), "{refusal}: {step}");
        }
        // A next step that was given for the case itself is kept.
        let own = Error::refuse(*refusal, "").hint("do this").at_vendor();
        assert_eq!(own.next_step().text(), "do this");
        // The customer has a next step for every word, too.
        assert_ne!(Error::refuse(*refusal, "").next_step().text(), "");
    }
}

/// Rows of the numbered table of `docs/json.md` whose first column has the heading `what`.
fn numbered(what: &str) -> Vec<&'static str> {
    let page = include_str!("../../docs/json.md");
    let head = format!("| {what} | number | meaning |\n|---|--:|---|\n");
    let (_, table) = page.split_once(&head).unwrap();
    table.lines().take_while(|line| line.starts_with('|')).collect()
}

#[test]
fn every_problem_is_on_the_page_of_json_with_its_number() {
    let rows = numbered("problem");
    assert_eq!(rows.len(), Problem::ALL.len());
    for (row, problem) in rows.iter().zip(Problem::ALL) {
        let start = format!("| `{problem}` | {} | ", problem.number());
        assert!(row.starts_with(&start), "{row} should start with {start}");
        assert_eq!(Error::unable(*problem, "", "").problem(), Some(*problem));
    }
}

#[test]
fn every_remedy_is_on_the_page_of_json_with_its_number() {
    let rows = numbered("remedy");
    assert_eq!(rows.len(), Remedy::ALL.len());
    for (row, remedy) in rows.iter().zip(Remedy::ALL) {
        let start = format!("| `{remedy}` | {} | ", remedy.number());
        assert!(row.starts_with(&start), "{row} should start with {start}");
    }
}
