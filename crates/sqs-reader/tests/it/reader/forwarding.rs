//! Forwarding to a dead-letter queue and back: nothing is deleted that stands nowhere else, and the identity stays.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqs_reader::memory::{
    Faults, Happening, MemoryQueue, MemoryServer, Place, QueueSettings, StoredMessage,
};
use sqs_reader::{
    AttributeValue, Attributes, Delivery, MAX_BYTES, Note, OutgoingMessage, REJECT_FIELD,
    REJECT_REASON, SOURCE_MESSAGE_ID, SOURCE_SENT_AT,
};

use super::{faulty_reader, reader, take_all};

const NOTE: Note = Note {
    reason: "missing_field",
    field: Some("user_id"),
};

fn noted(deliveries: Vec<Delivery>) -> Vec<(Delivery, Note)> {
    deliveries
        .into_iter()
        .map(|delivery| (delivery, NOTE))
        .collect()
}

/// A queue and its dead-letter queue, which takes messages of up to so many bytes.
fn pair(server: &MemoryServer, most_bytes: usize) -> (MemoryQueue, MemoryQueue) {
    let settings = QueueSettings {
        max_message_bytes: most_bytes,
        ..QueueSettings::default()
    };
    let dead = server.queue("dead", settings);
    (server.queue("q", QueueSettings::default()), dead)
}

fn own(count: usize, bytes: usize) -> Attributes {
    let name = |number| format!("own-{number}");
    (0..count)
        .map(|number| (name(number), AttributeValue::text("x".repeat(bytes))))
        .collect()
}

/// Forwards all of `queue` to `dead` and answers what stands there.
async fn forward_all(queue: &MemoryQueue, dead: &MemoryQueue) -> Vec<StoredMessage> {
    let reader = reader(queue.clone()).await;
    let held = noted(take_all(&reader).await);
    let count = held.len() as u64;
    let report = reader.forward(held, Some(&dead.url())).await;
    assert_eq!(
        (report.forwarded, report.left, report.deletion.deleted),
        (count, 0, count)
    );
    dead.messages()
}

#[tokio::test(start_paused = true)]
async fn what_is_forwarded_says_where_it_came_from_and_why() {
    let (queue, dead) = pair(&MemoryServer::new(), MAX_BYTES);
    let id = queue
        .put(OutgoingMessage {
            attributes: own(2, 1),
            .."a body".into()
        })
        .unwrap();
    let sent_at = queue.messages()[0].sent_at_ms.to_string();
    let forwarded = forward_all(&queue, &dead).await.remove(0);
    assert_eq!(forwarded.body, "a body");
    for (name, value) in [
        (SOURCE_MESSAGE_ID, id.as_str()),
        (SOURCE_SENT_AT, &sent_at),
        (REJECT_REASON, "missing_field"),
        (REJECT_FIELD, "user_id"),
        ("own-0", "x"),
        ("own-1", "x"),
    ] {
        assert_eq!(forwarded.attribute(name), Some(value), "{name}");
    }
    assert_eq!(queue.messages()[0].place, Place::Deleted);
}

