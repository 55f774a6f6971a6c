-- By when a message was written, and not by when it was sent, the ledger may forget it: a file of last year and a
-- message that was redriven late are old on the day on which they come. The default is a constant to rows that stand
-- already, so nothing is rewritten (PostgreSQL 11 and later); they count as written today, and are kept so much longer.
ALTER TABLE ingested_messages ADD COLUMN IF NOT EXISTS ingested_at timestamptz NOT NULL DEFAULT now();

COMMENT ON COLUMN ingested_messages.ingested_at IS 'When the row was written, by the database clock; until then plus --ledger-age a redelivery is recognised';
