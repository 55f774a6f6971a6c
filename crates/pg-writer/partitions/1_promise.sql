-- Step 1 of 3 towards a partitioned table; docs/LARGE-TABLES.md has the whole path. The table: SET etl.partition = '…'.
-- Promises, without looking, that the rows of today's table lie before a date to come. Then its rows need not be read
-- under a lock when it becomes the first partition. Nor are they read here, where the lock keeps all others out.
DO $$
DECLARE
    target regclass := current_setting('etl.partition')::regclass;
    named text := current_setting('etl.partition');
    is_ledger boolean := named = 'ingested_messages';
    key text := CASE WHEN is_ledger THEN 'sent_at' ELSE 'create_date' END;
    today timestamp := now() AT TIME ZONE 'UTC';
    -- Far enough for step 2 to end before it, however large the table.
    cut date := CASE WHEN is_ledger THEN date_trunc('day', today) + interval '7 days'
        ELSE date_trunc('month', today) + interval '2 months' END;
    has_rows boolean;
    is_distributed boolean := false;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = target) = 'p' THEN
        RETURN;
    END IF;
    -- Step 3 would be refused, and the promise stay behind and be broken one day.
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1)' INTO is_distributed USING target;
    END IF;
    IF is_distributed THEN
        RAISE EXCEPTION '% belongs to Citus, which lets none of its tables become a partition', named;
    END IF;
    PERFORM set_config('search_path', (SELECT quote_ident(nspname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = target), true);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', target) INTO has_rows;
    IF NOT has_rows OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = named || '_before_partitions') THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%I IS NOT NULL AND %I < %L) NOT VALID',
        target, named || '_before_partitions', key, key, cut || CASE WHEN is_ledger THEN ' 00:00:00+00' ELSE '' END);
    -- Step 3 reads it here.
    EXECUTE format('COMMENT ON CONSTRAINT %I ON %s IS %L', named || '_before_partitions', target, cut);
END
$$;
