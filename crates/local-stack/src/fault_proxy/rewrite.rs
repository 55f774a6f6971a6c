//! Changes to requests and answers: messages delivered twice, entries that are not deleted.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use serde_json::{Value, json};

use super::plan::Plan;
use super::rule::Fault;

/// Between a handle and the number of its duplicate; no handle has it.
const MARK: char = '~';

/// Copies of messages that wait for an answer with room for them.
#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    waiting: VecDeque<Value>,
    made: u64,
}

impl Duplicates {
    /// Takes the copies that the next answer carries, at most half of it so that the queue still moves, and lowers what
    /// the request asks the queue for; none is left to ask for where the client wants a single message.
    pub(crate) fn take_for(&mut self, request: &mut Value) -> (Vec<Value>, u64) {
        let wanted = request["MaxNumberOfMessages"].as_u64().unwrap_or(1);
        let room = usize::try_from(wanted.div_ceil(2)).unwrap_or(1);
        let taken: Vec<Value> = self.waiting.drain(..room.min(self.waiting.len())).collect();
        let left = wanted - taken.len() as u64;
        request["MaxNumberOfMessages"] = left.into();
        if !taken.is_empty() {
            // What is there already does not wait for more.
            request["WaitTimeSeconds"] = 0.into();
        }
        (taken, left)
    }

    /// Adds the copies to an answer, and makes new ones of what the plan strikes.
    pub(crate) fn mix_into(&mut self, answer: &mut Value, copies: Vec<Value>, plan: &mut Plan) {
        let mut messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        for message in &messages {
            if plan.strikes(Fault::Duplicate, "ReceiveMessage") {
                self.made += 1;
                self.waiting.push_back(copy_of(message, self.made));
            }
        }
        messages.extend(copies);
        if !messages.is_empty() {
            answer["Messages"] = messages.into();
        }
    }

    /// Copies go into the same answer where it has room for them.
    pub(crate) fn fill(&mut self, answer: &mut Value, wanted: u64) {
        let Some(messages) = answer["Messages"].as_array_mut() else {
            return;
        };
        while (messages.len() as u64) < wanted {
            let Some(copy) = self.waiting.pop_front() else {
                break;
            };
            messages.push(copy);
        }
    }
}

/// The same message once more: the same id, another handle.
fn copy_of(message: &Value, number: u64) -> Value {
    let mut copy = message.clone();
    let handle = message["ReceiptHandle"].as_str().unwrap_or_default();
    let original = handle.split(MARK).next().unwrap_or_default();
    copy["ReceiptHandle"] = format!("{original}{MARK}{number}").into();
    copy
}

/// The same answer, dated by the example of RFC 9110.
pub(crate) fn with_old_date(answer: &[u8]) -> io::Result<Vec<u8>> {
    let head = memchr::memmem::find(answer, b"\r\n\r\n").ok_or(ErrorKind::InvalidData)?;
    let text = std::str::from_utf8(&answer[..head]).map_err(|_| ErrorKind::InvalidData)?;
    let is_date = |line: &&str| line.to_ascii_lowercase().starts_with("date:");
    let lines: Vec<&str> = text.split("\r\n").filter(|line| !is_date(line)).collect();
    let head = lines.join("\r\n") + "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT";
    Ok([head.as_bytes(), &answer[text.len()..]].concat())
}

/// Gives the queue the handles that it knows.
pub(crate) fn restore_handles(request: &mut Value) {
    let restore = |holder: &mut Value| {
        if let Some(handle) = holder["ReceiptHandle"].as_str() {
            let original = handle.split(MARK).next().unwrap_or_default().to_owned();
            holder["ReceiptHandle"] = original.into();
        }
    };
    match request["Entries"].as_array_mut() {
        Some(entries) => entries.iter_mut().for_each(restore),
        None => restore(request),
    }
}

/// Takes the entries that fail out of a batch delete; returns what the answer says of them.
pub(crate) fn take_failing(request: &mut Value, plan: &mut Plan) -> Vec<Value> {
    let mut failed = Vec::new();
    if let Some(entries) = request["Entries"].as_array_mut() {
        entries.retain(|entry| {
            let fails = plan.strikes(Fault::FailDelete, "DeleteMessageBatch");
            if fails {
                failed.push(json!({
                    "Id": entry["Id"], "SenderFault": false, "Code": "InternalError", "Message": "Internal error",
                }));
            }
            !fails
        });
    }
    failed
}

/// Adds to the entries that failed by themselves.
pub(crate) fn add_failed(answer: &mut Value, failed: Vec<Value>) {
    if answer["Successful"].is_null() {
        answer["Successful"] = json!([]);
    }
    if !failed.is_empty() {
        let mut all = answer["Failed"].as_array().cloned().unwrap_or_default();
        all.extend(failed);
        answer["Failed"] = all.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_has_the_same_id_and_a_handle_that_leads_back() {
        let copy = copy_of(&json!({ "MessageId": "m", "ReceiptHandle": "h" }), 3);
        assert_eq!(copy, json!({ "MessageId": "m", "ReceiptHandle": "h~3" }));
        let mut request = json!({ "Entries": [{ "Id": "0", "ReceiptHandle": "h~3" }] });
        restore_handles(&mut request);
        assert_eq!(request["Entries"][0]["ReceiptHandle"], "h");
    }

    #[test]
    fn copies_leave_room_for_new_messages() {
        let mut duplicates = Duplicates {
            waiting: (0..20).map(Value::from).collect(),
            made: 20,
        };
        let mut request = json!({ "MaxNumberOfMessages": 10 });
        let (taken, left) = duplicates.take_for(&mut request);
        assert_eq!((taken.len(), left), (5, 5));
        assert_eq!(
            request,
            json!({ "MaxNumberOfMessages": 5, "WaitTimeSeconds": 0 })
        );
        let (taken, left) = duplicates.take_for(&mut json!({}));
        assert_eq!((taken.len(), left), (1, 0));
    }
}
