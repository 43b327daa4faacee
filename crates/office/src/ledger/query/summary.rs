//! Where all CALs are, by module and edition.

use std::collections::BTreeMap;

use crate::ledger::Ledger;
use olr_core::error::Result;

/// CALs of one module and edition, by place. What was sold is the sum of all other places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModuleSummary {
    /// Id of the module.
    pub module: String,
    /// Edition.
    pub edition: String,
    /// What one CAL counts.
    pub unit: String,
    /// Sold.
    pub sold: i64,
    /// In stock.
    pub stock: i64,
    /// On keys, and on no license.
    pub keys: i64,
    /// On licenses.
    pub out: i64,
    /// In escrow.
    pub escrow: i64,
    /// In sums and pools of partners, and on no key.
    pub pooled: i64,
    /// Lapsed in stock.
    pub lapsed: i64,
    /// Refunded.
    pub refunded: i64,
    /// Given for other modules; negative if they were taken for others.
    pub exchanged: i64,
}

impl Ledger {
    /// Says where all CALs are.
    ///
    /// # Errors
    /// Exit 2 when the database fails.
    pub fn summary(&mut self) -> Result<Vec<ModuleSummary>> {
        let find = "SELECT module, edition, unit, kind, CAST(sum(balance) AS BIGINT) FROM holding \
                    GROUP BY module, edition, unit, kind ORDER BY module, edition, unit, kind";
        let mut found = BTreeMap::<_, ModuleSummary>::new();
        for row in self.db.rows(find, &[])? {
            let text = |column| row.text(column).map(str::to_string);
            let name = (text(0)?, text(1)?, text(2)?);
            let one = found.entry(name.clone()).or_insert_with(|| ModuleSummary {
                module: name.0,
                edition: name.1,
                unit: name.2,
                ..ModuleSummary::default()
            });
            let count = row.integer(4)?;
            match row.text(3)? {
                "sold" => one.sold = count.saturating_neg(),
                "stock" => one.stock = count,
                "key" => one.keys = count,
                "out" => one.out = count,
                "escrow" => one.escrow = count,
                "sum" | "pool" => one.pooled = one.pooled.saturating_add(count),
                "lapsed" => one.lapsed = count,
                "refunded" => one.refunded = count,
                _ => one.exchanged = count,
            }
        }
        Ok(found.into_values().collect())
    }
}
