//! What a license that is issued means for its key and its CALs: `out` of the key is what its newest
//! license grants, and what an older license may still use goes to escrow.

use crate::catalog::End;
use crate::ledger::claim::{self, Closing, Items};
use crate::ledger::db::{DbResult, values};
use crate::ledger::escrow;
use crate::ledger::holding::{self, Holder};
use crate::ledger::issue::{self, IssueLicense};
use crate::ledger::key::{self, KeyRow, KeyState, KeyTerms, KeyText, NewKey};
use crate::ledger::maintenance::{self, Maintenance, damaged};
use crate::ledger::movement::{Movement, post};
use crate::ledger::order::{Booking, Books};
use crate::ledger::party::{AddParty, PartyKind};
use crate::ledger::pool;
use crate::ledger::purchase;
use olr_core::display::shown;
use olr_core::entitlement::Model;
use olr_core::error::{Error, Problem, Refusal, Result};
use olr_core::license::LicenseBody;
use olr_core::report::masked;
use olr_core::wire::codec::Limit;

/// Books the CALs of a license that is issued. `answer` is its row.
pub(super) fn book(books: &mut Books<'_>, issue: &IssueLicense<'_>, answer: i64) -> DbResult<()> {
    let body = issue.body;
    // A trial needs no purchase, and its key is shared by all customers.
    if body.model == Model::Evaluation {
        return Ok(());
    }
    let key = take_key(books, issue)?;
    let place = claim::take_place(books, &body.install_key, (&body.product, &body.slot))?;
    leave_holder(books, &key, issue)?;
    claim::close_ended(books, (place, key.party))?;
    if let Some(license) = issue.renews {
        claim::close_replaced(books, (place, key.party), license)?;
    }
    replace_others(books, &key, body)?;
    let quotas = claim::finite(body)?;
    let mut movements = Vec::new();
    let missing = to_grant(books, (&key, place), &quotas, &mut movements)?;
    buy_missing(books, &key, issue, missing)?;
    post(books, &movements)?;
    claim::open(books, (answer, key.id, place), body, &quotas)?;
    let activate = "UPDATE license_key SET state = 'active', holder = $2, \
                    activated = COALESCE(activated, $3) WHERE id = $1";
    let now = books.now().seconds.cast_signed();
    books.exec(activate, values![key.id, &body.install_key[..], now])?;
    escrow::settle(books, place, key.party)
}

/// Takes the key of a license. A grant that was written by hand makes the key, if it is unknown, or
/// changes its terms.
fn take_key(books: &mut Books<'_>, issue: &IssueLicense<'_>) -> DbResult<KeyRow> {
    let body = issue.body;
    let find = "SELECT id FROM license_key WHERE key = $1";
    if issue.by_grant && books.row(find, values![issue.license_key])?.is_none() {
        return make_key(books, issue);
    }
    let key = take_with_pool(books, issue.license_key)?;
    ensure_fits(&key, body)?;
    if issue.by_grant {
        let update =
            "UPDATE license_key SET licensee = $2, license_type = $3, model = $4 WHERE id = $1";
        let values = values![key.id, &*body.licensee, &*body.type_id, body.model.word()];
        books.exec(update, values)?;
    }
    let is_first = key.maintenance == Maintenance::NotStarted;
    if key.pool.is_none() && (issue.by_grant || is_first) {
        maintenance::set(books, key.id, maintained(body))?;
    }
    Ok(key)
}

/// Takes a key, and before it its pool.
pub(super) fn take_with_pool(books: &mut Books<'_>, key: &str) -> DbResult<KeyRow> {
    let find = "SELECT pool FROM license_key WHERE key = $1 AND pool IS NOT NULL";
    if let Some(row) = books.row(find, values![key])? {
        pool::take_id(books, row.integer(0)?)?;
    }
    key::take(books, key)
}

