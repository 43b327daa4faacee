-- Each change of the ledger is an order. Its id is the idempotency key.
CREATE TABLE ledger_order (
  id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 200),
  actor TEXT NOT NULL CHECK (length(actor) > 0),
  verb TEXT NOT NULL,
  arguments BLOB NOT NULL CHECK (length(arguments) = 32),
  instant INTEGER NOT NULL CHECK (instant >= 0),
  result TEXT
) STRICT;
CREATE INDEX ledger_order_instant ON ledger_order (instant);
