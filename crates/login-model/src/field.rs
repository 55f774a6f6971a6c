//! The six fields of a login event, by name, and how long each may be.

use std::fmt;

/// A field of a login event, in the order in which fields are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Who logged in; the one field that may not be null.
    UserId,
    /// The version of the app; stored as a number.
    AppVersion,
    /// `ios`, `android` and the like.
    DeviceType,
    /// The address that the login came from; masked.
    Ip,
    /// The language or country of the app.
    Locale,
    /// The identifier of the device; masked.
    DeviceId,
}

impl Field {
    /// Every field, in the order in which they are checked.
    pub const ALL: [Self; 6] = [
        Self::UserId,
        Self::AppVersion,
        Self::DeviceType,
        Self::Ip,
        Self::Locale,
        Self::DeviceId,
    ];

    /// The name as it stands in a message body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::AppVersion => "app_version",
            Self::DeviceType => "device_type",
            Self::Ip => "ip",
            Self::Locale => "locale",
            Self::DeviceId => "device_id",
        }
    }

    /// The most characters (Unicode scalar values, as Postgres counts them) that the column takes.
    ///
    /// `None` where the text itself is not stored: a masked column's limit is the masker's to keep.
    pub const fn max_chars(self) -> Option<usize> {
        match self {
            Self::UserId => Some(128),
            Self::DeviceType | Self::Locale => Some(32),
            Self::AppVersion | Self::Ip | Self::DeviceId => None,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
