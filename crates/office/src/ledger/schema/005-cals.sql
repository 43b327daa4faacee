-- Modules of one catalog pool, which a party exchanges one for one.
CREATE TABLE exchange (
  id INTEGER PRIMARY KEY,
  party INTEGER NOT NULL REFERENCES party (id),
  catalog_pool TEXT NOT NULL,
  UNIQUE (party, catalog_pool)
) STRICT;

-- CALs of one module, edition and unit in one place. `owner` is the row of the party (sold, sum,
-- lapsed, refunded), the lot (stock), the key (key, out, escrow), the pool or the exchange.
CREATE TABLE holding (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('sold', 'stock', 'key', 'out', 'sum', 'pool', 'escrow',
    'lapsed', 'refunded', 'exchange')),
  owner INTEGER NOT NULL,
  module TEXT NOT NULL CHECK (length(module) > 0),
  edition TEXT NOT NULL CHECK (edition IN ('oem', 'standard')),
  unit TEXT NOT NULL,
  balance INTEGER NOT NULL DEFAULT 0,
  CHECK (kind IN ('sold', 'exchange') OR balance >= 0),
  UNIQUE (kind, owner, module, edition, unit),
  UNIQUE (id, module, edition, unit)
) STRICT;

-- Append-only. The foreign keys refuse a movement between different modules, editions or units.
CREATE TABLE movement (
  id INTEGER PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES ledger_order (id),
  giver INTEGER NOT NULL,
  taker INTEGER NOT NULL,
  module TEXT NOT NULL,
  edition TEXT NOT NULL,
  unit TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  CHECK (giver <> taker),
  FOREIGN KEY (giver, module, edition, unit) REFERENCES holding (id, module, edition, unit),
  FOREIGN KEY (taker, module, edition, unit) REFERENCES holding (id, module, edition, unit)
) STRICT;
CREATE INDEX movement_order ON movement (order_id);
CREATE INDEX movement_giver ON movement (giver);
CREATE INDEX movement_taker ON movement (taker);
APPEND ONLY movement;
