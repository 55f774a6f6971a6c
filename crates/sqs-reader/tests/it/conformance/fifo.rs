//! Order within a group, groups independent of each other, deduplication by id and never by content.

use std::time::Duration;

use sqs_reader::{OutgoingMessage, QueueError, Transport};

use crate::bench::{Bench, Plan};

const NOW: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(20);

fn message(group: &str, body: &str, id: &str) -> OutgoingMessage {
    OutgoingMessage {
        group_id: Some(group.to_owned()),
        deduplication_id: Some(id.to_owned()),
        ..body.into()
    }
}

/// A queue with messages of (group, body); the deduplication ids are the positions.
async fn filled<B: Bench>(bench: &B, name: &str, messages: &[(&str, &str)]) -> B::Queue {
    let plan = Plan {
        fifo: true,
        ..Plan::default()
    };
    let queue = bench.queue(name, &plan).await;
    let numbered = messages.iter().enumerate();
    let all: Vec<OutgoingMessage> = numbered
        .map(|(number, (group, body))| message(group, body, &number.to_string()))
        .collect();
    assert!(
        queue
            .send(&bench.url(name), &all)
            .await
            .expect("sent")
            .is_empty()
    );
    queue
}

async fn receive<T: Transport>(queue: &T, at_most: usize) -> Vec<(String, String)> {
    let received = queue.receive(at_most, NOW).await.expect("received");
    received
        .into_iter()
        .map(|message| (message.body, message.receipt_handle))
        .collect()
}

fn bodies(received: &[(String, String)]) -> Vec<&str> {
    received.iter().map(|(body, _)| body.as_str()).collect()
}

pub(super) async fn a_group_comes_in_order_and_one_batch_at_a_time<B: Bench>(bench: &B) {
    let queue = filled(bench, "order.fifo", &[("g", "a"), ("g", "b"), ("g", "c")]).await;
    let first = receive(&queue, 2).await;
    assert_eq!(bodies(&first), ["a", "b"]);
    assert!(receive(&queue, 10).await.is_empty());
    let handles: Vec<String> = first.into_iter().map(|(_, handle)| handle).collect();
    assert!(queue.delete(&handles).await.unwrap().is_empty());
    assert_eq!(bodies(&receive(&queue, 10).await), ["c"]);
}

pub(super) async fn other_groups_go_on<B: Bench>(bench: &B) {
    let queue = filled(bench, "groups.fifo", &[("g", "a"), ("g", "b"), ("h", "c")]).await;
    assert_eq!(bodies(&receive(&queue, 1).await), ["a"]);
    let next = queue.receive(10, NOW).await.unwrap();
    assert_eq!(
        (next[0].body.as_str(), next[0].group_id.as_deref()),
        ("c", Some("h"))
    );
    assert_eq!(next.len(), 1);
}

pub(super) async fn a_released_message_comes_before_its_followers<B: Bench>(bench: &B) {
    let queue = filled(bench, "release.fifo", &[("g", "a"), ("g", "b")]).await;
    let (body, handle) = receive(&queue, 1).await.remove(0);
    assert_eq!(body, "a");
    assert!(
        queue
            .change_visibility(&[handle], NOW)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(bodies(&receive(&queue, 10).await), ["a", "b"]);
}

pub(super) async fn a_deduplication_id_that_waits_passes_once<B: Bench>(bench: &B) {
    let queue = filled(bench, "once.fifo", &[("g", "a")]).await;
    let again = [message("g", "again", "0")];
    assert!(
        queue
            .send(&bench.url("once.fifo"), &again)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(bodies(&receive(&queue, 10).await), ["a"]);
}

pub(super) async fn a_deduplication_id_outlives_its_message<B: Bench>(bench: &B) {
    let queue = filled(bench, "outlives.fifo", &[("g", "a")]).await;
    let (_, handle) = receive(&queue, 10).await.remove(0);
    assert!(queue.delete(&[handle]).await.unwrap().is_empty());
    let again = [message("g", "again", "0")];
    assert!(
        queue
            .send(&bench.url("outlives.fifo"), &again)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(receive(&queue, 10).await.is_empty());
}

pub(super) async fn equal_bodies_are_two_messages<B: Bench>(bench: &B) {
    let queue = filled(bench, "equal.fifo", &[("g", "a"), ("g", "a")]).await;
    assert_eq!(bodies(&receive(&queue, 10).await), ["a", "a"]);
}

pub(super) async fn a_fifo_queue_tells_that_it_is_one<B: Bench>(bench: &B) {
    let queue = filled(bench, "facts.fifo", &[("g", "a")]).await;
    let facts = queue.facts().await.unwrap();
    assert_eq!((facts.fifo, facts.waiting), (true, 1));
    assert_eq!(
        queue.receive(1, LONG).await.unwrap()[0].group_id.as_deref(),
        Some("g")
    );
}

pub(super) async fn a_message_without_ids_is_refused<B: Bench>(bench: &B) {
    let queue = filled(bench, "bare.fifo", &[("g", "a")]).await;
    match queue.send(&bench.url("bare.fifo"), &["a".into()]).await {
        Ok(failed) => assert!(failed.len() == 1 && failed[0].sender_fault, "{failed:?}"),
        Err(error) => assert!(matches!(error, QueueError::Refused(_)), "{error:?}"),
    }
}
