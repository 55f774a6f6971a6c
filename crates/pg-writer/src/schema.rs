//! The tables: whether they are there, as new as this version needs and open to this role; and the migrations.

use std::collections::BTreeSet;

use deadpool::managed::Object;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::Text;
use diesel_async::{
    AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection as _,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::{StoreError, of_plain_statement};
use crate::pool::{Pool, Pooled, discard};
use crate::pooler::Trial;

/// The migrations in `migrations/`, embedded.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Serialises workers that start at once; any constant that nobody else takes.
const LOCK: &str = "SELECT pg_advisory_lock(7310873218)";

/// Rights that a run needs, and no more.
pub(crate) const MISSING_RIGHTS: &str = "SELECT format('%s on %s', privilege, relation) FROM (VALUES \
    ('user_logins', 'INSERT'), \
    ('ingested_messages', 'SELECT'), ('ingested_messages', 'INSERT'), \
    ('rejected_messages', 'SELECT'), ('rejected_messages', 'INSERT'), ('rejected_messages', 'UPDATE')\
    ) AS needed (relation, privilege) \
    WHERE to_regclass(relation) IS NOT NULL AND NOT has_table_privilege(to_regclass(relation), privilege)";

pub(crate) const MISSING_COLUMNS: &str = "SELECT relation || '.' || wanted FROM (VALUES \
    ('user_logins', 'user_id'), ('user_logins', 'device_type'), ('user_logins', 'masked_ip'), \
    ('user_logins', 'masked_device_id'), ('user_logins', 'locale'), ('user_logins', 'app_version'), \
    ('user_logins', 'create_date'), \
    ('ingested_messages', 'sent_at'), ('ingested_messages', 'message_id'), \
    ('ingested_messages', 'ingested_at'), \
    ('rejected_messages', 'sent_at'), ('rejected_messages', 'message_id'), ('rejected_messages', 'reason'), \
    ('rejected_messages', 'field'), ('rejected_messages', 'receive_count'), \
    ('rejected_messages', 'last_rejected_at')\
    ) AS needed (relation, wanted) WHERE NOT EXISTS (SELECT FROM pg_attribute \
    WHERE attrelid = to_regclass(relation) AND attname = wanted AND attnum > 0 AND NOT attisdropped)";

const APPLIED: &str = "SELECT version::text FROM __diesel_schema_migrations";
const VERSIONS_READABLE: &str = "SELECT CASE WHEN to_regclass('__diesel_schema_migrations') IS NULL THEN 'absent' \
    WHEN has_table_privilege(to_regclass('__diesel_schema_migrations'), 'SELECT') THEN 'readable' \
    ELSE 'unreadable' END";

/// Keys without which a redelivered message would be a second row: `ON CONFLICT` has nothing to conflict with.
pub(crate) const MISSING_KEYS: &str = "SELECT needed.relation FROM (VALUES ('ingested_messages'), ('rejected_messages')) \
    AS needed (relation) WHERE NOT EXISTS (SELECT FROM pg_index \
    WHERE indrelid = to_regclass(relation) AND indisunique AND indisvalid AND indpred IS NULL AND indnkeyatts = 2 \
    AND (SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute \
    WHERE attrelid = indrelid AND attnum = ANY (indkey)) = ARRAY['message_id', 'sent_at'])";

/// Makes sure that the tables serve: migrates what is pending where `migrate` allows it, then checks columns and
/// rights. A schema newer than this version runs as long as what is needed is there, since a rollout has both.
///
/// Needs a multi-thread runtime where something is pending (diesel's harness blocks in place).
///
/// # Errors
/// [`StoreError::Schema`] names what is missing and the command or grant that mends it.
pub async fn prepare(pool: &Pool, migrate_pending: bool) -> Result<(), StoreError> {
    let first = pool.get().await?;
    // After the first, which must not find the role's last connection taken; beside the look at the tables.
    let trial = Trial::prepare(pool);
    let outcome = prepare_tables(pool, first, migrate_pending).await;
    // Also where something is amiss with the tables: it may be the cause.
    if matches!(outcome, Ok(()) | Err(StoreError::Refused(_))) {
        trial.refuse_forgetful().await?;
    }
    outcome
}

async fn prepare_tables(
    pool: &Pool,
    mut connection: Pooled,
    migrate_pending: bool,
) -> Result<(), StoreError> {
    let outcome = prepare_on(pool, &mut connection, migrate_pending).await;
    match outcome {
        Ok(Found::Ready) => Ok(()),
        Ok(Found::Pending) => {
            // One connection for the harness alone: it is closed afterwards, whatever state it was left in.
            migrate(pool, connection).await?;
            let mut connection = pool.get().await?;
            check(pool, &mut connection).await
        }
        Err(error) => {
            discard(connection);
            Err(error)
        }
    }
}

enum Found {
    Ready,
    Pending,
}

async fn prepare_on(
    pool: &Pool,
    connection: &mut AsyncPgConnection,
    migrate_pending: bool,
) -> Result<Found, StoreError> {
    let pending = pending(pool, connection).await?;
    if pending.is_empty() {
        check(pool, connection).await?;
        return Ok(Found::Ready);
    }
    if migrate_pending {
        return Ok(Found::Pending);
    }
    Err(StoreError::Schema(format!(
        "the database schema is older than this version ({} pending); run `etl migrate` as the tables' owner",
        pending.into_iter().collect::<Vec<_>>().join(", ")
    )))
}

async fn check(pool: &Pool, connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    refuse_missing(pool, connection, MISSING_COLUMNS, |list| {
        format!("the database lacks {list}; run `etl migrate` as the tables' owner")
    })
    .await?;
    refuse_missing(pool, connection, MISSING_KEYS, |list| {
        format!(
            "{list} lacks its primary key (sent_at, message_id); an owner adds it with ALTER TABLE"
        )
    })
    .await?;
    refuse_missing(pool, connection, MISSING_RIGHTS, |list| {
        format!("the database role lacks {list}; an owner grants it, as in: GRANT INSERT ON user_logins TO role")
    })
    .await
}

async fn refuse_missing(
    pool: &Pool,
    connection: &mut AsyncPgConnection,
    query: &str,
    message: impl FnOnce(String) -> String,
) -> Result<(), StoreError> {
    let missing = texts(pool, connection, query).await?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(StoreError::Schema(message(missing.join(", "))))
    }
}

