//! Identity of a grant: a digest of its meaning, independent of how its TOML is written.

use crate::catalog::End;
use crate::issue::GrantFile;
use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::GRANT;
use olr_core::entitlement::{EnforcementRule, GraceRule};
use olr_core::error::Result;
use olr_core::time::{Day, Span};
use olr_core::wire::codec::{Keyed, Limit, List, Set, Text, encode, record};
use olr_files::toml_text::TOML_CAP;

/// Text in a grant, as long as the grant file may be. Text too long for a license is refused later,
/// with its line number.
type Written = Text<TOML_CAP>;

record! {
    /// Contents of a grant in canonical order and form.
    pub struct Granted {
        /// Name of the licensee.
        pub licensee: Written,
        /// License key.
        pub key: Written,
        /// Id of the product.
        pub product: Written,
        /// Id of the license type.
        pub license_type: Written,
        /// Slot.
        pub slot: Written,
        /// First day; `None` for the day of issue.
        pub starts: Option<Day>,
        /// End of the license, if the grant gives one.
        pub expires: Option<GrantedEnd>,
        /// End of maintenance, if the grant gives one.
        pub maintenance: Option<GrantedEnd>,
        /// Interface languages, in ascending order.
        pub languages: List<Written, TOML_CAP>,
        /// Note to the customer.
        pub note: Written,
        /// Machine policy, if the grant names one.
        pub policy: Option<Written>,
        /// Quotas.
        pub modules: Set<GrantedQuota, TOML_CAP>,
        /// Maximum quotas of one sub-administrator.
        pub administrators: Set<GrantedQuota, TOML_CAP>,
        /// Outcome of each cause, and its grace period.
        pub grace: Set<GraceRule>,
        /// Operations blocked by each cause.
        pub enforcement: Set<EnforcementRule>,
    }
}

record! {
    /// Quota of one module.
    pub struct GrantedQuota {
        /// Id of the module.
        pub module: Written,
        /// The quota.
        pub quota: Limit<u64>,
    }
}

impl Keyed for GrantedQuota {
    type Key = str;
    fn key(&self) -> &str {
        &self.module
    }
}

record! {
    /// An end: never (0), on a day (1), or after a number of days (2) or months (3).
    pub struct GrantedEnd {
        /// One of the four numbers above.
        pub kind: u8,
        /// Number of the last day, or number of days or months.
        pub count: u64,
    }
}

impl From<End> for GrantedEnd {
    fn from(end: End) -> Self {
        let (kind, count) = match end {
            End::Never => (0, 0),
            End::On(day) => (1, day.number.into()),
            End::After(Span::Days(days)) => (2, days.into()),
            End::After(Span::Months(months)) => (3, months.into()),
            End::After(Span::Years(years)) => (3, u64::from(years).saturating_mul(12)),
        };
        Self { kind, count }
    }
}

impl GrantFile {
    /// Returns the digest of the grant. Comments, the order of entries, how a value is written
    /// (`1 year`, `12 months`) and the day when the text is read do not change it.
    ///
    /// # Errors
    /// Exit 2 when a text exceeds the size limit of a grant file.
    pub fn identity(&self) -> Result<[u8; 32]> {
        Ok(tagged(&[GRANT, &encode(&self.granted()?)]))
    }

