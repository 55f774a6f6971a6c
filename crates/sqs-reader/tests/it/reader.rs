//! What a reader does with deliveries: holds, extends, deletes, releases, forwards. Mostly on the queue in memory under
//! the paused clock; what depends on a server's ways is asked of the real one too.

mod extending;
mod forwarding;
mod holding;
mod on_fifo;
mod on_the_server;
mod settling;

use std::time::Duration;

use sqs_reader::memory::{Faults, Faulty, MemoryQueue, MemoryServer, QueueSettings};
use sqs_reader::{Delivery, Reader, ReaderOptions, Transport};

const NOW: Duration = Duration::ZERO;
const VISIBILITY: Duration = Duration::from_secs(30);

fn standard() -> MemoryQueue {
    MemoryServer::new().queue("q", QueueSettings::default())
}

/// A queue with this many messages.
fn filled(count: usize) -> MemoryQueue {
    let queue = standard();
    for number in 0..count {
        queue.put(number.to_string().as_str()).unwrap();
    }
    queue
}

/// A reader with room for two hundred and the queue's own visibility timeout.
async fn reader<T: Transport>(transport: T) -> Reader<T> {
    let facts = transport.facts().await.unwrap();
    let options = ReaderOptions {
        max_in_flight: 200,
        visibility_timeout: facts.visibility_timeout,
    };
    Reader::new(transport, &facts, &options)
}

/// A reader of the queue through these faults, which begin after its first look.
async fn faulty_reader(
    queue: &MemoryQueue,
    seed: u64,
    faults: Faults,
) -> Reader<Faulty<MemoryQueue>> {
    let facts = queue.facts().await.unwrap();
    let options = ReaderOptions {
        max_in_flight: 200,
        visibility_timeout: facts.visibility_timeout,
    };
    let transport = Faulty::new(queue.clone(), seed, faults);
    Reader::new(transport, &facts, &options)
}

/// All that is there now.
async fn take_all<T: Transport>(reader: &Reader<T>) -> Vec<Delivery> {
    let mut all = Vec::new();
    loop {
        let slots = reader.slots(10).await;
        let Ok(received) = reader.receive(slots, NOW).await else {
            continue;
        };
        if received.is_empty() {
            return all;
        }
        all.extend(received);
    }
}

/// Runs `work` while everything in flight is kept hidden.
async fn kept_hidden<T: Transport, R>(reader: &Reader<T>, work: impl Future<Output = R>) -> R {
    tokio::select! {
        biased;
        result = work => result,
        () = reader.keep_hidden() => unreachable!("it runs until dropped"),
    }
}
