//! Events that may happen to a server, written as `2027-03-01 nic-swap`.

use std::fmt;
use std::sync::Arc;

use crate::display::{is_shown, shown};
use crate::entitlement::{Cause, Count};
use crate::error::{Error, Problem, Result};
use crate::import::OverQuota;
use crate::time::{Day, Instant};
use crate::wire::codec::Text;

/// An event at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioEvent {
    /// When it happens, in true time.
    pub at: Instant,
    /// What happens.
    pub what: Happening,
}

/// Kind of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// All network cards are replaced.
    NicSwap,
    /// No hardware factor is found any more.
    HardwareGone,
    /// The disk runs in a machine with other hardware.
    Clone,
    /// The machine is as it was at the beginning.
    Repaired,
    /// The host is renamed.
    Hostname(Text),
    /// The use of these modules changes. Modules that are not named keep their count.
    Use(Vec<Count>),
    /// An answer from the vendor is imported.
    Import(Arc<AnswerFile>),
    /// The license in effect is revoked or pooled, and the server learns of it.
    Withdrawn(Cause),
    /// Somebody tries to install a release that came out on this day.
    Upgrade(Day),
    /// The license is deactivated.
    Deactivate,
    /// The server stops running.
    Off,
    /// The server runs again, from a new boot.
    On,
    /// The server's clock is set, correctly or wrongly.
    Clock(Instant),
}

/// A file from the vendor.
#[derive(Debug, PartialEq, Eq)]
pub struct AnswerFile {
    /// Name of the file, as it was given.
    pub name: String,
    /// Content in binary form.
    pub bytes: Vec<u8>,
    /// What to do if it grants less than is in use.
    pub over: OverQuota,
}

/// Every event as it is written, with its effect.
pub const EVENTS: &[(&str, &str)] = &[
    ("nic-swap", "all network cards are replaced"),
    ("hardware-gone", "no hardware value is found any more"),
    ("clone", "the disk runs in another machine"),
    ("repaired", "the machine is again as it was at the start"),
    ("hostname NAME", "the host is renamed"),
    ("use MODULE=N [MODULE=N]", "this many are in use from then on"),
    ("import [--accept-over-quota] FILE", "an answer from the vendor is imported"),
    ("revoke", "the vendor revokes the license"),
    ("pool", "the license is added to a partner's pool"),
    ("upgrade DATE", "a release of this date is to be installed"),
    ("deactivate", "the license is deactivated here"),
    ("off", "the server is switched off"),
    ("on", "the server is switched on again"),
    ("clock DATE", "the server's clock is set to this date"),
];