    /// Canonical form to digest. The destructuring makes sure that no field is forgotten.
    fn granted(&self) -> Result<Granted> {
        let Self {
            licensee,
            key,
            product,
            license_type,
            slot,
            starts,
            expires,
            maintenance,
            languages,
            note,
            policy,
            modules,
            administrators,
            on,
            // Excluded: the same grant can be written in many ways.
            text: _,
        } = self;
        let quota = |module: &str, quota| -> Result<_> {
            Ok(GrantedQuota { module: Text::new(module)?, quota })
        };
        let quotas = modules.iter().map(|(module, limit)| quota(module, *limit));
        let caps = administrators.iter().map(|(id, cap)| quota(id, Limit::Only(*cap)));
        let mut languages =
            languages.iter().map(|name| Text::new(name)).collect::<Result<Vec<_>>>()?;
        languages.sort();
        let (grace, enforcement): (Vec<_>, Vec<_>) =
            on.iter().map(|(cause, rule)| rule.wire(*cause)).unzip();
        Ok(Granted {
            licensee: Text::new(licensee)?,
            key: Text::new(key)?,
            product: Text::new(product)?,
            license_type: Text::new(license_type)?,
            slot: Text::new(slot)?,
            starts: *starts,
            expires: expires.map(GrantedEnd::from),
            maintenance: maintenance.map(GrantedEnd::from),
            languages: List::new(languages)?,
            note: Text::new(note)?,
            policy: policy.as_deref().map(Text::new).transpose()?,
            modules: Set::new(quotas.collect::<Result<_>>()?)?,
            administrators: Set::new(caps.collect::<Result<_>>()?)?,
            grace: Set::new(grace)?,
            enforcement: Set::new(enforcement.into_iter().flatten().collect())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::STARTER_GRANT;

    fn identity(text: &str) -> [u8; 32] {
        GrantFile::parse(text).unwrap().identity().unwrap()
    }

    fn with(from: &str, to: &str) -> [u8; 32] {
        assert!(STARTER_GRANT.contains(from), "{from}");
        identity(&STARTER_GRANT.replacen(from, to, 1))
    }

    #[test]
    fn how_a_grant_is_written_does_not_matter() {
        let same = identity(STARTER_GRANT);
        for (from, to) in [
            ("# What", "# Ordered by phone: what"),
            ("maintenance = \"1 year\"", "maintenance = '12 months'"),
            ("note        = \"\"\n", ""),
            ("[modules]\nOBM = 10\nACB = 10\n", "modules = { ACB = 1_0, OBM = 10 }\n"),
        ] {
            assert_eq!(with(from, to), same, "{to}");
        }
        let rule = |after: &str| {
            with(
                "[modules]",
                &format!("on.expired = {{ then = \"stop\", after = \"{after}\" }}\n[modules]"),
            )
        };
        assert_eq!(rule("24 hours"), rule("1 day"));
        assert_ne!(rule("24 hours"), same);
        let languages = |list: &str| with("[\"en\"]", list);
        assert_eq!(languages("['de', 'en']"), languages("[\"en\", \"de\"]"));
    }

    #[test]
    fn everything_that_a_grant_says_matters() {
        let mut all = vec![identity(STARTER_GRANT)];
        for (from, to) in [
            ("ACME Ltd", "ACME"),
            ("AbCd-1234", "AbCd-1235"),
            ("\"example\"", "\"other\""),
            ("\"oem\"", "\"standard\""),
            ("\"backup\"", "\"other\""),
            ("\"today\"", "\"2026-11-30\""),
            ("\"never\"", "\"2027-11-30\""),
            ("\"never\"", "\"30 days\""),
            ("\"never\"", "\"30 months\""),
            ("maintenance = \"1 year\"", "maintenance = \"2 years\""),
            ("[\"en\"]", "[]"),
            ("note        = \"\"", "note = \"thanks\""),
            ("note        = \"\"", "policy = \"server\""),
            ("OBM = 10", "OBM = 11"),
            ("OBM = 10", "OBM = \"unlimited\""),
            ("[modules]", "[administrators]\nOBM = 1\n[modules]"),
            ("[modules]", "on.expired = { then = \"warn\" }\n[modules]"),
            ("[modules]", "on.expired = { then = \"stop\" }\n[modules]"),
            ("[modules]", "on.expired = { then = \"block\", blocks = [\"backup\"] }\n[modules]"),
        ] {
            all.push(with(from, to));
        }
        let many = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), many);
    }
}