/// Checks that a key can get this license.
fn ensure_fits(key: &KeyRow, body: &LicenseBody) -> Result<()> {
    let name = masked(&key.key);
    for (word, what, own, asked) in [
        (Refusal::WrongProduct, "product", &key.product, &body.product),
        (Refusal::WrongSlot, "slot", &key.slot, &body.slot),
    ] {
        if **own != **asked {
            let fact =
                format!("key {name} belongs to {what} {}, not to {}", shown(own), shown(asked));
            return Err(Error::refuse(word, fact).at_vendor());
        }
    }
    let why = match key.state {
        KeyState::Pooled => "was added to a pool".to_string(),
        KeyState::Deleted => "was deleted".to_string(),
        _ if key.edition != body.edition => {
            format!("is of edition {}, not {}", key.edition, body.edition)
        }
        _ if key.pool.is_some() && body.model != Model::Pool => "is a pool key".to_string(),
        _ => return Ok(()),
    };
    Err(Error::unable(Problem::Usage, format!("key {name} {why}"), "use another key"))
}

/// Makes a key, and its customer if it is the first one.
fn make_key(books: &mut Books<'_>, issue: &IssueLicense<'_>) -> DbResult<KeyRow> {
    let body = issue.body;
    let find = "SELECT id FROM party WHERE name = $1";
    let party = match books.row(find, values![&*body.licensee])? {
        Some(row) => row.integer(0)?,
        None => AddParty::new(PartyKind::Customer, &*body.licensee).book(books)?.party,
    };
    let new = NewKey {
        text: KeyText::Chosen(issue.license_key.to_string()),
        licensee: body.licensee.to_string(),
        product: body.product.to_string(),
        slot: body.slot.to_string(),
    };
    let terms = KeyTerms {
        party,
        license_type: &body.type_id,
        model: body.model,
        edition: body.edition,
        pool: None,
        included: body.maintenance.map_or(End::Never, End::On),
    };
    let key = key::create(books, &new, &terms)?;
    maintenance::set(books, key.id, maintained(body))?;
    Ok(key)
}

fn maintained(body: &LicenseBody) -> Maintenance {
    body.maintenance.map_or(Maintenance::Endless, Maintenance::Until)
}

/// If the key moves here from another installation, that one gives up its slot: the claims there are
/// closed, and what they used is free.
fn leave_holder(books: &mut Books<'_>, key: &KeyRow, issue: &IssueLicense<'_>) -> DbResult<()> {
    let holder = key.holder.filter(|holder| *holder != issue.body.install_key);
    let cause = match (issue.moved_from, issue.receipt, issue.transfer) {
        (Some(_), Some(_), _) => Closing::Receipt,
        (Some(_), None, Some(_)) => Closing::Transfer,
        // Nobody may take a key away without saying why.
        _ if holder.is_some() => return Err(issue::changed()),
        _ => return Ok(()),
    };
    // The license may have been revoked or have ended: then nobody holds the key, but the claim of
    // the installation may be open.
    let find = "SELECT install_key FROM answer JOIN request ON request.id = answer.request \
                WHERE license = $1";
    let from = issue.moved_from.map(|license| license.to_string()).unwrap_or_default();
    let row = books.row(find, values![&from])?.ok_or_else(damaged)?;
    let install_key = row.blob(0)?.try_into().map_err(|_| damaged())?;
    if holder.is_some_and(|holder| holder != install_key) {
        return Err(issue::changed());
    }
    let place = claim::take_place(books, &install_key, (&key.product, &key.slot))?;
    claim::close_all(books, (place, key.party), cause)?;
    if holder.is_some() {
        take_back(books, key, Holder::Key(key.id))?;
        key::set_state(books, key, KeyState::Deactivated)?;
    }
    escrow::settle(books, place, key.party)
}

/// Moves what is on the newest license of a key to escrow: its installation may still use it.
pub(super) fn to_escrow(books: &mut Books<'_>, key: &KeyRow) -> DbResult<()> {
    let Some(holder) = key.holder else { return Ok(()) };
    let place = claim::take_place(books, &holder, (&key.product, &key.slot))?;
    let to = escrow::of(books, key.id, place)?;
    take_back(books, key, to)?;
    key::set_state(books, key, KeyState::Deactivated)
}

