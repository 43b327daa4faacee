-- `turn` counts the orders that took the party: taking a row keeps other orders off its stock.
CREATE TABLE party (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('vendor', 'partner', 'company', 'customer')),
  parent INTEGER REFERENCES party (id),
  name TEXT NOT NULL UNIQUE CHECK (length(name) > 0),
  prefix TEXT UNIQUE,
  currency TEXT,
  region TEXT,
  turn INTEGER NOT NULL DEFAULT 0,
  order_id TEXT NOT NULL REFERENCES ledger_order (id)
) STRICT;
