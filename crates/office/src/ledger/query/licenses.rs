//! Licenses as a list: the newest of each key and slot, and what became of it.

use crate::ledger::Ledger;
use crate::ledger::db::{SqlRow, SqlValue, values};
use crate::ledger::input::Cals;
use crate::ledger::maintenance::{Maintenance, damaged, read_day};
use crate::ledger::query::PAGE;
use olr_core::error::Result;
use olr_core::time::{Day, Instant};
use olr_core::wire::id::LicenseId;

/// A license in a list, without its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ListedLicense {
    /// License id.
    pub license: LicenseId,
    /// Instant of issue.
    pub issued: Instant,
    /// Name of the party whose key it is.
    pub party: String,
    /// Name of the licensee.
    pub licensee: String,
    /// License key.
    pub license_key: String,
    /// Id of the product.
    pub product: String,
    /// Slot.
    pub slot: String,
    /// License type.
    pub license_type: String,
    /// Last day; `None` if it does not expire.
    pub expires: Option<Day>,
    /// Code of the request.
    pub code: String,
    /// Host of the server, if its request shows any.
    pub host: Option<String>,
    /// Maintenance of the key: a day, or a word.
    pub maintenance: String,
    /// Last day of maintenance; `None` if it has no end or has not started.
    pub maintenance_until: Option<Day>,
    /// What was counted on it.
    pub cals: Vec<Cals>,
    /// `in effect`, `expired`, `revoked`, `pooled`, `given up` or `replaced`.
    pub condition: &'static str,
}

/// Leaves out everything but the license id: the license key must not reach logs.
impl std::fmt::Debug for ListedLicense {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListedLicense").field("license", &self.license).finish_non_exhaustive()
    }
}

/// Which licenses are listed. Each filter that is set must fit.
#[derive(Debug, Clone, Default)]
pub struct LicenseFilter {
    /// Only those of this party.
    pub party: Option<String>,
    /// Only those with this module.
    pub module: Option<String>,
    /// Only those in effect.
    pub in_effect: bool,
    /// Only those in effect that expire on this day or before.
    pub expires_until: Option<Day>,
    /// Only those in effect whose maintenance is not over and ends on this day or before.
    pub maintenance_until: Option<Day>,
}

const SELECT: &str = "SELECT answer.id, license, issued, party.name, answer.licensee, \
     answer.license_key, answer.product, answer.slot, answer.license_type, expires, code, host, \
     license_key.maintenance, CASE license_key.maintenance WHEN 'of-pool' THEN \
     (SELECT min(pooled.maintenance_until) FROM license_key AS pooled \
     WHERE pooled.party = license_key.party AND pooled.edition = license_key.edition \
     AND pooled.state = 'pooled') ELSE license_key.maintenance_until END, cause.word, \
     claim.cause, CASE WHEN EXISTS (SELECT 1 FROM answer AS later \
     WHERE later.license_key = answer.license_key AND later.product = answer.product \
     AND later.slot = answer.slot AND later.turn > answer.turn) THEN 1 ELSE 0 END \
     FROM answer JOIN request ON request.id = answer.request \
     JOIN license_key ON license_key.key = answer.license_key \
     JOIN party ON party.id = license_key.party LEFT JOIN claim ON claim.answer = answer.id \
     LEFT JOIN (SELECT answer, cause AS word FROM revocation AS one WHERE NOT EXISTS (SELECT 1 \
     FROM revocation AS newer WHERE newer.answer = one.answer AND newer.id > one.id)) AS cause \
     ON cause.answer = answer.id";

const NEWEST: &str = "NOT EXISTS (SELECT 1 FROM answer AS later \
     WHERE later.license_key = answer.license_key AND later.product = answer.product \
     AND later.slot = answer.slot AND later.turn > answer.turn)";

impl ListedLicense {
    fn read(row: &SqlRow, now: Instant) -> Result<Self> {
        let text = |column| row.text(column).map(str::to_string);
        let expires = row.maybe_integer(9)?.map(read_day).transpose()?;
        let until = row.maybe_integer(13)?.map(read_day).transpose()?;
        let condition = match (row.maybe_text(14)?, row.maybe_text(15)?, row.integer(16)?) {
            (Some("pooled"), ..) => "pooled",
            (Some(_), ..) => "revoked",
            (None, _, 1..) => "replaced",
            (None, Some("receipt" | "transfer" | "waived"), _) => "given up",
            (None, Some("replaced"), _) => "replaced",
            _ if expires.is_some_and(|day| now >= day.ends()) => "expired",
            (None, Some(_), _) => "expired",
            (None, None, _) => "in effect",
        };
        let maintenance = match (row.text(12)?, until) {
            ("of-pool", Some(day)) => day.to_string(),
            (word, day) => Maintenance::read(word, day.map(|day| i64::from(day.number)))?.text(),
        };
        Ok(Self {
            license: row.text(1)?.parse().map_err(|_| damaged())?,
            issued: Instant::new(row.integer(2)?.cast_unsigned()),
            party: text(3)?,
            licensee: text(4)?,
            license_key: text(5)?,
            product: text(6)?,
            slot: text(7)?,
            license_type: text(8)?,
            expires,
            code: text(10)?,
            host: row.maybe_text(11)?.map(str::to_string),
            maintenance,
            maintenance_until: until,
            cals: Vec::new(),
            condition,
        })
    }

