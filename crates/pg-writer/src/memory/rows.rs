//! The double's rows, as a reader of the tables would find them.

use std::fmt;
use std::time::Duration;

use crate::batch::Columns;
use crate::column::Column;

/// A row of `user_logins`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StoredLogin {
    /// As in the column of this name.
    pub user_id: Option<String>,
    /// As in the column of this name.
    pub device_type: Option<String>,
    /// As in the column of this name.
    pub masked_ip: Option<String>,
    /// As in the column of this name.
    pub masked_device_id: Option<String>,
    /// As in the column of this name.
    pub locale: Option<String>,
    /// As in the column of this name.
    pub app_version: Option<i32>,
    /// The date in days since 2000-01-01, where Postgres counts from.
    pub create_date: Option<i32>,
}

/// Shows no text: under base64 a masked value is as good as the raw one.
impl fmt::Debug for StoredLogin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoredLogin")
            .field("has_device_type", &self.device_type.is_some())
            .field("has_masked_ip", &self.masked_ip.is_some())
            .field("has_masked_device_id", &self.masked_device_id.is_some())
            .field("has_locale", &self.locale.is_some())
            .field("app_version", &self.app_version)
            .field("create_date", &self.create_date)
            .finish_non_exhaustive()
    }
}

impl StoredLogin {
    /// Reads a row back from the wire form in which Postgres would get it.
    pub(super) fn read(columns: &Columns, row: usize) -> Self {
        Self {
            user_id: text(&columns.user_id, row),
            device_type: text(&columns.device_type, row),
            masked_ip: text(&columns.masked_ip, row),
            masked_device_id: text(&columns.masked_device_id, row),
            locale: text(&columns.locale, row),
            app_version: number(&columns.app_version, row),
            create_date: number(&columns.create_date, row),
        }
    }
}

fn text(column: &Column, row: usize) -> Option<String> {
    let bytes = column.value(row)?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

fn number(column: &Column, row: usize) -> Option<i32> {
    column.value(row)?.try_into().ok().map(i32::from_be_bytes)
}

/// A row of `rejected_messages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRejection {
    /// The newest reason's name.
    pub reason: &'static str,
    /// The field at fault, by its name.
    pub field: Option<&'static str>,
    /// The greatest that was recorded.
    pub receive_count: i32,
    /// When it was first recorded, since the store was first used.
    pub first_rejected_at: Duration,
    /// When it was last recorded, since the store was first used.
    pub last_rejected_at: Duration,
}
