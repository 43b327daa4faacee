//! Names with control characters and the like: none can inject a header, a line or an instruction.

use super::*;
use olr::alert::{Notice, NoticeKind, compose};
use olr_core::display::is_shown;
use olr_core::entitlement::{Cause, Outcome};
use olr_core::error::Refusal;
use olr_core::state::{SlotName, Stage};
use olr_core::wire::id::{EventId, LicenseId};

const NAMES: [&str; 16] = [
    "plain",
    "a\r\nBcc: all@example.org",
    "a\nX-Evil: 1\n\nbody",
    "a\r\n.\r\nMAIL FROM:<x@example.org>",
    "\u{202e}gro.elpmaxe\u{2066}",
    "zero\u{200b}width\u{feff}",
    "\u{1b}[2J\u{7}\u{8}",
    "nul\0byte",
    "a\u{2028}b\u{85}c",
    "=?utf-8?q?=0D=0ABcc:_x@example.org?=",
    "=?utf-8?b?DQpCY2M6IHg=?=",
    "Zoë Søn & 東京株式会社 🚀",
    "\"quoted\" <x@example.org>, (comment)",
    "",
    " . .. ",
    "--boundary\r\nContent-Type: text/html",
];

fn notice(name: &str, about: NoticeKind) -> Notice {
    let slot = Text::truncated(name);
    Notice {
        id: EventId([7; 16]),
        server: name.to_string(),
        place: Some(SlotName { product: slot.clone(), slot }),
        license: Some(LicenseId([8; 16])),
        about,
        at: Instant::new(NOW),
        since: Some(Instant::new(NOW)),
        until: Some(Instant::new(u64::MAX)),
        fact: format!("{name}: 12 used, 10 granted"),
        step: Some(name.to_string().into()),
        condition: None,
    }
}

fn abouts() -> Vec<NoticeKind> {
    let causes = Cause::ALL.iter().copied();
    let stages = causes.flat_map(|cause| Stage::ALL.iter().map(move |stage| (cause, *stage)));
    let changes = stages.flat_map(|(cause, stage)| {
        Outcome::ALL.iter().map(move |then| NoticeKind::Change { cause, stage, then: *then })
    });
    let refusals = Refusal::ALL.iter().copied();
    let refusals = refusals.flat_map(|word| [NoticeKind::Refused(word), NoticeKind::Over(word)]);
    changes.chain(refusals).chain([NoticeKind::Test]).collect()
}

#[test]
fn no_name_becomes_a_header_a_line_or_an_order() {
    let server = Server::start(Manners::default());
    let settings = Settings::parse(&plain(&server, &["ops@example.org", "b@example.org"])).unwrap();
    let mail = settings.mail.as_ref().unwrap();
    let long = ["x".repeat(5000), "語".repeat(2000), "\u{202e}".repeat(700)];
    let names = NAMES.iter().copied().chain(long.iter().map(String::as_str));
    let mut seen = 0;
    for (number, name) in names.enumerate() {
        // All kinds of notice for the plain name; for each other name every fifth, beginning with a
        // different one.
        let step = if number == 0 { 1 } else { 5 };
        for about in abouts().into_iter().skip(number % step).step_by(step) {
            let notice = notice(name, about);
            let raw = compose(mail, &notice, Instant::new(NOW), ToString::to_string).unwrap();
            let raw = String::from_utf8(raw).unwrap();
            assert!(raw.is_ascii() && raw.lines().all(|line| line.len() < 998), "{raw}");
            assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "{raw}");
            let taken = Taken { raw, ..Taken::default() };
            let mail = mailparse::parse_mail(taken.raw.as_bytes()).unwrap();
            let mut headers: Vec<_> = mail.headers.iter().map(|header| header.get_key()).collect();
            headers.sort();
            assert_eq!(
                headers,
                [
                    "Auto-Submitted",
                    "Content-Transfer-Encoding",
                    "Content-Type",
                    "Date",
                    "From",
                    "MIME-Version",
                    "Message-ID",
                    "Subject",
                    "To",
                    "X-Olr-Alert",
                ]
            );
            // Mail readers fold spaces.
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&taken.header("Subject")), words(&notice.subject()));
            assert_eq!(taken.body(), notice.text(ToString::to_string));
            assert!(notice.subject().chars().all(is_shown));
            assert!(notice.subject().chars().count() <= 400);
            assert!(notice.text(ToString::to_string).chars().all(|c| is_shown(c) || c == '\n'));
            let environment = notice.environment();
            assert!(environment.iter().all(|(_, value)| value.chars().all(is_shown)));
            assert!(notice.text(ToString::to_string).matches("\nNext step: ").count() <= 1);
            assert_eq!(notice.text(ToString::to_string).matches("\nAlert: ").count(), 1);
            seen += 1;
        }
    }
    assert!(seen > 700, "only {seen}");
}

#[test]
fn a_mail_with_tricks_arrives_as_one_mail() {
    let server = Server::start(Manners::default());
    let text = plain(&server, &["ops@example.org"]);
    for name in NAMES.iter().filter(|name| !name.is_empty() && name.chars().all(is_shown)) {
        let world = World::new(&[]);
        let settings = world.settings(&format!("server = {name:?}\n{text}"));
        world.uses("OBM", 12, NOW);
        assert_eq!(world.told(&settings, NOW), 1);
        let taken = server.taken();
        assert_eq!(taken.len(), 1);
        assert!(taken[0].body().contains("OBM: 12 used"), "{}", taken[0].raw);
    }
}

#[test]
fn every_change_says_what_and_what_to_do() {
    for about in abouts() {
        let notice = notice("n", about);
        let is_over = matches!(
            about,
            NoticeKind::Over(_)
                | NoticeKind::Test
                | NoticeKind::Change { stage: Stage::Solved, .. }
        );
        assert_eq!(
            notice.text(ToString::to_string).contains("Next step: "),
            !is_over,
            "{}",
            notice.text(ToString::to_string)
        );
        assert!(notice.text(ToString::to_string).contains(&EventId([7; 16]).to_string()));
        let json = notice.json(ToString::to_string);
        assert_eq!(json["subject"], notice.subject());
        assert!(json["cause"].is_string() && json["stage"].is_string());
    }
}
