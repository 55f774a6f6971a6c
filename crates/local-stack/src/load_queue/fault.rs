//! Refusals in the form that SQS gives them: an error type in the body, the older name in a header.

use std::borrow::Cow;

use serde_json::json;

/// An error answer with status 400.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The shape's name in the service model.
    pub(crate) kind: Cow<'static, str>,
    /// The code of the older query protocol, for `x-amzn-query-error` and for entries of a batch.
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(
        kind: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.into(),
            code: code.into(),
            message: message.into(),
        }
    }

    /// Of a whole batch; the type and the code are made from the same name.
    pub(crate) fn of_a_batch(name: &str, message: &str) -> Self {
        let (kind, code) = (
            format!("com.amazonaws.sqs#{name}"),
            format!("AWS.SimpleQueueService.{name}"),
        );
        Self::new(kind, code, message)
    }

    pub(crate) fn no_such_queue() -> Self {
        let (kind, code) = (
            "com.amazonaws.sqs#QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
        );
        Self::new(kind, code, "The specified queue does not exist.")
    }

    pub(crate) fn invalid_value(message: impl Into<String>) -> Self {
        Self::new(
            "com.amazon.coral.service#InvalidParameterValueException",
            "InvalidParameterValue",
            message,
        )
    }

    pub(crate) fn invalid_receipt() -> Self {
        let (kind, code) = (
            "com.amazonaws.sqs#ReceiptHandleIsInvalid",
            "ReceiptHandleIsInvalid",
        );
        Self::new(kind, code, "The input receipt handle is invalid.")
    }

    pub(crate) fn not_in_flight() -> Self {
        let (kind, code) = (
            "com.amazonaws.sqs#MessageNotInflight",
            "AWS.SimpleQueueService.MessageNotInflight",
        );
        Self::new(kind, code, "The message referred to is not in flight.")
    }

    /// The whole HTTP answer.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let body = json!({ "__type": self.kind, "message": self.message }).to_string();
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.0\r\n\
             x-amzn-query-error: {};Sender\r\nContent-Length: {}\r\n\r\n",
            self.code,
            body.len()
        );
        out.clear();
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body.as_bytes());
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        let kind = "com.amazon.coral.service#SerializationException";
        Self::new(kind, "MalformedQueryString", error.to_string())
    }
}
