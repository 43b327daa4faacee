//! Property of the events that `olr simulate --event` accepts.

use olr_core::error::Error;
use olr_core::simulate::{Happening, ScenarioEvent};

/// An accepted event is equal after formatting and parsing.
pub fn event(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let read = |_: &str| Ok::<_, Error>(b"bytes".to_vec());
    let Ok(event) = ScenarioEvent::parse(text, read) else { return };
    // Skip what cannot be formatted exactly: the name of an imported file, and instants after the
    // year 9999.
    if matches!(event.what, Happening::Import(_)) || event.at.seconds > 253_402_300_799 {
        return;
    }
    let again = ScenarioEvent::parse(&format!("{} {}", event.at, event.what), read);
    assert_eq!(again.unwrap(), event, "the formatted event reads as another");
}