#[tokio::test(start_paused = true)]
async fn of_the_senders_attributes_as_many_are_kept_as_sqs_takes() {
    let (queue, dead) = pair(&MemoryServer::new(), MAX_BYTES);
    queue
        .put(OutgoingMessage {
            attributes: own(10, 1),
            .."a".into()
        })
        .unwrap();
    let forwarded = forward_all(&queue, &dead).await.remove(0);
    assert_eq!(forwarded.attributes.len(), 10);
    assert_eq!(
        (forwarded.attribute("own-5"), forwarded.attribute("own-6")),
        (Some("x"), None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_is_deleted_only_after_it_was_sent() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let server = MemoryServer::observed(move |event| {
        note.lock()
            .unwrap()
            .push((event.queue.to_owned(), event.happening));
    });
    let (queue, dead) = pair(&server, MAX_BYTES);
    queue.put("a").unwrap();
    forward_all(&queue, &dead).await;
    let last: Vec<_> = seen.lock().unwrap().split_off(2);
    assert_eq!(
        last,
        [
            ("dead".to_owned(), Happening::Sent),
            ("q".to_owned(), Happening::Deleted)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_left_hidden_for_an_hour() {
    for url in [
        Some("memory://000000000000/dead"),
        Some("memory://nowhere"),
        None,
    ] {
        let (queue, dead) = pair(&MemoryServer::new(), MAX_BYTES);
        dead.deny_sends(true);
        queue.put("a").unwrap();
        let reader = reader(queue.clone()).await;
        let held = noted(take_all(&reader).await);
        let report = reader.forward(held, url).await;
        assert_eq!(
            (report.forwarded, report.left, reader.in_flight()),
            (0, 1, 0),
            "{url:?}"
        );
        tokio::time::advance(Duration::from_secs(3599)).await;
        assert_eq!(
            (queue.counts().in_flight, queue.counts().deleted),
            (1, 0),
            "{url:?}"
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(queue.counts().visible, 1, "{url:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_goes_without_the_senders_attributes_and_keeps_its_identity() {
    let (queue, dead) = pair(&MemoryServer::new(), 1000);
    queue
        .put(OutgoingMessage {
            attributes: own(5, 150),
            .."x".repeat(500).as_str().into()
        })
        .unwrap();
    queue.put("short").unwrap();
    let forwarded = forward_all(&queue, &dead).await;
    let large = forwarded
        .iter()
        .find(|message| message.body.len() == 500)
        .unwrap();
    assert!(large.attribute(SOURCE_MESSAGE_ID).is_some() && large.attribute("own-0").is_none());
    assert_eq!((forwarded.len(), large.attributes.len()), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_for_any_attribute_goes_without() {
    let (queue, dead) = pair(&MemoryServer::new(), MAX_BYTES);
    queue.put("x".repeat(MAX_BYTES).as_str()).unwrap();
    assert!(forward_all(&queue, &dead).await[0].attributes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_message_that_is_refused_does_not_send_the_others_twice() {
    let (queue, dead) = pair(&MemoryServer::new(), 1000);
    for number in 0..9 {
        queue.put(number.to_string().as_str()).unwrap();
    }
    queue.put("x".repeat(1001).as_str()).unwrap();
    let reader = reader(queue.clone()).await;
    let held = noted(take_all(&reader).await);
    let report = reader.forward(held, Some(&dead.url())).await;
    assert_eq!((report.forwarded, report.left), (9, 1));
    assert_eq!((dead.counts().visible, queue.counts().in_flight), (9, 1));
}

#[tokio::test(start_paused = true)]
async fn the_identity_survives_forwarding_and_redriving_however_often() {
    let (queue, dead) = pair(&MemoryServer::new(), MAX_BYTES);
    queue
        .put(OutgoingMessage {
            attributes: own(10, 1),
            .."a".into()
        })
        .unwrap();
    let (reading, burying) = (reader(queue.clone()).await, reader(dead.clone()).await);
    let mut first = None;
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(60)).await;
        let held = take_all(&reading).await;
        let identity = *first.get_or_insert(held[0].identity);
        assert_eq!(held[0].identity, identity);
        assert_eq!(
            reading
                .forward(noted(held), Some(&dead.url()))
                .await
                .forwarded,
            1
        );
        let buried = take_all(&burying).await;
        assert_eq!(buried[0].identity, identity);
        assert_eq!(
            burying.redrive(buried, &queue.url(), false).await.redriven,
            1
        );
    }
}

/// SQS itself moves a message without source attributes; ten of the sender's leave no room for them.
#[tokio::test(start_paused = true)]
async fn a_message_with_ten_attributes_is_redriven() {
    let (queue, dead) = pair(&MemoryServer::new(), MAX_BYTES);
    let id = dead
        .put(OutgoingMessage {
            attributes: own(10, 1),
            .."a".into()
        })
        .unwrap();
    let burying = reader(dead.clone()).await;
    let buried = take_all(&burying).await;
    assert_eq!(
        burying.redrive(buried, &queue.url(), false).await.redriven,
        1
    );
    let redriven = queue.messages().remove(0);
    assert_eq!(
        (
            redriven.attributes.len(),
            redriven.attribute(SOURCE_MESSAGE_ID)
        ),
        (10, Some(id.as_str()))
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_unnamed_whatever_fails() {
    for seed in 0..200 {
        let (queue, dead) = pair(&MemoryServer::new(), MAX_BYTES);
        for number in 0..30 {
            queue
                .put(OutgoingMessage {
                    attributes: own(3, 5),
                    ..number.to_string().as_str().into()
                })
                .unwrap();
        }
        let reader = faulty_reader(
            &queue,
            seed,
            Faults {
                hang: 0.0,
                ..Faults::rough()
            },
        )
        .await;
        let held = noted(take_all(&reader).await);
        reader.forward(held, Some(&dead.url())).await;
        let forwarded = dead.messages();
        for message in queue.messages() {
            let stands = forwarded.iter().any(|dead| dead.body == message.body);
            assert!(
                stands || message.place != Place::Deleted,
                "seed {seed}: {} is lost",
                message.body
            );
        }
        let unnamed = forwarded
            .iter()
            .filter(|message| message.attribute(SOURCE_MESSAGE_ID).is_none());
        assert_eq!(unnamed.count(), 0, "seed {seed}");
    }
}
