//! What the measurements share: batches of new messages, and how their times are told.

use std::time::{Duration, Instant};

use login_model::MaskedLogin;
use pg_writer::{Batch, LedgerKey, PgStore, StoreError};
use tokio_postgres::Client;
use uuid::Uuid;

/// Rows of one write.
pub(crate) const BATCH: usize = 500;
const BATCHES: usize = 400;

pub(crate) type Outcome<R> = Result<R, Box<dyn std::error::Error>>;

/// Times writes, and weighs what they log.
pub(crate) async fn report(client: &Client, writer: &mut Writer) -> Outcome<()> {
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

/// The middle and the slow end of some times.
pub(crate) fn show(times: &mut [Duration]) {
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
pub(crate) struct Writer {
    store: PgStore,
    number: u64,
}

impl Writer {
    pub(crate) fn new(store: PgStore) -> Self {
        Self { store, number: 0 }
    }

    pub(crate) async fn write(&mut self) -> Outcome<Duration> {
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
