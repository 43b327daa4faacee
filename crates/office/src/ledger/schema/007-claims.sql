-- An installation and a slot: a place where one license replaces the other. `turn` counts the
-- orders that took it.
CREATE TABLE installation (
  id INTEGER PRIMARY KEY,
  install_key BLOB NOT NULL CHECK (length(install_key) = 32),
  product TEXT NOT NULL,
  slot TEXT NOT NULL,
  turn INTEGER NOT NULL DEFAULT 0,
  UNIQUE (install_key, product, slot)
) STRICT;

-- What a license that was issued lets an installation use, until it is closed. `ends` is when the
-- license has ended there in any case, null if never.
CREATE TABLE claim (
  answer INTEGER NOT NULL PRIMARY KEY REFERENCES answer (id),
  license_key INTEGER NOT NULL REFERENCES license_key (id),
  installation INTEGER NOT NULL REFERENCES installation (id),
  ends INTEGER,
  closed INTEGER,
  cause TEXT CHECK (cause IN ('ended', 'replaced', 'receipt', 'transfer', 'waived')),
  CHECK ((closed IS NULL) = (cause IS NULL))
) STRICT;
CREATE INDEX claim_installation ON claim (installation, closed);
CREATE INDEX claim_license_key ON claim (license_key, closed);
CREATE INDEX claim_ends ON claim (closed, ends);

-- Append-only. The finite quotas of a claim.
CREATE TABLE claim_cals (
  answer INTEGER NOT NULL REFERENCES claim (answer),
  module TEXT NOT NULL,
  edition TEXT NOT NULL,
  unit TEXT NOT NULL,
  quota INTEGER NOT NULL CHECK (quota > 0),
  PRIMARY KEY (answer, module, edition, unit)
) STRICT;
APPEND ONLY claim_cals;

-- CALs of a key that an installation may still use beyond its newest license: owner of holdings.
CREATE TABLE escrow (
  id INTEGER PRIMARY KEY,
  license_key INTEGER NOT NULL REFERENCES license_key (id),
  installation INTEGER NOT NULL REFERENCES installation (id),
  UNIQUE (license_key, installation)
) STRICT;
CREATE INDEX escrow_installation ON escrow (installation);

-- Append-only. Whether a key may use a module without limit: the newest row counts.
CREATE TABLE key_right (
  id INTEGER PRIMARY KEY,
  license_key INTEGER NOT NULL REFERENCES license_key (id),
  module TEXT NOT NULL,
  unlimited INTEGER NOT NULL CHECK (unlimited IN (0, 1)),
  order_id TEXT NOT NULL REFERENCES ledger_order (id)
) STRICT;
CREATE INDEX key_right_license_key ON key_right (license_key, module);
APPEND ONLY key_right;
