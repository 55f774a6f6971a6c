//! The migrations: on nothing, on a table that others made, by many at once, and back.

use local_stack::postgres;
use pg_writer::{PgStore, prepare};

use crate::support::{batch, connect, migrated, pool_of};

const COMMENTS_MISSING: &str = "SELECT relname || coalesce('.' || attname, '') FROM pg_class \
    LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped \
    WHERE relname IN ('user_logins', 'ingested_messages', 'rejected_messages') \
    AND (obj_description(pg_class.oid) IS NULL OR col_description(pg_class.oid, attnum) IS NULL)";

const COLUMNS: &str = "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) \
    FROM pg_attribute WHERE attrelid = 'user_logins'::regclass AND attnum > 0";

#[tokio::test]
async fn every_table_and_column_is_commented_on() {
    let migrated = migrated().await;
    assert!(migrated.texts(COMMENTS_MISSING).await.is_empty());
}

#[tokio::test]
async fn readers_find_the_seven_columns_in_their_order() {
    let migrated = migrated().await;
    let expected = "user_id character varying(128), device_type character varying(32), \
        masked_ip character varying(256), masked_device_id character varying(256), \
        locale character varying(32), app_version integer, create_date date";
    assert_eq!(migrated.texts(COLUMNS).await, [expected]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_others_is_kept_with_its_rows() {
    let database = postgres().database("others").await;
    let admin = connect(database.url()).await;
    let (owner, etl) = (
        format!("{}_owner", database.name()),
        format!("{}_etl", database.name()),
    );
    let set_up = "CREATE ROLE OWNER; CREATE ROLE ETL LOGIN PASSWORD 'etl'; GRANT CREATE ON SCHEMA public TO ETL; \
        CREATE TABLE user_logins (user_id varchar(128), device_type varchar(32), masked_ip varchar(256), \
        masked_device_id varchar(256), locale varchar(32), app_version integer, create_date date); \
        INSERT INTO user_logins VALUES ('old', 'ios', 'a', 'b', NULL, 1, '2020-02-29'); \
        ALTER TABLE user_logins OWNER TO OWNER; GRANT SELECT, INSERT ON user_logins TO ETL";
    let set_up = set_up.replace("OWNER TO OWNER", &format!("OWNER TO {owner}"));
    admin
        .batch_execute(
            &set_up
                .replace("ROLE OWNER", &format!("ROLE {owner}"))
                .replace("ETL", &etl),
        )
        .await
        .unwrap();
    let (_, place) = database.url().split_once('@').unwrap();
    let url = format!("postgres://{etl}:etl@{place}");
    prepare(&pool_of(&url), true).await.unwrap();
    let store = PgStore::new(pool_of(&url));
    assert_eq!(store.write(batch([1])).await.committed.written(), 1);
    let rows = admin
        .query_one(
            "SELECT string_agg(user_id, ' ' ORDER BY user_id), \
        max(obj_description('user_logins'::regclass)) FROM user_logins",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.get::<_, String>(0), "old user-1");
    assert_eq!(rows.get::<_, Option<String>>(1), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_workers_may_start_at_once() {
    let database = postgres().database("eight").await;
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let pool = pool_of(database.url());
            tokio::spawn(async move { prepare(&pool, true).await })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    let store = PgStore::new(pool_of(database.url()));
    assert_eq!(store.write(batch([1])).await.committed.written(), 1);
}

/// The `down.sql` of every migration, newest first, as `diesel migration revert --all` runs them.
fn downs() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let down = |folder: &std::path::PathBuf| std::fs::read_to_string(folder.join("down.sql"));
    folders
        .iter()
        .rev()
        .map(|folder| down(folder).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_down_and_up_again() {
    let migrated = migrated().await;
    for down in downs() {
        migrated.execute(&down).await;
    }
    let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    assert_eq!(migrated.texts(tables).await, ["__diesel_schema_migrations"]);
    migrated
        .execute("DELETE FROM __diesel_schema_migrations")
        .await;
    prepare(&migrated.pool(), true).await.unwrap();
    assert_eq!(
        migrated.store.write(batch([1])).await.committed.written(),
        1
    );
    assert!(migrated.texts(COMMENTS_MISSING).await.is_empty());
}

/// Of a ledger of hundreds of millions of rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_writing_is_added_without_rewriting_the_ledger() {
    let migrated = migrated().await;
    migrated.execute(&downs()[0]).await;
    migrated
        .execute("DELETE FROM __diesel_schema_migrations WHERE version LIKE '%4'; \
             INSERT INTO ingested_messages SELECT '2020-01-01', gen_random_uuid() FROM generate_series(1, 9)")
        .await;
    let file = "SELECT pg_relation_filenode('ingested_messages')::text";
    let before = migrated.texts(file).await;
    prepare(&migrated.pool(), true).await.unwrap();
    assert_eq!(migrated.texts(file).await, before);
    let written_today = "SELECT count(*)::text FROM ingested_messages WHERE ingested_at > now() - interval '1 hour'";
    assert_eq!(migrated.texts(written_today).await, ["9"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_down_never_drops_rows() {
    let migrated = migrated().await;
    assert_eq!(
        migrated.store.write(batch(0..10)).await.committed.written(),
        10
    );
    for down in downs() {
        migrated.execute(&down).await;
    }
    assert_eq!(migrated.count("user_logins").await, 10);
    assert_eq!(migrated.count("ingested_messages").await, 10);
    migrated
        .execute("DELETE FROM __diesel_schema_migrations")
        .await;
    prepare(&migrated.pool(), true).await.unwrap();
    assert_eq!(migrated.count("user_logins").await, 10);
}
