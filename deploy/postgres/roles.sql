-- The two roles of a deployment: etl_owner makes and changes the tables, etl_worker only writes rows. Run by a
-- superuser (on RDS the master) in the database of the logins, before the first `etl migrate`; safe to run again:
--
--   psql "$MASTER_URL" --set ON_ERROR_STOP=1 --file deploy/postgres/roles.sql

SELECT 'CREATE ROLE ' || name || ' LOGIN'
FROM unnest(ARRAY['etl_owner', 'etl_worker']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

-- On RDS they log in with tokens of IAM; elsewhere give them passwords: \password etl_worker
SELECT 'GRANT rds_iam TO etl_owner, etl_worker'
WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') \gexec

GRANT USAGE, CREATE ON SCHEMA public TO etl_owner;
GRANT USAGE ON SCHEMA public TO etl_worker;
