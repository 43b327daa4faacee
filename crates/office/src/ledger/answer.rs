//! Answers: the licenses that were issued, each with the request that it answers.

use data_encoding::HEXLOWER;

use crate::ledger::Ledger;
use crate::ledger::db::{Db, DbResult, SqlRow, SqlValue, one_row, values};
use crate::ledger::maintenance::{damaged, read_day};
use crate::ledger::revocation::RevocationRecord;
use olr_core::error::Result;
use olr_core::key::{Role, key_id};
use olr_core::time::{Day, Instant};
use olr_core::wire::id::{KeyId, LicenseId, RequestId};

/// A license that was issued, without its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct AnswerRecord {
    /// License id.
    pub license: LicenseId,
    /// Instant of issue.
    pub issued: Instant,
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
    /// Last day of the license; `None` if it does not expire.
    pub expires: Option<Day>,
    /// Code of the request, which people compare by phone.
    pub code: String,
    /// Install key.
    pub install_key: [u8; 32],
    /// Host and addresses of the server, if its request shows any.
    pub host: Option<String>,
    /// Id of the request.
    pub request: RequestId,
    /// Hash of the request.
    pub request_hash: [u8; 32],
    /// Number of the request among those of its installation.
    pub number: u64,
    /// Number of this answer among the answers to its request, from 1.
    pub answer: u32,
    /// Number of this answer among those for its key, product and slot, from 1.
    pub turn: u64,
    /// Digest of the grant.
    pub terms: [u8; 32],
    /// License through which another installation held the key before.
    pub moved_from: Option<LicenseId>,
    /// True if a receipt came with the request.
    pub has_receipt: bool,
    /// Reason for moving the key without a receipt.
    pub transfer: Option<String>,
    /// True if it is a trial, which needs no purchase: its key is shared by all customers.
    pub is_trial: bool,
    /// Its revocation, if it was revoked or pooled.
    pub revoked: Option<RevocationRecord>,
}

/// Leaves out everything but the license id: the license key must not reach logs.
impl std::fmt::Debug for AnswerRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerRecord").field("license", &self.license).finish_non_exhaustive()
    }
}

/// License key with its product and slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyName<'a> {
    /// License key.
    pub key: &'a str,
    /// Id of the product.
    pub product: &'a str,
    /// Slot.
    pub slot: &'a str,
}

/// How many rows are read at once where all of them are searched.
const PAGE: i64 = 1000;

/// Columns of [`AnswerRecord`], in the order in which [`AnswerRecord::read`] reads them.
const SELECT: &str = "SELECT answer.id, license, issued, licensee, license_key, product, slot, \
     license_type, expires, code, install_key, host, request_id, hash, number, answer.answer, turn, terms, \
     moved_from, CASE WHEN receipt IS NULL THEN 0 ELSE 1 END, answer.reason, cause, \
     revocation.reason, instant, (SELECT count(*) FROM claim WHERE claim.answer = answer.id) \
     FROM answer JOIN request ON request.id = answer.request \
     LEFT JOIN revocation ON revocation.id = \
     (SELECT max(id) FROM revocation WHERE revocation.answer = answer.id)";

impl AnswerRecord {
    /// Last day of the license, in words.
    pub fn last_day(&self) -> String {
        self.expires.map_or("no end date".to_string(), |day| day.to_string())
    }

    /// Install id, for display.
    pub fn install_id(&self) -> String {
        key_id(Role::Install, &self.install_key).to_string()
    }

    /// License key, product and slot.
    pub fn key_name(&self) -> KeyName<'_> {
        KeyName { key: &self.license_key, product: &self.product, slot: &self.slot }
    }

    fn contains(&self, text: &str) -> bool {
        let fields = [
            &self.install_id(),
            &self.transfer.clone().unwrap_or_default(),
            &self.license.to_string(),
            &self.issued.to_string(),
            &self.licensee,
            &self.license_key,
            &self.product,
            &self.slot,
            &self.license_type,
            &self.code,
            &HEXLOWER.encode(&self.install_key),
            &self.request.to_string(),
        ];
        fields.iter().any(|field| field.to_lowercase().contains(text))
    }

    fn read(row: &SqlRow) -> Result<Self> {
        let text = |column| row.text(column).map(str::to_string);
        let number = |column| row.integer(column).map(i64::cast_unsigned);
        let bytes = |column| row.blob(column)?.try_into().map_err(|_| damaged());
        let maybe = |column| row.maybe_text(column).map(|text| text.map(str::to_string));
        let revoked = row.maybe_text(21)?.map(|cause| -> Result<_> {
            Ok(RevocationRecord {
                cause: cause.parse().map_err(|_| damaged())?,
                reason: text(22)?,
                revoked: Instant::new(number(23)?),
            })
        });
        Ok(Self {
            license: row.text(1)?.parse().map_err(|_| damaged())?,
            issued: Instant::new(number(2)?),
            licensee: text(3)?,
            license_key: text(4)?,
            product: text(5)?,
            slot: text(6)?,
            license_type: text(7)?,
            expires: row.maybe_integer(8)?.map(read_day).transpose()?,
            code: text(9)?,
            install_key: bytes(10)?,
            host: maybe(11)?,
            request: row.text(12)?.parse().map_err(|_| damaged())?,
            request_hash: bytes(13)?,
            number: number(14)?,
            answer: u32::try_from(row.integer(15)?).map_err(|_| damaged())?,
            turn: number(16)?,
            terms: bytes(17)?,
            moved_from: row
                .maybe_text(18)?
                .map(|id| id.parse().map_err(|_| damaged()))
                .transpose()?,
            has_receipt: row.integer(19)? != 0,
            transfer: maybe(20)?,
            is_trial: row.integer(24)? == 0,
            revoked: revoked.transpose()?,
        })
    }
}

