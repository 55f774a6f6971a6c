//! Message attributes between JSON and memory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::load_queue::fault::Refusal;
use crate::load_queue::message::{Attribute, AttributeValue};

/// An attribute as a client sends it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttributeInput<'a> {
    #[serde(borrow)]
    data_type: Cow<'a, str>,
    #[serde(borrow, default)]
    string_value: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    binary_value: Option<Cow<'a, str>>,
}

pub(crate) type AttributeInputs<'a> = BTreeMap<String, AttributeInput<'a>>;

/// At most ten (SQS quotas), each with a value of its type.
pub(crate) fn read(inputs: AttributeInputs) -> Result<BTreeMap<String, Attribute>, Refusal> {
    if inputs.len() > 10 {
        let message = format!(
            "Number of message attributes [{}] exceeds the allowed maximum [10].",
            inputs.len()
        );
        return Err(Refusal::invalid_value(message));
    }
    inputs
        .into_iter()
        .map(|(name, input)| Ok((name.clone(), read_one(&name, input)?)))
        .collect()
}

fn read_one(name: &str, input: AttributeInput) -> Result<Attribute, Refusal> {
    let missing = || {
        Refusal::invalid_value(format!(
            "The message attribute '{name}' must contain a value."
        ))
    };
    let value = if input.data_type.starts_with("Binary") {
        let decoded = STANDARD.decode(input.binary_value.ok_or_else(missing)?.as_bytes());
        AttributeValue::Binary(decoded.map_err(|_| missing())?)
    } else {
        AttributeValue::Text(
            input
                .string_value
                .filter(|value| !value.is_empty())
                .ok_or_else(missing)?
                .into_owned(),
        )
    };
    Ok(Attribute {
        data_type: input.data_type.into_owned(),
        value,
    })
}

pub(crate) fn to_json(attribute: &Attribute) -> Value {
    match &attribute.value {
        AttributeValue::Text(text) => {
            json!({ "DataType": attribute.data_type, "StringValue": text })
        }
        AttributeValue::Binary(bytes) => {
            json!({ "DataType": attribute.data_type, "BinaryValue": STANDARD.encode(bytes) })
        }
    }
}

/// Whether a receive asked for an attribute: by its name, by a prefix with `.*`, or for all.
pub(crate) fn is_wanted<T: AsRef<str>>(name: &str, wanted: &[T]) -> bool {
    wanted.iter().any(|wanted| match wanted.as_ref() {
        "All" | ".*" => true,
        wanted => {
            wanted == name
                || wanted
                    .strip_suffix(".*")
                    .is_some_and(|prefix| name.starts_with(prefix))
        }
    })
}

/// Bytes that an attribute adds to its message's size.
pub(crate) fn size((name, attribute): (&String, &Attribute)) -> usize {
    let value = match &attribute.value {
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Binary(bytes) => bytes.len(),
    };
    name.len() + attribute.data_type.len() + value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_wanted_by_name_prefix_or_all() {
        assert!(is_wanted("source-message-id", &["All"]));
        assert!(
            is_wanted("source-message-id", &["source.*", "x"])
                == "source-message-id".starts_with("source")
        );
        assert!(is_wanted("a", &["b", "a"]));
        assert!(!is_wanted::<&str>("a", &[]));
    }
}
