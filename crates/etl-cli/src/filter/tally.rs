//! What a filter did: how many values, which failed, under which keys; and the exit that follows from it.

use std::collections::BTreeSet;
use std::io::Write as _;

use super::field::{Fault, Field};
use crate::failure::Failure;
use crate::{key_id, terminal};

/// Counts of one run.
pub(super) struct Tally {
    /// Values converted.
    pub(super) converted: u64,
    /// Values and whole lines that were not.
    pub(super) failures: u64,
    pub(super) key_ids: BTreeSet<u32>,
    last_key_id: Option<u32>,
    /// Names of the fields that no line has had so far.
    unseen: Vec<String>,
    lines: u64,
}

impl Tally {
    pub(super) fn new(fields: &[Field]) -> Self {
        Self {
            converted: 0,
            failures: 0,
            key_ids: BTreeSet::new(),
            last_key_id: None,
            unseen: fields.iter().map(|field| field.name.clone()).collect(),
            lines: 0,
        }
    }

    pub(super) fn count_line(&mut self) {
        self.lines += 1;
    }

    pub(super) fn saw(&mut self, field: &Field) {
        self.unseen.retain(|name| *name != field.name);
    }

    /// Converts one value and counts it. On a failure `output` is empty and stderr names the line, never the value.
    /// Answers whether there is something to write.
    pub(super) fn convert(
        &mut self,
        field: &Field,
        value: &[u8],
        line: u64,
        output: &mut String,
    ) -> bool {
        let outcome = field.convert(value, output);
        match &outcome {
            Ok(()) => self.succeed(field, value),
            Err(fault) => self.fail(line, Some(&field.name), fault),
        }
        outcome.is_ok()
    }

    fn succeed(&mut self, field: &Field, value: &[u8]) {
        self.converted += 1;
        if !field.names_keys() {
            return;
        }
        let key_id = str::from_utf8(value).ok().and_then(key_id::of_value);
        // Values of one key come in long rows.
        if key_id != self.last_key_id {
            self.key_ids.extend(key_id);
            self.last_key_id = key_id;
        }
    }

    pub(super) fn fail(&mut self, line: u64, field: Option<&str>, fault: &Fault) {
        self.failures += 1;
        let field = match field {
            Some(name) if !name.is_empty() => format!("{name}: "),
            _ => String::new(),
        };
        // Where stderr is gone, the exit code still tells.
        let _ = terminal::LogWriter.write_all(format!("line {line}: {field}{fault}\n").as_bytes());
    }

    /// Fails where anything did, and where a field occurred nowhere: a misspelt name would let every value through.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.failures > 0 {
            let (failures, all) = (self.failures, self.failures + self.converted);
            return Err(Failure::gave_up(format!(
                "{failures} of {all} values could not be converted; their places in the output are empty"
            )));
        }
        match self.unseen.first() {
            Some(name) if self.lines > 0 => Err(Failure::gave_up(format!(
                "no line has the field {name}: everything passed through as it was"
            ))),
            _ => Ok(()),
        }
    }
}
