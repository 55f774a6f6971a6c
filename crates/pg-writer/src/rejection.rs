//! What is kept of a message that cannot be written: its key, a reason and a count. Never a body, never a value.

use login_model::Rejection;

use crate::batch::LedgerKey;
use crate::column::{Column, oid};
use crate::statement::RecordRejections;

/// One rejected message and the token that says what to do once it is recorded.
pub struct RejectionRecord<T> {
    /// Under which the message would have stood in the ledger.
    pub key: LedgerKey,
    /// Why, and which field.
    pub rejection: Rejection,
    /// How often the queue has delivered it so far.
    pub receive_count: u32,
    /// Travels along.
    pub token: T,
}

/// Proof that rejections were recorded. Only a store makes one.
#[must_use = "recorded messages still wait to be forwarded"]
pub struct Recorded<T>(Vec<RejectionRecord<T>>);

impl<T> Recorded<T> {
    pub(crate) fn new(records: Vec<RejectionRecord<T>>) -> Self {
        Self(records)
    }

    /// The records, to look at.
    pub fn records(&self) -> &[RejectionRecord<T>] {
        &self.0
    }

    /// The records, to forward.
    pub fn into_records(self) -> Vec<RejectionRecord<T>> {
        self.0
    }
}

/// The columns of a [`RecordRejections`].
pub(crate) struct RejectionColumns {
    sent_at: Column,
    message_id: Column,
    reason: Column,
    field: Column,
    receive_count: Column,
    rows: usize,
}

pub(crate) fn columns_of<T>(records: &[RejectionRecord<T>]) -> RejectionColumns {
    let mut columns = RejectionColumns {
        sent_at: Column::new(oid::TIMESTAMPTZ),
        message_id: Column::new(oid::UUID),
        reason: Column::new(oid::TEXT),
        field: Column::new(oid::TEXT),
        receive_count: Column::new(oid::INTEGER),
        rows: records.len(),
    };
    records.iter().for_each(|record| columns.push(record));
    columns
}

impl RejectionColumns {
    fn push<T>(&mut self, record: &RejectionRecord<T>) {
        let receive_count = i32::try_from(record.receive_count).unwrap_or(i32::MAX);
        self.sent_at
            .push(Some(&record.key.postgres_timestamp().to_be_bytes()));
        self.message_id.push(Some(record.key.message_id.as_bytes()));
        self.reason
            .push(Some(record.rejection.reason.as_str().as_bytes()));
        self.field.push(
            record
                .rejection
                .field
                .map(|field| field.as_str().as_bytes()),
        );
        self.receive_count.push(Some(&receive_count.to_be_bytes()));
    }

    pub(crate) fn statement(&self) -> RecordRejections<'_> {
        RecordRejections {
            sent_at: self.sent_at.slice(0..self.rows),
            message_id: self.message_id.slice(0..self.rows),
            reason: self.reason.slice(0..self.rows),
            field: self.field.slice(0..self.rows),
            receive_count: self.receive_count.slice(0..self.rows),
        }
    }
}
