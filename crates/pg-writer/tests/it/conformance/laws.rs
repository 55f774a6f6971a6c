//! What must hold of any store.

use login_model::{Field, Reason, Rejection};
use pg_writer::{Batch, LedgerKey, RejectionRecord, StoreError, StoredLogin};
use uuid::Uuid;

use super::subject::{Rejected, Subject};
use crate::support::{batch, key, login, push, record, tokens};

pub(super) async fn one_id_twice_in_a_batch_is_one_row(subject: &impl Subject) {
    let report = subject.write(batch([1, 2, 1])).await;
    assert_eq!(
        (report.committed.written(), report.committed.duplicates()),
        (2, 1)
    );
    assert_eq!(tokens(report), [vec![1, 1, 2], vec![], vec![]]);
    assert_eq!(subject.logins().await.len(), 2);
}

pub(super) async fn one_id_in_two_batches_is_one_row(subject: &impl Subject) {
    assert_eq!(subject.write(batch([1, 2])).await.committed.written(), 2);
    let again = subject.write(batch([2, 3])).await;
    assert_eq!(
        (again.committed.written(), again.committed.duplicates()),
        (1, 1)
    );
    assert_eq!(tokens(again), [vec![2, 3], vec![], vec![]]);
    assert_eq!(
        (subject.logins().await.len(), subject.ledger().await),
        (3, 3)
    );
}

/// Unsorted, this deadlocked nearly every time.
pub(super) async fn writers_in_opposite_order_neither_deadlock_nor_double(subject: &impl Subject) {
    for round in 0..20 {
        let numbers = round * 200..(round + 1) * 200;
        let (up, down) = tokio::join!(
            subject.write(batch(numbers.clone())),
            subject.write(batch(numbers.rev())),
        );
        assert!(up.undecided.is_none() && down.undecided.is_none());
        assert_eq!(up.committed.written() + down.committed.written(), 200);
        assert_eq!(up.committed.duplicates() + down.committed.duplicates(), 200);
    }
    assert_eq!(subject.logins().await.len(), 4_000);
    assert_eq!(subject.statements(), 40);
}

pub(super) async fn an_empty_batch_costs_nothing(subject: &impl Subject) {
    let report = subject.write(batch([])).await;
    assert!(tokens(report).iter().all(Vec::is_empty));
    assert!(subject.record(Vec::new()).await.is_ok());
    assert_eq!(subject.statements(), 0);
}

pub(super) async fn null_stays_null(subject: &impl Subject) {
    let mut batch = Batch::default();
    let mut row = login("user");
    row.device_type = None;
    row.masked_ip = None;
    row.masked_device_id = None;
    row.locale = None;
    row.app_version = None;
    push(&mut batch, 1, row);
    let mut empty = login("with empty texts");
    empty.locale = Some("".into());
    push(&mut batch, 2, empty);
    assert_eq!(subject.write(batch).await.committed.written(), 2);
    let logins = subject.logins().await;
    let expected = StoredLogin {
        user_id: Some("user".to_owned()),
        create_date: Some(8_718),
        ..StoredLogin::default()
    };
    assert!(logins[0] == expected);
    assert_eq!(logins[1].locale.as_deref(), Some(""));
}

pub(super) async fn unicode_is_kept(subject: &impl Subject) {
    let names = [
        "Zoë",
        "日本語",
        "👩‍👩‍👧",
        "a\u{301}",
        "\u{10FFFF}",
        "tab\tquote'\"\\",
    ];
    let mut batch = Batch::default();
    for (number, name) in (1..).zip(names) {
        push(&mut batch, number, login(name));
    }
    assert_eq!(subject.write(batch).await.committed.written(), 6);
    let found = subject.logins().await;
    let found = found.iter().filter_map(|login| login.user_id.as_deref());
    let mut expected = names;
    expected.sort_unstable();
    assert!(found.eq(expected));
}

pub(super) async fn the_date_is_that_of_the_sending_in_utc(subject: &impl Subject) {
    let mut batch = Batch::default();
    // 2024-02-29T23:59:59.999Z, one millisecond later, and before 1970.
    for (number, sent_at_ms) in [(1, 1_709_251_199_999), (2, 1_709_251_200_000), (3, -1)] {
        let key = LedgerKey {
            sent_at_ms,
            message_id: Uuid::from_u128(number),
        };
        let row = login(&format!("user-{number}"));
        assert!(batch.push(key, 0, |_| Ok::<_, ()>(row)).is_ok());
    }
    assert_eq!(subject.write(batch).await.committed.written(), 3);
    let dates: Vec<_> = subject
        .logins()
        .await
        .iter()
        .map(|login| login.create_date)
        .collect();
    assert_eq!(dates, [Some(8_825), Some(8_826), Some(-10_958)]);
}

/// Numbers up to `count`, of which some are refused.
fn with_bad(count: u32, is_bad: impl Fn(u32) -> bool) -> Batch<u32> {
    let mut batch = Batch::default();
    for number in 0..count {
        let name = if is_bad(number) { "bad" } else { "user" };
        push(&mut batch, number, login(&format!("{name}-{number}")));
    }
    batch
}

pub(super) async fn refused_rows_are_found_and_the_rest_is_written(subject: &impl Subject) {
    let report = subject
        .write(with_bad(100, |number| [0, 41, 42, 99].contains(&number)))
        .await;
    assert_eq!(report.committed.written(), 96);
    assert!(report.refused.iter().all(|(at, token)| *at == key(*token)));
    let [committed, refused, undecided] = tokens(report);
    assert_eq!(
        (committed.len(), refused, undecided),
        (96, vec![0, 41, 42, 99], vec![])
    );
    assert_eq!(
        (subject.logins().await.len(), subject.ledger().await),
        (96, 96)
    );
}

