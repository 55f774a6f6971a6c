//! Visibility: hidden while held, back with a new handle, and off to the dead-letter queue in the end.

use std::time::Duration;

use sqs_reader::{ReceivedMessage, Transport};
use tokio::time::Instant;

use super::laws::fill;
use crate::bench::{Bench, Plan};

const NOW: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(20);

async fn one<T: Transport>(queue: &T) -> ReceivedMessage {
    let mut received = queue.receive(1, LONG).await.expect("received");
    received.pop().expect("a message")
}

pub(super) async fn a_held_message_is_invisible<B: Bench>(bench: &B) {
    let queue = bench.queue("held", &Plan::default()).await;
    fill(bench, &queue, "held", 1).await;
    one(&queue).await;
    assert!(queue.receive(1, NOW).await.unwrap().is_empty());
    assert!(
        queue
            .receive(1, Duration::from_secs(1))
            .await
            .unwrap()
            .is_empty()
    );
}

pub(super) async fn a_message_comes_again_after_its_visibility_timeout<B: Bench>(bench: &B) {
    let queue = bench
        .queue(
            "again",
            &Plan {
                visibility: Some(1),
                ..Plan::default()
            },
        )
        .await;
    fill(bench, &queue, "again", 1).await;
    let first = one(&queue).await;
    let begun = Instant::now();
    let second = one(&queue).await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_ne!(second.receipt_handle, first.receipt_handle);
    assert_eq!((first.receive_count, second.receive_count), (1, 2));
    assert_eq!(second.sent_at_ms, first.sent_at_ms);
    assert_eq!(
        (second.message_id, second.body),
        (first.message_id, first.body)
    );
}

pub(super) async fn the_reader_may_set_the_visibility_timeout<B: Bench>(bench: &B) {
    let mut queue = bench.queue("asked", &Plan::default()).await;
    fill(bench, &queue, "asked", 1).await;
    queue.set_visibility_timeout(Duration::from_secs(1));
    one(&queue).await;
    let begun = Instant::now();
    one(&queue).await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

pub(super) async fn visibility_zero_shows_a_message_at_once<B: Bench>(bench: &B) {
    let queue = bench.queue("released", &Plan::default()).await;
    fill(bench, &queue, "released", 1).await;
    let first = one(&queue).await;
    let failed = queue.change_visibility(&[first.receipt_handle], NOW).await;
    assert!(failed.unwrap().is_empty());
    assert_eq!(queue.receive(1, NOW).await.unwrap()[0].receive_count, 2);
}

pub(super) async fn an_extended_message_stays_hidden<B: Bench>(bench: &B) {
    let queue = bench
        .queue(
            "extended",
            &Plan {
                visibility: Some(2),
                ..Plan::default()
            },
        )
        .await;
    fill(bench, &queue, "extended", 1).await;
    let handles = [one(&queue).await.receipt_handle];
    let failed = queue
        .change_visibility(&handles, Duration::from_secs(30))
        .await;
    assert!(failed.unwrap().is_empty());
    assert!(
        queue
            .receive(1, Duration::from_secs(3))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(queue.delete(&handles).await.unwrap().is_empty());
}

/// Whether the old handle deletes is open; the queue in memory and the load queue make it delete nothing.
pub(super) async fn an_old_handle_is_answered_and_the_new_one_deletes<B: Bench>(bench: &B) {
    let queue = bench.queue("stale", &Plan::default()).await;
    fill(bench, &queue, "stale", 1).await;
    let old = one(&queue).await;
    queue
        .change_visibility(std::slice::from_ref(&old.receipt_handle), NOW)
        .await
        .unwrap();
    let new = one(&queue).await;
    queue.delete(&[old.receipt_handle]).await.unwrap();
    assert!(
        queue
            .delete(&[new.receipt_handle])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(queue.facts().await.unwrap().in_flight, 0);
}

pub(super) async fn what_is_not_in_flight_cannot_be_extended<B: Bench>(bench: &B) {
    let queue = bench.queue("visible", &Plan::default()).await;
    fill(bench, &queue, "visible", 1).await;
    let handles = [one(&queue).await.receipt_handle];
    assert!(
        queue
            .change_visibility(&handles, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    let failed = queue.change_visibility(&handles, LONG).await.unwrap();
    assert!(failed.len() == 1 && failed[0].sender_fault, "{failed:?}");
    let visible = one(&queue).await;
    assert!(
        queue
            .delete(&[visible.receipt_handle])
            .await
            .unwrap()
            .is_empty()
    );
}

pub(super) async fn what_is_received_too_often_goes_to_the_dead_letter_queue<B: Bench>(bench: &B) {
    let (queue, held, dead) = dead_lettered(bench, "redrive", "redrive-dead").await;
    assert_eq!(held.receive_count, 2);
    assert_eq!((dead.message_id, dead.body), (held.message_id, held.body));
    let facts = queue.facts().await.unwrap();
    assert_eq!((facts.waiting, facts.in_flight), (0, 0));
}

pub(super) async fn a_dead_letter_keeps_the_time_of_its_sending<B: Bench>(bench: &B) {
    let (_, held, dead) = dead_lettered(bench, "kept", "kept-dead").await;
    assert_eq!(dead.sent_at_ms, held.sent_at_ms);
}

/// A message received as often as it may be: the queue, its last delivery there, its first as a dead letter.
async fn dead_lettered<B: Bench>(
    bench: &B,
    name: &str,
    dead_letter_name: &str,
) -> (B::Queue, ReceivedMessage, ReceivedMessage) {
    let dead_letters = bench.queue(dead_letter_name, &Plan::default()).await;
    let plan = Plan {
        redrive: Some((dead_letter_name, 2)),
        ..Plan::default()
    };
    let queue = bench.queue(name, &plan).await;
    fill(bench, &queue, name, 1).await;
    release(&queue, &one(&queue).await).await;
    let held = one(&queue).await;
    release(&queue, &held).await;
    let nothing = queue.receive(1, Duration::from_secs(1)).await;
    assert!(nothing.expect("an answer").is_empty());
    let dead = one(&dead_letters).await;
    (queue, held, dead)
}

async fn release<T: Transport>(queue: &T, message: &ReceivedMessage) {
    let handles = std::slice::from_ref(&message.receipt_handle);
    let failed = queue.change_visibility(handles, NOW).await;
    assert!(failed.expect("an answer").is_empty());
}
