//! The yardstick of `just bench`: receives ten, deletes ten and does nothing between, with the SDK as it comes.
//! What a reader of SQS in Rust could at best cost if nobody tuned anything.
//!
//! `bare_loop QUEUE_URL POLLERS`; endpoint, region and credentials come from the environment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let queue_url: Arc<str> = arguments.next().ok_or("QUEUE_URL is missing")?.into();
    let pollers: usize = arguments.next().ok_or("POLLERS is missing")?.parse()?;
    let client = Client::new(&aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await);
    let deleted = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..pollers {
        tasks.spawn(drain(
            client.clone(),
            Arc::clone(&queue_url),
            Arc::clone(&deleted),
        ));
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    println!("{{\"received\":{}}}", deleted.load(Ordering::Relaxed));
    Ok(())
}

/// Until a receive is empty.
async fn drain(
    client: Client,
    queue_url: Arc<str>,
    deleted: Arc<AtomicU64>,
) -> Result<(), Failure> {
    loop {
        let answer = client
            .receive_message()
            .queue_url(&*queue_url)
            .max_number_of_messages(10)
            .wait_time_seconds(1)
            .send()
            .await?;
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(());
        }
        deleted.fetch_add(messages.len() as u64, Ordering::Relaxed);
        let entries = messages
            .into_iter()
            .enumerate()
            .map(entry)
            .collect::<Result<Vec<_>, _>>()?;
        client
            .delete_message_batch()
            .queue_url(&*queue_url)
            .set_entries(Some(entries))
            .send()
            .await?;
    }
}

fn entry(
    (index, message): (usize, Message),
) -> Result<DeleteMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    DeleteMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .set_receipt_handle(message.receipt_handle)
        .build()
}
