//! Sending, receiving, deleting, and what a queue says of itself.

use std::time::Duration;

use sqs_reader::{AttributeContent, AttributeValue, OutgoingMessage, QueueError, Transport};
use tokio::time::Instant;

use crate::bench::{Bench, Plan};

const NOW: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(20);

/// Sends bodies `0`, `1` and so on.
pub(super) async fn fill<B: Bench>(bench: &B, queue: &B::Queue, name: &str, count: usize) {
    let messages: Vec<OutgoingMessage> = (0..count)
        .map(|number| number.to_string().as_str().into())
        .collect();
    for batch in messages.chunks(10) {
        let failed = queue.send(&bench.url(name), batch).await.expect("sent");
        assert!(failed.is_empty(), "{failed:?}");
    }
}

pub(super) async fn a_receive_brings_ten_at_most<B: Bench>(bench: &B) {
    let queue = bench.queue("at-most-ten", &Plan::default()).await;
    fill(bench, &queue, "at-most-ten", 12).await;
    assert!(queue.receive(3, LONG).await.unwrap().len() <= 3);
    let mut left = 9;
    while left > 0 {
        let received = queue.receive(10, LONG).await.unwrap().len();
        assert!((1..=left).contains(&received), "{received} of {left}");
        left -= received;
    }
    assert!(queue.receive(11, NOW).await.is_err());
}

