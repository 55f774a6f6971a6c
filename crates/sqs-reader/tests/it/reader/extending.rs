//! Visibility is kept up for what is held, and for nothing else.

use std::time::Duration;

use sqs_reader::memory::{Faults, MemoryServer, Place, QueueSettings};
use sqs_reader::{Reader, ReaderOptions, Transport};
use tokio::time::{Instant, sleep};

use super::{NOW, VISIBILITY, faulty_reader, filled, kept_hidden, reader, take_all};

#[tokio::test(start_paused = true)]
async fn a_message_held_for_many_timeouts_is_never_delivered_again() {
    let queue = filled(25);
    let reader = reader(queue.clone()).await;
    let held = take_all(&reader).await;
    let other = queue.clone();
    kept_hidden(&reader, async {
        for _ in 0..100 {
            assert!(
                other
                    .receive(10, Duration::from_secs(10))
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
    })
    .await;
    assert_eq!(queue.counts().deliveries, 25);
    assert_eq!(reader.delete(held).await.deleted, 25);
}

#[tokio::test(start_paused = true)]
async fn visibility_is_extended_at_half_its_time() {
    let queue = filled(1);
    let reader = reader(queue.clone()).await;
    let _held = take_all(&reader).await;
    let begun = Instant::now();
    let hidden_until = || match queue.messages()[0].place {
        Place::Hidden(until) => until.duration_since(begun),
        other => panic!("{other:?}"),
    };
    kept_hidden(&reader, async {
        sleep(Duration::from_secs(14)).await;
        assert_eq!(hidden_until(), VISIBILITY);
        sleep(Duration::from_millis(8500)).await;
        assert!(hidden_until() > VISIBILITY, "{:?}", hidden_until());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_is_not_extended_any_more() {
    let queue = filled(2);
    let reader = reader(queue.clone()).await;
    let mut held = take_all(&reader).await;
    kept_hidden(&reader, async {
        sleep(VISIBILITY * 3).await;
        drop(held.pop());
        sleep(VISIBILITY * 2).await;
    })
    .await;
    assert_eq!((queue.counts().in_flight, queue.counts().visible), (1, 1));
}

/// An extension that was on its way when a message was released used to hide it again.
#[tokio::test(start_paused = true)]
async fn a_released_message_is_not_hidden_again_by_an_extension_under_way() {
    for seed in 0..100 {
        let queue = filled(20);
        let faults = Faults {
            latency: Duration::from_secs(5),
            error_before: 0.2,
            ..Faults::default()
        };
        let reader = faulty_reader(&queue, seed, faults).await;
        reader.transport().set_calm(true);
        let held = take_all(&reader).await;
        reader.transport().set_calm(false);
        kept_hidden(&reader, async {
            sleep(Duration::from_millis(13_000 + seed * 50)).await;
            reader.hide(held, NOW).await;
            assert_eq!(queue.counts().visible, 20, "seed {seed}");
            sleep(Duration::from_secs(20)).await;
            assert_eq!(queue.counts().visible, 20, "seed {seed}, later");
        })
        .await;
    }
}

/// The last extension before the twelve hours asked for a fraction of a second, which SQS takes for none at all.
#[tokio::test(start_paused = true)]
async fn a_message_held_for_twelve_hours_stays_hidden_until_then() {
    let queue = filled(1);
    let reader = reader(queue.clone()).await;
    sleep(Duration::from_millis(300)).await;
    let held = take_all(&reader).await;
    sleep(Duration::from_millis(400)).await;
    kept_hidden(
        &reader,
        sleep(Duration::from_hours(12) - Duration::from_secs(20)),
    )
    .await;
    assert_eq!(
        (queue.counts().in_flight, queue.counts().deliveries),
        (1, 1)
    );
    let requests = reader.requests();
    kept_hidden(&reader, sleep(Duration::from_hours(1))).await;
    assert!(
        reader.requests() - requests < 10,
        "{}",
        reader.requests() - requests
    );
    assert_eq!((queue.counts().visible, held.len()), (1, 1));
}

/// Each entry near the twelve hours used to have a time-out of its own, and so a request of its own.
#[tokio::test(start_paused = true)]
async fn extensions_share_requests_near_the_twelve_hours_too() {
    let settings = QueueSettings {
        visibility_timeout: Duration::from_hours(12),
        ..QueueSettings::default()
    };
    let queue = MemoryServer::new().queue("q", settings);
    let reader = reader(queue.clone()).await;
    let mut held = Vec::new();
    for number in 0..20 {
        queue.put(number.to_string().as_str()).unwrap();
        held.extend(take_all(&reader).await);
        sleep(Duration::from_micros(10)).await;
    }
    let requests = reader.requests();
    kept_hidden(&reader, sleep(Duration::from_hours(11))).await;
    assert_eq!((queue.counts().in_flight, held.len()), (20, 20));
    let spent = reader.requests() - requests;
    assert!(spent <= 4, "{spent}");
}

/// One entry that fails for long used to hold up the extension of all others.
#[tokio::test(start_paused = true)]
async fn failing_extensions_do_not_hold_up_the_others() {
    for seed in 0..20 {
        let queue = filled(50);
        let faults = Faults {
            failed_entry: 0.2,
            error_before: 0.1,
            error_after: 0.1,
            ..Faults::default()
        };
        let reader = faulty_reader(&queue, seed, faults).await;
        reader.transport().set_calm(true);
        let held = take_all(&reader).await;
        reader.transport().set_calm(false);
        kept_hidden(&reader, sleep(VISIBILITY * 20)).await;
        assert_eq!(
            (queue.counts().in_flight, held.len()),
            (50, 50),
            "seed {seed}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_a_visibility_timeout_is_read_with_one() {
    let settings = QueueSettings {
        visibility_timeout: NOW,
        ..QueueSettings::default()
    };
    let queue = MemoryServer::new().queue("q", settings);
    queue.put("a").unwrap();
    let facts = queue.facts().await.unwrap();
    let options = ReaderOptions {
        max_in_flight: 100,
        visibility_timeout: facts.visibility_timeout,
    };
    let reader = Reader::new(queue.clone(), &facts, &options);
    let held = take_all(&reader).await;
    kept_hidden(&reader, sleep(Duration::from_secs(10))).await;
    assert_eq!((held.len(), queue.counts().deliveries), (1, 1));
}
