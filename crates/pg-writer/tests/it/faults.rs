//! Connections and servers that go away, at the worst moment: nothing is lost, nothing stands twice.

use std::time::Duration;

use local_stack::{Postgres, PostgresProxy, StatementFault, When, postgres};
use login_model::Reason;
use pg_writer::{Batch, PgStore, Settings, StoreError, prepare};
use tokio::net::TcpListener;

use crate::support::{Migrated, batch, connect, migrated, pool, pool_of, record, restartable};

/// Through a proxy that strikes the write statement as told.
async fn behind_proxy(when: When, fault: StatementFault) -> (Migrated, PostgresProxy, PgStore) {
    let migrated = migrated().await;
    let proxy = PostgresProxy::start(postgres().port());
    let store = PgStore::new(pool_of(&proxy.url(migrated.database.url())));
    assert_eq!(store.write(batch(0..10)).await.committed.written(), 10);
    proxy.on_statement("ingested_messages", when, fault);
    (migrated, proxy, store)
}

async fn transient(store: &PgStore, rows: Batch<u32>) -> Batch<u32> {
    let report = store.write(rows).await;
    assert!(report.refused.is_empty());
    let (rest, error) = report.undecided.unwrap();
    assert!(error.is_transient(), "{error}");
    rest
}

#[tokio::test]
async fn a_connection_cut_before_the_statement_loses_nothing() {
    let (migrated, proxy, store) = behind_proxy(When::Nth(1), StatementFault::CutBefore).await;
    let rest = transient(&store, batch(10..510)).await;
    assert_eq!(
        (proxy.struck(), migrated.count("user_logins").await),
        (1, 10)
    );
    let again = store.write(rest).await.committed;
    assert_eq!((again.written(), again.duplicates()), (500, 0));
}

#[tokio::test]
async fn a_connection_cut_after_the_commit_doubles_nothing() {
    let (migrated, proxy, store) = behind_proxy(When::Nth(1), StatementFault::CutAfter).await;
    let rest = transient(&store, batch(10..510)).await;
    assert_eq!(
        (proxy.struck(), migrated.count("user_logins").await),
        (1, 510)
    );
    let again = store.write(rest).await.committed;
    assert_eq!((again.written(), again.duplicates()), (0, 500));
    assert_eq!(migrated.count("user_logins").await, 510);
}

#[tokio::test]
async fn a_recording_cut_after_the_commit_is_made_again() {
    let migrated = migrated().await;
    let proxy = PostgresProxy::start(postgres().port());
    let store = PgStore::new(pool_of(&proxy.url(migrated.database.url())));
    proxy.on_statement("rejected_messages", When::Nth(1), StatementFault::CutAfter);
    let Err((back, error)) = store.record(vec![record(1, Reason::NotJson, 1)]).await else {
        panic!("the answer was cut off");
    };
    assert!(error.is_transient() && back.len() == 1);
    assert!(store.record(back).await.is_ok());
    assert_eq!(migrated.count("rejected_messages").await, 1);
}

