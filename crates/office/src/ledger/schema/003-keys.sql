CREATE TABLE pool (
  id INTEGER PRIMARY KEY,
  party INTEGER NOT NULL REFERENCES party (id),
  name TEXT NOT NULL CHECK (length(name) > 0),
  edition TEXT NOT NULL CHECK (edition IN ('oem', 'standard')),
  turn INTEGER NOT NULL DEFAULT 0,
  order_id TEXT NOT NULL REFERENCES ledger_order (id),
  UNIQUE (party, name),
  UNIQUE (id, party, edition)
) STRICT;

-- `included` is the end of the maintenance that comes with the purchase, as a catalog writes it.
-- `maintenance` says whether it has not started, ends on a day, or has no end. Of a pool key, the
-- licenses in the sum decide. `holder` is the key of the installation that runs on it.
CREATE TABLE license_key (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE CHECK (length(key) > 0),
  licensee TEXT NOT NULL CHECK (length(licensee) > 0),
  party INTEGER NOT NULL REFERENCES party (id),
  product TEXT NOT NULL,
  slot TEXT NOT NULL,
  license_type TEXT NOT NULL,
  model TEXT NOT NULL CHECK (model IN ('purchased', 'meter', 'evaluation', 'pool')),
  edition TEXT NOT NULL CHECK (edition IN ('oem', 'standard')),
  pool INTEGER,
  state TEXT NOT NULL CHECK (state IN ('new', 'active', 'deactivated', 'pooled', 'deleted')),
  created INTEGER NOT NULL,
  activated INTEGER,
  included TEXT NOT NULL,
  maintenance TEXT NOT NULL CHECK (maintenance IN ('not-started', 'until', 'endless', 'of-pool')),
  maintenance_until INTEGER,
  turn INTEGER NOT NULL DEFAULT 0,
  holder BLOB,
  order_id TEXT NOT NULL REFERENCES ledger_order (id),
  CHECK ((maintenance = 'until') = (maintenance_until IS NOT NULL)),
  CHECK (pool IS NULL OR model = 'pool'),
  CHECK ((pool IS NOT NULL) = (maintenance = 'of-pool')),
  CHECK ((state = 'active') = (holder IS NOT NULL)),
  FOREIGN KEY (pool, party, edition) REFERENCES pool (id, party, edition)
) STRICT;
CREATE INDEX license_key_party ON license_key (party, edition, state);
CREATE INDEX license_key_pool ON license_key (pool);
CREATE INDEX license_key_holder ON license_key (holder);
