//! Deletes and releases through faults: tried again, told truthfully, and never for ever.

use std::time::Duration;

use sqs_reader::DeleteReport;
use sqs_reader::memory::{Faults, MemoryServer, QueueSettings};
use tokio::time::Instant;

use super::{NOW, VISIBILITY, faulty_reader, filled, reader, take_all};
use crate::reader::on_fifo::fifo_message;

#[tokio::test(start_paused = true)]
async fn failed_deletes_are_tried_again_until_they_succeed() {
    for seed in 0..20 {
        let queue = filled(95);
        let faults = Faults {
            failed_entry: 0.1,
            error_before: 0.1,
            error_after: 0.1,
            ..Faults::default()
        };
        let reader = faulty_reader(&queue, seed, faults).await;
        let held = take_all(&reader).await;
        let count = held.len() as u64;
        let report = reader.delete(held).await;
        assert_eq!(
            (report.deleted, report.undeleted),
            (count, 0),
            "seed {seed}"
        );
        assert!(
            queue.counts().deleted as u64 >= report.deleted,
            "seed {seed}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn deletes_on_a_queue_that_is_gone_end_and_are_told_of() {
    let queue = filled(25);
    let reader = faulty_reader(&queue, 0, Faults::default()).await;
    let held = take_all(&reader).await;
    reader.transport().set_down(true);
    let begun = Instant::now();
    let report = reader.delete(held).await;
    assert_eq!(
        report,
        DeleteReport {
            deleted: 0,
            undeleted: 25
        }
    );
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!((queue.counts().deleted, reader.in_flight()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_the_queue_blames_on_us_is_told_as_not_deleted() {
    let settings = QueueSettings {
        fifo: true,
        ..QueueSettings::default()
    };
    let queue = MemoryServer::new().queue("q.fifo", settings);
    queue.put(fifo_message("g", "a", "1")).unwrap();
    let reader = reader(queue.clone()).await;
    let held = take_all(&reader).await;
    tokio::time::advance(VISIBILITY).await;
    assert_eq!(
        reader.delete(held).await,
        DeleteReport {
            deleted: 0,
            undeleted: 1
        }
    );
    assert_eq!(queue.counts().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_released_is_visible_at_once_and_its_place_is_free() {
    let queue = filled(25);
    let reader = reader(queue.clone()).await;
    let held = take_all(&reader).await;
    reader.hide(held, NOW).await;
    assert_eq!((queue.counts().visible, reader.in_flight()), (25, 0));
    let again = take_all(&reader).await;
    assert!(again.iter().all(|delivery| delivery.receive_count == 2));
}

/// A message delivered again while its delete is being tried again: the later try goes by the newer handle.
#[tokio::test(start_paused = true)]
async fn a_delete_that_is_tried_again_goes_by_the_newest_handle() {
    let queue = filled(1);
    let reader = faulty_reader(&queue, 0, Faults::default()).await;
    let held = take_all(&reader).await;
    tokio::time::advance(VISIBILITY).await;
    reader.transport().set_down(true);
    let deletion = reader.delete(held);
    let redelivery = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        reader.transport().set_down(false);
        take_all(&reader).await
    };
    let (report, again) = tokio::join!(deletion, redelivery);
    assert_eq!((report.deleted, again.len()), (1, 1));
    assert_eq!(
        (queue.counts().deleted, queue.counts().ignored_deletes),
        (1, 0)
    );
}
