//! Connections that end at the worst moment.

use std::time::Duration;

use local_stack::{Database, PostgresProxy, StatementFault, When, postgres};
use tokio::time::timeout;
use tokio_postgres::{Client, Error, NoTls};

const INSERT: &str = "INSERT INTO rows VALUES ($1)";

async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A database with an empty table, the proxy before it, and a connection through that.
async fn set_up(name: &str) -> (Database, PostgresProxy, Client) {
    let database = postgres().database(name).await;
    let direct = connect(database.url()).await.expect("a connection");
    direct
        .batch_execute("CREATE TABLE rows (number integer)")
        .await
        .expect("a table");
    let proxy = PostgresProxy::start(postgres().port());
    let client = connect(&proxy.url(database.url()))
        .await
        .expect("a connection");
    (database, proxy, client)
}

async fn count(database: &Database) -> i64 {
    let direct = connect(database.url()).await.expect("a connection");
    direct
        .query_one("SELECT count(*) FROM rows", &[])
        .await
        .expect("a row")
        .get(0)
}

#[tokio::test]
async fn without_a_rule_everything_passes() {
    let (database, proxy, client) = set_up("pass").await;
    assert_eq!(client.execute(INSERT, &[&1]).await.unwrap(), 1);
    assert_eq!(count(&database).await, 1);
    assert_eq!(proxy.struck(), 0);
}

#[tokio::test]
async fn a_prepared_statement_cut_before_is_not_done() {
    let (database, proxy, client) = set_up("before").await;
    let insert = client.prepare(INSERT).await.unwrap();
    proxy.on_statement("INTO rows", When::Nth(2), StatementFault::CutBefore);
    client.execute(&insert, &[&1]).await.unwrap();
    assert!(
        client
            .execute(&insert, &[&2])
            .await
            .unwrap_err()
            .is_closed()
    );
    assert_eq!(count(&database).await, 1);
    assert_eq!(proxy.struck(), 1);
}

#[tokio::test]
async fn a_prepared_statement_cut_after_is_done_and_the_client_does_not_know() {
    let (database, proxy, client) = set_up("after").await;
    let insert = client.prepare(INSERT).await.unwrap();
    proxy.on_statement("INTO rows", When::Nth(2), StatementFault::CutAfter);
    client.execute(&insert, &[&1]).await.unwrap();
    assert!(
        client
            .execute(&insert, &[&2])
            .await
            .unwrap_err()
            .is_closed()
    );
    assert_eq!(count(&database).await, 2);
}

#[tokio::test]
async fn a_commit_is_cut_before_or_after_it_reached_the_server() {
    for (fault, rows) in [
        (StatementFault::CutBefore, 0),
        (StatementFault::CutAfter, 1),
    ] {
        let (database, proxy, mut client) = set_up("commit").await;
        proxy.on_statement("COMMIT", When::Always, fault);
        let transaction = client.transaction().await.unwrap();
        transaction.execute(INSERT, &[&1]).await.unwrap();
        assert!(transaction.commit().await.unwrap_err().is_closed());
        assert_eq!(count(&database).await, rows, "{fault:?}");
    }
}

#[tokio::test]
async fn a_delayed_statement_takes_its_time() {
    let (_database, proxy, client) = set_up("delay").await;
    proxy.on_statement(
        "INTO rows",
        When::Always,
        StatementFault::Delay(Duration::from_millis(80)),
    );
    let begun = std::time::Instant::now();
    client.execute(INSERT, &[&1]).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_pause_holds_everything_and_loses_nothing() {
    let (database, proxy, client) = set_up("pause").await;
    proxy.pause();
    let mut insert = std::pin::pin!(client.execute(INSERT, &[&1]));
    assert!(
        timeout(Duration::from_millis(100), &mut insert)
            .await
            .is_err()
    );
    assert_eq!(count(&database).await, 0);
    proxy.resume();
    assert_eq!(insert.await.unwrap(), 1);
}

#[tokio::test]
async fn refusing_cuts_what_is_there_and_what_comes() {
    let (database, proxy, client) = set_up("refuse").await;
    proxy.refuse();
    assert!(client.execute(INSERT, &[&1]).await.is_err());
    assert!(connect(&proxy.url(database.url())).await.is_err());
    proxy.resume();
    let again = connect(&proxy.url(database.url())).await.unwrap();
    assert_eq!(again.execute(INSERT, &[&1]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_cut_leaves_new_connections_alone() {
    let (database, proxy, client) = set_up("cut").await;
    proxy.cut();
    assert!(client.execute(INSERT, &[&1]).await.is_err());
    let again = connect(&proxy.url(database.url())).await.unwrap();
    assert_eq!(again.execute(INSERT, &[&1]).await.unwrap(), 1);
}
