//! From a message body to a login event, or to the one reason why it is none.

use std::borrow::Cow;

use masking::Pii;
use serde_json::value::RawValue;

use crate::depth::is_too_deep;
use crate::{
    AppVersionRule, BodyEncoding, EnvelopeRule, Field, LoginEvent, Reason, Rejection,
    body_encoding, envelope, members, text,
};

/// The white space of JSON (RFC 8259, section 2).
const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// Stands for a body that is no UTF-8, where only text can be carried. No event begins with it.
pub const NOT_UTF8: &str = "\u{fffd}";

/// How many envelopes may stand in each other, compression counted as one: SNS round EventBridge are two.
const MAX_ENVELOPES: u8 = 4;

/// The members that are read, in the order of [`Field::ALL`].
const NAMES: [&str; 6] = {
    let mut names = [""; 6];
    let mut index = 0;
    while index < names.len() {
        names[index] = Field::ALL[index].as_str();
        index += 1;
    }
    names
};

/// Reads message bodies by fixed rules.
///
/// Which problem of a body is reported does not depend on the order of its keys: first what is wrong with
/// the JSON as a whole, then the first field at fault in the order of [`Field::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parser {
    app_version: AppVersionRule,
    envelope: EnvelopeRule,
    body_encoding: BodyEncoding,
}

impl Parser {
    /// A parser with the default rules: the major version, envelopes opened.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which number is stored for a version.
    #[must_use]
    pub const fn app_version(mut self, rule: AppVersionRule) -> Self {
        self.app_version = rule;
        self
    }

    /// Whether the envelopes of other services are opened.
    #[must_use]
    pub const fn envelope(mut self, rule: EnvelopeRule) -> Self {
        self.envelope = rule;
        self
    }

    /// Whether compressed bodies are unpacked.
    #[must_use]
    pub const fn body_encoding(mut self, encoding: BodyEncoding) -> Self {
        self.body_encoding = encoding;
        self
    }

    /// Reads one message body.
    ///
    /// A byte order mark before it is skipped: editors leave one, and it is not part of the message.
    pub fn parse<'a>(&self, body: &'a str) -> Result<LoginEvent<'a>, Rejection> {
        self.parse_layer(body.strip_prefix('\u{feff}').unwrap_or(body), MAX_ENVELOPES)
    }

    /// Reads one message body whose encoding has not been checked yet.
    pub fn parse_bytes<'a>(&self, body: &'a [u8]) -> Result<LoginEvent<'a>, Rejection> {
        let text = std::str::from_utf8(body).map_err(|_| Rejection::of_message(Reason::NotUtf8))?;
        self.parse(text)
    }

    fn parse_layer(self, body: &str, envelopes: u8) -> Result<LoginEvent<'_>, Rejection> {
        if !body.trim_start_matches(WHITE_SPACE).starts_with('{') {
            return self.parse_packed(body, envelopes);
        }
        let values = members::read(body, &NAMES)?;
        let [None, ..] = values else {
            return self.event(values);
        };
        match self.open(body, envelopes)? {
            Some(Cow::Borrowed(inner)) => self.parse_layer(inner, envelopes - 1),
            Some(Cow::Owned(inner)) => self
                .parse_layer(&inner, envelopes - 1)
                .map(LoginEvent::into_owned),
            None => self.event(values),
        }
    }

    /// A body that is no object may unpack to one.
    fn parse_packed(self, body: &str, envelopes: u8) -> Result<LoginEvent<'static>, Rejection> {
        let unpacked = match self.body_encoding {
            BodyEncoding::Gzip if envelopes > 0 => {
                body_encoding::unpack(body.trim_start_matches(WHITE_SPACE))?
            }
            _ => None,
        };
        match unpacked {
            Some(inner) => self
                .parse_layer(&inner, envelopes - 1)
                .map(LoginEvent::into_owned),
            None => Err(Rejection::of_message(reason_for_no_object(body))),
        }
    }

    fn open(self, body: &str, envelopes: u8) -> Result<Option<Cow<'_, str>>, Rejection> {
        match self.envelope {
            EnvelopeRule::Auto if envelopes > 0 => envelope::open(body),
            _ => Ok(None),
        }
    }

    fn event(self, values: members::Members<'_, 6>) -> Result<LoginEvent<'_>, Rejection> {
        let [user_id, app_version, device_type, ip, locale, device_id] = values;
        // In the order of `Field::ALL`: it decides which problem is reported.
        Ok(LoginEvent {
            user_id: user_id_of(present(Field::UserId, user_id)?)?,
            app_version: self
                .app_version
                .number_of_json(present(Field::AppVersion, app_version)?)?,
            device_type: nullable(Field::DeviceType, device_type)?,
            ip: nullable(Field::Ip, ip)?.map(Pii::new),
            locale: nullable(Field::Locale, locale)?,
            device_id: nullable(Field::DeviceId, device_id)?.map(Pii::new),
        })
    }
}

fn present(field: Field, value: Option<&str>) -> Result<&str, Rejection> {
    value.ok_or(Rejection::of_field(field, Reason::MissingField))
}

fn nullable(field: Field, value: Option<&str>) -> Result<Option<Cow<'_, str>>, Rejection> {
    text::nullable(field, present(field, value)?)
}

fn user_id_of(json: &str) -> Result<Cow<'_, str>, Rejection> {
    let user_id = text::required(Field::UserId, json)?;
    if user_id.is_empty() {
        return Err(Rejection::of_field(Field::UserId, Reason::Empty));
    }
    Ok(user_id)
}

/// Why a body that does not start as an object is no login event.
fn reason_for_no_object(body: &str) -> Reason {
    if body == NOT_UTF8 {
        return Reason::NotUtf8;
    }
    let Ok(value) = serde_json::from_str::<&RawValue>(body).map(RawValue::get) else {
        return Reason::NotJson;
    };
    if is_too_deep(value) {
        Reason::NestedTooDeep
    } else if value.starts_with('[') && envelope::is_s3_pointer(value) {
        Reason::S3Pointer
    } else {
        Reason::NotAnObject
    }
}
