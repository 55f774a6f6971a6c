//! What the ledger costs once it is large: inserts of 500 beside it, and a prune of half of it, with writers at work.
//!
//! `cargo run --release -p pg-writer --example ledger [ROWS]` (10 million unless told; about 1 GB of disk). The server
//! is a private one and keeps nothing, so its disk is not waited for: the figures are of processor time and WAL.

use std::cell::Cell;
use std::time::{Duration, Instant};

use local_stack::Postgres;
use login_model::MaskedLogin;
use pg_writer::{
    Batch, LEDGER_AGE, LedgerKey, PgStore, Pool, Settings, StoreError, prepare, prune,
};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

const BATCH: usize = 500;
const BATCHES: usize = 400;

type Outcome<R> = Result<R, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let rows = std::env::args()
        .nth(1)
        .map_or(Ok(10_000_000), |rows| rows.parse::<u64>())?;
    let server = Postgres::start_private_with(&[("shared_buffers", "1GB")]);
    let settings = Settings::parse(&server.admin_url())?;
    let pool = Pool::new(&settings, 4)?;
    prepare(&pool, true).await?;
    let (client, connection) = tokio_postgres::connect(&server.admin_url(), NoTls).await?;
    tokio::spawn(connection);
    let mut writer = Writer::new(PgStore::new(Pool::new(&settings, 2)?));

    println!("inserts of {BATCH} rows beside an empty ledger");
    report(&client, &mut writer).await?;
    fill(&client, rows).await?;
    println!("inserts of {BATCH} rows beside {rows} rows");
    report(&client, &mut writer).await?;
    report_prune(&pool, &mut writer).await?;
    println!("inserts of {BATCH} rows after the prune");
    report(&client, &mut writer).await
}

/// Sixty days of messages, in the order in which they came.
async fn fill(client: &Client, rows: u64) -> Outcome<()> {
    let began = Instant::now();
    let insert = format!(
        "INSERT INTO ingested_messages SELECT now() - interval '60 days' + interval '60 days' * number / {rows}, \
         gen_random_uuid() FROM generate_series(1, {rows}) AS number"
    );
    client.batch_execute(&insert).await?;
    client
        .batch_execute("VACUUM ANALYZE ingested_messages")
        .await?;
    let size = "SELECT pg_size_pretty(pg_total_relation_size('ingested_messages'))";
    let size: String = client.query_one(size, &[]).await?.get(0);
    println!(
        "filled with {rows} rows, {size}, in {:.0?}",
        began.elapsed()
    );
    Ok(())
}

async fn report(client: &Client, writer: &mut Writer) -> Outcome<()> {
    let wal = wal_position(client).await?;
    let mut times = Vec::new();
    for _ in 0..BATCHES {
        times.push(writer.write().await?);
    }
    let written = BATCHES * BATCH;
    let bytes = (wal_position(client).await? - wal) / i64::try_from(written)?;
    show(&mut times);
    println!("  {bytes} bytes of WAL a row, login row included");
    Ok(())
}

async fn wal_position(client: &Client) -> Outcome<i64> {
    let query = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";
    Ok(client.query_one(query, &[]).await?.get(0))
}

async fn report_prune(pool: &Pool, writer: &mut Writer) -> Outcome<()> {
    let is_done = Cell::new(false);
    let pruning = async {
        let outcome = timed_prune(pool).await;
        is_done.set(true);
        outcome
    };
    let writing = async {
        let mut times = Vec::new();
        while !is_done.get() {
            times.push(writer.write().await?);
        }
        Ok(times)
    };
    let (pruned, times): (Outcome<()>, Outcome<Vec<Duration>>) = tokio::join!(pruning, writing);
    pruned?;
    println!("inserts of {BATCH} rows meanwhile");
    show(&mut times?);
    Ok(())
}

async fn timed_prune(pool: &Pool) -> Outcome<()> {
    let began = Instant::now();
    let mut ends = vec![began];
    let pruned = prune(pool, LEDGER_AGE, |_| ends.push(Instant::now())).await?;
    let took = began.elapsed();
    let mut batches: Vec<_> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
    batches.sort_unstable();
    let slowest = batches.last().copied().unwrap_or_default();
    let median = batches.get(batches.len() / 2).copied().unwrap_or_default();
    println!(
        "pruned {pruned} rows in {took:.1?}: {} batches, each with its pause {median:.1?} (median), {slowest:.1?} (slowest)",
        batches.len()
    );
    Ok(())
}

fn show(times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    let rows = u32::try_from(BATCH).unwrap_or(u32::MAX);
    println!(
        "  {} batches: median {:.2?} ({:.2?} a row), 99th percentile {:.2?}",
        times.len(),
        at(50),
        at(50) / rows,
        at(99)
    );
}

/// New messages, now.
struct Writer {
    store: PgStore,
    number: u64,
}

impl Writer {
    fn new(store: PgStore) -> Self {
        Self { store, number: 0 }
    }

    async fn write(&mut self) -> Outcome<Duration> {
        let mut batch = Batch::default();
        for _ in 0..BATCH {
            self.number += 1;
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            let key = LedgerKey {
                sent_at_ms: i64::try_from(now.as_millis())?,
                message_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.number.to_be_bytes()),
            };
            let pushed = batch.push(key, (), |()| Ok::<_, StoreError>(login(self.number)));
            pushed.map_err(|((), error)| error)?;
        }
        let began = Instant::now();
        let report = self.store.write(batch).await;
        match report.undecided {
            Some((_, error)) => Err(error.into()),
            None => Ok(began.elapsed()),
        }
    }
}

fn login(number: u64) -> MaskedLogin<'static> {
    MaskedLogin {
        user_id: format!("{number:032x}").into(),
        device_type: Some("android".into()),
        masked_ip: None,
        masked_device_id: None,
        locale: Some("RU".into()),
        app_version: Some(2),
    }
}
