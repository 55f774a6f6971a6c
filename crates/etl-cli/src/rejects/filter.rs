//! Which messages of a dead-letter queue are meant.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use login_model::Reason;
use sqs_reader::{Delivery, Identity, REJECT_REASON};
use uuid::Uuid;

use crate::arguments::RedriveArguments;

/// The filters of one call; all that are given must hold.
pub(super) struct Filter {
    reasons: HashSet<Reason>,
    message_ids: HashSet<Uuid>,
    sent_from: Option<SystemTime>,
    sent_until: Option<SystemTime>,
}

impl Filter {
    pub(super) fn new(arguments: &RedriveArguments, now: SystemTime) -> Self {
        Self {
            reasons: arguments.reason.iter().copied().collect(),
            message_ids: arguments.message_id.iter().copied().collect(),
            sent_from: arguments.newer_than.and_then(|age| now.checked_sub(age)),
            sent_until: arguments.older_than.and_then(|age| now.checked_sub(age)),
        }
    }

    pub(super) fn admits(&self, delivery: &Delivery) -> bool {
        self.admits_message(delivery.identity, delivery.attribute(REJECT_REASON))
    }

    fn admits_message(&self, identity: Identity, reason: Option<&str>) -> bool {
        let sent_at = SystemTime::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(identity.sent_at_ms).unwrap_or(0));
        let reason = reason.and_then(|name| name.parse().ok());
        (self.reasons.is_empty() || reason.is_some_and(|reason| self.reasons.contains(&reason)))
            && (self.message_ids.is_empty() || self.message_ids.contains(&identity.message_id))
            && self.sent_from.is_none_or(|from| sent_at >= from)
            && self.sent_until.is_none_or(|until| sent_at <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn filter(reasons: &[Reason], older_than: Option<u64>, newer_than: Option<u64>) -> Filter {
        let before = |seconds| SystemTime::UNIX_EPOCH + NOW - Duration::from_secs(seconds);
        Filter {
            reasons: reasons.iter().copied().collect(),
            message_ids: HashSet::new(),
            sent_from: newer_than.map(before),
            sent_until: older_than.map(before),
        }
    }

    fn sent_before(seconds: u64) -> Identity {
        let sent_at = NOW.saturating_sub(Duration::from_secs(seconds));
        Identity {
            sent_at_ms: i64::try_from(sent_at.as_millis()).unwrap(),
            message_id: Uuid::nil(),
        }
    }

    #[test]
    fn without_a_filter_every_message_is_meant() {
        assert!(filter(&[], None, None).admits_message(sent_before(0), None));
    }

    #[test]
    fn a_reason_leaves_out_others_and_messages_without_one() {
        let filter = filter(&[Reason::MissingField], None, None);
        assert!(filter.admits_message(sent_before(0), Some("missing_field")));
        assert!(!filter.admits_message(sent_before(0), Some("too_long")));
        assert!(!filter.admits_message(sent_before(0), None));
    }

    #[test]
    fn ages_count_from_the_first_sending() {
        let filter = filter(&[], Some(60), Some(120));
        assert!(filter.admits_message(sent_before(90), None));
        assert!(!filter.admits_message(sent_before(59), None));
        assert!(!filter.admits_message(sent_before(121), None));
    }
}
