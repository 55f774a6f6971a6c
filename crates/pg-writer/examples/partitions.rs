//! What partitions cost and spare once the tables are large: writes, forgetting half of the ledger and a month of logins,
//! and the way from a plain table to a partitioned one, with a writer at work.
//!
//! `cargo run --release -p pg-writer --example partitions [ROWS]` (10 million of each table unless told; about 3 GB of
//! disk). The server is a private one and keeps nothing, so its disk is not waited for.

mod support;

use std::cell::Cell;
use std::time::{Duration, Instant};

use local_stack::Postgres;
use pg_writer::{
    LEDGER_AGE, PartitionedTable, PgStore, Pool, Settings, keep_partitions, partition, prepare,
    prune,
};
use tokio_postgres::{Client, NoTls};

use self::support::{BATCH, Outcome, Writer, report, show};

/// Sixty days of messages, and two years of logins.
const PAST: &str = "DO $$ BEGIN \
    FOR day IN 1 .. 60 LOOP \
    EXECUTE format('CREATE TABLE %I PARTITION OF ingested_messages FOR VALUES FROM (%L) TO (%L)', \
    'ingested_messages_' || to_char(now() AT TIME ZONE 'UTC' - day * interval '1 day', 'YYYY_MM_DD'), \
    ((now() AT TIME ZONE 'UTC')::date - day) || ' 00:00:00+00', ((now() AT TIME ZONE 'UTC')::date - day + 1) || ' 00:00:00+00'); \
    END LOOP; \
    FOR month IN 1 .. 24 LOOP \
    EXECUTE format('CREATE TABLE %I PARTITION OF user_logins FOR VALUES FROM (%L) TO (%L)', \
    'user_logins_' || to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - month * interval '1 month', 'YYYY_MM'), \
    (date_trunc('month', now() AT TIME ZONE 'UTC') - month * interval '1 month')::date, \
    (date_trunc('month', now() AT TIME ZONE 'UTC') - (month - 1) * interval '1 month')::date); \
    END LOOP; END $$";

/// A month of a year ago.
const MONTH: &str = "create_date >= date_trunc('month', now()) - interval '12 months' \
    AND create_date < date_trunc('month', now()) - interval '11 months'";

#[tokio::main]
async fn main() -> Outcome<()> {
    let rows = std::env::args()
        .nth(1)
        .map_or(Ok(10_000_000), |rows| rows.parse::<u64>())?;
    for partitioned in [false, true] {
        let server = Postgres::start_private_with(&[("shared_buffers", "1GB")]);
        let settings = Settings::parse(&server.admin_url())?;
        let (client, connection) = tokio_postgres::connect(&server.admin_url(), NoTls).await?;
        tokio::spawn(connection);
        Bench {
            pool: Pool::new(&settings, 4)?,
            writer: Writer::new(PgStore::new(Pool::new(&settings, 2)?)),
            client,
            partitioned,
        }
        .run(rows)
        .await?;
    }
    Ok(())
}

struct Bench {
    pool: Pool,
    writer: Writer,
    client: Client,
    partitioned: bool,
}

impl Bench {
    async fn run(&mut self, rows: u64) -> Outcome<()> {
        prepare(&self.pool, true).await?;
        if self.partitioned {
            println!("\npartitioned: user_logins by month, ingested_messages by day");
            for table in [
                PartitionedTable::UserLogins,
                PartitionedTable::IngestedMessages,
            ] {
                partition(&self.pool, table).await?;
            }
            self.client.batch_execute(PAST).await?;
        } else {
            println!("plain");
        }
        fill(&self.client, rows).await?;
        println!("writes of {BATCH} rows");
        report(&self.client, &mut self.writer).await?;
        self.forget().await?;
        self.month().await?;
        if !self.partitioned {
            self.convert().await?;
        }
        Ok(())
    }

