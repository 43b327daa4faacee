//! Alerts: tells people of each change of a license once, by a command, by mail, or both. See
//! `docs/alerts.md`.

#[cfg(not(feature = "smtp"))]
mod absent;
mod command;
#[cfg(feature = "smtp")]
mod mail;
mod memory;
mod notice;
mod round;
mod settings;

#[cfg(feature = "smtp")]
pub use mail::compose;
pub use notice::{Notice, NoticeKind, Say};
pub use round::{Heard, Told, dry_run, tell, test};
pub use settings::{Command, EXAMPLE, Mail, SETTINGS, Settings, Tls, Way};