/// Versions that the binary holds and the database does not know of. Where this role may not read the versions,
/// none: the check of columns then decides.
pub(crate) async fn pending(
    pool: &Pool,
    connection: &mut AsyncPgConnection,
) -> Result<BTreeSet<String>, StoreError> {
    let known = match texts(pool, connection, VERSIONS_READABLE).await?.as_slice() {
        [state] if state == "readable" => texts(pool, connection, APPLIED).await?,
        [state] if state == "unreadable" => return Ok(BTreeSet::new()),
        _ => Vec::new(),
    };
    let embedded = embedded()?;
    let versions = embedded
        .iter()
        .map(|migration| migration.name().version().to_string());
    Ok(versions
        .filter(|version| !known.contains(version))
        .collect())
}

fn embedded() -> Result<Vec<Box<dyn Migration<Pg>>>, StoreError> {
    MIGRATIONS
        .migrations()
        .map_err(|error| StoreError::Schema(error.to_string()))
}

/// Migrates under the lock, on a connection that is closed afterwards, which frees the lock too.
async fn migrate(pool: &Pool, connection: Pooled) -> Result<(), StoreError> {
    let mut connection = Object::take(connection);
    execute(pool, &mut connection, LOCK).await?;
    // Another worker may have done it while this one waited; a plain role could not even look with the harness.
    if pending(pool, &mut connection).await?.is_empty() {
        return Ok(());
    }
    // An index on a large table takes its time.
    execute(pool, &mut connection, "SET statement_timeout = 0").await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let ran = harness
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.len());
    let count = ran.map_err(|error| {
        StoreError::Schema(format!(
            "a migration failed ({error}); run `etl migrate` as a role that may create tables"
        ))
    })?;
    tracing::info!(migrations.applied = count, "database schema migrated");
    Ok(())
}

async fn execute(
    pool: &Pool,
    connection: &mut AsyncPgConnection,
    statement: &str,
) -> Result<(), StoreError> {
    pool.run(connection.batch_execute(statement))
        .await
        .map_err(|error| of_plain_statement(&error))
}

pub(crate) async fn texts(
    pool: &Pool,
    connection: &mut AsyncPgConnection,
    query: &str,
) -> Result<Vec<String>, StoreError> {
    pool.run(sql::<Text>(query).load(connection))
        .await
        .map_err(|error| of_plain_statement(&error))
}
