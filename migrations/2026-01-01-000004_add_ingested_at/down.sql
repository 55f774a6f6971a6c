-- Loses no row: the ledger is then pruned by when messages were sent.
ALTER TABLE ingested_messages DROP COLUMN IF EXISTS ingested_at;
