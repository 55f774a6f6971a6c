//! What the queue in memory has beyond the laws that all queues share: limits, inspection, faults by a seed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqs_reader::memory::{
    Counts, Faults, Faulty, Happening, MemoryServer, Place, QueueSettings, Redrive,
};
use sqs_reader::{AttributeValue, MAX_BYTES, OutgoingMessage, QueueError, Transport};

const NOW: Duration = Duration::ZERO;

fn fifo(body: &str, group: &str, id: &str) -> OutgoingMessage {
    OutgoingMessage {
        group_id: Some(group.to_owned()),
        deduplication_id: Some(id.to_owned()),
        ..body.into()
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_handle_deletes_nothing_and_says_nothing() {
    let queue = MemoryServer::new().queue("q", QueueSettings::default());
    queue.put("a").unwrap();
    let old = queue.receive(1, NOW).await.unwrap().remove(0);
    tokio::time::advance(Duration::from_secs(30)).await;
    let new = queue.receive(1, NOW).await.unwrap().remove(0);
    assert!(
        queue
            .delete(&[old.receipt_handle])
            .await
            .unwrap()
            .is_empty()
    );
    let counts = queue.counts();
    assert_eq!((counts.in_flight, counts.ignored_deletes), (1, 1));
    assert!(
        queue
            .delete(&[new.receipt_handle])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(queue.counts().deleted, 1);
}

#[tokio::test(start_paused = true)]
async fn on_a_fifo_queue_an_expired_handle_is_refused() {
    let settings = QueueSettings {
        fifo: true,
        ..QueueSettings::default()
    };
    let queue = MemoryServer::new().queue("q.fifo", settings);
    queue.put(fifo("a", "g", "1")).unwrap();
    let old = queue.receive(1, NOW).await.unwrap().remove(0);
    tokio::time::advance(Duration::from_secs(30)).await;
    let failed = queue.delete(&[old.receipt_handle]).await.unwrap();
    assert_eq!(
        (failed[0].code.as_str(), failed[0].sender_fault),
        ("InvalidParameterValue", true)
    );
    assert_eq!(queue.counts().visible, 1);
}

#[tokio::test(start_paused = true)]
async fn the_in_flight_limit_refuses_a_short_poll_and_empties_a_long_one() {
    let settings = QueueSettings {
        in_flight_limit: 2,
        ..QueueSettings::default()
    };
    let queue = MemoryServer::new().queue("q", settings);
    for body in ["a", "b", "c"] {
        queue.put(body).unwrap();
    }
    assert_eq!(queue.receive(10, NOW).await.unwrap().len(), 2);
    assert!(matches!(
        queue.receive(10, NOW).await,
        Err(QueueError::Throttled(_))
    ));
    assert!(
        queue
            .receive(10, Duration::from_secs(1))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_deduplication_id_is_remembered_for_five_minutes_even_past_a_delete() {
    let settings = QueueSettings {
        fifo: true,
        ..QueueSettings::default()
    };
    let queue = MemoryServer::new().queue("q.fifo", settings);
    let first = queue.put(fifo("a", "g", "1")).unwrap();
    let held = queue.receive(1, NOW).await.unwrap().remove(0);
    queue.delete(&[held.receipt_handle]).await.unwrap();
    tokio::time::advance(Duration::from_secs(299)).await;
    assert_eq!(queue.put(fifo("b", "g", "1")).unwrap(), first);
    assert_eq!((queue.counts().open(), queue.counts().deduplicated), (0, 1));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_ne!(queue.put(fifo("b", "g", "1")).unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn what_sqs_refuses_is_refused_by_its_code() {
    let server = MemoryServer::new();
    let queue = server.queue(
        "q",
        QueueSettings {
            max_message_bytes: 100,
            ..QueueSettings::default()
        },
    );
    let failed = |message: OutgoingMessage| {
        let queue = queue.clone();
        async move {
            queue
                .send(&queue.url(), &[message])
                .await
                .unwrap()
                .remove(0)
                .code
        }
    };
    assert_eq!(failed("".into()).await, "MissingParameter");
    assert_eq!(failed("\u{0}".into()).await, "InvalidMessageContents");
    assert_eq!(
        failed("x".repeat(101).as_str().into()).await,
        "InvalidParameterValue"
    );
    assert_eq!(failed(fifo("a", "g", "1")).await, "InvalidParameterValue");
    let attribute = ("name".to_owned(), AttributeValue::text("value"));
    let eleven = OutgoingMessage {
        attributes: vec![attribute; 11],
        .."a".into()
    };
    assert_eq!(failed(eleven).await, "InvalidParameterValue");
    let half = OutgoingMessage::from("x".repeat(MAX_BYTES / 2 + 1).as_str());
    let too_long = queue.send(&queue.url(), &[half.clone(), half]).await;
    assert!(
        matches!(too_long, Err(QueueError::Refused(code)) if code.contains("BatchRequestTooLong"))
    );
    assert!(matches!(
        queue.send("memory://other", &["a".into()]).await,
        Err(QueueError::NoSuchQueue(_))
    ));
    for refused in [
        queue.receive(11, NOW).await,
        queue.receive(0, NOW).await,
        queue.receive(1, Duration::from_secs(21)).await,
    ] {
        assert!(matches!(refused, Err(QueueError::Refused(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn no_message_is_held_past_twelve_hours() {
    let queue = MemoryServer::new().queue("q", QueueSettings::default());
    queue.put("a").unwrap();
    let handles = [queue
        .receive(1, NOW)
        .await
        .unwrap()
        .remove(0)
        .receipt_handle];
    assert!(
        queue
            .change_visibility(&handles, Duration::from_hours(12))
            .await
            .unwrap()
            .is_empty()
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    let failed = queue
        .change_visibility(&handles, Duration::from_hours(12))
        .await
        .unwrap();
    assert_eq!(failed[0].code, "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_all_that_happens_in_order() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let server = MemoryServer::observed(move |event| {
        note.lock()
            .unwrap()
            .push((event.queue.to_owned(), event.happening));
    });
    let dead = server.queue("dead", QueueSettings::default());
    let redrive = Some(Redrive {
        to: "dead".to_owned(),
        max_receive_count: 1,
    });
    let queue = server.queue(
        "q",
        QueueSettings {
            redrive,
            ..QueueSettings::default()
        },
    );
    queue.put("a").unwrap();
    queue.receive(1, NOW).await.unwrap();
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(queue.receive(1, NOW).await.unwrap().is_empty());
    let of = |queue: &str, happening| (queue.to_owned(), happening);
    let expected = [
        of("q", Happening::Sent),
        of("q", Happening::Received),
        of("q", Happening::DeadLettered),
        of("dead", Happening::Sent),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(queue.messages()[0].place, Place::DeadLettered);
    assert_eq!(
        dead.messages()[0].message_id,
        queue.messages()[0].message_id
    );
}

/// Reads and deletes through faults for a virtual hour; what came of it, in words.
async fn rough_hour(seed: u64) -> (Counts, Vec<String>) {
    let server = MemoryServer::new();
    let queue = server.queue("q", QueueSettings::default());
    for number in 0..100 {
        queue.put(number.to_string().as_str()).expect("sent");
    }
    let faulty = Faulty::new(queue.clone(), seed, Faults::rough());
    let until = tokio::time::Instant::now() + Duration::from_secs(3600);
    let mut log = Vec::new();
    while tokio::time::Instant::now() < until {
        let receive = faulty.receive(10, Duration::from_secs(20));
        let Ok(received) = tokio::time::timeout(Duration::from_secs(30), receive).await else {
            log.push("hung".to_owned());
            continue;
        };
        let handles: Vec<String> = received
            .unwrap_or_default()
            .into_iter()
            .map(|message| message.receipt_handle)
            .collect();
        if !handles.is_empty() {
            log.push(format!("{handles:?} {:?}", faulty.delete(&handles).await));
        }
    }
    (queue.counts(), log)
}

#[tokio::test(start_paused = true)]
async fn faults_are_repeated_by_their_seed_and_end_with_an_empty_queue() {
    let (counts, log) = rough_hour(7).await;
    assert_eq!((counts.deleted, counts.open()), (100, 0));
    assert!(counts.deliveries > 100, "{counts:?}");
    assert_eq!(rough_hour(7).await, (counts, log.clone()));
    assert_ne!(rough_hour(8).await.1, log);
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_nothing_and_ends() {
    let queue = MemoryServer::new().queue("q", QueueSettings::default());
    queue.put("a").unwrap();
    let faulty = Faulty::new(queue.clone(), 0, Faults::default());
    faulty.set_down(true);
    assert!(matches!(
        faulty.receive(1, NOW).await,
        Err(QueueError::Unreachable(_))
    ));
    faulty.set_down(false);
    assert_eq!(faulty.receive(1, NOW).await.unwrap().len(), 1);
    assert_eq!((faulty.requests(), queue.requests()), (2, 0));
}
