//! Making, finding, describing and removing queues.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::write_json;
use crate::load_queue::broker::{Broker, name_of};
use crate::load_queue::fault::Refusal;
use crate::load_queue::queue::{Queue, Redrive};
use crate::sqs::{ACCOUNT_ID, client::SqsClient};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ByUrl {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ByName {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Create {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SetAttributes {
    queue_url: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct List {
    #[serde(default)]
    queue_name_prefix: String,
}

pub(crate) fn create(broker: &mut Broker, input: Create, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let Create {
        queue_name,
        attributes,
    } = input;

    let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if queue_name.is_empty() || queue_name.len() > 80 || !queue_name.chars().all(legal) {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length. There are no FIFO queues here";
        return Err(Refusal::invalid_value(message));
    }
    let redrive = redrive_of(&attributes)?;
    let queue = broker.queues.entry(queue_name.clone()).or_default();
    let differs = attributes
        .iter()
        .any(|(name, value)| queue.attributes.get(name).is_some_and(|old| old != value));
    if differs {
        let message =
            "A queue already exists with the same name and a different value for an attribute";
        return Err(Refusal::new(
            "com.amazonaws.sqs#QueueNameExists",
            "QueueAlreadyExists",
            message,
        ));
    }
    queue.attributes.extend(attributes);
    queue.redrive = redrive.or(queue.redrive.take());
    write_json(out, &json!({ "QueueUrl": url_of(broker, &queue_name) }));
    Ok(())
}

pub(crate) fn url(broker: &mut Broker, input: &ByName, out: &mut Vec<u8>) -> Result<(), Refusal> {
    broker.queue(&input.queue_name)?;
    write_json(
        out,
        &json!({ "QueueUrl": url_of(broker, &input.queue_name) }),
    );
    Ok(())
}

pub(crate) fn delete(broker: &mut Broker, input: &ByUrl) -> Result<(), Refusal> {
    broker
        .queues
        .remove(name_of(&input.queue_url))
        .map(drop)
        .ok_or_else(Refusal::no_such_queue)
}

pub(crate) fn purge(broker: &mut Broker, input: &ByUrl) -> Result<(), Refusal> {
    broker.queue(&input.queue_url).map(Queue::purge)
}

pub(crate) fn list(broker: &Broker, input: &List, out: &mut Vec<u8>) {
    let names = broker
        .queues
        .keys()
        .filter(|name| name.starts_with(&input.queue_name_prefix));
    let urls: Vec<String> = names.map(|name| url_of(broker, name)).collect();
    write_json(out, &json!({ "QueueUrls": urls }));
}

/// The queues whose dead letters come to this one.
pub(crate) fn list_sources(
    broker: &mut Broker,
    input: &ByUrl,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    broker.queue(&input.queue_url)?;
    let target = name_of(&input.queue_url);
    let leads_here = |queue: &Queue| {
        queue
            .redrive
            .as_ref()
            .is_some_and(|redrive| redrive.target == target)
    };
    let sources = broker.queues.iter().filter(|(_, queue)| leads_here(queue));
    let urls: Vec<String> = sources.map(|(name, _)| url_of(broker, name)).collect();
    write_json(out, &json!({ "queueUrls": urls }));
    Ok(())
}

pub(crate) fn set_attributes(broker: &mut Broker, input: SetAttributes) -> Result<(), Refusal> {
    let redrive = redrive_of(&input.attributes)?;
    let queue = broker.queue(&input.queue_url)?;
    if input.attributes.contains_key("RedrivePolicy") {
        queue.redrive = redrive;
    }
    queue.attributes.extend(input.attributes);
    Ok(())
}

pub(crate) fn get_attributes(
    broker: &mut Broker,
    input: &GetAttributes,
    out: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let now = broker.now();
    let queue = broker.queue(&input.queue_url)?;
    let mut attributes = defaults(name_of(&input.queue_url));
    attributes.extend(queue.attributes.clone());
    let [visible, in_flight, delayed] = queue.counts(now).map(|count| count.to_string());
    attributes.insert("ApproximateNumberOfMessages".to_owned(), visible);
    attributes.insert(
        "ApproximateNumberOfMessagesNotVisible".to_owned(),
        in_flight,
    );
    attributes.insert("ApproximateNumberOfMessagesDelayed".to_owned(), delayed);
    attributes.retain(|name, _| {
        input
            .attribute_names
            .iter()
            .any(|wanted| wanted == "All" || wanted == name)
    });
    write_json(out, &json!({ "Attributes": attributes }));
    Ok(())
}

fn defaults(name: &str) -> BTreeMap<String, String> {
    let arn = SqsClient::arn(name);
    let pairs = [
        ("QueueArn", arn.as_str()),
        ("VisibilityTimeout", "30"),
        ("DelaySeconds", "0"),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("ReceiveMessageWaitTimeSeconds", "0"),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn url_of(broker: &Broker, name: &str) -> String {
    format!("{}/{ACCOUNT_ID}/{name}", broker.endpoint)
}

/// The count may be a number or a text, as with SQS itself; an empty policy is none.
fn redrive_of(attributes: &BTreeMap<String, String>) -> Result<Option<Redrive>, Refusal> {
    let Some(text) = attributes
        .get("RedrivePolicy")
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let policy: Value = serde_json::from_str(text).unwrap_or_default();
    let count = &policy["maxReceiveCount"];
    let count = count
        .as_u64()
        .or_else(|| count.as_str()?.parse().ok())
        .and_then(|count| count.try_into().ok());
    let target = policy["deadLetterTargetArn"]
        .as_str()
        .and_then(|arn| arn.rsplit(':').next());
    match (target, count) {
        (Some(target), Some(max_receive_count)) => Ok(Some(Redrive {
            target: target.to_owned(),
            max_receive_count,
        })),
        _ => Err(Refusal::invalid_value(format!(
            "Value {text} for parameter RedrivePolicy is invalid."
        ))),
    }
}
