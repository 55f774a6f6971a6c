//! Asking whether the database would take a batch, without one.

use pg_writer::StoreError;

use crate::support::{migrated, restartable};

#[tokio::test]
async fn tables_that_take_rows_pass_and_get_none() {
    let migrated = migrated().await;
    migrated.store.check().await.unwrap();
    assert_eq!(migrated.count("ingested_messages").await, 0);
    assert_eq!(migrated.store.statements(), 0);
    let connections = migrated.store.connections();
    assert_eq!((connections.busy, connections.idle), (0, 1));
}

#[tokio::test]
async fn a_server_that_became_read_only_does_not_pass() {
    let migrated = migrated().await;
    let name = migrated.database.name().to_owned();
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    migrated.execute(&read_only).await;
    let error = migrated.store.check().await.unwrap_err();
    assert_eq!(error.class(), "unavailable", "{error}");
}

#[tokio::test]
async fn a_missing_table_does_not_pass() {
    let migrated = migrated().await;
    migrated
        .execute("ALTER TABLE user_logins RENAME TO elsewhere")
        .await;
    let error = migrated.store.check().await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_that_died_with_a_restart_are_no_trouble() {
    let (server, store) = restartable().await;
    server.stop();
    assert_eq!(store.check().await.unwrap_err().class(), "unavailable");
    server.start();
    store.check().await.unwrap();
}
