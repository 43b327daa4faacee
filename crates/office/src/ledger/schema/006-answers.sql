-- Append-only. A request that was answered, as its server made it.
CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  request_id TEXT NOT NULL CHECK (length(request_id) = 32),
  number INTEGER NOT NULL,
  install_key BLOB NOT NULL CHECK (length(install_key) = 32),
  code TEXT NOT NULL,
  host TEXT,
  bytes BLOB NOT NULL,
  order_id TEXT NOT NULL REFERENCES ledger_order (id)
) STRICT;
CREATE INDEX request_request_id ON request (request_id);
CREATE INDEX request_install_key ON request (install_key);
APPEND ONLY request;

-- Append-only. A license that was issued. `answer` counts the answers to its request, `turn` those
-- for its key, product and slot. `terms` is the digest of the grant. `moved_from` is the license
-- through which another installation held the key before, with its receipt, or with the reason why
-- none was needed.
CREATE TABLE answer (
  id INTEGER PRIMARY KEY,
  license TEXT NOT NULL UNIQUE CHECK (length(license) = 32),
  request INTEGER NOT NULL REFERENCES request (id),
  answer INTEGER NOT NULL CHECK (answer > 0),
  license_key TEXT NOT NULL,
  product TEXT NOT NULL,
  slot TEXT NOT NULL,
  turn INTEGER NOT NULL CHECK (turn > 0),
  licensee TEXT NOT NULL,
  license_type TEXT NOT NULL,
  issued INTEGER NOT NULL,
  expires INTEGER,
  terms BLOB NOT NULL CHECK (length(terms) = 32),
  bytes BLOB NOT NULL,
  moved_from TEXT,
  receipt BLOB,
  reason TEXT,
  order_id TEXT NOT NULL REFERENCES ledger_order (id),
  CHECK (receipt IS NULL OR reason IS NULL),
  UNIQUE (request, answer),
  UNIQUE (license_key, product, slot, turn)
) STRICT;
CREATE INDEX answer_issued ON answer (issued);
APPEND ONLY answer;

-- Append-only. The issuers that signed a license.
CREATE TABLE answer_signer (
  answer INTEGER NOT NULL REFERENCES answer (id),
  signer TEXT NOT NULL CHECK (length(signer) = 32),
  PRIMARY KEY (answer, signer)
) STRICT;
CREATE INDEX answer_signer_signer ON answer_signer (signer);
APPEND ONLY answer_signer;

-- Append-only. The newest row of a license counts.
CREATE TABLE revocation (
  id INTEGER PRIMARY KEY,
  answer INTEGER NOT NULL REFERENCES answer (id),
  cause TEXT NOT NULL CHECK (cause IN ('revoked', 'pooled')),
  reason TEXT NOT NULL CHECK (length(reason) > 0),
  instant INTEGER NOT NULL,
  order_id TEXT NOT NULL REFERENCES ledger_order (id)
) STRICT;
CREATE INDEX revocation_answer ON revocation (answer);
APPEND ONLY revocation;
