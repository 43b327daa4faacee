-- Append-only. `by_grant` marks a sale that was booked for a grant written by hand.
CREATE TABLE purchase (
  id INTEGER PRIMARY KEY,
  party INTEGER NOT NULL REFERENCES party (id),
  reference TEXT NOT NULL,
  day INTEGER NOT NULL,
  by_grant INTEGER NOT NULL DEFAULT 0 CHECK (by_grant IN (0, 1)),
  order_id TEXT NOT NULL REFERENCES ledger_order (id),
  UNIQUE (party, reference),
  UNIQUE (id, party)
) STRICT;
APPEND ONLY purchase;

-- CALs in stock: what one purchase leaves to withdraw until a day. `included` as in license_key.
CREATE TABLE lot (
  id INTEGER PRIMARY KEY,
  party INTEGER NOT NULL,
  purchase INTEGER NOT NULL UNIQUE,
  license_type TEXT NOT NULL,
  edition TEXT NOT NULL CHECK (edition IN ('oem', 'standard')),
  included TEXT NOT NULL,
  bought INTEGER NOT NULL,
  stock_until INTEGER NOT NULL CHECK (stock_until >= bought),
  FOREIGN KEY (purchase, party) REFERENCES purchase (id, party)
) STRICT;
CREATE INDEX lot_party ON lot (party, edition, bought);
CREATE INDEX lot_stock_until ON lot (stock_until);

-- Append-only. Why CALs were paid back; the movements of the order tell which.
CREATE TABLE refund (
  order_id TEXT NOT NULL PRIMARY KEY REFERENCES ledger_order (id),
  party INTEGER NOT NULL REFERENCES party (id),
  reason TEXT NOT NULL CHECK (length(reason) > 0)
) STRICT;
APPEND ONLY refund;

-- Append-only. A line is either a number of CALs, or maintenance of a key until a day.
CREATE TABLE purchase_line (
  id INTEGER PRIMARY KEY,
  purchase INTEGER NOT NULL REFERENCES purchase (id),
  lot INTEGER REFERENCES lot (id),
  license_key INTEGER REFERENCES license_key (id),
  module TEXT,
  unit TEXT,
  amount INTEGER CHECK (amount > 0),
  maintenance_from INTEGER,
  maintenance_until INTEGER,
  CHECK ((lot IS NULL) <> (license_key IS NULL)),
  CHECK ((module IS NULL) = (amount IS NULL) AND (module IS NULL) = (unit IS NULL)),
  CHECK ((module IS NULL) <> (maintenance_until IS NULL)),
  CHECK ((maintenance_from IS NULL) = (maintenance_until IS NULL)),
  CHECK (maintenance_until >= maintenance_from),
  CHECK (lot IS NULL OR module IS NOT NULL)
) STRICT;
CREATE INDEX purchase_line_purchase ON purchase_line (purchase);
APPEND ONLY purchase_line;
