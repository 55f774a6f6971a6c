-- What a worker may do, and no more: run by etl_owner after `etl migrate`; safe to run again.

-- Rows are only added. DELETE is for what is older than --ledger-age, which a follower forgets by itself.
GRANT INSERT ON user_logins TO etl_worker;
GRANT SELECT, INSERT, DELETE ON ingested_messages TO etl_worker;
-- A rejected message that comes again updates its record.
GRANT SELECT, INSERT, UPDATE ON rejected_messages TO etl_worker;
-- Whether the tables are of the version that the worker needs.
GRANT SELECT ON __diesel_schema_migrations TO etl_worker;
