//! A body to vary, and maskers.

use login_model::{Field, Maskers};
use masking::{FieldMasker, Kind, Scheme};
use proptest::sample::select;
use proptest::strategy::Strategy;

/// One valid member per field, in the order of [`Field::ALL`].
pub(crate) const MEMBERS: [(Field, &str); 6] = [
    (Field::UserId, r#""424cdd21""#),
    (Field::AppVersion, r#""2.3.0""#),
    (Field::DeviceType, r#""android""#),
    (Field::Ip, r#""192.0.2.1""#),
    (Field::Locale, r#""RU""#),
    (Field::DeviceId, r#""593-47-5928""#),
];

/// A valid body but for `field`, whose value is `json`.
pub(crate) fn body_with(field: Field, json: &str) -> String {
    let value = |(name, valid)| if name == field { json } else { valid };
    object(MEMBERS.map(|member| (member.0.as_str(), value(member))))
}

pub(crate) fn valid_body() -> String {
    object(MEMBERS.map(|(field, json)| (field.as_str(), json)))
}

pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, json)| format!("\"{name}\": {json}"))
        .collect();
    format!("{{{}}}", members.join(", "))
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("any text is a JSON string")
}

pub(crate) fn brackets(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

pub(crate) fn any_field() -> impl Strategy<Value = Field> {
    select(&Field::ALL[..])
}

/// Base64, with the limit of the columns.
pub(crate) fn maskers() -> Maskers {
    let build = |domain, kind| {
        let builder = FieldMasker::builder(Scheme::Base64)
            .domain(domain)
            .kind(kind);
        builder.max_chars(256).build().expect("base64 needs no key")
    };
    Maskers {
        ip: build("ip", Kind::Ip),
        device_id: build("device_id", Kind::Text),
    }
}
