//! What may happen to a server, as `olr simulate --event` takes it.

use olr_core::error::Error;
use olr_core::simulate::{Happening, ScenarioEvent};

/// What is taken says the same when it is written again.
pub fn event(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let read = |_: &str| Ok::<_, Error>(b"bytes".to_vec());
    let Ok(event) = ScenarioEvent::parse(text, read) else { return };
    // A file's name is shown, not kept as it was typed; and what is past the year 9999 has no date.
    if matches!(event.what, Happening::Import(_)) || event.at.seconds > 253_402_300_799 {
        return;
    }
    let again = ScenarioEvent::parse(&format!("{} {}", event.at, event.what), read);
    assert_eq!(again.unwrap(), event, "it is not what was said");
}
