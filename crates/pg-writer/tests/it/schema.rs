//! What is checked before a run: versions, columns, keys, and in which schema the tables are looked for.

use local_stack::postgres;
use login_model::Reason;
use pg_writer::{LEDGER_AGE, PgStore, Settings, StoreError, prepare, prune, rejection_counts};

use crate::support::{Migrated, batch, connect, migrated, pool, pool_of, record};

async fn complaint(migrated: &Migrated, migrate: bool) -> String {
    let error = prepare(&migrated.pool(), migrate).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn an_older_schema_is_refused_where_migrating_is_not_allowed() {
    let database = postgres().database("older").await;
    let error = prepare(&pool_of(database.url()), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("4 pending") && error.contains("etl migrate"),
        "{error}"
    );
    let migrated = migrated().await;
    migrated
        .execute("DELETE FROM __diesel_schema_migrations WHERE version LIKE '%4'")
        .await;
    let error = complaint(&migrated, false).await;
    assert!(error.contains("20260101000004"), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_accepted() {
    let migrated = migrated().await;
    migrated
        .execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')")
        .await;
    prepare(&migrated.pool(), true).await.unwrap();
    prepare(&migrated.pool(), false).await.unwrap();
}

#[tokio::test]
async fn a_missing_column_is_named() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins DROP COLUMN masked_ip")
        .await;
    let error = complaint(&migrated, true).await;
    assert!(error.contains("user_logins.masked_ip"), "{error}");
}

/// Without it the write is accepted and a redelivered message is a second row.
#[tokio::test]
async fn a_missing_key_is_named() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE ingested_messages DROP CONSTRAINT ingested_messages_pkey")
        .await;
    let error = complaint(&migrated, true).await;
    assert!(
        error.contains("ingested_messages lacks its primary key"),
        "{error}"
    );
    migrated
        .execute("CREATE UNIQUE INDEX ON ingested_messages (message_id, sent_at)")
        .await;
    prepare(&migrated.pool(), true).await.unwrap();
}

async fn stands_in(url: &str, schema: &str) {
    prepare(&pool_of(url), true).await.unwrap();
    let store = PgStore::new(pool_of(url));
    assert_eq!(store.write(batch([1])).await.committed.written(), 1);
    let query = format!("SELECT count(*) FROM {schema}.user_logins");
    let found: i64 = connect(url)
        .await
        .query_one(&query, &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(found, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_search_path_of_the_connection_names_the_schema() {
    let database = postgres().database("search_path").await;
    connect(database.url())
        .await
        .batch_execute("CREATE SCHEMA logins")
        .await
        .unwrap();
    stands_in(
        &format!("{}?options=-csearch_path%3Dlogins", database.url()),
        "logins",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_of_the_settings_holds_all_that_is_made() {
    let database = postgres().database("named_schema").await;
    let client = connect(database.url()).await;
    let settings = Settings::parse(database.url()).unwrap();
    let settings = settings.schema(r#"The "logins""#).unwrap();
    let error = prepare(&pool(&settings), true).await.unwrap_err();
    assert!(error.to_string().contains("CREATE SCHEMA"), "{error}");
    client
        .batch_execute(r#"CREATE SCHEMA "The ""logins""""#)
        .await
        .unwrap();
    prepare(&pool(&settings), true).await.unwrap();
    let store = PgStore::new(pool(&settings));
    assert_eq!(store.write(batch([1])).await.committed.written(), 1);
    let recorded = store.record(vec![record(2, Reason::NotJson, 1)]).await;
    assert!(recorded.is_ok());
    let counted = rejection_counts(&pool(&settings)).await.unwrap();
    assert_eq!(counted.len(), 1);
    let old = r#"UPDATE "The ""logins""".ingested_messages SET ingested_at = sent_at"#;
    client.batch_execute(old).await.unwrap();
    assert_eq!(
        prune(&pool(&settings), LEDGER_AGE, |_| ()).await.unwrap(),
        1
    );
    let query = "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class WHERE relkind = 'r' \
        AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')";
    let schemas = client.query(query, &[]).await.unwrap();
    let schemas: Vec<String> = schemas.iter().map(|row| row.get(0)).collect();
    assert_eq!(schemas, [r#""The ""logins""""#]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_search_path_of_the_role_names_the_schema() {
    let database = postgres().database("role_path").await;
    let role = format!("{}_role", database.name());
    let set_up = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'role'; CREATE SCHEMA logins AUTHORIZATION {role}; \
         ALTER ROLE {role} SET search_path = logins"
    );
    connect(database.url())
        .await
        .batch_execute(&set_up)
        .await
        .unwrap();
    let (_, place) = database.url().split_once('@').unwrap();
    stands_in(&format!("postgres://{role}:role@{place}"), "logins").await;
}
