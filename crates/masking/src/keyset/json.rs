//! Tink's JSON: what its tools, its libraries in Java, Python and Go, and BigQuery read and write.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Key, KeyPrefix, KeyStatus, Keyset, KeysetError, document, material};
use crate::pii::Pii;
use crate::text;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'json> {
    #[serde(default, deserialize_with = "key_id")]
    primary_key_id: u32,
    #[serde(default, borrow)]
    key: Vec<KeyEntry<'json>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyEntry<'json> {
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    key_data: Option<KeyData<'json>>,
    #[serde(borrow)]
    status: Cow<'json, str>,
    #[serde(default, deserialize_with = "key_id")]
    key_id: u32,
    #[serde(borrow)]
    output_prefix_type: Cow<'json, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyData<'json> {
    #[serde(borrow)]
    type_url: Cow<'json, str>,
    value: Secret,
    #[serde(default, borrow)]
    key_material_type: Cow<'json, str>,
}

/// What other documents have at their top: only that it is there matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Other {
    encrypted_keyset: Option<IgnoredAny>,
    scheme: Option<IgnoredAny>,
}

/// Text that is the key in base64: wiped on drop.
struct Secret(Pii<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Pii::new(text)))
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl Keyset {
    /// Reads a keyset in the clear.
    pub fn from_json(json: &str) -> Result<Self, KeysetError> {
        let other: Other = parse(json)?;
        if other.encrypted_keyset.is_some() {
            return Err(KeysetError::Encrypted);
        }
        if other.scheme.is_some() {
            return Err(KeysetError::IsIpcryptKey);
        }
        let document: Document<'_> = parse(json)?;
        let keys = document
            .key
            .into_iter()
            .map(draft)
            .collect::<Result<Vec<_>, _>>()?;
        document::assemble(&keys, document.primary_key_id)
    }

    /// The keyset as Tink writes it, the key material in the clear.
    pub fn to_json(&self) -> Pii<String> {
        let key = self.keys.iter().map(entry).collect();
        let document = Document {
            primary_key_id: self.primary,
            key,
        };
        write(&document, 512 * (1 + self.keys.len()))
    }
}

fn draft(entry: KeyEntry<'_>) -> Result<document::Draft, KeysetError> {
    let key_id = entry.key_id;
    let mut draft = document::Draft {
        id: key_id,
        status: status_of(&entry.status),
        prefix: prefix_of(&entry.output_prefix_type),
        ..document::Draft::default()
    };
    if let Some(data) = entry.key_data {
        let value = text::decode(data.value.0.expose());
        draft.value = Pii::new(value.map_err(|_| KeysetError::BadKeyMaterial { key_id })?);
        draft.type_url = Some(data.type_url.into_owned());
    }
    Ok(draft)
}

fn entry(key: &Key) -> KeyEntry<'static> {
    let data = (key.status() != KeyStatus::Destroyed).then(|| {
        let message = material::write(key.key_type(), key.material());
        let mut value = String::with_capacity(2 * message.expose().len());
        text::encode_into(message.expose(), &mut value);
        KeyData {
            type_url: key.key_type().type_url().into(),
            value: Secret(Pii::new(value)),
            key_material_type: "SYMMETRIC".into(),
        }
    });
    KeyEntry {
        key_data: data,
        status: key.status().to_string().into(),
        key_id: key.id(),
        output_prefix_type: key.prefix().to_string().into(),
    }
}

/// Parses JSON; the parser's own words are dropped, since they may repeat what they did not expect.
pub(crate) fn parse<'json, T: Deserialize<'json>>(json: &'json str) -> Result<T, KeysetError> {
    serde_json::from_str(json).map_err(|error| KeysetError::NotJson {
        line: error.line(),
        column: error.column(),
    })
}

/// Writes JSON into room that was taken once, so that growing leaves no copy of a key behind.
pub(crate) fn write<T: Serialize>(document: &T, capacity: usize) -> Pii<String> {
    let mut bytes = Vec::with_capacity(capacity);
    serde_json::to_writer_pretty(&mut bytes, document).expect("these documents have text for keys");
    bytes.push(b'\n');
    Pii::new(String::from_utf8(bytes).expect("JSON is text"))
}

/// Ids are unsigned; Java wrote them signed once, and protocol buffers allow a number in quotes.
fn key_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Number(i64),
        Text(String),
    }
    let number = match Id::deserialize(deserializer)? {
        Id::Number(number) => Some(number),
        Id::Text(text) => text.parse().ok(),
    };
    let unsigned = number.and_then(|number| match i32::try_from(number) {
        Ok(signed) => Some(signed.cast_unsigned()),
        Err(_) => u32::try_from(number).ok(),
    });
    unsigned.ok_or_else(|| serde::de::Error::custom("not a key id"))
}

pub(super) fn status_of(name: &str) -> Option<KeyStatus> {
    let all = [
        KeyStatus::Enabled,
        KeyStatus::Disabled,
        KeyStatus::Destroyed,
    ];
    all.into_iter().find(|status| status.name() == name)
}

pub(super) fn prefix_of(name: &str) -> Option<KeyPrefix> {
    [KeyPrefix::Tink, KeyPrefix::Raw]
        .into_iter()
        .find(|prefix| prefix.name() == name)
}
