//! Claims: what a signed license lets an installation use. A license cannot be called back from a
//! machine without a network, so its claim stays open until it has ended there, was replaced, or
//! was given up with a receipt.

use std::collections::BTreeMap;

use crate::ledger::db::{DbResult, SqlRow, values};
use crate::ledger::holding::Item;
use crate::ledger::input::booked;
use crate::ledger::order::Books;
use olr_core::entitlement::{Cause, Model};
use olr_core::error::Result;
use olr_core::license::LicenseBody;
use olr_core::wire::codec::Limit;
use olr_core::wire::id::LicenseId;

/// CALs by item.
pub(super) type Items = BTreeMap<Item, i64>;

/// Why a claim does not count any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// The license has ended.
    Ended,
    /// The installation showed that it has a newer license.
    Replaced,
    /// The installation gave it up with a receipt.
    Receipt,
    /// The key was moved without a receipt: the installation may run a while longer.
    Transfer,
}

impl Closing {
    fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Replaced => "replaced",
            Self::Receipt => "receipt",
            Self::Transfer => "transfer",
        }
    }
}

/// Looks up an installation and its slot, and keeps other orders off it until this one is done.
pub(super) fn take_place(
    books: &mut Books<'_>,
    install_key: &[u8; 32],
    (product, slot): (&str, &str),
) -> DbResult<i64> {
    let take = "INSERT INTO installation (install_key, product, slot) VALUES ($1, $2, $3) \
                ON CONFLICT (install_key, product, slot) DO UPDATE SET turn = installation.turn + 1 \
                RETURNING id";
    books.insert(take, values![&install_key[..], product, slot])
}

/// The finite quotas of a license that CALs are booked for.
pub(super) fn finite(body: &LicenseBody) -> Result<Items> {
    let mut items = Items::new();
    if !matches!(body.model, Model::Purchased | Model::Pool) {
        return Ok(items);
    }
    for grant in &*body.grants {
        let Limit::Only(quota @ 1..) = grant.quota else { continue };
        let quota = booked(&grant.module, quota)?;
        let (module, unit) = (grant.module.to_string(), grant.unit.to_string());
        items.insert(Item { module, edition: body.edition, unit }, quota);
    }
    Ok(items)
}

/// When a license has ended on every machine: last day, grace period and tolerance of its clock.
fn ends(body: &LicenseBody) -> Option<i64> {
    let grace = body.grace.get(&Cause::Expired).map_or(0, |rule| rule.seconds);
    let last = body.expires?.ends().seconds;
    let ends = last.saturating_add(grace).saturating_add(body.tolerance.into());
    // What ends after that never ends.
    i64::try_from(ends).ok()
}

/// Opens the claim of a license that is issued.
pub(super) fn open(
    books: &mut Books<'_>,
    (answer, key, place): (i64, i64, i64),
    body: &LicenseBody,
    quotas: &Items,
) -> DbResult<()> {
    let insert =
        "INSERT INTO claim (answer, license_key, installation, ends) VALUES ($1, $2, $3, $4)";
    books.exec(insert, values![answer, key, place, ends(body)])?;
    for (Item { module, edition, unit }, quota) in quotas {
        let insert = "INSERT INTO claim_cals (answer, module, edition, unit, quota) \
                      VALUES ($1, $2, $3, $4, $5)";
        books.exec(insert, values![answer, module, edition.word(), unit, *quota])?;
    }
    Ok(())
}

/// Closes the claims of a party's keys at a place whose licenses have ended.
pub(super) fn close_ended(books: &mut Books<'_>, (place, party): (i64, i64)) -> DbResult<()> {
    let close = "UPDATE claim SET closed = $2, cause = $3 \
                 WHERE ends <= $2 AND answer IN (SELECT answer FROM claim \
                 WHERE installation = $1 AND closed IS NULL) AND EXISTS (SELECT 1 \
                 FROM license_key WHERE license_key.id = claim.license_key AND party = $4)";
    let now = books.now().seconds.cast_signed();
    books.exec(close, values![place, now, Closing::Ended.word(), party]).map(drop)
}

/// Closes the claims of a party's keys at a place that were replaced by `license`, which the
/// installation shows to have: those of earlier requests, which it cannot import any more. One
/// without an end stays open: an old copy of the home could bring it back, for ever.
pub(super) fn close_replaced(
    books: &mut Books<'_>,
    (place, party): (i64, i64),
    license: LicenseId,
) -> DbResult<()> {
    let close = "UPDATE claim SET closed = $2, cause = $3 \
                 WHERE installation = $1 AND closed IS NULL AND ends IS NOT NULL \
                 AND EXISTS (SELECT 1 FROM license_key \
                 WHERE license_key.id = claim.license_key AND party = $5) \
                 AND EXISTS (SELECT 1 FROM answer AS own \
                 JOIN request AS asked ON asked.id = own.request \
                 JOIN answer AS newer ON newer.license = $4 \
                 JOIN request AS later ON later.id = newer.request \
                 WHERE own.id = claim.answer AND later.install_key = asked.install_key \
                 AND (asked.number < later.number \
                 OR (asked.number = later.number AND own.answer < newer.answer)))";
    let now = books.now().seconds.cast_signed();
    let values = values![place, now, Closing::Replaced.word(), &license.to_string(), party];
    books.exec(close, values).map(drop)
}

/// Closes the claim of an answer.
pub(super) fn close_answer(books: &mut Books<'_>, answer: i64, cause: Closing) -> DbResult<()> {
    let close = "UPDATE claim SET closed = $2, cause = $3 WHERE answer = $1 AND closed IS NULL";
    let now = books.now().seconds.cast_signed();
    books.exec(close, values![answer, now, cause.word()]).map(drop)
}

/// Closes all claims of a party's keys at a place.
pub(super) fn close_all(
    books: &mut Books<'_>,
    (place, party): (i64, i64),
    cause: Closing,
) -> DbResult<()> {
    let close = "UPDATE claim SET closed = $3, cause = $4 \
                 WHERE installation = $1 AND closed IS NULL AND EXISTS (SELECT 1 FROM license_key \
                 WHERE license_key.id = claim.license_key AND party = $2)";
    let now = books.now().seconds.cast_signed();
    books.exec(close, values![place, party, now, cause.word()]).map(drop)
}

/// The most that an installation may use, item by item, by the open claims of a party's keys.
pub(super) fn at(books: &mut Books<'_>, place: i64, party: i64) -> DbResult<Items> {
    let find = "SELECT module, claim_cals.edition, unit, max(quota) FROM claim_cals \
                JOIN claim ON claim.answer = claim_cals.answer \
                JOIN license_key ON license_key.id = claim.license_key \
                WHERE installation = $1 AND closed IS NULL AND party = $2 \
                GROUP BY module, claim_cals.edition, unit";
    books.rows(find, values![place, party])?.iter().map(item).collect()
}

/// Reads module, edition, unit and number.
pub(super) fn item(row: &SqlRow) -> DbResult<(Item, i64)> {
    let (module, unit) = (row.text(0)?.to_string(), row.text(2)?.to_string());
    Ok((Item { module, edition: row.text(1)?.parse()?, unit }, row.integer(3)?))
}