#[tokio::test]
async fn a_session_that_is_ended_on_the_server_is_replaced() {
    let migrated = migrated().await;
    assert_eq!(
        migrated.store.write(batch(0..10)).await.committed.written(),
        10
    );
    migrated
        .execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    let mut rest = batch(10..20);
    // The pool may have seen the end of the session already, and then nothing fails.
    while let Some((back, error)) = migrated.store.write(rest).await.undecided {
        assert!(error.is_transient(), "{error}");
        rest = back;
    }
    assert_eq!(migrated.count("user_logins").await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_is_found_again() {
    let (server, store) = restartable().await;
    server.stop();
    let rest = transient(&store, batch(10..20)).await;
    server.start();
    assert_eq!(store.write(rest).await.committed.written(), 10);
    server.crash();
    let rest = transient(&store, batch(0..30)).await;
    server.start();
    let again = store.write(rest).await.committed;
    assert_eq!((again.written(), again.duplicates()), (10, 20));
}

#[tokio::test]
async fn a_server_that_became_read_only_is_waited_for() {
    let migrated = migrated().await;
    let read_only = |on: &str| {
        format!(
            "ALTER DATABASE {} SET default_transaction_read_only = {on}",
            migrated.database.name()
        )
    };
    migrated.execute(&read_only("on")).await;
    let rest = transient(&migrated.store, batch(0..10)).await;
    let Err((back, error)) = migrated
        .store
        .record(vec![record(1, Reason::NotJson, 1)])
        .await
    else {
        panic!("nothing can be recorded");
    };
    assert!(error.is_transient() && back.len() == 1);
    migrated.execute(&read_only("off")).await;
    assert_eq!(migrated.store.write(rest).await.committed.written(), 10);
}

/// As after a failover whose old primary came back as a standby: the next connection finds the server that may write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_the_pool_finds_the_server_that_may_write() {
    let servers = [Postgres::start_private(), Postgres::start_private()];
    for server in &servers {
        prepare(&pool_of(&server.admin_url()), true).await.unwrap();
        let role = "CREATE ROLE etl LOGIN SUPERUSER PASSWORD 'etl'";
        let admin = connect(&server.admin_url()).await;
        admin.batch_execute(role).await.unwrap();
    }
    let [one, two] = servers.each_ref().map(Postgres::port);
    let store = PgStore::new(pool_of(&format!(
        "postgres://etl:etl@127.0.0.1:{one},127.0.0.1:{two}/postgres?target_session_attrs=read-write"
    )));
    assert_eq!(store.write(batch(0..10)).await.committed.written(), 10);
    let old = connect(&servers[0].admin_url()).await;
    for statement in [
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    ] {
        old.batch_execute(statement).await.unwrap();
    }
    // The signal to read the file again reaches each session in its own time; until then the old server takes rows.
    let mut next = 10;
    let rest = loop {
        let report = store.write(batch([next])).await;
        match report.undecided {
            Some((rest, error)) => {
                assert!(error.is_transient(), "{error}");
                break rest;
            }
            None => next += 1,
        }
    };
    assert_eq!(store.write(rest).await.committed.written(), 1);
    let new = connect(&servers[1].admin_url()).await;
    let query = "SELECT count(*) FROM user_logins";
    let found: i64 = new.query_one(query, &[]).await.unwrap().get(0);
    assert_eq!(found, 1);
}

/// The codes of servers in trouble, from a trigger that raises them until it is dropped.
#[tokio::test]
async fn a_server_that_lacks_something_is_waited_for_whatever_the_rows_are() {
    let migrated = migrated().await;
    for code in [
        "53100", "53200", "57P03", "58030", "55P03", "40P01", "25006",
    ] {
        migrated.execute(&raising(code)).await;
        for count in [1, 500] {
            transient(&migrated.store, batch(0..count)).await;
        }
        let recorded = migrated
            .store
            .record(vec![record(1, Reason::NotJson, 1)])
            .await;
        let Err((back, error)) = recorded else {
            panic!("nothing can be recorded");
        };
        assert!(error.is_transient() && back.len() == 1, "{error}");
        migrated.execute("DROP FUNCTION fail CASCADE").await;
    }
    assert_eq!(
        migrated
            .store
            .write(batch(0..500))
            .await
            .committed
            .written(),
        500
    );
    assert_eq!(migrated.count("rejected_messages").await, 0);
}

fn raising(code: &str) -> String {
    format!(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'in any language' USING ERRCODE = '{code}'; END $$; \
         CREATE TRIGGER fail BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION fail(); \
         CREATE TRIGGER fail BEFORE INSERT ON rejected_messages FOR EACH ROW EXECUTE FUNCTION fail()"
    )
}

/// Long rows find no room where short ones still do: the former were blamed.
#[tokio::test]
async fn a_full_disk_is_told_as_such_and_blames_no_row_that_is_too_long_for_what_is_left() {
    let migrated = migrated().await;
    let room_for_short_ones =
        "IF length(to_jsonb(NEW)->>'user_id') < 7 THEN RETURN NEW; END IF; RAISE";
    let full = raising("53100").replacen("RAISE", room_for_short_ones, 1);
    migrated.execute(&full).await;
    let report = migrated.store.write(batch(0..20)).await;
    assert!(report.refused.is_empty());
    let (rest, error) = report.undecided.unwrap();
    assert!(matches!(error, StoreError::DiskFull), "{error}");
    assert!(error.hint().unwrap().contains("free space"));
    migrated.execute("DROP FUNCTION fail CASCADE").await;
    let late = migrated.store.write(rest).await.committed.written();
    assert_eq!(report.committed.written() + late, 20);
}

#[tokio::test]
async fn a_server_with_too_many_clients_is_waited_for() {
    let migrated = migrated().await;
    let role = format!("{}_crowd", migrated.database.name());
    migrated
        .execute(&format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'crowd' CONNECTION LIMIT 0; ALTER ROLE {role} NOSUPERUSER"))
        .await;
    let (_, place) = migrated.database.url().split_once('@').unwrap();
    let store = PgStore::new(pool_of(&format!("postgres://{role}:crowd@{place}")));
    transient(&store, batch(0..10)).await;
}

#[tokio::test]
async fn a_lock_that_outlasts_the_statement_is_waited_for() {
    let migrated = migrated().await;
    let settings = Settings::parse(migrated.database.url()).unwrap();
    let store = PgStore::new(pool(
        &settings.statement_timeout(Duration::from_millis(200)),
    ));
    migrated.execute("BEGIN; LOCK TABLE user_logins").await;
    let rest = transient(&store, batch(0..10)).await;
    assert_eq!(store.statements(), 1, "nothing is searched for");
    migrated.execute("COMMIT").await;
    assert_eq!(store.write(rest).await.committed.written(), 10);
}

/// Under the paused clock the waits end as soon as nothing else happens.
#[tokio::test(start_paused = true)]
async fn a_server_that_takes_a_connection_and_never_answers_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.unwrap());
        }
    });
    let url = format!("postgres://u:p@127.0.0.1:{port}/d");
    let started = tokio::time::Instant::now();
    let error = prepare(&pool_of(&url), true).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(15));
    silent.abort();
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_on() {
    let (migrated, proxy, store) =
        behind_proxy(When::Always, StatementFault::Delay(Duration::ZERO)).await;
    proxy.pause();
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let rest = transient(&store, batch(10..20)).await;
    assert!(started.elapsed() < Duration::from_secs(70));
    tokio::time::resume();
    proxy.resume();
    // On a new connection: an answer to the old statement may still come on the old one.
    assert!(store.write(rest).await.undecided.is_none());
    assert_eq!(migrated.count("user_logins").await, 20);
}

#[tokio::test]
async fn a_worker_that_waits_long_for_another_to_migrate_tries_again() {
    let database = postgres().database("waits").await;
    let other = connect(database.url()).await;
    other
        .batch_execute("SELECT pg_advisory_lock(7310873218)")
        .await
        .unwrap();
    let settings = Settings::parse(database.url()).unwrap();
    let hasty = pool(&settings.statement_timeout(Duration::from_millis(200)));
    let error = prepare(&hasty, true).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}
