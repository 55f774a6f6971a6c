-- Step 3 of 3: a partitioned table takes the name, and today's table becomes its first partition, as it is. Locks the
-- table for some milliseconds; waits no longer than three seconds for that, and can be run again.
DO $$
DECLARE
    named text := current_setting('etl.partition');
    target regclass := named::regclass;
    before_cut text := named || '_before_partitions';
    is_ledger boolean := named = 'ingested_messages';
    key text := CASE WHEN is_ledger THEN 'sent_at' ELSE 'create_date' END;
    midnight text := CASE WHEN is_ledger THEN ' 00:00:00+00' ELSE '' END;
    owner_name text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = target);
    has_rows boolean;
    cut date;
    right_given record;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = target) = 'p' THEN
        RETURN;
    END IF;
    SET LOCAL lock_timeout = '3s';
    PERFORM set_config('search_path', (SELECT quote_ident(nspname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = target), true);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', named);
    -- What hangs on the table would stay with its first partition, and be missed.
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = target AND NOT tgisinternal)
        OR EXISTS (SELECT FROM pg_depend JOIN pg_rewrite ON pg_rewrite.oid = objid
            WHERE classid = 'pg_rewrite'::regclass AND refobjid = target AND ev_class <> target)
        OR EXISTS (SELECT FROM pg_policy WHERE polrelid = target) THEN
        RAISE EXCEPTION '% has triggers, views or policies: drop them, run this again, and make them anew', named;
    END IF;
    SELECT obj_description(oid, 'pg_constraint')::date INTO cut
        FROM pg_constraint WHERE conrelid = target AND conname = before_cut AND convalidated;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', target) INTO has_rows;
    IF cut IS NULL AND has_rows THEN
        RAISE EXCEPTION '% has rows: run steps 1 and 2 first', named;
    END IF;

    EXECUTE format('ALTER TABLE %I RENAME TO %I', named, before_cut);
    EXECUTE format('ALTER INDEX IF EXISTS %I RENAME TO %I', named || '_pkey', before_cut || '_pkey');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) PARTITION BY RANGE (%I)', named, before_cut, key);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I', named, before_cut);
    EXECUTE format('ALTER TABLE %I OWNER TO %I', named, owner_name);
    EXECUTE format('COMMENT ON TABLE %I IS %L', named, obj_description(target, 'pg_class'));
    FOR right_given IN
        SELECT privilege_type, is_grantable, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee
        FROM pg_class, aclexplode(relacl) WHERE oid = target
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s%s', right_given.privilege_type, named, right_given.grantee,
            CASE WHEN right_given.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
    IF has_rows THEN
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', named, before_cut, cut || midnight);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', before_cut, before_cut);
    ELSE
        EXECUTE format('DROP TABLE %I', before_cut);
    END IF;
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE %I INCLUDING DEFAULTS)', named || '_default', named);
    EXECUTE format('ALTER TABLE %I OWNER TO %I', named || '_default', owner_name);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', named, named || '_default');
END
$$;
