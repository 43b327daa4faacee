//! The picture is well-formed whatever text it contains, is self-contained, and shows every entry.

use olr_core::simulate::{Timeline, picture};
use olr_core::time::Day;
use olr_core::wire::codec::Set;

use crate::simulate::{at, events, play, server};
use crate::world::{NOW, World, text};

/// Unescaped texts of a document. Panics if it is not well-formed.
fn texts(svg: &str) -> Vec<String> {
    let (mut open, mut texts) = (Vec::new(), Vec::new());
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        texts.push(unescaped(&rest[..start]));
        let end = start + rest[start..].find('>').expect("a tag is not closed");
        let tag = &rest[start + 1..end];
        assert!(!tag.contains('<'), "{tag}");
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag.trim_end_matches('/'), ""));
        let is_known = ["svg", "title", "style", "rect", "text", "tspan", "path"].contains(&name);
        assert!(is_known, "an element {name}");
        check_attributes(attributes.trim_end_matches('/'));
        if !tag.ends_with('/') {
            open.push(name.to_string());
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
    texts.retain(|text| !text.trim().is_empty());
    texts
}

/// Checks that each name in `name="value"` occurs once, and that no value refers to an external
/// resource.
fn check_attributes(attributes: &str) {
    let mut names = Vec::new();
    let mut rest = attributes.trim();
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a value is not closed");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
        assert!(!names.contains(&name), "{name} appears twice in {attributes}");
        assert!(!name.starts_with("on") && !name.contains("href"), "{name}");
        assert!(name == "xmlns" || !value.contains(':'), "{value}");
        assert!(!value.contains("NaN") && !value.contains("inf"), "{name}: {value}");
        names.push(name);
        rest = after.trim();
    }
    assert!(rest.is_empty(), "{rest}");
}

fn unescaped(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut plain = pieces.next().unwrap().to_string();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').expect("an & that escapes nothing");
        let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("#39", '\'')];
        plain.push(known.iter().find(|(known, _)| *known == name).expect(name).1);
        plain += rest;
    }
    plain
}

fn year(extra: &[&str]) -> Timeline {
    let world = World::new();
    let state = server(&world, |body| body.expires = "2028-10-01".parse::<Day>().ok(), None);
    play(&state, &events(extra), at("2028-11-23")).unwrap()
}

#[test]
fn every_entry_stands_in_the_picture_with_its_words() {
    let timeline = year(&["2028-01-01 clone", "2028-02-01 repaired", "2028-03-01 use OBM=99"]);
    let texts = texts(&picture(&timeline, "A title"));
    assert_eq!((&*texts[0], &*texts[2]), ("A title", "A title"), "for screen readers, and drawn");
    for phase in ["in-effect", "grace", "stopped"] {
        let rules = texts[1].matches(&format!(".{phase}{{color:#")).count();
        assert_eq!(rules, 2, "{phase} has a colour on light and one on dark paper");
    }
    assert!(texts[1].contains("prefers-color-scheme:dark") && !texts[1].contains("url("));
    assert!(timeline.entries.len() >= 8);
    for entry in &timeline.entries {
        let when = texts.iter().position(|text| *text == entry.at.to_string());
        let when = when.unwrap_or_else(|| panic!("{} is missing", entry.at));
        assert!(texts[when..].iter().any(|text| text == entry.condition.word()));
        let whole = texts[when..].concat().replace(' ', "");
        for line in entry.lines() {
            assert!(whole.contains(&line.replace(' ', "")), "{line:?} is missing");
        }
    }
    assert!(texts.contains(&"2028-07-01".to_string()), "the calendar is missing: {texts:?}");
}

#[test]
fn whatever_is_quoted_is_text() {
    let hostile = "]]><script>alert('1')</script>&amp;<!-- \" \u{202e}\u{1}\u{0}\u{ffff}\u{feff}";
    let world = World::new();
    let state = server(
        &world,
        |body| {
            let mut grant = body.grants.iter().next().unwrap().clone();
            grant.module = text(hostile);
            body.grants = Set::new(vec![grant]).unwrap();
        },
        None,
    );
    let mut events = events(&["2027-12-01 use OBM=1"]);
    let count = olr_core::entitlement::Count { module: text(hostile), count: 1000 };
    events[0].what = olr_core::simulate::Happening::Use(vec![count]);
    let name = text(&"<&>\"'𝒳漢".repeat(9));
    events.push(olr_core::simulate::ScenarioEvent {
        at: at("2027-12-02"),
        what: olr_core::simulate::Happening::Hostname(name),
    });
    let timeline = play(&state, &events, at("2028-01-01")).unwrap();
    let svg = picture(&timeline, hostile);
    let texts = texts(&svg);
    assert!(texts.iter().any(|text| text.contains("<script>")), "the name is drawn, as text");
    assert!(svg.chars().all(|c| olr_core::display::is_shown(c) || c == '\n'));
}

#[test]
fn an_instant_and_ten_thousand_years_can_be_drawn() {
    let world = World::new();
    let state = server(&world, |body| body.expires = None, None);
    for until in [
        NOW,
        "2027-11-23T09:00:01Z",
        "2027-11-23T20:00:00Z",
        "2027-11-25",
        "2027-12-10",
        "2028-02-01",
        "2030-01-01",
        "2090-01-01",
        "9999-12-31",
    ] {
        let timeline = play(&state, &[], at(until)).unwrap();
        let texts = texts(&picture(&timeline, "t"));
        assert!(texts.iter().any(|text| text.contains(NOW)), "{until}");
        let dates = texts.iter().filter(|text| text.starts_with("20") || text.starts_with("9"));
        assert!(dates.count() < 40, "{until}: too many lines on the axis");
        // Labels at the axis end at x = 94; more characters would be cut off.
        let hours = texts.iter().filter(|text| text.ends_with(":00"));
        assert!(hours.clone().all(|text| text.len() == 11), "{until}: {texts:?}");
    }
}
