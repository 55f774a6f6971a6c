//! What Lambda is told: the messages to deliver again. It deletes all others.

use std::collections::HashSet;

use serde::Serialize;

use crate::event::{Event, Record};
use crate::invocation::Settled;

/// A partial batch response (`ReportBatchItemFailures`).
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) batch_item_failures: Vec<ItemFailure>,
}

/// One message to deliver again.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemFailure {
    pub(crate) item_identifier: String,
}

/// The messages of an invocation in their order, as far as the answer needs them.
pub(crate) struct Order(Vec<Place>);

struct Place {
    message_id: String,
    /// On FIFO queues.
    group: Option<String>,
}

impl Order {
    pub(crate) fn of(event: &Event) -> Self {
        let is_fifo = event.is_fifo();
        let place = |record: &Record| Place {
            message_id: record.message_id.clone(),
            group: record.group().filter(|_| is_fifo).map(str::to_owned),
        };
        Self(event.records.iter().map(place).collect())
    }

    /// Lists what is not settled, and on FIFO queues what stands behind such a message in its group: SQS would
    /// otherwise deliver a group out of order. Such a message is found to be written already when it comes again.
    pub(crate) fn answer(self, settled: &Settled) -> Answer {
        let mut broken = HashSet::new();
        let mut answer = Answer::default();
        for place in self.0 {
            let is_behind = place
                .group
                .as_ref()
                .is_some_and(|group| broken.contains(group));
            if is_behind || !settled.contains(&place.message_id) {
                broken.extend(place.group);
                answer.batch_item_failures.push(ItemFailure {
                    item_identifier: place.message_id,
                });
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(queue: &str, records: &[(&str, &str)]) -> Order {
        let arn = format!("arn:aws:sqs:us-east-1:1:{queue}");
        let record = |(id, group): &(&str, &str)| json!({ "messageId": id, "eventSourceARN": arn, "attributes": { "MessageGroupId": group } });
        let records: Vec<_> = records.iter().map(record).collect();
        let event = json!({ "Records": records }).to_string();
        Order::of(&Event::parse(&event).ok().unwrap())
    }

    fn failures(order: Order, settled: &[&str]) -> Vec<String> {
        let done = Settled::default();
        done.add(settled.iter().map(|id| (*id).to_owned()));
        let failures = order.answer(&done).batch_item_failures;
        failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect()
    }

    #[test]
    fn a_group_is_not_delivered_past_a_failure() {
        let order = order("q.fifo", &[("1", "a"), ("2", "b"), ("3", "a"), ("4", "b")]);
        assert_eq!(failures(order, &["2", "3", "4"]), ["1", "3"]);
    }

    #[test]
    fn on_a_standard_queue_a_group_is_no_order() {
        let order = order("q", &[("1", "a"), ("2", "a")]);
        assert_eq!(failures(order, &["2"]), ["1"]);
    }

    #[test]
    fn the_answer_has_the_form_that_lambda_asks_for() {
        let answer = order("q", &[("1", "a")]).answer(&Settled::default());
        let json = serde_json::to_string(&answer).unwrap();
        assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#);
        assert_eq!(
            serde_json::to_string(&Answer::default()).unwrap(),
            r#"{"batchItemFailures":[]}"#
        );
    }
}
