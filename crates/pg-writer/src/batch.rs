//! Rows that wait for one statement, each with a token that says what to do once it stands.
//! Only a store turns a batch into [`Committed`], so nothing can be acknowledged before its COMMIT.

use login_model::MaskedLogin;
use uuid::Uuid;

use crate::column::{Column, oid};

/// What makes a write idempotent: the time and id of a message's first sending, the same on every redelivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerKey {
    /// Milliseconds since the Unix epoch, UTC (SQS `SentTimestamp`).
    pub sent_at_ms: i64,
    /// The message's id at its first sending.
    pub message_id: Uuid,
}

/// Days from 1970-01-01 to 2000-01-01, where Postgres counts from.
const POSTGRES_EPOCH_DAYS: i64 = 10_957;
const MS_PER_DAY: i64 = 86_400_000;

impl LedgerKey {
    /// Microseconds since 2000-01-01, as `timestamptz` travels.
    pub(crate) fn postgres_timestamp(self) -> i64 {
        self.sent_at_ms
            .saturating_sub(POSTGRES_EPOCH_DAYS * MS_PER_DAY)
            .saturating_mul(1000)
    }

    /// The UTC date of the sending in days since 2000-01-01, as `date` travels.
    pub(crate) fn postgres_date(self) -> i32 {
        let days = self.sent_at_ms.div_euclid(MS_PER_DAY) - POSTGRES_EPOCH_DAYS;
        i32::try_from(days).unwrap_or(i32::MAX)
    }
}

/// Masked rows in columns, and a token a row.
pub struct Batch<T> {
    pub(crate) columns: Columns,
    pub(crate) keys: Vec<LedgerKey>,
    tokens: Vec<T>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self {
            columns: Columns::default(),
            keys: Vec::new(),
            tokens: Vec::new(),
        }
    }
}

impl<T> Batch<T> {
    /// Takes the row that `row` makes of the token, for instance by parsing and masking the body that it holds.
    /// Where that fails, the token comes back with the error and the batch is unchanged.
    pub fn push<E>(
        &mut self,
        key: LedgerKey,
        token: T,
        row: impl FnOnce(&T) -> Result<MaskedLogin<'_>, E>,
    ) -> Result<(), (T, E)> {
        match row(&token) {
            Ok(login) => self.columns.push(key, &login),
            Err(error) => return Err((token, error)),
        }
        self.keys.push(key);
        self.tokens.push(token);
        Ok(())
    }

    /// Moves every row of `other` behind those already here.
    pub fn append(&mut self, mut other: Self) {
        self.columns.append(&mut other.columns);
        self.keys.append(&mut other.keys);
        self.tokens.append(&mut other.tokens);
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether no row is held.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Gives the tokens back unsettled, to release what they stand for.
    pub fn into_tokens(self) -> Vec<T> {
        self.tokens
    }

    /// Takes the batch apart by what became of each row; `fates` has one for each.
    pub(crate) fn sort_out(self, fates: &[Fate], written: u64) -> Sorted<T> {
        let undecided: Vec<usize> = (0..fates.len())
            .filter(|&row| fates[row] == Fate::Undecided)
            .collect();
        let mut sorted = Sorted {
            committed: Committed {
                written,
                tokens: Vec::new(),
            },
            refused: Vec::new(),
            rest: Self {
                columns: self.columns.select(&undecided),
                ..Self::default()
            },
        };
        for ((token, key), fate) in self.tokens.into_iter().zip(self.keys).zip(fates) {
            match fate {
                Fate::Committed => sorted.committed.tokens.push(token),
                Fate::Refused => sorted.refused.push((key, token)),
                Fate::Undecided => {
                    sorted.rest.keys.push(key);
                    sorted.rest.tokens.push(token);
                }
            }
        }
        sorted
    }
}

/// What became of one row of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Undecided,
    Committed,
    Refused,
}

/// A batch taken apart; `rest` holds what is neither committed nor refused.
pub(crate) struct Sorted<T> {
    pub(crate) committed: Committed<T>,
    pub(crate) refused: Vec<(LedgerKey, T)>,
    pub(crate) rest: Batch<T>,
}

/// Proof that these tokens' rows were committed, by this write or an earlier one. Only a store makes one.
#[must_use = "rows that were committed still wait to be acknowledged"]
pub struct Committed<T> {
    pub(crate) written: u64,
    pub(crate) tokens: Vec<T>,
}

impl<T> Committed<T> {
    /// Rows that were new; the other tokens' rows stood already.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Tokens whose row stood already.
    pub fn duplicates(&self) -> u64 {
        (self.tokens.len() as u64).saturating_sub(self.written)
    }

    /// The tokens, to acknowledge.
    pub fn into_tokens(self) -> Vec<T> {
        self.tokens
    }
}

