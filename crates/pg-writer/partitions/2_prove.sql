-- Step 2 of 3: moves rows without a date to what will be the default partition, and reads the table to prove what step 1
-- promised. Readers and writers go on meanwhile.
DO $$
DECLARE
    named text := current_setting('etl.partition');
BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = named::regclass AND conname = named || '_before_partitions') THEN
        IF named = 'user_logins' THEN
            PERFORM set_config('search_path', (SELECT quote_ident(nspname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                WHERE pg_class.oid = named::regclass), true);
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE %I INCLUDING DEFAULTS)', named || '_default', named);
            EXECUTE format('WITH moved AS (DELETE FROM %I WHERE create_date IS NULL RETURNING *) INSERT INTO %I SELECT * FROM moved',
                named, named || '_default');
        END IF;
        EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT %I', named, named || '_before_partitions');
    END IF;
END
$$;
