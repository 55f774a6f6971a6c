//! The actions of the service, each a function from its input to the body of its answer.

mod attributes;
mod delete;
mod queues;
mod receipt;
mod receive;
mod send;
mod visibility;

use serde::Deserialize;

use super::broker::Broker;
use super::fault::Refusal;

pub(crate) use self::receive::{Receive, Wait, receive};

/// The names of the actions that are served, as they are counted.
const ACTIONS: [&str; 15] = [
    "ReceiveMessage",
    "DeleteMessageBatch",
    "DeleteMessage",
    "SendMessage",
    "SendMessageBatch",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "GetQueueUrl",
    "GetQueueAttributes",
    "SetQueueAttributes",
    "CreateQueue",
    "DeleteQueue",
    "PurgeQueue",
    "ListQueues",
    "ListDeadLetterSourceQueues",
];

/// The action of a target header, `AmazonSQS.` left off.
pub(crate) fn named(target: &str) -> Result<&'static str, Refusal> {
    let name = target.strip_prefix("AmazonSQS.").unwrap_or_default();
    ACTIONS
        .into_iter()
        .find(|action| *action == name)
        .ok_or_else(|| {
            let kind = "com.amazon.coral.service#UnknownOperationException";
            Refusal::new(
                kind,
                "InvalidAction",
                format!("The load queue does not serve {target:?}."),
            )
        })
}

/// Every action but a receive, which may wait. Appends the body of the answer.
pub(crate) fn respond(
    broker: &mut Broker,
    action: &str,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    match action {
        "DeleteMessageBatch" => delete::batch(broker, &parse(input)?, out),
        "DeleteMessage" => delete::one(broker, &parse(input)?),
        "SendMessage" => send::one(broker, parse(input)?, out),
        "SendMessageBatch" => send::batch(broker, parse(input)?, out),
        "ChangeMessageVisibility" => visibility::one(broker, &parse(input)?),
        "ChangeMessageVisibilityBatch" => visibility::batch(broker, &parse(input)?, out),
        "GetQueueUrl" => queues::url(broker, &parse(input)?, out),
        "GetQueueAttributes" => queues::get_attributes(broker, &parse(input)?, out),
        "SetQueueAttributes" => queues::set_attributes(broker, parse(input)?),
        "CreateQueue" => queues::create(broker, parse(input)?, out),
        "DeleteQueue" => queues::delete(broker, &parse(input)?),
        "PurgeQueue" => queues::purge(broker, &parse(input)?),
        "ListQueues" => {
            queues::list(broker, &parse(input)?, out);
            Ok(())
        }

        _ => queues::list_sources(broker, &parse(input)?, out),
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(input: &'a [u8]) -> Result<T, Refusal> {
    // Actions without members are called with an empty body, too.
    Ok(serde_json::from_slice(if input.is_empty() {
        b"{}"
    } else {
        input
    })?)
}

/// Writes a value as JSON; writing into memory does not fail.
fn write_json(out: &mut Vec<u8>, value: &serde_json::Value) {
    let _ = serde_json::to_writer(out, value);
}

/// The answer of a batch action: entries that succeeded as they were written, and those that failed.
struct BatchAnswer<'a> {
    out: &'a mut Vec<u8>,
    failed: Vec<serde_json::Value>,
    first: bool,
}

impl<'a> BatchAnswer<'a> {
    /// Refuses what SQS refuses as a whole.
    fn new<'i>(
        out: &'a mut Vec<u8>,
        ids: &(impl ExactSizeIterator<Item = &'i str> + Clone),
    ) -> Result<Self, Refusal> {
        let repeated = |(index, id)| ids.clone().take(index).any(|before| before == id);
        let (name, message) = match ids.len() {
            0 => (
                "EmptyBatchRequest",
                "There should be at least one entry in the request.",
            ),
            11.. => (
                "TooManyEntriesInBatchRequest",
                "Maximum number of entries per request are 10.",
            ),
            _ if ids.clone().enumerate().any(repeated) => (
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.",
            ),
            _ => {
                out.extend_from_slice(br#"{"Successful":["#);
                return Ok(Self {
                    out,
                    failed: Vec::new(),
                    first: true,
                });
            }
        };
        Err(Refusal::of_a_batch(name, message))
    }

    /// Begins a successful entry with its id; the caller may add members, and must close the brace.
    fn succeeded(&mut self, id: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.first, false) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(br#"{"Id":"#);
        let _ = serde_json::to_writer(&mut *self.out, id);
        self.out
    }

    fn failed(&mut self, id: &str, refusal: &Refusal) {
        let Refusal { code, message, .. } = refusal;
        let entry =
            serde_json::json!({ "Id": id, "Code": code, "Message": message, "SenderFault": true });
        self.failed.push(entry);
    }

    fn finish(self) {
        self.out.push(b']');
        if !self.failed.is_empty() {
            self.out.extend_from_slice(br#","Failed":"#);
            write_json(self.out, &self.failed.into());
        }
        self.out.push(b'}');
    }
}
