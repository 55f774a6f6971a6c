//! Login events that a test can tell apart: every one has values of its own.

use serde_json::{Value, json};

/// One event, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event(pub(crate) usize);

impl Event {
    pub(crate) fn user_id(self) -> String {
        format!("user-{:05}", self.0)
    }

    pub(crate) fn ip(self) -> String {
        format!("10.77.{}.{}", self.0 / 250, self.0 % 250)
    }

    pub(crate) fn device_id(self) -> String {
        format!("593-47-{:04}", self.0)
    }

    pub(crate) fn value(self) -> Value {
        json!({
            "user_id": self.user_id(), "app_version": "2.3.0", "device_type": "android",
            "ip": self.ip(), "locale": "RU", "device_id": self.device_id(),
        })
    }

    pub(crate) fn body(self) -> String {
        self.value().to_string()
    }

    /// The body with one field replaced.
    pub(crate) fn with(self, field: &str, value: impl Into<Value>) -> String {
        let mut event = self.value();
        event[field] = value.into();
        event.to_string()
    }

    /// The body without a field.
    pub(crate) fn without(self, field: &str) -> String {
        let mut event = self.value();
        event.as_object_mut().unwrap().remove(field);
        event.to_string()
    }
}

/// The bodies of the first `count` events.
pub(crate) fn events(count: usize) -> Vec<String> {
    (0..count).map(|number| Event(number).body()).collect()
}