impl Ledger {
    /// Returns all answers with a field that contains `text`, ignoring case, oldest first.
    ///
    /// # Errors
    /// Exit 2 when the database fails. The other methods about answers do the same.
    pub fn answers(&mut self, text: &str) -> Result<Vec<AnswerRecord>> {
        let text = text.to_lowercase();
        let (mut found, mut after) = (Vec::new(), 0);
        let select = format!("{SELECT} WHERE answer.id > $1 ORDER BY answer.id LIMIT {PAGE}");
        loop {
            let rows = self.db.rows(&select, values![after])?;
            let Some(last) = rows.last() else { break };
            after = last.integer(0)?;
            for row in &rows {
                let answer = AnswerRecord::read(row)?;
                if answer.contains(&text) {
                    found.push(answer);
                }
            }
        }
        // The sort is stable: answers of the same second stay in the order of issue.
        found.sort_by_key(|answer: &AnswerRecord| answer.issued);
        Ok(found)
    }

    /// Returns the answer with this license id.
    pub fn answer(&mut self, license: LicenseId) -> Result<Option<AnswerRecord>> {
        let found = self.select("WHERE license = $1", values![&license.to_string()])?;
        Ok(found.into_iter().next())
    }

    /// Returns the answers to the request with this id, in the order of issue.
    pub fn answers_to(&mut self, request: RequestId) -> Result<Vec<AnswerRecord>> {
        let which = "WHERE request_id = $1 ORDER BY answer.answer, answer.id";
        self.select(which, values![&request.to_string()])
    }

    /// Returns the newest answer for a key.
    pub fn newest_answer(&mut self, name: KeyName<'_>) -> Result<Option<AnswerRecord>> {
        let which = "WHERE license_key = $1 AND product = $2 AND slot = $3 \
                     ORDER BY turn DESC LIMIT 1";
        let found = self.select(which, values![name.key, name.product, name.slot])?;
        Ok(found.into_iter().next())
    }

    /// Returns the newest answer for a key that is not a trial: its installation holds the key.
    pub fn holding_answer(&mut self, name: KeyName<'_>) -> Result<Option<AnswerRecord>> {
        let which = "WHERE license_key = $1 AND product = $2 AND slot = $3 \
                     AND EXISTS (SELECT 1 FROM claim WHERE claim.answer = answer.id) \
                     ORDER BY turn DESC LIMIT 1";
        let found = self.select(which, values![name.key, name.product, name.slot])?;
        Ok(found.into_iter().next())
    }

    /// Returns the answers to an installation, for any of its keys, in the order of issue.
    pub fn answers_for(&mut self, install_key: &[u8; 32]) -> Result<Vec<AnswerRecord>> {
        self.select("WHERE install_key = $1 ORDER BY answer.id", values![&install_key[..]])
    }

    /// Returns the licenses that the issuer key `signer` signed, oldest first.
    pub fn signed_with(&mut self, signer: KeyId) -> Result<Vec<AnswerRecord>> {
        let which = "WHERE answer.id IN (SELECT answer FROM answer_signer WHERE signer = $1) \
                     ORDER BY issued, answer.id";
        self.select(which, values![&signer.to_string()])
    }

    /// Instant of issue of the newest license other than `but`.
    pub fn newest_issue(&mut self, but: Option<LicenseId>) -> Result<Option<Instant>> {
        let but = but.map_or(String::new(), |license| license.to_string());
        // Not max(issued): that would read every row, because of the condition.
        let newest = "SELECT issued FROM answer WHERE license <> $1 ORDER BY issued DESC LIMIT 1";
        let row = one_row(self.db.rows(newest, values![&but])?);
        row.map(|row| Ok(Instant::new(row.integer(0)?.cast_unsigned()))).transpose()
    }

    /// Returns the binary license of an answer.
    pub fn license_bytes(&mut self, answer: &AnswerRecord) -> Result<Vec<u8>> {
        let find = "SELECT bytes FROM answer WHERE license = $1";
        self.bytes(find, values![&answer.license.to_string()])
    }

    /// Returns the binary request of an answer.
    pub fn request_bytes(&mut self, answer: &AnswerRecord) -> Result<Vec<u8>> {
        self.bytes("SELECT bytes FROM request WHERE hash = $1", values![&answer.request_hash[..]])
    }

    fn bytes(&mut self, find: &str, values: &[SqlValue]) -> Result<Vec<u8>> {
        let row = one_row(self.db.rows(find, values)?).ok_or_else(damaged)?;
        Ok(row.blob(0)?.to_vec())
    }

    fn select(&mut self, which: &str, values: &[SqlValue]) -> Result<Vec<AnswerRecord>> {
        Ok(select(&mut *self.db, which, values)?)
    }
}

fn select(db: &mut dyn Db, which: &str, values: &[SqlValue]) -> DbResult<Vec<AnswerRecord>> {
    let rows = db.rows(&format!("{SELECT} {which}"), values)?;
    Ok(rows.iter().map(AnswerRecord::read).collect::<Result<_>>()?)
}