    /// Half of the ledger, with a writer at work.
    async fn forget(&mut self) -> Outcome<()> {
        let pool = &self.pool;
        let forgetting = Box::pin(async {
            let days = keep_partitions(pool, LEDGER_AGE).await?;
            let rows = prune(pool, LEDGER_AGE, |_| ()).await?;
            Ok(format!("{days} days dropped whole, {rows} rows one by one"))
        });
        let (what, took) = beside(&mut self.writer, forgetting).await?;
        println!("forgetting 30 days of 60: {what}, in {took:.1?}");
        Ok(())
    }

    async fn month(&mut self) -> Outcome<()> {
        let began = Instant::now();
        let count = format!("SELECT count(*) FROM user_logins WHERE {MONTH}");
        let count: i64 = self.client.query_one(&count, &[]).await?.get(0);
        println!(
            "counting a month of logins: {count} in {:.0?}",
            began.elapsed()
        );
        let statement = if self.partitioned {
            let name = "SELECT 'user_logins_' || to_char(now() - interval '12 months', 'YYYY_MM')";
            let name: String = self.client.query_one(name, &[]).await?.get(0);
            format!("DROP TABLE {name}")
        } else {
            format!("DELETE FROM user_logins WHERE {MONTH}; VACUUM user_logins")
        };
        let client = &self.client;
        let dropping = async {
            for statement in statement.split("; ") {
                client.batch_execute(statement).await?;
            }
            Ok(())
        };
        let ((), took) = beside(&mut self.writer, dropping).await?;
        println!("removing a month of logins: {took:.1?}");
        Ok(())
    }

    /// The plain tables become partitioned ones.
    async fn convert(&mut self) -> Outcome<()> {
        for table in [
            PartitionedTable::UserLogins,
            PartitionedTable::IngestedMessages,
        ] {
            let pool = &self.pool;
            let converting = Box::pin(async { Ok(partition(pool, table).await?) });
            let ((), took) = beside(&mut self.writer, converting).await?;
            println!("partitioning {table}: {took:.1?}");
        }
        Ok(())
    }
}

async fn fill(client: &Client, rows: u64) -> Outcome<()> {
    let began = Instant::now();
    for statement in [
        format!(
            "INSERT INTO ingested_messages SELECT at, gen_random_uuid(), at FROM generate_series(1, {rows}) AS number, \
             LATERAL (SELECT now() - interval '60 days' + interval '60 days' * number / {rows} AS at) AS moment"
        ),
        format!(
            "INSERT INTO user_logins SELECT md5(number::text), 'android', repeat('m', 44), repeat('d', 44), 'RU', 2, \
             (now() - interval '700 days' + interval '700 days' * (number::float8 / {rows}))::date \
             FROM generate_series(1, {rows}) AS number"
        ),
        "VACUUM ANALYZE ingested_messages".to_owned(),
        "VACUUM ANALYZE user_logins".to_owned(),
    ] {
        client.batch_execute(&statement).await?;
    }
    println!("filled with {rows} rows each in {:.0?}", began.elapsed());
    Ok(())
}

/// Does something while the writer writes; tells how the writes fared, and how long it took.
async fn beside<R>(
    writer: &mut Writer,
    work: impl Future<Output = Outcome<R>>,
) -> Outcome<(R, Duration)> {
    let is_done = Cell::new(false);
    let began = Instant::now();
    let working = async {
        let outcome = work.await;
        is_done.set(true);
        outcome.map(|outcome| (outcome, began.elapsed()))
    };
    let writing = Box::pin(async {
        let mut times = Vec::new();
        while !is_done.get() {
            times.push(writer.write().await?);
        }
        Outcome::Ok(times)
    });
    let (outcome, times) = tokio::join!(working, writing);
    let mut times = times?;
    println!(
        "  writes meanwhile, the slowest {:.0?}",
        times.iter().max().copied().unwrap_or_default()
    );
    show(&mut times);
    outcome
}
