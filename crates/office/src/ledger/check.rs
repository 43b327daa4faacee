//! What must always be true of a ledger. Each invariant has an id and a query that finds what
//! breaks it.

use crate::ledger::db::{Db, DbResult};

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Id of the invariant, such as `ledger-2`.
    pub id: &'static str,
    /// Which record breaks it.
    pub fact: String,
}

/// Id of an invariant, what its query finds, and the query: one text and one number a row.
type Invariant = (&'static str, &'static str, &'static str);

/// All holdings: the party and the edition of the row that owns each, which no foreign key names.
macro_rules! place {
    () => {
        "WITH place AS (SELECT holding.id, holding.kind, holding.owner, holding.module, \
         holding.edition, COALESCE(party.id, lot.party, license_key.party, pool.party, \
         exchange.party) AS party, COALESCE(lot.edition, license_key.edition, pool.edition, \
         holding.edition) AS own_edition FROM holding \
         LEFT JOIN party ON holding.kind IN ('sold', 'sum', 'lapsed', 'refunded') \
         AND party.id = holding.owner \
         LEFT JOIN lot ON holding.kind = 'stock' AND lot.id = holding.owner \
         LEFT JOIN escrow ON holding.kind = 'escrow' AND escrow.id = holding.owner \
         LEFT JOIN license_key ON (holding.kind IN ('key', 'out') \
         AND license_key.id = holding.owner) OR license_key.id = escrow.license_key \
         LEFT JOIN pool ON holding.kind = 'pool' AND pool.id = holding.owner \
         LEFT JOIN exchange ON holding.kind = 'exchange' AND exchange.id = holding.owner) "
    };
}

const INVARIANTS: &[Invariant] = &[
    (
        "ledger-1",
        "a holding has less than 0",
        "SELECT kind || ' ' || CAST(owner AS TEXT) || ' ' || module, balance FROM holding \
         WHERE balance < 0 AND kind NOT IN ('sold', 'exchange')",
    ),
    (
        "ledger-2",
        "a balance is not what the holding took minus what it gave",
        "SELECT kind || ' ' || CAST(owner AS TEXT) || ' ' || module, balance FROM holding WHERE balance <> \
         (SELECT COALESCE(CAST(sum(amount) AS BIGINT), 0) FROM movement WHERE taker = holding.id) \
         - (SELECT COALESCE(CAST(sum(amount) AS BIGINT), 0) FROM movement \
            WHERE giver = holding.id)",
    ),
    (
        "ledger-3",
        "the balances of an item do not add up to 0",
        "SELECT module || ' ' || edition || ' ' || unit, CAST(sum(balance) AS BIGINT) \
         FROM holding GROUP BY module, edition, unit HAVING sum(balance) <> 0",
    ),
    (
        "ledger-3",
        "modules that were exchanged do not add up to 0",
        "SELECT CAST(owner AS TEXT) || ' ' || edition || ' ' || unit, CAST(sum(balance) AS BIGINT) \
         FROM holding WHERE kind = 'exchange' GROUP BY owner, edition, unit \
         HAVING sum(balance) <> 0",
    ),
    (
        "ledger-4",
        "what a key has on its license is not what its newest license grants",
        "WITH newest AS (SELECT license_key, max(answer) AS answer FROM claim \
           GROUP BY license_key), \
         sides AS (SELECT license_key.id AS k, module, claim_cals.edition, unit, quota AS n \
           FROM newest JOIN license_key ON license_key.id = newest.license_key \
           JOIN claim_cals ON claim_cals.answer = newest.answer WHERE holder IS NOT NULL \
           UNION ALL SELECT owner, module, edition, unit, -balance FROM holding \
           WHERE kind = 'out') \
         SELECT CAST(k AS TEXT) || ' ' || module, CAST(sum(n) AS BIGINT) FROM sides \
         GROUP BY k, module, edition, unit HAVING sum(n) <> 0",
    ),
    (
        "ledger-5",
        "a pool and its keys do not have what was moved into the pool",
        "WITH family AS (SELECT holding.id, owner AS pool, module, unit, balance FROM holding \
           WHERE kind = 'pool' \
           UNION ALL SELECT holding.id, license_key.pool, module, unit, balance FROM holding \
           JOIN license_key ON license_key.id = holding.owner \
           WHERE kind IN ('key', 'out') AND license_key.pool IS NOT NULL \
           UNION ALL SELECT holding.id, license_key.pool, module, unit, balance FROM holding \
           JOIN escrow ON escrow.id = holding.owner \
           JOIN license_key ON license_key.id = escrow.license_key \
           WHERE kind = 'escrow' AND license_key.pool IS NOT NULL), \
         moved AS (SELECT there.pool, movement.module, movement.unit, amount FROM movement \
           JOIN family AS there ON there.id = taker LEFT JOIN family AS here ON here.id = giver \
           WHERE here.pool IS NULL OR here.pool <> there.pool \
           UNION ALL SELECT here.pool, movement.module, movement.unit, -amount FROM movement \
           JOIN family AS here ON here.id = giver LEFT JOIN family AS there ON there.id = taker \
           WHERE there.pool IS NULL OR there.pool <> here.pool), \
         has AS (SELECT pool, module, unit, CAST(sum(balance) AS BIGINT) AS n FROM family \
           GROUP BY pool, module, unit), \
         got AS (SELECT pool, module, unit, CAST(sum(amount) AS BIGINT) AS n FROM moved \
           GROUP BY pool, module, unit) \
         SELECT CAST(has.pool AS TEXT) || ' ' || has.module, has.n FROM has LEFT JOIN got \
         ON got.pool = has.pool AND got.module = has.module AND got.unit = has.unit \
         WHERE has.n <> COALESCE(got.n, 0)",
    ),
    (
        "ledger-6",
        "an installation holds several keys of a party in one slot",
        "SELECT product || ' ' || slot, count(*) FROM license_key WHERE holder IS NOT NULL \
         GROUP BY holder, product, slot, party HAVING count(*) > 1",
    ),
    (
        "ledger-9",
        "an order has no result",
        "SELECT id, instant FROM ledger_order WHERE result IS NULL",
    ),
    (
        "ledger-10",
        "installations may use more than is on licenses and in escrow",
        "WITH claims AS (SELECT party, module, claim_cals.edition, unit, max(quota) AS n \
           FROM claim_cals JOIN claim ON claim.answer = claim_cals.answer \
           JOIN license_key ON license_key.id = claim.license_key WHERE closed IS NULL \
           GROUP BY party, installation, module, claim_cals.edition, unit), \
         sides AS (SELECT party, module, edition, unit, n FROM claims \
           UNION ALL SELECT party, module, holding.edition, unit, -balance FROM holding \
           JOIN license_key ON license_key.id = owner WHERE kind = 'out' \
           UNION ALL SELECT party, module, holding.edition, unit, -balance FROM holding \
           JOIN escrow ON escrow.id = owner \
           JOIN license_key ON license_key.id = license_key WHERE kind = 'escrow') \
         SELECT CAST(party AS TEXT) || ' ' || module, CAST(sum(n) AS BIGINT) FROM sides \
         GROUP BY party, module, edition, unit HAVING sum(n) > 0",
    ),
    (
        "ledger-11",
        "a line of a purchase has neither a reference nor the mark by-grant",
        "SELECT 'line', purchase_line.id FROM purchase_line \
         JOIN purchase ON purchase.id = purchase_line.purchase \
         WHERE purchase.reference = '' AND purchase.by_grant = 0",
    ),
    (
        "ledger-12",
        "what was sold is not what the lines of purchases say",
        "SELECT CAST(party AS TEXT) || ' ' || edition || ' ' || module, CAST(sum(n) AS BIGINT) \
         FROM (SELECT owner AS party, edition, module, unit, balance AS n FROM holding \
           WHERE kind = 'sold' \
           UNION ALL SELECT purchase.party, COALESCE(lot.edition, license_key.edition), module, \
           unit, amount FROM purchase_line JOIN purchase ON purchase.id = purchase_line.purchase \
           LEFT JOIN lot ON lot.id = purchase_line.lot \
           LEFT JOIN license_key ON license_key.id = purchase_line.license_key \
           WHERE amount IS NOT NULL) AS both_sides \
         GROUP BY party, edition, module, unit HAVING sum(n) <> 0",
    ),
    (
        "ledger-13",
        "nobody owns a holding",
        concat!(place!(), "SELECT kind || ' ' || module, owner FROM place WHERE party IS NULL"),
    ),
    (
        "ledger-13",
        "a holding has another edition than its owner",
        concat!(
            place!(),
            "SELECT kind || ' ' || edition || ' ' || module, owner FROM place \
             WHERE edition <> own_edition"
        ),
    ),
    (
        "ledger-14",
        "CALs moved between parties that have nothing to do with each other",
        concat!(
            place!(),
            "SELECT movement.order_id, movement.id FROM movement \
             JOIN place AS one ON one.id = giver JOIN place AS other ON other.id = taker \
             WHERE one.party <> other.party AND NOT EXISTS (SELECT 1 FROM party \
             WHERE (party.id = one.party AND party.parent = other.party) \
             OR (party.id = other.party AND party.parent = one.party))"
        ),
    ),
    (
        "ledger-15",
        "the prefix of a party begins with that of another",
        "SELECT one.name || ' ' || other.name, one.id FROM party AS one JOIN party AS other \
         ON one.id <> other.id AND substr(one.prefix, 1, length(other.prefix)) = other.prefix",
    ),
];

/// Finds everything that breaks an invariant.
pub(super) fn check(db: &mut dyn Db) -> DbResult<Vec<Violation>> {
    let mut found = Vec::new();
    for (id, what, query) in INVARIANTS {
        for row in db.rows(query, &[])? {
            let fact = format!("{what}: {} ({})", row.text(0)?, row.integer(1)?);
            found.push(Violation { id, fact });
        }
    }
    Ok(found)
}
