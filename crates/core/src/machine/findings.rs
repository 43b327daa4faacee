//! Findings on a machine: factors, and facts for the support staff.
//! Implements `docs/format.md`, section "Factors".

use crate::machine::{Class, Factor, FactorKind};
use crate::wire::codec::Text;

/// Everything that was read on a machine, and what could not be read.
///
/// ```
/// # mod olr { pub use olr_core::{machine::Machine}; }
/// use olr::Machine;
///
/// /// For the support staff: what could not be read without privilege.
/// fn gaps(machine: &Machine) -> usize {
///     machine.unreadable.len()
/// }
///
/// assert_eq!(gaps(&Machine::default()), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Machine {
    /// Factors, sorted by kind, value and name. Those of class [`Class::Common`] state why.
    pub factors: Vec<Factor>,
    /// Factors that exist but could not be read, sorted by kind and name. Missing ones are not
    /// listed.
    pub unreadable: Vec<Unreadable>,
    /// Local IP addresses in ascending order, without duplicates, and without loopback or IPv6
    /// link-local addresses.
    pub addresses: Vec<Text>,
    /// Facts that support staff ask for first, as name and value: `("os", "linux")`.
    pub facts: Vec<(&'static str, Text)>,
    /// Id of this boot. Linux only.
    pub boot_id: Option<Text>,
    /// Seconds since this boot, including time spent suspended. Linux only.
    pub uptime: Option<u64>,
}

/// A factor that exists but was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// Kind of the factor.
    pub kind: FactorKind,
    /// Name that the system gives to the factor, as in [`Factor::name`].
    pub name: Text,
    /// Why it was not read.
    pub reason: Reason,
}

/// Reason why a factor that exists was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The system denied access; root may read it.
    NeedsRoot,
    /// Not tried: ordinary users may not read it, and this run is not privileged.
    NeedsPrivileged,
    /// Reading failed.
    Failed,
}

impl Reason {
    /// Words used in text and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::NeedsRoot => "needs root",
            Self::NeedsPrivileged => "can only be read by root",
            Self::Failed => "could not be read",
        }
    }

    /// True if more privileges would help.
    pub fn is_privilege(self) -> bool {
        self != Self::Failed
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl Machine {
    /// Adds a factor of class hardware or image, unless its value is empty.
    pub fn found(&mut self, kind: FactorKind, class: Class, name: &str, value: &str) {
        self.factor(kind, class, name, value, "");
    }

    /// Adds a factor of weight 0, with the reason, unless its value is empty.
    pub fn ignored(&mut self, kind: FactorKind, name: &str, value: &str, why: &str) {
        self.factor(kind, Class::Common, name, value, why);
    }

    fn factor(&mut self, kind: FactorKind, class: Class, name: &str, value: &str, why: &str) {
        let value = clean(value);
        if !value.is_empty() {
            let [name, ignored] = [name, why].map(Text::truncated);
            self.factors.push(Factor { kind, class, name, value, ignored });
        }
    }

    /// Adds a factor that exists but could not be read.
    pub fn unreadable(&mut self, kind: FactorKind, name: &str, reason: Reason) {
        self.unreadable.push(Unreadable { kind, name: Text::truncated(name), reason });
    }

    /// Adds the host name, unless it is a default one. Converts it to lower case, because case does
    /// not matter in a host name, but changes a commitment.
    pub fn hostname(&mut self, value: &str) {
        let value = value.trim().to_ascii_lowercase();
        if value != "localhost" && !value.starts_with("localhost.") && value != "(none)" {
            self.found(FactorKind::Hostname, Class::Image, "", &value);
        }
    }

    /// Adds a fact for the support staff, unless it is empty.
    pub fn fact(&mut self, name: &'static str, value: &str) {
        let value = clean(value);
        if !value.is_empty() {
            self.facts.push((name, value));
        }
    }

    /// Sorts the findings in the order in which they are compared and shown.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let key = |factor: &Factor| (factor.kind, factor.value.clone(), factor.name.clone());
        self.factors.sort_by_cached_key(key);
        self.unreadable.sort();
        self.facts.sort();
        self
    }
}

/// Removes NUL and surrounding space, and truncates the result to the maximum length of a text.
fn clean(text: &str) -> Text {
    Text::truncated(text.replace('\0', "").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_and_cleaned() {
        assert_eq!(&*clean(" a\0b\n\0"), "ab");
        assert_eq!(clean(&"ü".repeat(200)).len(), 256);
    }
}
