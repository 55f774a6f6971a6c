-- Never drops rows: without the ledger a redelivered message would be written twice.
DO $$
BEGIN
    IF to_regclass('ingested_messages') IS NOT NULL AND NOT EXISTS (SELECT FROM ingested_messages) THEN
        DROP TABLE ingested_messages;
    END IF;
END
$$;
