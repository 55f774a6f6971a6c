//! What the ledger costs once it is large: inserts of 500 beside it, and a prune of half of it, with writers at work.
//!
//! `cargo run --release -p pg-writer --example ledger [ROWS]` (10 million unless told; about 1 GB of disk). The server
//! is a private one and keeps nothing, so its disk is not waited for: the figures are of processor time and WAL.

mod support;

use std::cell::Cell;
use std::time::{Duration, Instant};

use local_stack::Postgres;
use pg_writer::{LEDGER_AGE, PgStore, Pool, Settings, prepare, prune};
use tokio_postgres::{Client, NoTls};

use self::support::{BATCH, Outcome, Writer, report, show};

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
        "INSERT INTO ingested_messages SELECT at, gen_random_uuid(), at FROM generate_series(1, {rows}) AS number, \
         LATERAL (SELECT now() - interval '60 days' + interval '60 days' * number / {rows} AS at) AS moment"
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
