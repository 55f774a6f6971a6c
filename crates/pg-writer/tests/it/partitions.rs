//! Tables in partitions: how they come to be, beside writers at work, and that everything else goes on as before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use masking::{FieldMasker, Scheme};
use pg_writer::{
    Change, Finished, LEDGER_AGE, PartitionedTable, PersonColumn, Remasking, StoreError,
    erase_logins, keep_partitions, partition, prepare, prune,
};

use crate::support::{Migrated, batch, migrated, pool_of, tokens};

const BOTH: [PartitionedTable; 2] = [
    PartitionedTable::UserLogins,
    PartitionedTable::IngestedMessages,
];

const ROWS: &str =
    "SELECT concat_ws(' ', tableoid::regclass, user_id, create_date) FROM user_logins ORDER BY 1";

async fn partitioned() -> Migrated {
    let migrated = migrated().await;
    for table in BOTH {
        partition(&migrated.pool(), table).await.unwrap();
    }
    migrated
}

/// The partitions of a table whose names end in digits.
async fn dated(migrated: &Migrated, table: &str) -> Vec<String> {
    let query = format!(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass \
         AND inhrelid::regclass::text ~ '[0-9]$' ORDER BY 1"
    );
    migrated.texts(&query).await
}

/// A message in the ledger, by the number of days from now.
async fn ledger_row(migrated: &Migrated, sent: i32) {
    let insert = format!(
        "INSERT INTO ingested_messages SELECT at, gen_random_uuid(), least(at, now()) \
         FROM (SELECT now() + make_interval(days => {sent}) AS at) AS moment"
    );
    migrated.execute(&insert).await;
}

#[tokio::test]
async fn empty_tables_get_a_partition_for_now_and_for_what_comes() {
    let migrated = partitioned().await;
    assert_eq!(dated(&migrated, "user_logins").await.len(), 4);
    assert_eq!(dated(&migrated, "ingested_messages").await.len(), 8);
    prepare(&migrated.pool(), false).await.unwrap();
    // Again it does nothing.
    partition(&migrated.pool(), BOTH[0]).await.unwrap();
    assert_eq!(dated(&migrated, "user_logins").await.len(), 4);
}

#[tokio::test]
async fn the_one_statement_writes_each_row_once_wherever_it_lies() {
    let migrated = partitioned().await;
    migrated
        .execute("CREATE TABLE user_logins_2023_11 PARTITION OF user_logins FOR VALUES FROM ('2023-11-01') TO ('2023-12-01')")
        .await;
    for written in [2, 0] {
        let report = migrated.store.write(batch([1, 2, 2])).await;
        assert_eq!(report.committed.written(), written);
    }
    assert_eq!(
        migrated.texts(ROWS).await,
        [
            "user_logins_2023_11 user-1 2023-11-14",
            "user_logins_2023_11 user-2 2023-11-14"
        ]
    );
}

#[tokio::test]
async fn a_row_without_a_date_or_without_a_partition_sinks_nothing() {
    let migrated = partitioned().await;
    migrated
        .execute("INSERT INTO user_logins (user_id) VALUES ('nobody')")
        .await;
    // Of 2023, for which there is no partition.
    let report = migrated.store.write(batch(0..3)).await;
    assert_eq!(tokens(report), [vec![0, 1, 2], vec![], vec![]]);
    assert_eq!(migrated.count("user_logins_default").await, 4);
    assert_eq!(migrated.count("ingested_messages_default").await, 3);
}

#[tokio::test]
async fn a_row_that_is_refused_is_still_found_alone() {
    let migrated = partitioned().await;
    migrated
        .execute("ALTER TABLE user_logins ADD CHECK (user_id <> 'user-4')")
        .await;
    let report = migrated.store.write(batch(0..9)).await;
    assert_eq!(tokens(report)[1], [4]);
}