/// The columns of the write statement, in the order in which it binds them.
pub(crate) struct Columns {
    pub(crate) sent_at: Column,
    pub(crate) message_id: Column,
    pub(crate) user_id: Column,
    pub(crate) device_type: Column,
    pub(crate) masked_ip: Column,
    pub(crate) masked_device_id: Column,
    pub(crate) locale: Column,
    pub(crate) app_version: Column,
    pub(crate) create_date: Column,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            sent_at: Column::new(oid::TIMESTAMPTZ),
            message_id: Column::new(oid::UUID),
            user_id: Column::new(oid::TEXT),
            device_type: Column::new(oid::TEXT),
            masked_ip: Column::new(oid::TEXT),
            masked_device_id: Column::new(oid::TEXT),
            locale: Column::new(oid::TEXT),
            app_version: Column::new(oid::INTEGER),
            create_date: Column::new(oid::DATE),
        }
    }
}

impl Columns {
    fn push(&mut self, key: LedgerKey, login: &MaskedLogin<'_>) {
        self.sent_at
            .push(Some(&key.postgres_timestamp().to_be_bytes()));
        self.message_id.push(Some(key.message_id.as_bytes()));
        self.user_id.push(Some(login.user_id.as_bytes()));
        self.device_type
            .push(login.device_type.as_deref().map(str::as_bytes));
        self.masked_ip.push(
            login
                .masked_ip
                .as_ref()
                .map(|masked| masked.as_str().as_bytes()),
        );
        self.masked_device_id.push(
            login
                .masked_device_id
                .as_ref()
                .map(|masked| masked.as_str().as_bytes()),
        );
        self.locale.push(login.locale.as_deref().map(str::as_bytes));
        self.app_version.push(
            login
                .app_version
                .map(i32::to_be_bytes)
                .as_ref()
                .map(<[u8; 4]>::as_slice),
        );
        self.create_date
            .push(Some(&key.postgres_date().to_be_bytes()));
    }

    /// What is in row `row`, at the time of row `under` of `times` and under a key of its own: a control that is taken
    /// back. The time is no sender's doing, so trouble with it, such as a missing partition, is no row's fault.
    pub(crate) fn control(&self, row: usize, times: &Self, under: usize) -> Self {
        let id = Uuid::from_slice(times.message_id.value(under).unwrap_or_default());
        let other = Uuid::new_v5(&id.unwrap_or_default(), b"control");
        let mut message_id = Column::new(oid::UUID);
        message_id.push(Some(other.as_bytes()));
        Self {
            message_id,
            sent_at: times.sent_at.select(&[under]),
            create_date: times.create_date.select(&[under]),
            ..self.select(&[row])
        }
    }

    /// A row such as any table of logins takes.
    pub(crate) fn plausible() -> Self {
        let mut columns = Self::default();
        let text = |column: &mut Column, text: &str| column.push(Some(text.as_bytes()));
        text(&mut columns.user_id, "00000000-0000-0000-0000-000000000000");
        text(&mut columns.device_type, "android");
        text(&mut columns.masked_ip, "AAAAAAAAAAAAAAAAAAAA");
        text(&mut columns.masked_device_id, "AAAAAAAAAAAAAAAAAAAA");
        text(&mut columns.locale, "US");
        columns.app_version.push(Some(&1_i32.to_be_bytes()));
        columns.sent_at.push(None);
        columns.message_id.push(None);
        columns.create_date.push(None);
        columns
    }

    fn all_mut(&mut self) -> [&mut Column; 9] {
        [
            &mut self.sent_at,
            &mut self.message_id,
            &mut self.user_id,
            &mut self.device_type,
            &mut self.masked_ip,
            &mut self.masked_device_id,
            &mut self.locale,
            &mut self.app_version,
            &mut self.create_date,
        ]
    }

    fn append(&mut self, other: &mut Self) {
        for (mine, theirs) in self.all_mut().into_iter().zip(other.all_mut()) {
            mine.append(theirs);
        }
    }

    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        Self {
            sent_at: self.sent_at.select(keep),
            message_id: self.message_id.select(keep),
            user_id: self.user_id.select(keep),
            device_type: self.device_type.select(keep),
            masked_ip: self.masked_ip.select(keep),
            masked_device_id: self.masked_device_id.select(keep),
            locale: self.locale.select(keep),
            app_version: self.app_version.select(keep),
            create_date: self.create_date.select(keep),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sent_at_ms: i64) -> LedgerKey {
        LedgerKey {
            sent_at_ms,
            message_id: Uuid::nil(),
        }
    }

    #[test]
    fn the_date_is_that_of_the_sending_in_utc() {
        assert_eq!(key(946_684_800_000).postgres_date(), 0);
        assert_eq!(key(946_684_799_999).postgres_date(), -1);
        assert_eq!(key(1_700_000_000_000).postgres_date(), 8_718); // 2023-11-14
    }

    #[test]
    fn timestamps_count_microseconds_from_2000() {
        assert_eq!(key(946_684_800_001).postgres_timestamp(), 1_000);
        assert_eq!(key(i64::MAX).postgres_timestamp(), i64::MAX);
    }

    #[test]
    fn a_row_that_cannot_be_made_gives_its_token_back() {
        let mut batch = Batch::default();
        assert_eq!(
            batch.push(key(0), "token", |_| Err("no")),
            Err(("token", "no"))
        );
        assert!(batch.is_empty());
    }
}
