//! The messages of a run: valid ones, repeats of their bodies, unreadable ones, rows that the store refuses, and
//! messages that were forwarded before and carry their source.

use pg_writer::LedgerKey;
use sqs_reader::{AttributeValue, OutgoingMessage, SOURCE_MESSAGE_ID, SOURCE_SENT_AT};
use uuid::Uuid;

use super::draw::Draw;

/// The device type of rows that the store refuses, as a check in Postgres might.
pub(super) const REFUSED_DEVICE: &str = "refused";

/// What must become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Row,
    Rejection,
}

/// One message to send.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) body: String,
    pub(super) fate: Fate,
    pub(super) group: Option<usize>,
    /// Where it was sent first, if it was forwarded.
    pub(super) source: Option<LedgerKey>,
}

/// How many of each there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mix {
    pub(super) malformed: f64,
    pub(super) repeated: f64,
    pub(super) forwarded: f64,
    /// Of each wave.
    pub(super) refused: usize,
    /// Groups of a FIFO queue.
    pub(super) groups: Option<usize>,
}

const MALFORMED: [&str; 6] = [
    r#"{"foo": "oops_wrong_msg_type", "bar": "123"}"#,
    "not json",
    "[1, 2]",
    r#"{"user_id": "", "app_version": "1.0", "device_type": "ios", "ip": "1.2.3.4", "locale": null, "device_id": "1"}"#,
    r#"{"user_id": "u", "app_version": "1.0", "device_type": "ios", "locale": null, "device_id": "1"}"#,
    r#"{"user_id": "u\u0000", "app_version": "1.0", "device_type": "ios", "ip": null, "locale": null, "device_id": "1"}"#,
];

/// `count` messages, numbered from `first` on.
pub(super) fn letters(draw: &mut Draw, mix: &Mix, first: usize, count: usize) -> Vec<Letter> {
    let mut letters: Vec<Letter> = Vec::with_capacity(count);
    for number in first..first + count {
        let letter = if draw.chance(mix.malformed) {
            let body = draw.one_of::<&str>(&MALFORMED).to_string();
            of(draw, mix, body, Fate::Rejection)
        } else if !letters.is_empty() && draw.chance(mix.repeated) {
            let earlier = draw.one_of(&letters).clone();
            of(draw, mix, earlier.body, earlier.fate)
        } else {
            of(draw, mix, event(number, "android"), Fate::Row)
        };
        letters.push(letter);
    }
    for number in 0..mix.refused.min(count) {
        let position = draw.number(0..=count - 1);
        letters[position] = refused(draw, mix, first + number);
    }
    letters
}

/// One that the store refuses.
pub(super) fn refused(draw: &mut Draw, mix: &Mix, number: usize) -> Letter {
    of(draw, mix, event(number, REFUSED_DEVICE), Fate::Rejection)
}

fn of(draw: &mut Draw, mix: &Mix, body: String, fate: Fate) -> Letter {
    Letter {
        body,
        fate,
        group: mix.groups.map(|groups| draw.number(1..=groups)),
        source: draw.chance(mix.forwarded).then(|| LedgerKey {
            sent_at_ms: 1_700_000_000_000 + i64::try_from(draw.number(0..=1_000_000)).unwrap_or(0),
            message_id: Uuid::from_u128(draw.bits()),
        }),
    }
}

fn event(number: usize, device: &str) -> String {
    format!(
        r#"{{"user_id": "user-{number}", "app_version": "2.{number}", "device_type": "{device}", "ip": "10.0.{}.{}", "locale": null, "device_id": "593-47-{number}"}}"#,
        number / 250,
        number % 250
    )
}

impl Letter {
    pub(super) fn is_refused(&self) -> bool {
        self.body.contains(REFUSED_DEVICE)
    }

    /// `deduplication` is its number on the queue.
    pub(super) fn message(&self, deduplication: usize) -> OutgoingMessage {
        let attribute = |name: &str, value: String| (name.to_owned(), AttributeValue::text(value));
        let attributes = self.source.map_or_else(Vec::new, |key| {
            vec![
                attribute(SOURCE_MESSAGE_ID, key.message_id.to_string()),
                attribute(SOURCE_SENT_AT, key.sent_at_ms.to_string()),
            ]
        });
        OutgoingMessage {
            body: self.body.clone(),
            attributes,
            group_id: self.group.map(|group| format!("group-{group}")),
            deduplication_id: self.group.map(|_| format!("letter-{deduplication}")),
        }
    }
}
