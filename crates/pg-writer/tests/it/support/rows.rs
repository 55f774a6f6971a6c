//! Rows by number: the number makes the key and the user.

use std::sync::LazyLock;

use login_model::{LoginEvent, MaskedLogin, Maskers, Reason, Rejection};
use masking::{FieldMasker, Kind, Pii, Scheme};
use pg_writer::{Batch, LedgerKey, RejectionRecord, Report};
use uuid::Uuid;

/// 2023-11-14 22:13:20 UTC.
const START_MS: i64 = 1_700_000_000_000;

static MASKERS: LazyLock<Maskers> = LazyLock::new(|| {
    let build = |domain, kind| {
        let builder = FieldMasker::builder(Scheme::Base64)
            .domain(domain)
            .kind(kind);
        builder.max_chars(256).build().unwrap()
    };
    Maskers {
        ip: build("ip", Kind::Ip),
        device_id: build("device_id", Kind::Text),
    }
});

pub(crate) fn key(number: u32) -> LedgerKey {
    LedgerKey {
        sent_at_ms: START_MS + i64::from(number),
        message_id: Uuid::from_u128(u128::from(number)),
    }
}

/// A row with every field.
pub(crate) fn login(user: &str) -> MaskedLogin<'static> {
    let event = LoginEvent {
        user_id: user.to_owned().into(),
        device_type: Some("android".into()),
        ip: Some(Pii::new("199.172.111.135".into())),
        device_id: Some(Pii::new("593-47-5928".into())),
        locale: Some("RU".into()),
        app_version: Some(2),
    };
    event.mask(&MASKERS).unwrap()
}

pub(crate) fn push(batch: &mut Batch<u32>, number: u32, row: MaskedLogin<'static>) {
    let pushed = batch.push(key(number), number, |_| Ok::<_, ()>(row));
    assert!(pushed.is_ok());
}

/// Rows with these numbers, for users `user-NUMBER`; each token is its number.
pub(crate) fn batch(numbers: impl IntoIterator<Item = u32>) -> Batch<u32> {
    let mut batch = Batch::default();
    for number in numbers {
        push(&mut batch, number, login(&format!("user-{number}")));
    }
    batch
}

pub(crate) fn record(number: u32, reason: Reason, receive_count: u32) -> RejectionRecord<u32> {
    RejectionRecord {
        key: key(number),
        rejection: Rejection::of_message(reason),
        receive_count,
        token: number,
    }
}

/// The tokens that were committed, refused and left undecided, each sorted.
pub(crate) fn tokens(report: Report<u32>) -> [Vec<u32>; 3] {
    let refused = report.refused.into_iter().map(|(_, token)| token).collect();
    let undecided = report.undecided;
    let undecided = undecided.map(|(batch, _)| batch.into_tokens());
    let mut all = [
        report.committed.into_tokens(),
        refused,
        undecided.unwrap_or_default(),
    ];
    all.iter_mut().for_each(|tokens| tokens.sort_unstable());
    all
}
