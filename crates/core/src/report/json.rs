//! JSON forms of values: ids, days, instants and words are written as their text.

use serde::ser::{Serialize, Serializer};

use crate::entitlement::{Cause, Edition, Model, Operation, Outcome};
use crate::error::{Problem, Refusal, Remedy};
use crate::judge::{ClockMemory, Condition};
use crate::machine::{Change, Class, FactorKind};
use crate::report::{ModuleMaxima, ModuleReport, Row};
use crate::time::{Day, Instant};
use crate::trust::{Act, ModuleMaximum};
use crate::wire::codec::{Limit, Text};
use crate::wire::frame::Kind;
use crate::wire::id::{KeyId, LicenseId, RequestId, RevokedId};

macro_rules! as_text {
    ($($type:ty)*) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )* };
}
as_text! {
    Act Cause Class Condition Day Edition FactorKind Instant KeyId Kind LicenseId Model Operation Outcome Problem
    Refusal Remedy RequestId RevokedId
}

macro_rules! as_word {
    ($($type:ty)*) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }
    )* };
}
as_word!(Change ClockMemory);

impl<const CAP: usize> Serialize for Text<CAP> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// Writes `"any"` if there is no limit.
impl<T: Serialize> Serialize for Limit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Only(only) => only.serialize(serializer),
            Self::Any => serializer.serialize_str("any"),
        }
    }
}

/// Writes `"unlimited"` for a quota without a limit.
pub fn quota<S: Serializer>(quota: &Limit<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match quota {
        Limit::Only(count) => serializer.serialize_u64(*count),
        Limit::Any => serializer.serialize_str("unlimited"),
    }
}

struct Quota(Limit<u64>);

impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        quota(&self.0, serializer)
    }
}

/// Writes `"never"` if there is no last day.
pub fn last_day<S: Serializer>(day: &Option<Day>, serializer: S) -> Result<S::Ok, S::Error> {
    match day {
        Some(day) => day.serialize(serializer),
        None => serializer.serialize_str("never"),
    }
}

pub fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&super::hex(bytes))
}

pub fn hex_list<S: Serializer>(list: &[[u8; 32]], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(|bytes| super::hex(bytes)))
}

/// Writes an object. If two entries have the same name, the last one applies.
pub fn texts<S: Serializer>(entries: &[(Text, Text)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(name, value)| (&**name, &**value)))
}

pub fn counts<S: Serializer>(entries: &[(Text, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(name, count)| (&**name, *count)))
}

pub fn modules<S: Serializer>(modules: &[ModuleReport], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(modules.iter().map(|module| (&*module.module, module)))
}

/// Writes a whole number, limited to the range of `i64`, or `null` if there is no limit or the
/// number is not known.
pub fn available<S: Serializer>(
    available: &Option<Limit<i128>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let number = available.and_then(Limit::only);
    let number = number.map(|left| left.clamp(i64::MIN.into(), i64::MAX.into()));
    number.and_then(|left| i64::try_from(left).ok()).serialize(serializer)
}

impl Serialize for ModuleMaxima {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = |entry: &ModuleMaximum| (entry.module.to_string(), Quota(entry.maximum));
        serializer.collect_map(self.0.iter().map(entry))
    }
}

/// Writes an object whose names are the labels, with `_` for each space.
pub fn rows<S: Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(rows.iter().map(|(label, value)| (label.replace(' ', "_"), value)))
}
