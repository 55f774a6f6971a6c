//! Old ledger rows are forgotten, young ones and the logins are not.

use std::time::Duration;

use pg_writer::{LEDGER_AGE, StoreError, prune};

use crate::support::{batch, migrated, pool_of};

const DAY: Duration = Duration::from_secs(86_400);

const AGED: &str = "INSERT INTO ingested_messages SELECT at, gen_random_uuid(), at \
    FROM generate_series(1, 24 * 60) AS number, LATERAL (SELECT now() - make_interval(hours => number) AS at) AS hour";

#[tokio::test]
async fn what_is_older_goes_by_the_clock_of_the_database() {
    let migrated = migrated().await;
    assert_eq!(
        migrated.store.write(batch(0..10)).await.committed.written(),
        10
    );
    migrated.execute(AGED).await;
    let mut told = Vec::new();
    let pruned = prune(&migrated.pool(), LEDGER_AGE, |count| told.push(count))
        .await
        .unwrap();
    // The hour of the limit itself has passed by the time of the question. The ten were sent in 2023 and written now.
    assert_eq!((pruned, told), (24 * 30 + 1, vec![24 * 30 + 1]));
    assert_eq!(migrated.count("ingested_messages").await, 24 * 30 - 1 + 10);
    assert_eq!(migrated.count("user_logins").await, 10);
    assert_eq!(
        prune(&migrated.pool(), LEDGER_AGE, |_| ()).await.unwrap(),
        0
    );
}

#[tokio::test]
async fn many_rows_of_one_instant_go_in_batches() {
    let migrated = migrated().await;
    migrated
        .execute("INSERT INTO ingested_messages SELECT '2020-01-01', gen_random_uuid(), '2020-01-01' FROM generate_series(1, 25000)")
        .await;
    let mut told = Vec::new();
    let pruned = prune(&migrated.pool(), DAY, |count| told.push(count))
        .await
        .unwrap();
    assert_eq!((pruned, told), (25_000, vec![10_000, 20_000, 25_000]));
}

/// A file of last year, or a message that was redriven late: forgotten within the hour, it was written twice.
#[tokio::test]
async fn what_was_sent_long_ago_and_written_lately_is_passed_over() {
    let migrated = migrated().await;
    let insert = |sent, written, count| {
        format!(
            "INSERT INTO ingested_messages SELECT '{sent}', gen_random_uuid(), {written} FROM generate_series(1, {count})"
        )
    };
    migrated
        .execute(&insert("2020-01-01", "now()", 15_000))
        .await;
    migrated
        .execute(&insert("2020-01-02", "'2020-01-02'", 7))
        .await;
    let mut told = Vec::new();
    let pruned = prune(&migrated.pool(), DAY, |count| told.push(count))
        .await
        .unwrap();
    assert_eq!((pruned, told), (7, vec![0, 7]));
    assert_eq!(migrated.count("ingested_messages").await, 15_000);
}

#[tokio::test]
async fn an_age_beyond_all_time_prunes_nothing() {
    let migrated = migrated().await;
    migrated.execute(AGED).await;
    assert_eq!(
        prune(&migrated.pool(), Duration::MAX, |_| ())
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn two_at_once_are_no_trouble() {
    let migrated = migrated().await;
    migrated.execute(AGED).await;
    let pool = migrated.pool();
    let (one, two) = tokio::join!(prune(&pool, DAY, |_| ()), prune(&pool, DAY, |_| ()));
    assert_eq!(one.unwrap() + two.unwrap(), 24 * 59 + 1);
}

#[tokio::test]
async fn the_missing_right_is_named() {
    let migrated = migrated().await;
    let role = format!("{}_pruner", migrated.database.name());
    let grant = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'pruner'; GRANT SELECT ON ingested_messages TO {role}"
    );
    migrated.execute(&grant).await;
    let (_, place) = migrated.database.url().split_once('@').unwrap();
    let pool = pool_of(&format!("postgres://{role}:pruner@{place}"));
    let error = prune(&pool, DAY, |_| ()).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema(_)), "{error}");
    assert!(
        error.to_string().contains("DELETE on ingested_messages"),
        "{error}"
    );
    migrated
        .execute(&format!("GRANT DELETE ON ingested_messages TO {role}"))
        .await;
    assert_eq!(prune(&pool, DAY, |_| ()).await.unwrap(), 0);
}
