//! What a redrive did, for people or for scripts, on stdout.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use sqs_reader::{Delivery, REJECT_FIELD, REJECT_REASON};

use crate::arguments::OutputFormat;
use crate::failure::Failure;

/// The result. The JSON form is a promise: fields are added, never renamed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Where the messages went.
    pub(super) queue: String,
    pub(super) read: u64,
    /// In a dry run: would be.
    pub(super) redriven: u64,
    /// Could not be sent.
    pub(super) left: u64,
    /// Sent, and not deleted.
    pub(super) undeleted: u64,
    pub(super) dry_run: bool,
    /// More is held than is kept in memory.
    #[serde(rename = "more")]
    pub(super) is_cut: bool,
    #[serde(skip)]
    pub(super) hides_others: bool,
}

impl Report {
    pub(super) fn print(&self, format: OutputFormat) {
        match format {
            OutputFormat::Json => println!("{}", serde_json::to_string(self).unwrap_or_default()),
            OutputFormat::Text => println!("{}", self.text()),
        }
    }

    pub(super) fn verdict(&self) -> Result<ExitCode, Failure> {
        match self.left {
            0 => Ok(ExitCode::SUCCESS),
            left => Err(
                Failure::gave_up(format!("{left} messages could not be sent"))
                    .hint("they are still in the dead-letter queue; the warnings above say why"),
            ),
        }
    }

    fn text(&self) -> String {
        let Self {
            queue,
            read,
            redriven,
            left,
            undeleted,
            ..
        } = self;
        let verb = if self.dry_run {
            "would be redriven"
        } else {
            "redriven"
        };
        let mut parts = vec![format!("{redriven} of {read} messages {verb} to {queue}")];
        if *left > 0 {
            parts.push(format!(
                "{left} could not be sent and are still in the dead-letter queue"
            ));
        }
        if *undeleted > 0 {
            parts.push(format!(
                "{undeleted} stand in both queues, and make one row all the same"
            ));
        }
        if self.is_cut {
            parts.push("there is more: run it again with a narrower filter".to_owned());
        }
        if self.hides_others {
            parts.push(
                "messages behind others of their group were not seen: a FIFO queue gives out none past one that is held"
                    .to_owned(),
            );
        }
        parts.join("; ")
    }
}

/// One message of a dry run.
pub(super) fn print(delivery: &Delivery, show_body: bool, format: OutputFormat) {
    let id = delivery.identity.message_id;
    let (reason, field) = (
        delivery.attribute(REJECT_REASON),
        delivery.attribute(REJECT_FIELD),
    );
    let body = show_body.then_some(delivery.body.as_str());
    match format {
        OutputFormat::Json => {
            let mut line =
                json!({ "message_id": id.to_string(), "reason": reason, "field": field });
            if let Some(body) = body {
                line["body"] = body.into();
            }
            println!("{line}");
        }
        OutputFormat::Text => {
            println!(
                "{id}  {}  {}",
                reason.unwrap_or("unknown"),
                field.unwrap_or("–")
            );
            body.iter().for_each(|body| println!("{body}"));
        }
    }
}
