//! A login event as it was sent, its limits checked, its personal data not yet masked.

use std::borrow::Cow;
use std::fmt;

use masking::Pii;

/// One login, as the app reported it. Texts are borrowed from the body wherever nothing in them is escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginEvent<'a> {
    /// Who logged in; never empty, at most 128 characters.
    pub user_id: Cow<'a, str>,
    /// `ios`, `android` and the like; at most 32 characters.
    pub device_type: Option<Cow<'a, str>>,
    /// Where from, byte for byte as sent.
    pub ip: Option<Pii<Cow<'a, str>>>,
    /// Which device, byte for byte as sent.
    pub device_id: Option<Pii<Cow<'a, str>>>,
    /// Language or country; at most 32 characters.
    pub locale: Option<Cow<'a, str>>,
    /// The number that the [`AppVersionRule`](crate::AppVersionRule) makes of the version.
    pub app_version: Option<i32>,
}

impl LoginEvent<'_> {
    /// The event with texts of its own, for where it outlives the body.
    pub fn into_owned(self) -> LoginEvent<'static> {
        let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let pii = |pii: Pii<Cow<'_, str>>| Pii::new(text(pii.into_exposed()));
        LoginEvent {
            user_id: Cow::Owned(self.user_id.into_owned()),
            device_type: self.device_type.map(text),
            ip: self.ip.map(pii),
            device_id: self.device_id.map(pii),
            locale: self.locale.map(text),
            app_version: self.app_version,
        }
    }
}

/// Shows which fields are there, and no text: a sender can put anything into any of them.
impl fmt::Debug for LoginEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginEvent")
            .field("has_device_type", &self.device_type.is_some())
            .field("has_ip", &self.ip.is_some())
            .field("has_device_id", &self.device_id.is_some())
            .field("has_locale", &self.locale.is_some())
            .field("app_version", &self.app_version)
            .finish_non_exhaustive()
    }
}
