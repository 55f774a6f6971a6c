//! From deliveries to rows and rejections, each under the key by which the ledger knows its message.

use login_model::{Reason, Rejection};
use pg_writer::{Batch, LedgerKey, RejectionRecord};
use sqs_reader::Delivery;

use crate::{Rejections, Rules};

/// What deliveries were turned into. Each of them is in one of the two.
#[derive(Default)]
pub struct Intake {
    /// Rows to write.
    pub batch: Batch<Delivery>,
    /// What cannot be read or masked.
    pub rejected: Rejections,
}

impl Intake {
    /// Parses and masks `deliveries`.
    pub fn of(deliveries: Vec<Delivery>, rules: &Rules) -> Self {
        let mut intake = Self::default();
        for delivery in deliveries {
            let key = ledger_key(&delivery);
            let pushed = intake
                .batch
                .push(key, delivery, |delivery| rules.row(&delivery.body));
            if let Err((delivery, rejection)) = pushed {
                intake.rejected.push(rejection_of(delivery, rejection));
            }
        }
        intake
    }
}

/// The record of a message that cannot be written; says so in the log, once.
pub fn rejection_of(delivery: Delivery, rejection: Rejection) -> RejectionRecord<Delivery> {
    let message_id = delivery.identity.message_id;
    let hint = rejection.hint();
    tracing::warn!(message.id = %message_id, reason = rejection.reason.as_str(), hint, "rejected a message: {rejection}");
    RejectionRecord {
        key: ledger_key(&delivery),
        rejection,
        receive_count: delivery.receive_count,
        token: delivery,
    }
}

/// The records of messages whose rows the database refused while it took their neighbours.
pub fn refused(refused: Vec<(LedgerKey, Delivery)>) -> Rejections {
    let refusal = Rejection::of_message(Reason::RefusedByDatabase);
    refused
        .into_iter()
        .map(|(_, delivery)| rejection_of(delivery, refusal))
        .collect()
}

fn ledger_key(delivery: &Delivery) -> LedgerKey {
    LedgerKey {
        sent_at_ms: delivery.identity.sent_at_ms,
        message_id: delivery.identity.message_id,
    }
}