    /// True if it may be used.
    pub fn is_in_effect(&self) -> bool {
        self.condition == "in effect"
    }

    /// Last day of the license, in words.
    pub fn last_day(&self) -> String {
        self.expires.map_or("no end date".to_string(), |day| day.to_string())
    }

    fn fits(&self, filter: &LicenseFilter, now: Instant) -> bool {
        let before = |day: Option<Day>, limit: Option<Day>| match (day, limit) {
            (_, None) => true,
            (Some(day), Some(limit)) => day <= limit && now < day.ends() && self.is_in_effect(),
            (None, Some(_)) => false,
        };
        (self.is_in_effect() || !filter.in_effect)
            && before(self.expires, filter.expires_until)
            && before(self.maintenance_until, filter.maintenance_until)
    }

    /// True if the code of its request, its licensee or its host is `text`, or contains it.
    fn is_named(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let plain = |text: &str| text.replace('-', "").to_lowercase();
        plain(&self.code) == plain(&text)
            || self.licensee.to_lowercase().contains(&text)
            || self.host.as_ref().is_some_and(|host| host.to_lowercase().contains(&text))
    }
}

/// Shortest beginning of a license id by which one is found.
const SHORTEST: usize = 4;

impl Ledger {
    /// Lists the newest license of each key and slot, in the order of issue.
    ///
    /// # Errors
    /// Exit 2 when the database fails. The other methods about licenses do the same.
    pub fn licenses(&mut self, filter: &LicenseFilter, now: Instant) -> Result<Vec<ListedLicense>> {
        let which = format!(
            "{NEWEST} AND (CAST($2 AS TEXT) IS NULL OR party.name = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM claim_cals \
             WHERE claim_cals.answer = answer.id AND claim_cals.module = $3) \
             OR EXISTS (SELECT 1 FROM key_right \
             WHERE key_right.license_key = license_key.id AND key_right.module = $3 \
             AND unlimited = 1))"
        );
        let (party, module) = (filter.party.as_ref(), filter.module.as_ref());
        let (mut found, values) = (Vec::new(), values![party, module]);
        self.each_license(&which, values, now, &mut |license| {
            if license.fits(filter, now) {
                found.push(license);
            }
        })?;
        for license in &mut found {
            license.cals = self.cals_on(license.license)?;
        }
        Ok(found)
    }

    /// Finds licenses by the beginning of the license id; else, among the newest of each key and
    /// slot, by the license key; else by the code of the request with or without dashes, by a part
    /// of the licensee's name, or by a part of the host.
    pub fn find_licenses(&mut self, text: &str, now: Instant) -> Result<Vec<ListedLicense>> {
        let id = text.to_lowercase();
        let is_id = id.len() >= SHORTEST && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut found = Vec::new();
        if is_id {
            let (which, end) = ("license >= $2 AND license < $3", format!("{id}g"));
            self.each_license(which, values![&id, &end], now, &mut |license| found.push(license))?;
        }
        if found.is_empty() {
            let which = format!("{NEWEST} AND answer.license_key = $2");
            self.each_license(&which, values![text], now, &mut |license| found.push(license))?;
        }
        if found.is_empty() && !text.trim().is_empty() {
            self.each_license(NEWEST, &[], now, &mut |license| {
                if license.is_named(text.trim()) {
                    found.push(license);
                }
            })?;
        }
        Ok(found)
    }

    /// Reads licenses in pages. `which` names its values from `$2` on.
    fn each_license(
        &mut self,
        which: &str,
        values: &[SqlValue],
        now: Instant,
        each: &mut dyn FnMut(ListedLicense),
    ) -> Result<()> {
        let page =
            format!("{SELECT} WHERE answer.id > $1 AND {which} ORDER BY answer.id LIMIT {PAGE}");
        let mut after = 0;
        loop {
            let mut all = vec![SqlValue::from(after)];
            all.extend_from_slice(values);
            let rows = self.db.rows(&page, &all)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.integer(0)?;
            for row in &rows {
                each(ListedLicense::read(row, now)?);
            }
        }
    }

    /// What was counted on a license.
    pub fn cals_on(&mut self, license: LicenseId) -> Result<Vec<Cals>> {
        let find = "SELECT module, unit, quota FROM claim_cals \
                    JOIN answer ON answer.id = claim_cals.answer WHERE license = $1 \
                    ORDER BY module, unit";
        let one = |row: SqlRow| {
            Ok(Cals::new(row.text(0)?, row.text(1)?, row.integer(2)?.cast_unsigned()))
        };
        self.db.rows(find, values![&license.to_string()])?.into_iter().map(one).collect()
    }
}
