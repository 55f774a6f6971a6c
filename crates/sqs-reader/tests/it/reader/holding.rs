//! Permits, and which handle settles a message.

use std::time::Duration;

use sqs_reader::memory::Faults;
use sqs_reader::{QueueError, Reader, ReaderOptions, Transport};
use tokio::time::{Instant, timeout};

use super::{NOW, VISIBILITY, faulty_reader, filled, reader, standard, take_all};

const A_SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn permits_bound_what_is_in_flight_and_a_dropped_delivery_gives_its_back() {
    let queue = filled(15);
    let facts = queue.facts().await.unwrap();
    let options = ReaderOptions {
        max_in_flight: 10,
        visibility_timeout: VISIBILITY,
    };
    let reader = Reader::new(queue.clone(), &facts, &options);
    let mut held = reader.receive(reader.slots(10).await, NOW).await.unwrap();
    assert_eq!((held.len(), reader.in_flight()), (10, 10));
    assert!(timeout(A_SECOND, reader.slots(1)).await.is_err());
    drop(held.pop());
    let slots = timeout(A_SECOND, reader.slots(1)).await.unwrap();
    assert_eq!(reader.receive(slots, NOW).await.unwrap().len(), 1);
    assert_eq!(queue.counts().in_flight, 11);
}

/// One message that was held for long, in a reader of ten, ended all receives.
#[tokio::test(start_paused = true)]
async fn room_that_stays_short_is_used_as_it_is() {
    let queue = filled(20);
    let facts = queue.facts().await.unwrap();
    let options = ReaderOptions {
        max_in_flight: 10,
        visibility_timeout: VISIBILITY,
    };
    let reader = Reader::new(queue, &facts, &options);
    let stuck = reader.receive(reader.slots(1).await, NOW).await.unwrap();
    let slots = reader.slots(10).await;
    assert_eq!(slots.count(), 9);
    let held = reader.receive(slots, NOW).await.unwrap();
    assert_eq!((held.len(), reader.in_flight()), (9, 10));
    assert!(timeout(A_SECOND * 5, reader.slots(10)).await.is_err());
    drop((stuck, held));
    reader.idle().await;
    assert_eq!(reader.slots(10).await.count(), 10);
}

#[tokio::test(start_paused = true)]
async fn what_a_receive_does_not_fill_or_fails_to_is_given_back() {
    let queue = filled(3);
    let facts = queue.facts().await.unwrap();
    let options = ReaderOptions {
        max_in_flight: 10,
        visibility_timeout: VISIBILITY,
    };
    let reader = Reader::new(queue, &facts, &options);
    let held = reader.receive(reader.slots(10).await, NOW).await.unwrap();
    assert_eq!(held.len(), 3);
    let too_long = Duration::from_secs(21);
    assert!(
        reader
            .receive(reader.slots(7).await, too_long)
            .await
            .is_err()
    );
    assert!(timeout(A_SECOND, reader.slots(7)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_newest_handle_settles_a_message_that_was_delivered_again() {
    let queue = filled(1);
    let reader = reader(queue.clone()).await;
    let first = take_all(&reader).await;
    tokio::time::advance(VISIBILITY).await;
    let second = take_all(&reader).await;
    assert_eq!(second[0].receive_count, 2);
    assert_eq!(
        (second[0].identity, reader.in_flight()),
        (first[0].identity, 1)
    );
    assert_eq!(reader.delete(first).await.deleted, 1);
    assert_eq!(
        (queue.counts().deleted, queue.counts().ignored_deletes),
        (1, 0)
    );
    assert_eq!(reader.delete(second).await.deleted, 1);
    assert_eq!(reader.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_hidden_for_as_long_as_the_reader_says() {
    for asked in [120, 10] {
        let queue = filled(1);
        let facts = queue.facts().await.unwrap();
        let visibility_timeout = Duration::from_secs(asked);
        let options = ReaderOptions {
            max_in_flight: 100,
            visibility_timeout,
        };
        let reader = Reader::new(queue.clone(), &facts, &options);
        let _held = take_all(&reader).await;
        tokio::time::advance(visibility_timeout.saturating_sub(A_SECOND)).await;
        assert_eq!(queue.counts().in_flight, 1, "{asked}");
        tokio::time::advance(A_SECOND).await;
        assert_eq!(queue.counts().visible, 1, "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receive_that_hangs_is_ended() {
    let hangs = Faults {
        hang: 1.0,
        ..Faults::default()
    };
    let reader = faulty_reader(&standard(), 0, hangs).await;
    let begun = Instant::now();
    let ended = reader
        .receive(reader.slots(10).await, Duration::from_secs(20))
        .await;
    assert!(matches!(ended, Err(QueueError::Unreachable(_))));
    assert_eq!(begun.elapsed(), Duration::from_secs(35));
    assert!(timeout(A_SECOND, reader.slots(10)).await.is_ok());
}
