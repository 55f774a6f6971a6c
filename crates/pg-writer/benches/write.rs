//! What a batch costs: here, to be put together, and on a real Postgres of this machine (whose disk is not waited for).
//! `cargo bench -p pg-writer`; items are rows.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use divan::{Bencher, counter::ItemsCount};
use local_stack::postgres;
use login_model::{LoginEvent, MaskedLogin, Maskers};
use masking::{FieldMasker, Kind, Pii, Scheme};
use pg_writer::{Batch, LedgerKey, PgStore, Pool, Settings, prepare};
use tokio::runtime::Runtime;
use uuid::Uuid;

const SIZES: [usize; 5] = [10, 100, 500, 1_000, 5_000];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

static STORE: LazyLock<PgStore> = LazyLock::new(|| {
    let settings = Settings::parse(&postgres().admin_url()).expect("a URL");
    let pool = Pool::new(&settings, 1).expect("a pool");
    let ready = RUNTIME.block_on(async {
        // On a worker, since diesel's harness blocks in place.
        tokio::spawn(async move { prepare(&pool, true).await.map(|()| pool) }).await
    });
    PgStore::new(ready.expect("no panic").expect("tables"))
});

fn main() {
    divan::main();
}

fn login() -> MaskedLogin<'static> {
    static MASKERS: LazyLock<Maskers> = LazyLock::new(|| {
        let build = |domain, kind| {
            let builder = FieldMasker::builder(Scheme::Base64);
            builder.domain(domain).kind(kind).build().expect("no key")
        };
        Maskers {
            ip: build("ip", Kind::Ip),
            device_id: build("device_id", Kind::Text),
        }
    });
    let event = LoginEvent {
        user_id: "424cdd21-063a-43a7-b91b-7ca1a833afae".into(),
        device_type: Some("android".into()),
        ip: Some(Pii::new("199.172.111.135".into())),
        device_id: Some(Pii::new("593-47-5928".into())),
        locale: Some("RU".into()),
        app_version: Some(2),
    };
    event.mask(&MASKERS).expect("a maskable event")
}

/// Every row of every batch is a message of its own.
fn batch(size: usize, row: &MaskedLogin<'static>) -> Batch<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let first = NUMBER.fetch_add(size as u64, Ordering::Relaxed);
    let mut batch = Batch::default();
    for number in first..first + size as u64 {
        let key = LedgerKey {
            sent_at_ms: 1_700_000_000_000 + i64::try_from(number / 100).unwrap_or_default(),
            message_id: Uuid::from_u64_pair(number.wrapping_mul(0x9E37_79B9_7F4A_7C15), number),
        };
        let pushed = batch.push(key, (), |()| Ok::<_, ()>(row.clone()));
        assert!(pushed.is_ok());
    }
    batch
}

#[divan::bench(args = SIZES)]
fn encode(bencher: Bencher<'_, '_>, size: usize) {
    let row = login();
    bencher
        .counter(ItemsCount::new(size))
        .bench_local(|| batch(size, &row));
}

#[divan::bench(args = SIZES, max_time = 5)]
fn write(bencher: Bencher<'_, '_>, size: usize) {
    let (row, store) = (login(), &*STORE);
    bencher
        .counter(ItemsCount::new(size))
        .with_inputs(|| batch(size, &row))
        .bench_local_values(|batch| {
            let report = RUNTIME.block_on(store.write(batch));
            assert!(report.undecided.is_none());
            report.committed.into_tokens()
        });
}
