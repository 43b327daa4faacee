//! What may happen to a server, written as `2027-03-01 nic-swap`.

use std::fmt;

use crate::display::{is_shown, shown};
use crate::entitlement::Count;
use crate::error::{Error, Result};
use crate::time::Instant;
use crate::wire::codec::Text;

/// Something that happens at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, by a clock that is right.
    pub at: Instant,
    /// What.
    pub what: Happening,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// All network cards are replaced.
    NicSwap,
    /// No hardware factor is found any more.
    HardwareGone,
    /// The disk runs in a machine with other hardware.
    Clone,
    /// The machine is again as it was at the beginning.
    Repaired,
    /// The host gets another name.
    Hostname(Text),
    /// So much is in use from now on; modules that are not named keep their count.
    Use(Vec<Count>),
    /// The server stops running.
    Off,
    /// It runs again, from a new boot.
    On,
    /// The server's clock is set, rightly or wrongly.
    Clock(Instant),
}

/// How each event is written, and what it does.
pub const EVENTS: &[(&str, &str)] = &[
    ("nic-swap", "all network cards are replaced"),
    ("hardware-gone", "no hardware value can be found any more"),
    ("clone", "the same disk runs in a machine with other hardware"),
    ("repaired", "the machine is again as it is now"),
    ("hostname NAME", "the host gets another name"),
    ("use MODULE=N", "so much is in use from then on; several may follow each other"),
    ("off", "the server does not run"),
    ("on", "it runs again"),
    ("clock DATE", "the clock of the server is set to this"),
];

impl Event {
    /// Reads `DATE WHAT`: a day, which stands for its first second in UTC, or an instant like
    /// `2027-03-01T12:00:00Z`, and one of [`EVENTS`].
    ///
    /// # Errors
    /// Exit 2 when it is none; the hint says how events are written.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (date, what) = text.split_once(char::is_whitespace).ok_or_else(|| {
            let fact = format!("event {:?} has no date, or nothing that happens", shown(text));
            Error::unable(fact, hint())
        })?;
        let at = Instant::parse(date).map_err(|error| within(text, &error))?;
        let (word, rest) = what.trim().split_once(char::is_whitespace).unwrap_or((what.trim(), ""));
        let rest = rest.trim();
        let what = match (word, rest) {
            ("nic-swap", "") => Happening::NicSwap,
            ("hardware-gone", "") => Happening::HardwareGone,
            ("clone", "") => Happening::Clone,
            ("repaired", "") => Happening::Repaired,
            ("off", "") => Happening::Off,
            ("on", "") => Happening::On,
            ("hostname", name) if !name.is_empty() && name.chars().all(is_shown) => {
                Happening::Hostname(Text::new(name).map_err(|error| within(text, &error))?)
            }
            ("clock", date) if !date.is_empty() => {
                Happening::Clock(Instant::parse(date).map_err(|error| within(text, &error))?)
            }
            ("use", counts) if !counts.is_empty() => {
                let counts = counts.split_whitespace().map(|count| {
                    parse_count(count).ok_or_else(|| {
                        let fact = format!("event {:?}: use takes MODULE=N", shown(text));
                        Error::unable(fact, "write it like \"2027-03-01 use OBM=101\"")
                    })
                });
                Happening::Use(counts.collect::<Result<_>>()?)
            }
            _ => {
                let fact = format!("there is no event {:?}", shown(what.trim()));
                return Err(Error::unable(fact, hint()));
            }
        };
        Ok(Self { at, what })
    }
}

fn parse_count(text: &str) -> Option<Count> {
    let (module, count) = text.rsplit_once('=')?;
    let is_name = !module.is_empty() && module.chars().all(is_shown);
    let module = Text::new(module).ok().filter(|_| is_name)?;
    Some(Count { module, count: count.parse().ok()? })
}

fn within(text: &str, error: &Error) -> Error {
    Error::unable(
        format!("event {:?}: {}", shown(text), error.fact()),
        error.next_step().to_string(),
    )
}

fn hint() -> String {
    let words: Vec<_> = EVENTS.iter().map(|(word, _)| *word).collect();
    format!("write \"DATE WHAT\", like \"2027-03-01 nic-swap\"; WHAT is {}", words.join(", "))
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NicSwap => f.write_str("nic-swap"),
            Self::HardwareGone => f.write_str("hardware-gone"),
            Self::Clone => f.write_str("clone"),
            Self::Repaired => f.write_str("repaired"),
            Self::Hostname(name) => write!(f, "hostname {}", shown(name)),
            Self::Use(counts) => {
                f.write_str("use")?;
                counts.iter().try_for_each(|c| write!(f, " {}={}", shown(&c.module), c.count))
            }
            Self::Off => f.write_str("off"),
            Self::On => f.write_str("on"),
            Self::Clock(clock) => write!(f, "clock {clock}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_is_written() {
        for text in [
            "nic-swap",
            "hardware-gone",
            "clone",
            "repaired",
            "hostname mail 1",
            "use OBM=101 A=B=0",
            "off",
            "on",
            "clock 2030-01-01T00:00:00Z",
        ] {
            let event = Event::parse(&format!("  2027-03-01T12:00:00Z   {text} ")).unwrap();
            assert_eq!(event.at.to_string(), "2027-03-01T12:00:00Z");
            assert_eq!(event.what.to_string(), text);
        }
        let day = Event::parse("2027-03-01 on").unwrap();
        assert_eq!(day.at.to_string(), "2027-03-01T00:00:00Z");
    }

    #[test]
    fn each_event_of_the_list_can_be_read_and_whatever_else_is_told_the_list() {
        for (word, _) in EVENTS {
            let example = word.replace("NAME", "x").replace("MODULE=N", "A=1");
            let example = example.replace("DATE", "2027-01-01");
            Event::parse(&format!("2027-03-01 {example}")).unwrap();
        }
        for wrong in [
            "",
            "2027-03-01",
            "2027-03-01 fire",
            "2027-03-01 off now",
            "2027-03-01 use",
            "2027-03-01 hostname",
            "2027-03-01 clock",
            "2027-03-01 NIC-SWAP",
            "2027-03-01 hostname a\u{202e}b",
        ] {
            let error = Event::parse(wrong).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(error.next_step().contains("nic-swap, hardware-gone"), "{wrong}: {error}");
        }
        for wrong in [
            "yesterday off",
            "2027-02-30 off",
            "2027-03-01 clock soon",
            "2027-03-01 use OBM",
            "2027-03-01 use OBM=-1",
            "2027-03-01 use =1",
            "2027-03-01 use OBM=many",
        ] {
            let error = Event::parse(wrong).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(error.fact().starts_with("event \""), "{error}");
        }
    }
}
