//! Checks on the alert settings that an operator writes.

use olr::Instant;
use olr::alert::{Notice, Settings, Tls, compose};
use std::path::Path;

/// Headers of every mail, each exactly once.
const HEADERS: [&str; 10] = [
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
];

/// Checks that accepted settings name a recipient or a command and never send a password in plain
/// text, and that a mail has exactly these headers, whatever the server's name is.
pub fn alerts(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let settings = match Settings::parse(text) {
        Ok(settings) => settings,
        Err(error) => {
            assert_eq!(error.exit_status(), 2, "bad settings prove nothing about the license");
            return;
        }
    };
    assert!((1..=17).contains(&settings.ways().len()));
    if let Some(command) = &settings.command {
        assert!(Path::new(&command.program).is_absolute() && command.timeout > 0);
    }
    let Some(mail) = &settings.mail else { return };
    assert!(mail.user.is_none() || mail.tls != Tls::None, "a password would be sent in plain text");
    assert_eq!(mail.user.is_some(), mail.password_file.is_some());
    for name in [settings.server.as_deref().unwrap_or_default(), text] {
        let notice = Notice::test(name, Instant::new(u64::MAX));
        let message = compose(mail, &notice, Instant::new(u64::MAX), ToString::to_string).unwrap();
        let message = String::from_utf8(message).unwrap();
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        let folded = |line: &&str| !line.starts_with([' ', '\t']);
        let mut names: Vec<_> = head.split("\r\n").filter(folded).collect();
        names.iter_mut().for_each(|line| *line = line.split(':').next().unwrap());
        names.sort_unstable();
        assert_eq!(names, HEADERS, "{head}");
        assert!(!head.replace("\r\n", "").contains(['\r', '\n']));
    }
}
