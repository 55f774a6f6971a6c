//! The double's three tables and the rules of their keys.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::rows::{StoredLogin, StoredRejection};
use crate::batch::LedgerKey;
use crate::rejection::RejectionRecord;

#[derive(Default)]
pub(super) struct Tables {
    pub(super) ledger: BTreeSet<LedgerKey>,
    pub(super) logins: Vec<(LedgerKey, StoredLogin)>,
    pub(super) rejections: BTreeMap<LedgerKey, StoredRejection>,
}

impl Tables {
    /// The rows that the ledger does not hold yet, each key once, in the order of the key, as the statement has it.
    pub(super) fn fresh(&self, keys: &[LedgerKey]) -> Vec<(usize, LedgerKey)> {
        let mut first = BTreeMap::new();
        for (row, &key) in keys.iter().enumerate() {
            first.entry(key).or_insert(row);
        }
        let fresh = first.iter().filter(|(key, _)| !self.ledger.contains(key));
        fresh.map(|(&key, &row)| (row, key)).collect()
    }

    pub(super) fn insert(&mut self, logins: Vec<(LedgerKey, StoredLogin)>) -> u64 {
        let count = logins.len() as u64;
        self.ledger.extend(logins.iter().map(|(key, _)| *key));
        self.logins.extend(logins);
        count
    }

    /// One key twice in a call counts once, with what the greatest receive count says.
    pub(super) fn reject<T>(&mut self, records: &[RejectionRecord<T>], now: Duration) {
        let mut newest: BTreeMap<LedgerKey, &RejectionRecord<T>> = BTreeMap::new();
        for record in records {
            let known = newest.entry(record.key).or_insert(record);
            if record.receive_count > known.receive_count {
                *known = record;
            }
        }
        for record in newest.into_values() {
            self.upsert(record, now);
        }
    }

    fn upsert<T>(&mut self, record: &RejectionRecord<T>, now: Duration) {
        let receive_count = i32::try_from(record.receive_count).unwrap_or(i32::MAX);
        let known = self.rejections.get(&record.key);
        let row = StoredRejection {
            reason: record.rejection.reason.as_str(),
            field: record.rejection.field.map(login_model::Field::as_str),
            receive_count: known.map_or(receive_count, |row| row.receive_count.max(receive_count)),
            first_rejected_at: known.map_or(now, |row| row.first_rejected_at),
            last_rejected_at: now,
        };
        self.rejections.insert(record.key, row);
    }
}
