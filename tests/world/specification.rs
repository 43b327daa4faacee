//! The three pages of the specification, and the rules on them.

use std::collections::BTreeSet;

/// File name and text of each page, in the order in which a reader meets them.
pub const PAGES: [(&str, &str); 3] = [
    ("format.md", include_str!("../../docs/format.md")),
    ("judgement.md", include_str!("../../docs/judgement.md")),
    ("reports.md", include_str!("../../docs/reports.md")),
];

/// One rule, as written on a page.
pub struct Rule {
    pub page: &'static str,
    pub id: String,
    pub text: String,
}

impl Rule {
    /// Group and number, such as `frame` and 6.
    pub fn group(&self) -> (String, u32) {
        let (group, number) = self.id.rsplit_once('-').unwrap();
        (group.to_string(), number.parse().unwrap())
    }
}

/// Returns every rule of every page, in the order of the pages.
pub fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for (page, text) in PAGES {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some((anchor, rest)) =
                line.strip_prefix("- <a id=\"").and_then(|line| line.split_once("\"></a>**"))
            else {
                assert!(
                    !line.starts_with("- **") || !line.contains("-1** "),
                    "{page}: no anchor: {line}"
                );
                continue;
            };
            let (id, text) = rest.split_once("** ").unwrap();
            assert_eq!(anchor, id, "{page}: the anchor is that of the rule");
            let mut text = text.to_string();
            while let Some(more) = lines.next_if(|line| line.starts_with("  ")) {
                text.push(' ');
                text.push_str(more.trim_start());
            }
            rules.push(Rule { page, id: id.to_string(), text });
        }
    }
    let ids: BTreeSet<_> = rules.iter().map(|rule| &rule.id).collect();
    assert_eq!(ids.len(), rules.len(), "a rule appears twice");
    rules
}

/// Returns the anchors of a page: its headings, as a forge writes them, and its rules.
pub fn anchors(page: &str) -> BTreeSet<String> {
    let slug = |heading: &str| -> String {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let mut anchors: BTreeSet<_> = headings(page).map(slug).collect();
    let ids = page.split("<a id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
    anchors.extend(ids.map(|(id, _)| id.to_string()));
    anchors
}

/// Returns the headings of a page.
pub fn headings(page: &str) -> impl Iterator<Item = &str> {
    let lines = page.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| line.trim_start_matches('#').trim())
}

/// Returns the text of a section, up to the next heading.
pub fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let starts = page.match_indices("\n#").filter_map(|(at, _)| {
        let (heading, text) = page[at + 1..].split_once('\n')?;
        (heading.trim_start_matches('#').trim() == name).then_some(text)
    });
    let found: Vec<_> = starts.collect();
    assert_eq!(found.len(), 1, "sections called {name}");
    found[0].split("\n#").next().unwrap()
}

/// Counts the words of a text that have a letter or digit. Skips anchors.
pub fn words(text: &str) -> usize {
    let mut plain = String::new();
    for (number, piece) in text.split("<a id=\"").enumerate() {
        plain.push_str(if number == 0 { piece } else { piece.split_once("</a>").unwrap().1 });
    }
    let plain = without_links(&plain);
    plain.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// Returns label and target of each link.
pub fn links(page: &str) -> Vec<(String, String)> {
    let ends = page.match_indices("](").map(|(at, _)| at);
    let link = |at: usize| {
        let label = page[..at].rsplit('[').next().unwrap();
        let target = page[at + 2..].split(')').next().unwrap();
        (label.split_whitespace().collect::<Vec<_>>().join(" "), target.to_string())
    };
    ends.map(link).collect()
}

/// Returns the text with each link replaced by its label.
pub fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (start, label) = before.rsplit_once('[').unwrap();
        plain.push_str(start);
        plain.push_str(label);
        rest = after.split_once(')').unwrap().1;
    }
    plain + rest
}