#[tokio::test]
async fn a_table_with_rows_becomes_the_first_partition_beside_writers_at_work() {
    let migrated = migrated().await;
    migrated
        .execute("INSERT INTO user_logins (user_id) VALUES ('nobody')")
        .await;
    migrated
        .execute("CREATE ROLE reader_of_logins; GRANT SELECT ON user_logins TO reader_of_logins")
        .await;
    assert_eq!(
        migrated.store.write(batch(0..10)).await.committed.written(),
        10
    );
    let is_done = AtomicBool::new(false);
    let partitioning = async {
        for table in BOTH {
            partition(&migrated.pool(), table).await.unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    };
    let writing = async {
        let mut number = 10;
        // And once more, on the partitioned tables, with the statement that was prepared for the plain ones.
        while number == 10 || !is_done.load(Ordering::Relaxed) {
            let report = migrated.store.write(batch(number - 5..number + 5)).await;
            assert_eq!(tokens(report)[0].len(), 10);
            number += 5;
        }
        number
    };
    let ((), number) = tokio::join!(partitioning, writing);
    let report = migrated.store.write(batch(0..number)).await;
    assert_eq!(
        (report.committed.written(), report.committed.duplicates()),
        (0, u64::from(number))
    );
    assert_eq!(migrated.count("user_logins").await, i64::from(number) + 1);
    assert_eq!(
        migrated.count("user_logins_before_partitions").await,
        i64::from(number)
    );
    assert_eq!(
        migrated
            .texts("SELECT user_id FROM user_logins_default")
            .await,
        ["nobody"]
    );
    let may_read = "SELECT has_table_privilege('reader_of_logins', 'user_logins', 'SELECT')::text";
    assert_eq!(migrated.texts(may_read).await, ["true"]);
    migrated
        .execute("DROP OWNED BY reader_of_logins; DROP ROLE reader_of_logins")
        .await;
}

/// Steps 1 and 3 keep all others out of the table: were it read there, writers would wait as long as it is large.
#[tokio::test]
async fn what_locks_a_table_reads_no_more_of_it_than_a_row() {
    let migrated = migrated().await;
    let report = migrated.store.write(batch(0..50)).await;
    assert_eq!(report.committed.written(), 50);
    for table in ["user_logins", "ingested_messages"] {
        let setting = format!("SET etl.partition = '{table}'");
        migrated.execute(&setting).await;
        let (promise, prove, swap) = (
            include_str!("../../partitions/1_promise.sql"),
            include_str!("../../partitions/2_prove.sql"),
            include_str!("../../partitions/3_swap.sql"),
        );
        assert!(rows_read(&migrated, promise).await <= 1, "{table}");
        assert!(rows_read(&migrated, prove).await >= 50, "{table}");
        assert!(rows_read(&migrated, swap).await <= 1, "{table}");
    }
}

/// How many rows a step reads by scanning.
async fn rows_read(migrated: &Migrated, step: &str) -> i64 {
    let read = async || -> i64 {
        let query = "SELECT sum(seq_tup_read)::bigint FROM pg_stat_xact_user_tables";
        migrated.client.query_one(query, &[]).await.unwrap().get(0)
    };
    migrated.execute("BEGIN").await;
    // What was read in earlier transactions may not have been reported yet.
    let before = read().await;
    migrated.execute(step).await;
    let rows = read().await - before;
    migrated.execute("COMMIT").await;
    rows
}

#[tokio::test]
async fn what_hangs_on_a_table_is_not_left_behind_in_silence() {
    let migrated = migrated().await;
    migrated
        .execute("CREATE VIEW logins AS SELECT * FROM user_logins")
        .await;
    let refused = partition(&migrated.pool(), PartitionedTable::UserLogins).await;
    let error = refused.unwrap_err();
    assert!(
        matches!(&error, StoreError::Refused(why) if why.contains("views")),
        "{error}"
    );
    assert_eq!(
        migrated.store.write(batch(0..1)).await.committed.written(),
        1
    );
    migrated.execute("DROP VIEW logins").await;
    partition(&migrated.pool(), PartitionedTable::UserLogins)
        .await
        .unwrap();
    assert_eq!(migrated.count("user_logins_before_partitions").await, 1);
}

#[tokio::test]
async fn days_that_are_over_are_dropped_whole() {
    let migrated = partitioned().await;
    migrated
        .execute(
            "CREATE TABLE ingested_messages_2020_01_01 PARTITION OF ingested_messages \
             FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00'); \
             INSERT INTO ingested_messages (sent_at, message_id) VALUES ('2020-01-01 12:00:00+00', gen_random_uuid())",
        )
        .await;
    // A message of that day came today.
    assert_eq!(
        keep_partitions(&migrated.pool(), LEDGER_AGE).await.unwrap(),
        0
    );
    let came_then = "UPDATE ingested_messages_2020_01_01 SET ingested_at = sent_at";
    migrated.execute(came_then).await;
    ledger_row(&migrated, 0).await;
    ledger_row(&migrated, -40).await;
    assert_eq!(
        keep_partitions(&migrated.pool(), LEDGER_AGE).await.unwrap(),
        1
    );
    assert_eq!(dated(&migrated, "ingested_messages").await.len(), 8);
    // The rest goes row by row, out of any partition.
    assert_eq!(
        prune(&migrated.pool(), LEDGER_AGE, |_| ()).await.unwrap(),
        1
    );
    assert_eq!(migrated.count("ingested_messages").await, 1);
}

#[tokio::test]
async fn rows_of_one_place_in_several_partitions_are_told_apart_by_prune() {
    let migrated = partitioned().await;
    // Each is the first of its partition.
    for days in [-40, 0, 1, 2] {
        ledger_row(&migrated, days).await;
    }
    assert_eq!(
        prune(&migrated.pool(), LEDGER_AGE, |_| ()).await.unwrap(),
        1
    );
    assert_eq!(migrated.count("ingested_messages").await, 3);
}

#[tokio::test]
async fn a_span_whose_rows_lie_in_the_default_partition_is_passed_over() {
    let migrated = partitioned().await;
    migrated
        .execute(
            "DO $$ DECLARE part text; BEGIN \
             SELECT max(inhrelid::regclass::text) INTO part FROM pg_inherits \
             WHERE inhparent = 'ingested_messages'::regclass AND inhrelid::regclass::text ~ '[0-9]$'; \
             EXECUTE 'DROP TABLE ' || part; END $$",
        )
        .await;
    ledger_row(&migrated, 7).await;
    assert_eq!(
        keep_partitions(&migrated.pool(), LEDGER_AGE).await.unwrap(),
        0
    );
    assert_eq!(dated(&migrated, "ingested_messages").await.len(), 7);
    migrated.execute("DELETE FROM ingested_messages").await;
    keep_partitions(&migrated.pool(), LEDGER_AGE).await.unwrap();
    assert_eq!(dated(&migrated, "ingested_messages").await.len(), 8);
}

#[tokio::test]
async fn a_role_that_owns_no_table_keeps_no_partitions_and_is_told_of_none() {
    let migrated = partitioned().await;
    let role = format!("{}_worker", migrated.database.name());
    migrated
        .execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'worker'; GRANT SELECT, DELETE ON ingested_messages TO {role}"))
        .await;
    let (_, place) = migrated.database.url().split_once('@').unwrap();
    let pool = pool_of(&format!("postgres://{role}:worker@{place}"));
    assert_eq!(
        keep_partitions(&pool, Duration::from_secs(1))
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn a_person_is_erased_from_all_partitions() {
    let migrated = partitioned().await;
    migrated
        .execute(
            "INSERT INTO user_logins (user_id, create_date) \
             VALUES ('one', now()), ('one', '2020-01-01'), ('one', NULL), ('another', now())",
        )
        .await;
    let users = ["one".to_owned()];
    let erased = erase_logins(&migrated.pool(), PersonColumn::UserId, &users).await;
    assert_eq!(erased.unwrap().len(), 3);
    assert_eq!(migrated.count("user_logins").await, 1);
}

#[tokio::test]
async fn remask_walks_through_all_partitions() {
    let migrated = partitioned().await;
    migrated
        .execute(
            "INSERT INTO user_logins (user_id, masked_ip, create_date) \
             SELECT n::text, 'old' || repeat('x', 100), now()::date + n % 90 FROM generate_series(1, 1000) AS n; \
             INSERT INTO user_logins (user_id, masked_ip) VALUES ('nobody', 'old')",
        )
        .await;
    let pool = migrated.pool();
    let finished = Finished {
        ip: Some("^MS4y".to_owned()),
        device_id: None,
    };
    let table = Remasking::open(&pool, finished).await.unwrap();
    let masker = FieldMasker::builder(Scheme::Base64).build().unwrap();
    let mut done = 0;
    let blocks = table.blocks().await.unwrap();
    // Steps that end within a partition, and others that reach over several.
    for start in (0..blocks).step_by(7) {
        let step = start..(start + 7).min(blocks);
        let change = |old| Change {
            old,
            ip: Some(masker.mask("1.2.3.4").unwrap()),
            device_id: None,
        };
        let old = table.read(step.clone()).await.unwrap();
        let changes: Vec<Change> = old.into_iter().map(change).collect();
        done += table.write(step, &changes).await.unwrap();
    }
    assert_eq!(done, 1001);
    assert_eq!(
        migrated
            .count("user_logins WHERE masked_ip LIKE 'MS4y%'")
            .await,
        1001
    );
}
