//! The Postgres of the tests: databases, templates, outages.

use std::sync::atomic::{AtomicUsize, Ordering};

use local_stack::{Postgres, postgres};
use tokio_postgres::{Client, NoTls};

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("a connection");
    tokio::spawn(connection);
    client
}

async fn count(url: &str, sql: &str) -> i64 {
    connect(url)
        .await
        .query_one(sql, &[])
        .await
        .expect("a row")
        .get(0)
}

#[tokio::test]
async fn two_databases_share_nothing() {
    let (one, two) = (
        postgres().database("one").await,
        postgres().database("two").await,
    );
    connect(one.url())
        .await
        .batch_execute("CREATE TABLE mine ()")
        .await
        .unwrap();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(count(one.url(), tables).await, 1);
    assert_eq!(count(two.url(), tables).await, 0);
}

#[tokio::test]
async fn a_template_is_prepared_once_and_copied_in_parallel() {
    static PREPARED: AtomicUsize = AtomicUsize::new(0);
    let prepare = async |url: String| {
        PREPARED.fetch_add(1, Ordering::Relaxed);
        connect(&url)
            .await
            .batch_execute("CREATE TABLE filled AS SELECT 7::bigint AS seven")
            .await
            .unwrap();
    };
    let copy = || postgres().database_from_template("filled", prepare);
    let copies: [_; 4] = tokio::join!(copy(), copy(), copy(), copy()).into();
    for database in &copies {
        assert_eq!(count(database.url(), "SELECT seven FROM filled").await, 7);
    }
    assert_eq!(PREPARED.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_dropped_database_is_removed() {
    let database = postgres().database("short lived").await;
    let (name, admin) = (
        database.name().to_owned(),
        connect(&postgres().admin_url()).await,
    );
    drop(database);
    let still_there = "SELECT count(*) FROM pg_database WHERE datname = $1";
    while admin
        .query_one(still_there, &[&name])
        .await
        .unwrap()
        .get::<_, i64>(0)
        > 0
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_private_server_keeps_its_data_and_port_over_an_outage() {
    let server = Postgres::start_private();
    let database = server.database("outage").await;
    connect(database.url())
        .await
        .batch_execute("CREATE TABLE kept AS SELECT 1::bigint AS one")
        .await
        .unwrap();
    server.stop();
    assert!(
        tokio_postgres::connect(database.url(), NoTls)
            .await
            .is_err()
    );
    server.start();
    assert_eq!(count(database.url(), "SELECT one FROM kept").await, 1);
    server.crash();
    server.start();
    assert_eq!(count(database.url(), "SELECT one FROM kept").await, 1);
}

#[tokio::test]
async fn settings_of_the_caller_win() {
    let server = Postgres::start_private_with(&[("max_connections", "17")]);
    let row = connect(&server.admin_url())
        .await
        .query_one("SHOW max_connections", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "17");
}