impl ScenarioEvent {
    /// Parses `DATE WHAT`. The date is an instant like `2027-03-01T12:00:00Z` or a day, which means
    /// its first second in UTC; the rest is one of [`EVENTS`]. `read` returns the named files in
    /// binary form.
    ///
    /// # Errors
    /// Exit 2 if `text` is not an event; the hint shows how events are written. Errors of `read`.
    pub fn parse(text: &str, read: impl FnOnce(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let text = text.trim();
        let (date, what) = text.split_once(char::is_whitespace).ok_or_else(|| {
            let fact = format!("event {:?} lacks its date or its action", shown(text));
            Error::unable(Problem::Usage, fact, hint())
        })?;
        let at = date.parse::<Instant>().map_err(|error| within(text, &error))?;
        let (word, rest) = what.trim().split_once(char::is_whitespace).unwrap_or((what.trim(), ""));
        let rest = rest.trim();
        let what = match (word, rest) {
            ("nic-swap", "") => Happening::NicSwap,
            ("hardware-gone", "") => Happening::HardwareGone,
            ("clone", "") => Happening::Clone,
            ("repaired", "") => Happening::Repaired,
            ("off", "") => Happening::Off,
            ("on", "") => Happening::On,
            ("revoke", "") => Happening::Withdrawn(Cause::Revoked),
            ("pool", "") => Happening::Withdrawn(Cause::Pooled),
            ("deactivate", "") => Happening::Deactivate,
            ("upgrade", day) if !day.is_empty() => {
                Happening::Upgrade(day.parse::<Day>().map_err(|error| within(text, &error))?)
            }
            ("import", rest) if !rest.is_empty() && rest != ACCEPT => {
                let accepted = rest.strip_prefix(ACCEPT).filter(|file| file.starts_with(' '));
                let (name, over) = match accepted {
                    Some(file) => (file.trim(), OverQuota::Accepted),
                    None => (rest, OverQuota::Refused),
                };
                let bytes = read(name)?;
                Happening::Import(Arc::new(AnswerFile { name: name.to_string(), bytes, over }))
            }
            ("hostname", name) if !name.is_empty() && name.chars().all(is_shown) => {
                Happening::Hostname(Text::new(name).map_err(|error| within(text, &error))?)
            }
            ("clock", date) if !date.is_empty() => {
                Happening::Clock(date.parse::<Instant>().map_err(|error| within(text, &error))?)
            }
            ("use", counts) if !counts.is_empty() => {
                let counts = counts.split_whitespace().map(|count| {
                    parse_count(count).ok_or_else(|| {
                        let fact = format!("event {:?}: use needs MODULE=N", shown(text));
                        Error::unable(
                            Problem::Usage,
                            fact,
                            "write it like \"2027-03-01 use OBM=101\"",
                        )
                    })
                });
                Happening::Use(counts.collect::<Result<_>>()?)
            }
            _ => {
                let fact = format!("unknown event {:?}", shown(what.trim()));
                return Err(Error::unable(Problem::Usage, fact, hint()));
            }
        };
        Ok(Self { at, what })
    }
}

/// Word in an `import` event: the license may grant less than is in use.
const ACCEPT: &str = "--accept-over-quota";

fn parse_count(text: &str) -> Option<Count> {
    let (module, count) = text.rsplit_once('=')?;
    let is_name = !module.is_empty() && module.chars().all(is_shown);
    let module = Text::new(module).ok().filter(|_| is_name)?;
    Some(Count { module, count: count.parse().ok()? })
}

fn within(text: &str, error: &Error) -> Error {
    Error::unable(
        Problem::Usage,
        format!("event {:?}: {}", shown(text), error.fact()),
        error.next_step().clone(),
    )
}

fn hint() -> String {
    let words: Vec<_> = EVENTS.iter().map(|(word, _)| *word).collect();
    format!(
        "write \"DATE WHAT\", like \"2027-03-01 nic-swap\"; WHAT is one of {}",
        words.join(", ")
    )
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
            Self::Import(answer) => match answer.over {
                OverQuota::Refused => write!(f, "import {}", shown(&answer.name)),
                OverQuota::Accepted => write!(f, "import {ACCEPT} {}", shown(&answer.name)),
            },
            Self::Withdrawn(Cause::Pooled) => f.write_str("pool"),
            Self::Withdrawn(_) => f.write_str("revoke"),
            Self::Upgrade(day) => write!(f, "upgrade {day}"),
            Self::Deactivate => f.write_str("deactivate"),
            Self::Off => f.write_str("off"),
            Self::On => f.write_str("on"),
            Self::Clock(clock) => write!(f, "clock {clock}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ScenarioEvent> {
        ScenarioEvent::parse(text, |name| Ok(name.as_bytes().to_vec()))
    }

    #[test]
    fn a_file_is_read_by_the_name_that_follows() {
        for (text, name, over) in [
            ("import a b.olr", "a b.olr", OverQuota::Refused),
            ("import   --accept-over-quota   a b.olr ", "a b.olr", OverQuota::Accepted),
            ("import --accept", "--accept", OverQuota::Refused),
        ] {
            let Happening::Import(answer) = parse(&format!("2027-03-01 {text}")).unwrap().what
            else {
                panic!("{text}")
            };
            assert_eq!((answer.name.as_str(), answer.over), (name, over));
            assert_eq!(answer.bytes, name.as_bytes());
        }
        let missing = |_: &str| Err(Error::unable(Problem::Usage, "no such file", "look for it"));
        let error = ScenarioEvent::parse("2027-03-01 import x", missing).unwrap_err();
        assert_eq!((error.exit_status(), error.fact()), (2, "no such file"));
    }

    #[test]
    fn an_event_is_read_as_it_is_written() {
        for text in [
            "nic-swap",
            "hardware-gone",
            "clone",
            "repaired",
            "hostname mail 1",
            "use OBM=101 A=B=0",
            "import next license.olr",
            "import --accept-over-quota less.olr",
            "import --accept-over-quota.olr",
            "revoke",
            "pool",
            "upgrade 2028-01-01",
            "deactivate",
            "off",
            "on",
            "clock 2030-01-01T00:00:00Z",
        ] {
            let event = parse(&format!("  2027-03-01T12:00:00Z   {text} ")).unwrap();
            assert_eq!(event.at.to_string(), "2027-03-01T12:00:00Z");
            assert_eq!(event.what.to_string(), text);
        }
        let day = parse("2027-03-01 on").unwrap();
        assert_eq!(day.at.to_string(), "2027-03-01T00:00:00Z");
    }

    #[test]
    fn each_event_of_the_list_can_be_read_and_whatever_else_is_told_the_list() {
        for (word, _) in EVENTS {
            let example = word.replace("NAME", "x").replace("MODULE=N", "A=1");
            let example = example.replace("DATE", "2027-01-01").replace("FILE", "x.olr");
            let example = example.replace(['[', ']'], "");
            parse(&format!("2027-03-01 {example}")).unwrap();
        }
        for wrong in [
            "",
            "2027-03-01",
            "2027-03-01 fire",
            "2027-03-01 off now",
            "2027-03-01 use",
            "2027-03-01 hostname",
            "2027-03-01 clock",
            "2027-03-01 import",
            "2027-03-01 import --accept-over-quota",
            "2027-03-01 revoke OBM",
            "2027-03-01 pool now",
            "2027-03-01 upgrade",
            "2027-03-01 deactivate backup",
            "2027-03-01 NIC-SWAP",
            "2027-03-01 hostname a\u{202e}b",
        ] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(
                error.next_step().text().contains("nic-swap, hardware-gone"),
                "{wrong}: {error}"
            );
        }
        for wrong in [
            "yesterday off",
            "2027-02-30 off",
            "2027-03-01 clock soon",
            "2027-03-01 upgrade 10.1",
            "2027-03-01 upgrade 2028-01-01T00:00:00Z",
            "2027-03-01 use OBM",
            "2027-03-01 use OBM=-1",
            "2027-03-01 use =1",
            "2027-03-01 use OBM=many",
        ] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(error.fact().starts_with("event \""), "{error}");
        }
    }
}
