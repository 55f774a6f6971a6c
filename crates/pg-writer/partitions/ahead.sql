-- Makes partitions ahead of time, for those of the two tables that are partitioned and belong to this role: this month and
-- the next three, today and the next seven days. A span of which rows lie in the default partition already gets none.
-- Attached rather than created in place, which would lock writers out.
DO $$
DECLARE
    named text;
    span interval;
    midnight text;
    first_day timestamp;
    part text;
    owner_name text;
    today timestamp := now() AT TIME ZONE 'UTC';
BEGIN
    SET LOCAL lock_timeout = '3s';
    -- Two at once would make the same.
    PERFORM pg_advisory_xact_lock(7310873219);
    FOREACH named IN ARRAY ARRAY['user_logins', 'ingested_messages'] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class
            WHERE oid = to_regclass(named) AND relkind = 'p' AND pg_has_role(relowner, 'USAGE'));
        PERFORM set_config('search_path', (SELECT quote_ident(nspname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE pg_class.oid = named::regclass), true);
        owner_name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = named::regclass);
        span := CASE named WHEN 'user_logins' THEN interval '1 month' ELSE interval '1 day' END;
        midnight := CASE named WHEN 'user_logins' THEN '' ELSE ' 00:00:00+00' END;
        first_day := date_trunc(CASE named WHEN 'user_logins' THEN 'month' ELSE 'day' END, today);
        FOR ahead IN 0 .. CASE named WHEN 'user_logins' THEN 3 ELSE 7 END LOOP
            part := named || to_char(first_day + ahead * span, CASE named WHEN 'user_logins' THEN '_YYYY_MM' ELSE '_YYYY_MM_DD' END);
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, named);
                EXECUTE format('ALTER TABLE %I OWNER TO %I', part, owner_name);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', named, part,
                    (first_day + ahead * span)::date || midnight, (first_day + (ahead + 1) * span)::date || midnight);
            EXCEPTION
                WHEN check_violation THEN
                    RAISE WARNING 'rows of % lie in the default partition', part;
                -- The first partition reaches that far.
                WHEN invalid_object_definition THEN
                    NULL;
            END;
        END LOOP;
    END LOOP;
END
$$;
