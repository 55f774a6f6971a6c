//! A plain role, whose tables an owner made: what it needs, and what it is told where that is missing.

use pg_writer::{PgStore, Pool, StoreError, prepare};

use login_model::Reason;

use crate::support::{Migrated, batch, migrated, pool_of, record};

const NEEDED: &str = "GRANT INSERT ON user_logins TO ROLE; GRANT SELECT, INSERT ON ingested_messages TO ROLE; \
    GRANT SELECT, INSERT, UPDATE ON rejected_messages TO ROLE";
const VERSIONS: &str = "GRANT SELECT ON __diesel_schema_migrations TO ROLE";

/// A role of this database's own with these rights, and its way in.
async fn role_with(migrated: &Migrated, rights: &str) -> Pool {
    let role = format!("plain_{}", migrated.database.name());
    migrated
        .execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'plain'"))
        .await;
    migrated.execute(&rights.replace("ROLE", &role)).await;
    let (_, place) = migrated.database.url().split_once('@').unwrap();
    pool_of(&format!("postgres://{role}:plain@{place}"))
}

async fn works(pool: Pool) {
    prepare(&pool, true).await.unwrap();
    let store = PgStore::new(pool);
    assert_eq!(store.write(batch(0..10)).await.committed.written(), 10);
    assert!(
        store
            .record(vec![record(1, Reason::NotJson, 1)])
            .await
            .is_ok()
    );
    assert!(
        store
            .record(vec![record(1, Reason::NotJson, 2)])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_rights_that_are_asked_for_are_enough() {
    let migrated = migrated().await;
    works(role_with(&migrated, &format!("{NEEDED}; {VERSIONS}")).await).await;
}

#[tokio::test]
async fn the_versions_need_not_be_readable() {
    let migrated = migrated().await;
    works(role_with(&migrated, NEEDED).await).await;
}

/// A control takes a row back, which must not need a right that the write itself does not.
#[tokio::test]
async fn a_lone_bad_row_is_found_without_further_rights() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins ADD CHECK (user_id <> 'user-7')")
        .await;
    let store = PgStore::new(role_with(&migrated, NEEDED).await);
    assert_eq!(store.write(batch([1])).await.committed.written(), 1);
    assert_eq!(store.write(batch([7])).await.refused.len(), 1);
}

#[tokio::test]
async fn each_missing_right_is_named() {
    let migrated = migrated().await;
    let pool = role_with(
        &migrated,
        "GRANT SELECT ON ingested_messages, __diesel_schema_migrations TO ROLE",
    )
    .await;
    let error = prepare(&pool, true).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema(_)), "{error}");
    for right in [
        "INSERT on user_logins",
        "INSERT on ingested_messages",
        "UPDATE on rejected_messages",
    ] {
        assert!(error.to_string().contains(right), "{error}");
    }
    assert!(
        !error.to_string().contains("SELECT on ingested_messages"),
        "{error}"
    );
}

#[tokio::test]
async fn a_right_that_is_taken_away_meanwhile_is_told_and_blames_no_row() {
    let migrated = migrated().await;
    let store = PgStore::new(role_with(&migrated, NEEDED).await);
    assert_eq!(store.write(batch(0..10)).await.committed.written(), 10);
    let role = format!("plain_{}", migrated.database.name());
    migrated
        .execute(&format!("REVOKE INSERT ON user_logins FROM {role}"))
        .await;
    let report = store.write(batch(10..20)).await;
    let (rest, error) = report.undecided.unwrap();
    assert_eq!((rest.len(), report.refused.len()), (10, 0));
    assert!(error.to_string().contains("user_logins"), "{error}");
}

/// A plain role beside an owner: where both start at once, the owner migrates.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_migrate_is_told_who_can() {
    let migrated = migrated().await;
    migrated
        .execute("DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)")
        .await;
    let pool = role_with(&migrated, &format!("{NEEDED}; {VERSIONS}")).await;
    let error = prepare(&pool, true).await.unwrap_err().to_string();
    assert!(error.contains("etl migrate"), "{error}");
}
