-- Never drops rows: a table that holds any stays, and the up migration accepts it as it is.
DO $$
BEGIN
    IF to_regclass('user_logins') IS NOT NULL AND NOT EXISTS (SELECT FROM user_logins) THEN
        DROP TABLE user_logins;
    END IF;
END
$$;
