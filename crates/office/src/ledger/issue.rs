//! Issuing: a license is signed, recorded and handed out, in this order.

use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::ledger::activation;
use crate::ledger::answer::KeyName;
use crate::ledger::clock::ClockRule;
use crate::ledger::db::{DbError, DbResult, one_row, values};
use crate::ledger::maintenance::damaged;
use crate::ledger::order::{Arguments, Booking, Books};
use olr_core::display;
use olr_core::error::{Error, Problem, Result};
use olr_core::license::{License, LicenseBody};
use olr_core::wire::frame::{Frame, Kind};
use olr_core::wire::id::LicenseId;

/// Issues the license that was drafted for a request.
pub struct IssueLicense<'a> {
    /// The binary request.
    pub request: &'a [u8],
    /// Host and addresses of the server, for display.
    pub host: Option<&'a str>,
    /// License key.
    pub license_key: &'a str,
    /// The draft.
    pub body: &'a LicenseBody,
    /// Digest of the grant.
    pub terms: [u8; 32],
    /// Number of the newest answer for the key when the draft was made; 0 if there was none.
    pub seen: u64,
    /// License through which another installation held the key before.
    pub moved_from: Option<LicenseId>,
    /// Receipt that came with the request, in binary.
    pub receipt: Option<&'a [u8]>,
    /// Reason for moving the key without a receipt.
    pub transfer: Option<&'a str>,
    /// The license of this installation that the request shows to be installed.
    pub renews: Option<LicenseId>,
    /// True if somebody wrote the grant by hand: what its key lacks is booked as sold.
    pub by_grant: bool,
    /// Signs the draft. Called within the transaction, perhaps more than once.
    pub sign: &'a dyn Fn() -> Result<License>,
}

/// Result of [`IssueLicense`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseIssued {
    /// License id, 32 hexadecimal digits.
    pub license: String,
}

impl IssueLicense<'_> {
    /// Id of the order: the same request, grant and answer number are issued once.
    pub fn order_id(&self) -> String {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        let (request, terms) = (hex(&self.body.request_hash), hex(&self.terms));
        format!("issue/{request}/{terms}/{}", self.body.answer)
    }

    /// Reference of the sale that a grant written by hand implies.
    pub(super) fn reference(&self) -> String {
        let request = data_encoding::HEXLOWER.encode(&self.body.request_hash);
        format!("grant/{request}/{}", self.body.answer)
    }

    fn name(&self) -> KeyName<'_> {
        KeyName { key: self.license_key, product: &self.body.product, slot: &self.body.slot }
    }

    /// Records the request, if it was not answered before.
    fn request(&self, books: &mut Books<'_>) -> DbResult<i64> {
        let hash = &self.body.request_hash[..];
        let find = "SELECT id FROM request WHERE hash = $1";
        if let Some(row) = books.row(find, values![hash])? {
            return Ok(row.integer(0)?);
        }
        let insert = "INSERT INTO request (hash, request_id, number, install_key, code, host, \
                      bytes, order_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
        let (id, code) = (self.body.request.to_string(), display::code(&self.body.request_hash));
        let (number, order) = (self.body.number.cast_signed(), books.order());
        let install_key = &self.body.install_key[..];
        let values =
            values![hash, &id, number, install_key, &code, self.host, self.request, &order];
        books.insert(insert, values)
    }

    /// Records the license.
    fn answer(&self, books: &mut Books<'_>, request: i64, license: &License) -> DbResult<i64> {
        let insert = "INSERT INTO answer (license, request, answer, license_key, product, slot, \
                      turn, licensee, license_type, issued, expires, terms, bytes, moved_from, \
                      receipt, reason, order_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
                      $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING RETURNING id";
        let (body, name, order) = (license.body(), self.name(), books.order());
        let (id, turn) = (body.license.to_string(), self.seen.saturating_add(1).cast_signed());
        let from = self.moved_from.map(|license| license.to_string());
        let values = values![
            &id,
            request,
            i64::from(body.answer),
            name.key,
            name.product,
            name.slot,
            turn,
            &*body.licensee,
            &*body.type_id,
            body.issued.seconds.cast_signed(),
            body.expires.map(|day| i64::from(day.number)),
            &self.terms[..],
            license.bytes(),
            from.as_deref(),
            self.receipt,
            self.transfer,
            &order
        ];
        let answer = books.row(insert, values)?.ok_or_else(changed)?.integer(0)?;
        for signature in &*Frame::parse(Kind::License, license.bytes())?.signatures {
            let insert = "INSERT INTO answer_signer (answer, signer) VALUES ($1, $2)";
            books.exec(insert, values![answer, &signature.key.to_string()])?;
        }
        Ok(answer)
    }
}

impl Booking for IssueLicense<'_> {
    const VERB: &'static str = "issue";
    // Before a license is issued, its clocks are compared and a person is asked.
    const CLOCK: ClockRule = ClockRule::Any;
    type Booked = LicenseIssued;

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.license_key).maybe(self.transfer);
    }

    fn book(&self, books: &mut Books<'_>) -> DbResult<LicenseIssued> {
        let name = self.name();
        let find = "SELECT max(turn) FROM answer \
                    WHERE license_key = $1 AND product = $2 AND slot = $3";
        let newest = books.row(find, values![name.key, name.product, name.slot])?;
        let newest = newest.map_or(Ok(None), |row| row.maybe_integer(0))?.unwrap_or(0);
        if newest != self.seen.cast_signed() {
            return Err(changed());
        }
        let request = self.request(books)?;
        let license = (self.sign)()?;
        let answer = self.answer(books, request, &license)?;
        activation::book(books, self, answer)?;
        Ok(LicenseIssued { license: license.body().license.to_string() })
    }
}

impl Ledger {
    /// Returns the binary license that an order issued.
    ///
    /// # Errors
    /// Exit 2 when the ledger cannot be read.
    pub fn issued(&mut self, issued: &LicenseIssued) -> Result<Vec<u8>> {
        let find = "SELECT bytes FROM answer WHERE license = $1";
        let row = one_row(self.db.rows(find, values![&issued.license])?).ok_or_else(damaged)?;
        Ok(row.blob(0)?.to_vec())
    }
}

/// The refusal when another license was issued for the key since the draft was made.
pub(super) fn changed() -> DbError {
    let fact = "another license was issued for this key at the same time";
    Error::unable(Problem::Changed, fact, "run this again").into()
}