/// Moves everything that is on the newest license of a key.
fn take_back(books: &mut Books<'_>, key: &KeyRow, to: Holder) -> DbResult<()> {
    let out = holding::items(books, Holder::Out(key.id))?;
    let from = Holder::Out(key.id);
    let movements = out.into_iter().map(|(item, count)| Movement { from, to, item, count });
    post(books, &movements.collect::<Vec<_>>())
}

/// Takes this slot from other keys of the party: the new license replaces theirs, which may be in
/// effect until the installation has imported it.
fn replace_others(books: &mut Books<'_>, key: &KeyRow, body: &LicenseBody) -> DbResult<()> {
    let find = "SELECT key FROM license_key WHERE holder = $1 AND product = $2 AND slot = $3 \
                AND party = $4 AND id <> $5 ORDER BY id";
    let (product, slot) = (&*body.product, &*body.slot);
    let values = values![&body.install_key[..], product, slot, key.party, key.id];
    for row in books.rows(find, values)? {
        let other = take_with_pool(books, row.text(0)?)?;
        to_escrow(books, &other)?;
    }
    Ok(())
}

/// Adds the movements after which the key has its quotas on its license. Returns what the key lacks.
fn to_grant(
    books: &mut Books<'_>,
    (key, place): (&KeyRow, i64),
    quotas: &Items,
    movements: &mut Vec<Movement>,
) -> DbResult<Items> {
    let out = Holder::Out(key.id);
    let has = holding::items(books, out)?;
    let kept = escrow::of(books, key.id, place)?;
    for (item, count) in &has {
        let less = count.saturating_sub(quotas.get(item).copied().unwrap_or(0));
        if less > 0 {
            movements.push(Movement { from: out, to: kept, item: item.clone(), count: less });
        }
    }
    let held = holding::items(books, kept)?;
    let own = holding::items(books, Holder::Key(key.id))?;
    let mut missing = Items::new();
    for (item, quota) in quotas {
        let mut more = quota.saturating_sub(has.get(item).copied().unwrap_or(0));
        let count = held.get(item).copied().unwrap_or(0).min(more);
        if count > 0 {
            movements.push(Movement { from: kept, to: out, item: item.clone(), count });
            more = more.saturating_sub(count);
        }
        if more > 0 {
            let from = Holder::Key(key.id);
            movements.push(Movement { from, to: out, item: item.clone(), count: more });
        }
        let lacks = more.saturating_sub(own.get(item).copied().unwrap_or(0));
        if lacks > 0 {
            missing.insert(item.clone(), lacks);
        }
    }
    Ok(missing)
}

/// Books the sale that a grant written by hand implies, and records what it grants without limit.
fn buy_missing(
    books: &mut Books<'_>,
    key: &KeyRow,
    issue: &IssueLicense<'_>,
    missing: Items,
) -> DbResult<()> {
    if !issue.by_grant {
        return Ok(());
    }
    for grant in &*issue.body.grants {
        let unlimited = i64::from(grant.quota == Limit::Any);
        let newest = "SELECT unlimited FROM key_right WHERE license_key = $1 AND module = $2 \
                      ORDER BY id DESC LIMIT 1";
        let row = books.row(newest, values![key.id, &*grant.module])?;
        if row.map_or(Ok(0), |row| row.integer(0))? != unlimited {
            let insert = "INSERT INTO key_right (license_key, module, unlimited, order_id) \
                          VALUES ($1, $2, $3, $4)";
            let order = books.order();
            books.exec(insert, values![key.id, &*grant.module, unlimited, &order])?;
        }
    }
    // A pool key gets CALs from its pool alone.
    if missing.is_empty() || key.pool.is_some() {
        return Ok(());
    }
    let purchase = purchase::record_grant(books, key.party, &issue.reference())?;
    let cals =
        missing.iter().map(|(item, count)| ((item.module.clone(), item.unit.clone()), *count));
    purchase::add_lines(books, purchase, None, Some(key.id), &cals.collect())?;
    let (from, to) = (Holder::Sold(key.party), Holder::Key(key.id));
    let movements = missing.into_iter().map(|(item, count)| Movement { from, to, item, count });
    post(books, &movements.collect::<Vec<_>>())
}
