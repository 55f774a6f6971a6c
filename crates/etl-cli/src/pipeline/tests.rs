//! One property of the loop at a time, on a queue and a store in memory, under tokio's paused clock.

use std::sync::Arc;
use std::time::Duration;

use etl_stages::{Rejections, Store};
use login_model::{Maskers, Parser};
use masking::{Kind, Scheme};
use pg_writer::{Batch, Connections, MemoryFaults, MemoryStore, Recorded, Report, StoreError};
use sqs_reader::memory::{MemoryQueue, MemoryServer, QueueSettings};
use sqs_reader::{
    AttributeValue, Delivery, OutgoingMessage, Reader, ReaderOptions, SOURCE_SENT_AT,
    Transport as _,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Ending, Options, Pipeline, Rules};

const DAY_MS: i64 = 86_400_000;

struct OnMemory(MemoryStore);

impl Store for OnMemory {
    async fn write(&self, batch: Batch<Delivery>) -> Report<Delivery> {
        self.0.write(batch).await
    }

    async fn record(
        &self,
        rejections: Rejections,
    ) -> Result<Recorded<Delivery>, (Rejections, StoreError)> {
        self.0.record(rejections).await
    }

    fn statements(&self) -> u64 {
        self.0.statements()
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn connections(&self) -> Connections {
        Connections::default()
    }
}

fn queue() -> MemoryQueue {
    MemoryServer::default().queue("logins", QueueSettings::default())
}

/// A login of its own on the queue, sent first at `sent_at_ms`.
fn put(queue: &MemoryQueue, number: i64, sent_at_ms: i64) {
    let body = format!(
        r#"{{"user_id": "{number}", "app_version": "1", "device_type": null, "ip": null, "locale": null, "device_id": null}}"#
    );
    let sent_at = AttributeValue::text(sent_at_ms.to_string());
    let message = OutgoingMessage {
        body,
        attributes: vec![(SOURCE_SENT_AT.to_owned(), sent_at)],
        group_id: None,
        deduplication_id: None,
    };
    queue.put(message).unwrap();
}

/// A drain that does not wait for messages, unless told otherwise.
fn options() -> Options {
    Options {
        follow: false,
        wait: Duration::ZERO,
        max_messages: None,
        pollers: 1,
        writers: 1,
        batch_size: 500,
        batch_age: Duration::from_millis(200),
        grace_period: Duration::from_secs(1),
        give_up_after: None,
        dead_letter_url: None,
    }
}

async fn pipeline(
    queue: MemoryQueue,
    store: MemoryStore,
    max_in_flight: usize,
    options: Options,
    stop: CancellationToken,
) -> Arc<Pipeline<MemoryQueue, OnMemory>> {
    let facts = queue.facts().await.unwrap();
    let reader_options = ReaderOptions {
        max_in_flight,
        visibility_timeout: facts.visibility_timeout,
    };
    let reader = Reader::new(queue, &facts, &reader_options);
    let masker = |domain, kind| {
        let builder = etl_access::keys::builder(Scheme::Redact, domain, kind);
        builder.build().unwrap()
    };
    let rules = Rules {
        parser: Parser::new(),
        maskers: Maskers {
            ip: masker("ip", Kind::Ip),
            device_id: masker("device_id", Kind::Text),
        },
    };
    Pipeline::new(reader, OnMemory(store), rules, options, stop)
}

fn requests_within(time: Duration) -> u64 {
    // Five a second, and a few before and after.
    u64::try_from(time.as_millis() / 200).unwrap() + 10
}

/// It asked as often as the queue could answer.
#[tokio::test(start_paused = true)]
async fn a_drain_that_waits_for_its_own_commit_asks_a_queue_without_waits_now_and_then() {
    let (queue, slow) = (queue(), Duration::from_secs(30));
    put(&queue, 1, DAY_MS);
    let store = MemoryStore::new(MemoryFaults {
        latency: slow..=slow,
        ..MemoryFaults::default()
    });
    let pipeline = pipeline(queue, store, 100, options(), CancellationToken::new()).await;
    let ending = timeout(slow * 2, pipeline.run()).await;
    assert_eq!(ending, Ok(Ending::Done));
    assert_eq!(pipeline.tally().counts().written, 1);
    let requests = pipeline.requests();
    assert!(requests < requests_within(slow), "{requests} requests");
}

#[tokio::test(start_paused = true)]
async fn an_idle_follower_of_a_queue_without_waits_asks_now_and_then() {
    let (stop, time) = (CancellationToken::new(), Duration::from_secs(30));
    let follow = Options {
        follow: true,
        ..options()
    };
    let pipeline = pipeline(queue(), MemoryStore::default(), 100, follow, stop.clone()).await;
    let (ending, ()) = tokio::join!(pipeline.run(), async {
        sleep(time).await;
        stop.cancel();
    });
    assert_eq!(ending, Ending::Stopped);
    let requests = pipeline.requests();
    assert!(requests < requests_within(time), "{requests} requests");
}

/// Rows that no search can decide, such as those of a day without a partition, held the room that a receive waited for.
#[tokio::test(start_paused = true)]
async fn a_few_undecided_rows_leave_a_small_run_room_to_go_on() {
    let queue = queue();
    let store = MemoryStore::refusing(MemoryFaults::default(), |key, _| key.sent_at_ms < DAY_MS);
    (0..9).for_each(|number| put(&queue, number, 0));
    (10..60).for_each(|number| put(&queue, number, DAY_MS));
    let patient = Options {
        give_up_after: Some(Duration::from_hours(1)),
        batch_size: 10,
        ..options()
    };
    let pipeline = pipeline(queue, store.clone(), 10, patient, CancellationToken::new()).await;
    let ending = pipeline.run().await;
    assert!(matches!(ending, Ending::GaveUp(_)), "{ending:?}");
    assert_eq!(pipeline.tally().counts().written, 50);
    assert!(store.rejections().is_empty());
}
