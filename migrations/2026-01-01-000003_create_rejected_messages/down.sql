-- Never drops rows.
DO $$
BEGIN
    IF to_regclass('rejected_messages') IS NOT NULL AND NOT EXISTS (SELECT FROM rejected_messages) THEN
        DROP TABLE rejected_messages;
    END IF;
END
$$;
