-- The table that analysts read. It may exist already, with rows and another owner: then it stays as it is.
CREATE TABLE IF NOT EXISTS user_logins (
    user_id varchar(128),
    device_type varchar(32),
    masked_ip varchar(256),
    masked_device_id varchar(256),
    locale varchar(32),
    app_version integer,
    create_date date
);

-- Only an owner may comment on a table.
DO $$
BEGIN
    IF (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'user_logins'::regclass) THEN
        COMMENT ON TABLE user_logins IS 'One row a login event, PII masked';
        COMMENT ON COLUMN user_logins.user_id IS 'Who logged in; the account, as the event names it';
        COMMENT ON COLUMN user_logins.device_type IS 'ios, android, or what the event says';
        COMMENT ON COLUMN user_logins.masked_ip IS 'IP address under the masking scheme of the run that wrote it; equal addresses are equal here';
        COMMENT ON COLUMN user_logins.masked_device_id IS 'Device id under the masking scheme of the run that wrote it; equal devices are equal here';
        COMMENT ON COLUMN user_logins.locale IS 'Country or language code; NULL where the event has none';
        COMMENT ON COLUMN user_logins.app_version IS 'Major version number, or major*1000000 + minor*1000 + patch where written with --app-version packed';
        COMMENT ON COLUMN user_logins.create_date IS 'UTC date on which the event was sent to the queue';
    END IF;
END
$$;