pub(super) async fn a_long_run_of_refused_rows_is_found(subject: &impl Subject) {
    let [committed, refused, undecided] =
        tokens(subject.write(with_bad(60, |number| number >= 30)).await);
    assert_eq!(
        (committed.len(), refused.len(), undecided.len()),
        (30, 30, 0)
    );
}

pub(super) async fn where_every_row_is_refused_a_control_shows_that_it_is_their_fault(
    subject: &impl Subject,
) {
    for count in [1, 50] {
        let report = subject.write(with_bad(count, |_| true)).await;
        let [committed, refused, undecided] = tokens(report);
        assert_eq!(
            (committed.len(), refused.len(), undecided.len()),
            (0, count as usize, 0)
        );
    }
    assert_eq!(
        (subject.logins().await.len(), subject.ledger().await),
        (0, 0),
        "the controls were taken back"
    );
}

pub(super) async fn where_a_control_is_refused_too_none_is_blamed(subject: &impl Subject) {
    assert_eq!(subject.write(batch(0..20)).await.committed.written(), 20);
    subject.refuse_every_row(true).await;
    let before = subject.statements();
    for count in [1, 50] {
        let report = subject.write(batch(1_000..1_000 + count)).await;
        assert!(matches!(
            report.undecided,
            Some((_, StoreError::EveryRowRefused(_)))
        ));
        let [committed, refused, undecided] = tokens(report);
        assert_eq!(
            (committed.len(), refused.len(), undecided.len()),
            (0, 0, count as usize)
        );
    }
    assert!(subject.statements() - before < 50);
    subject.refuse_every_row(false).await;
    let again = subject.write(batch(1_000..1_050)).await;
    assert_eq!(again.committed.written(), 50);
}

/// Nothing new was written, so nothing is known of the table but that those rows stood.
pub(super) async fn rows_that_stood_already_vouch_for_nothing(subject: &impl Subject) {
    assert_eq!(subject.write(batch(0..20)).await.committed.written(), 20);
    subject.refuse_every_row(true).await;
    let mut again = batch(0..20);
    for number in 20..40 {
        push(&mut again, number, login(&format!("user-{number}")));
    }
    let report = subject.write(again).await;
    assert_eq!(report.committed.duplicates(), 20);
    let [committed, refused, undecided] = tokens(report);
    assert_eq!(
        (committed.len(), refused.len(), undecided.len()),
        (20, 0, 20)
    );
}

pub(super) async fn a_row_that_stands_is_not_refused_when_it_comes_again(subject: &impl Subject) {
    assert_eq!(subject.write(batch([1])).await.committed.written(), 1);
    let mut again = Batch::default();
    push(&mut again, 1, login("bad-1"));
    assert_eq!(
        tokens(subject.write(again).await),
        [vec![1], vec![], vec![]]
    );
    assert_eq!(subject.logins().await[0].user_id.as_deref(), Some("user-1"));
}

pub(super) async fn a_rejection_is_recorded_once_and_updated(subject: &impl Subject) {
    let first = RejectionRecord {
        rejection: Rejection::of_field(Field::UserId, Reason::TooLong),
        ..record(1, Reason::NotJson, 5)
    };
    let recorded = subject
        .record(vec![first, record(2, Reason::NotJson, u32::MAX)])
        .await;
    let tokens = recorded.ok().unwrap().into_records().into_iter();
    assert!(tokens.map(|record| record.token).eq([1, 2]));
    let expected = |reason: &str, field: Option<&str>, again| Rejected {
        reason: reason.to_owned(),
        field: field.map(str::to_owned),
        receive_count: 5,
        was_rejected_again: again,
    };
    assert_eq!(
        subject.rejected(1).await,
        Some(expected("too_long", Some("user_id"), false))
    );
    assert_eq!(subject.rejected(2).await.unwrap().receive_count, i32::MAX);
    // So that the second recording is at another time, by a clock that may stand still otherwise.
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    assert!(
        subject
            .record(vec![record(1, Reason::NotJson, 3)])
            .await
            .is_ok()
    );
    assert_eq!(
        subject.rejected(1).await,
        Some(expected("not_json", None, true))
    );
}

pub(super) async fn one_rejection_twice_in_a_call_is_one_row(subject: &impl Subject) {
    let twice = vec![
        record(1, Reason::NotJson, 2),
        record(1, Reason::NotAnObject, 3),
        record(1, Reason::NotUtf8, 1),
    ];
    assert_eq!(
        subject
            .record(twice)
            .await
            .ok()
            .unwrap()
            .into_records()
            .len(),
        3
    );
    let row = subject.rejected(1).await.unwrap();
    assert_eq!((&*row.reason, row.receive_count), ("not_an_object", 3));
}

pub(super) async fn statements_are_counted(subject: &impl Subject) {
    let _ = subject.write(batch(0..500)).await;
    assert_eq!(subject.statements(), 1);
    assert!(
        subject
            .record(vec![record(1, Reason::NotJson, 1)])
            .await
            .is_ok()
    );
    assert_eq!(subject.statements(), 2);
    // One bad row in a batch: the whole, a probe, nine halvings, the rest at once, and a last try.
    let before = subject.statements();
    let mut one_bad = batch(1_000..1_499);
    push(&mut one_bad, 2_000, login("bad"));
    assert_eq!(subject.write(one_bad).await.refused.len(), 1);
    assert!((10..=19).contains(&(subject.statements() - before)));
}
