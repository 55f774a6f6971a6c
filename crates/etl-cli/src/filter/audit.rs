//! What the record of an `etl unmask` says: which scheme and domains, and of how many values.

use serde::Serialize;

use super::absolute;
use super::field::Field;
use super::tally::Tally;
use crate::arguments::FilterArguments;

pub(super) const STARTED: &str = "unmask_started";
pub(super) const FINISHED: &str = "unmask_finished";

/// What was asked for.
#[derive(Debug, Serialize)]
pub(super) struct Subject<'a> {
    scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyset: Option<String>,
    domains: Vec<&'a str>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    recovered: u64,
    failures: u64,
    key_ids: Vec<u32>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(arguments: &FilterArguments, fields: &'a [Field]) -> Self {
        Self {
            scheme: arguments.masking.name(),
            keyset: arguments.keyset.as_deref().map(absolute),
            domains: fields.iter().map(|field| field.domain.as_str()).collect(),
        }
    }
}

impl Outcome {
    /// `known_keys` are those of the keyset: of a value without a prefix, the first bytes may look like one.
    pub(super) fn new(tally: &Tally, known_keys: &[u32]) -> Self {
        let key_ids = tally.key_ids.iter().copied();
        Self {
            recovered: tally.converted,
            failures: tally.failures,
            key_ids: key_ids.filter(|id| known_keys.contains(id)).collect(),
        }
    }
}
