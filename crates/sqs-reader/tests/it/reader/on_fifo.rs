//! Forwarding and redriving between FIFO queues, where a wrong deduplication id loses a message.

use std::time::Duration;

use sqs_reader::memory::{MemoryQueue, MemoryServer, QueueSettings};
use sqs_reader::{Note, OutgoingMessage, Reader};

use super::{reader, take_all};

const NOTE: Note = Note {
    reason: "not_json",
    field: None,
};

pub(super) fn fifo_message(group: &str, body: &str, id: &str) -> OutgoingMessage {
    OutgoingMessage {
        group_id: Some(group.to_owned()),
        deduplication_id: Some(id.to_owned()),
        ..body.into()
    }
}

fn queues(names: [&str; 2]) -> [MemoryQueue; 2] {
    let server = MemoryServer::new();
    names.map(|name| {
        let settings = QueueSettings {
            fifo: name.contains(".fifo"),
            ..QueueSettings::default()
        };
        server.queue(name, settings)
    })
}

/// Forwards what is there, and answers how many were.
async fn forward(reader: &Reader<MemoryQueue>, to: &MemoryQueue) -> u64 {
    let held = take_all(reader)
        .await
        .into_iter()
        .map(|delivery| (delivery, NOTE));
    reader
        .forward(held.collect(), Some(&to.url()))
        .await
        .forwarded
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_message_keeps_its_group_and_equal_bodies_stay_two() {
    let [queue, dead] = queues(["q.fifo", "dead.fifo"]);
    for (group, id) in [("g", "1"), ("g", "2"), ("h", "3")] {
        queue.put(fifo_message(group, "same", id)).unwrap();
    }
    assert_eq!(forward(&reader(queue.clone()).await, &dead).await, 3);
    let groups: Vec<_> = dead
        .messages()
        .into_iter()
        .map(|message| message.group_id.unwrap())
        .collect();
    assert_eq!(groups, ["g", "g", "h"]);
    let ids: Vec<_> = queue
        .messages()
        .into_iter()
        .map(|message| Some(message.message_id))
        .collect();
    let deduplication: Vec<_> = dead
        .messages()
        .into_iter()
        .map(|message| message.deduplication_id)
        .collect();
    assert_eq!(deduplication, ids);
}

/// By the first sending's id, the second forwarding fell to the five minutes of deduplication, and the message was
/// deleted with no copy left.
#[tokio::test(start_paused = true)]
async fn a_message_that_is_rejected_redriven_and_rejected_again_is_not_lost() {
    let [queue, dead] = queues(["q.fifo", "dead.fifo"]);
    queue.put(fifo_message("g", "a", "1")).unwrap();
    let (reading, burying) = (reader(queue.clone()).await, reader(dead.clone()).await);
    for round in 1..=3 {
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(forward(&reading, &dead).await, 1, "round {round}");
        assert_eq!(
            (queue.counts().open(), dead.counts().open()),
            (0, 1),
            "round {round}"
        );
        let buried = take_all(&burying).await;
        assert_eq!(
            burying.redrive(buried, &queue.url(), true).await.redriven,
            1
        );
        assert_eq!(
            (queue.counts().open(), dead.counts().open()),
            (1, 0),
            "round {round}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_dead_letter_queue_may_be_of_the_other_kind() {
    let [queue, dead] = queues(["q", "dead.fifo"]);
    queue.put("a").unwrap();
    queue.put("b").unwrap();
    assert_eq!(forward(&reader(queue.clone()).await, &dead).await, 2);
    let messages = dead.messages();
    assert_ne!(messages[0].group_id, messages[1].group_id);
    let [queue, dead] = queues(["q.fifo", "dead"]);
    queue.put(fifo_message("g", "a", "1")).unwrap();
    assert_eq!(forward(&reader(queue.clone()).await, &dead).await, 1);
}