pub(super) async fn a_long_poll_ends_when_a_message_comes<B: Bench>(bench: &B) {
    let queue = bench.queue("long-poll", &Plan::default()).await;
    let begun = Instant::now();
    let (received, ()) = tokio::join!(queue.receive(10, LONG), fill(bench, &queue, "long-poll", 1));
    assert_eq!(received.unwrap().len(), 1);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

pub(super) async fn an_empty_long_poll_ends_after_its_wait<B: Bench>(bench: &B) {
    let queue = bench.queue("empty", &Plan::default()).await;
    let begun = Instant::now();
    assert!(
        queue
            .receive(10, Duration::from_secs(1))
            .await
            .unwrap()
            .is_empty()
    );
    let took = begun.elapsed();
    assert!(
        (Duration::from_millis(950)..Duration::from_secs(4)).contains(&took),
        "{took:?}"
    );
}

pub(super) async fn a_message_arrives_as_it_was_sent<B: Bench>(bench: &B) {
    let queue = bench.queue("arrives", &Plan::default()).await;
    let binary = AttributeValue {
        data_type: "Binary.digest".to_owned(),
        content: AttributeContent::Binary(vec![0, 255]),
    };
    let number = AttributeValue {
        data_type: "Number".to_owned(),
        content: AttributeContent::Text("17".to_owned()),
    };
    let attributes = vec![
        ("binary".to_owned(), binary),
        ("number".to_owned(), number),
        ("text".to_owned(), AttributeValue::text("ä \"b\"")),
    ];
    let body = "quotes \" and \\, tabs \t, ünïcode 🦀";
    let message = OutgoingMessage {
        attributes: attributes.clone(),
        ..body.into()
    };
    assert!(
        queue
            .send(&bench.url("arrives"), &[message])
            .await
            .unwrap()
            .is_empty()
    );
    let mut received = queue.receive(10, LONG).await.unwrap().remove(0);
    received
        .attributes
        .sort_by(|(one, _), (other, _)| one.cmp(other));
    assert_eq!((received.body.as_str(), received.receive_count), (body, 1));
    assert_eq!(received.attributes, attributes);
    assert!(received.sent_at_ms.is_some_and(|at| at > 1_700_000_000_000));
}

pub(super) async fn a_batch_of_ten_is_sent_received_and_deleted<B: Bench>(bench: &B) {
    let queue = bench.queue("ten", &Plan::default()).await;
    fill(bench, &queue, "ten", 10).await;
    let mut handles = Vec::new();
    while handles.len() < 10 {
        let received = queue.receive(10, LONG).await.unwrap();
        handles.extend(received.into_iter().map(|message| message.receipt_handle));
    }
    assert!(queue.delete(&handles).await.unwrap().is_empty());
    let facts = queue.facts().await.unwrap();
    assert_eq!((facts.waiting, facts.in_flight), (0, 0));
}

pub(super) async fn what_is_deleted_is_gone_and_deleting_it_again_succeeds<B: Bench>(bench: &B) {
    let queue = bench
        .queue(
            "deleted",
            &Plan {
                visibility: Some(1),
                ..Plan::default()
            },
        )
        .await;
    fill(bench, &queue, "deleted", 1).await;
    let handles = [queue
        .receive(1, LONG)
        .await
        .unwrap()
        .remove(0)
        .receipt_handle];
    for _ in 0..2 {
        assert!(queue.delete(&handles).await.unwrap().is_empty());
    }
    assert!(
        queue
            .receive(1, Duration::from_secs(2))
            .await
            .unwrap()
            .is_empty()
    );
}

pub(super) async fn a_handle_of_no_message_is_the_senders_fault_at_its_position<B: Bench>(
    bench: &B,
) {
    let queue = bench.queue("positions", &Plan::default()).await;
    fill(bench, &queue, "positions", 2).await;
    let mut handles = Vec::new();
    while handles.len() < 2 {
        let received = queue.receive(2, LONG).await.unwrap();
        handles.extend(received.into_iter().map(|message| message.receipt_handle));
    }
    handles.insert(1, "junk".to_owned());
    for failed in [
        queue
            .change_visibility(&handles, Duration::from_secs(60))
            .await
            .unwrap(),
        queue.delete(&handles).await.unwrap(),
    ] {
        let seen: Vec<_> = failed
            .iter()
            .map(|entry| (entry.index, entry.code.as_str(), entry.sender_fault))
            .collect();
        assert_eq!(seen, [(1, "ReceiptHandleIsInvalid", true)]);
    }
    assert_eq!(queue.facts().await.unwrap().in_flight, 0);
}

pub(super) async fn one_handle_twice_in_a_batch_succeeds_twice<B: Bench>(bench: &B) {
    let queue = bench.queue("twice", &Plan::default()).await;
    fill(bench, &queue, "twice", 1).await;
    let handle = queue
        .receive(1, LONG)
        .await
        .unwrap()
        .remove(0)
        .receipt_handle;
    assert!(
        queue
            .delete(&[handle.clone(), handle])
            .await
            .unwrap()
            .is_empty()
    );
}

pub(super) async fn a_queue_tells_its_facts<B: Bench>(bench: &B) {
    bench.queue("facts-dead", &Plan::default()).await;
    let plan = Plan {
        visibility: Some(45),
        redrive: Some(("facts-dead", 7)),
        fifo: false,
    };
    let queue = bench.queue("facts", &plan).await;
    fill(bench, &queue, "facts", 3).await;
    queue.receive(1, LONG).await.unwrap();
    let facts = queue.facts().await.unwrap();
    assert_eq!(facts.visibility_timeout, Duration::from_secs(45));
    assert_eq!((facts.waiting, facts.in_flight, facts.fifo), (2, 1, false));
    let redrive = facts.redrive.unwrap();
    assert_eq!(redrive.max_receive_count, Some(7));
    let dead_letters = redrive.account_and_name().unwrap();
    assert_eq!(dead_letters, ("000000000000", "facts-dead"));
    let found = queue
        .url_of(dead_letters.1, Some(dead_letters.0))
        .await
        .unwrap();
    assert!(queue.send(&found, &["a".into()]).await.unwrap().is_empty());

    let without = bench.queue("facts-plain", &Plan::default()).await;
    assert_eq!(without.facts().await.unwrap().redrive, None);
}

pub(super) async fn a_queue_that_is_not_there_is_told_of<B: Bench>(bench: &B) {
    let queue = bench.queue("there", &Plan::default()).await;
    let looked_up = queue.url_of("not-there", None).await;
    assert!(
        matches!(looked_up, Err(QueueError::NoSuchQueue(_))),
        "{looked_up:?}"
    );
    let sent = queue.send(&bench.url("not-there"), &["a".into()]).await;
    assert!(matches!(sent, Err(QueueError::NoSuchQueue(_))), "{sent:?}");
}

pub(super) async fn the_longest_message_passes_and_a_longer_one_does_not<B: Bench>(bench: &B) {
    let queue = bench.queue("longest", &Plan::default()).await;
    let url = bench.url("longest");
    let of = |bytes: usize| [OutgoingMessage::from("x".repeat(bytes).as_str())];
    assert!(
        queue
            .send(&url, &of(B::MOST_BYTES))
            .await
            .unwrap()
            .is_empty()
    );
    match queue.send(&url, &of(B::MOST_BYTES + 1)).await {
        Ok(failed) => assert!(failed.len() == 1 && failed[0].sender_fault, "{failed:?}"),
        Err(error) => assert!(matches!(error, QueueError::Refused(_)), "{error:?}"),
    }
    assert_eq!(
        queue.receive(1, LONG).await.unwrap()[0].body.len(),
        B::MOST_BYTES
    );
}
