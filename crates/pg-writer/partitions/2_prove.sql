-- Step 2 of 3: reads the table once, to prove what step 1 promised. Readers and writers go on meanwhile.
DO $$
DECLARE
    named text := current_setting('etl.partition');
BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = named::regclass AND conname = named || '_before_partitions') THEN
        EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT %I', named, named || '_before_partitions');
    END IF;
END
$$;
