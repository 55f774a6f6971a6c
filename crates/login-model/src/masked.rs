//! The row that is written: a login event whose address and device id only their masker can have made.

use std::borrow::Cow;
use std::fmt;

use masking::{FieldMasker, MaskError, Masked, Pii};

use crate::{Field, LoginEvent, Reason, Rejection};

/// How the two fields with personal data are masked.
#[derive(Debug)]
pub struct Maskers {
    /// For `ip`.
    pub ip: FieldMasker,
    /// For `device_id`.
    pub device_id: FieldMasker,
}

/// One login as it is stored. `create_date` is the delivery's to know, not the event's.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskedLogin<'a> {
    /// Who logged in.
    pub user_id: Cow<'a, str>,
    /// `ios`, `android` and the like.
    pub device_type: Option<Cow<'a, str>>,
    /// Where from, masked.
    pub masked_ip: Option<Masked>,
    /// Which device, masked.
    pub masked_device_id: Option<Masked>,
    /// Language or country.
    pub locale: Option<Cow<'a, str>>,
    /// The version of the app as one number.
    pub app_version: Option<i32>,
}

impl<'a> LoginEvent<'a> {
    /// Masks the address and the device id; in that order, where both cannot be.
    pub fn mask(self, maskers: &Maskers) -> Result<MaskedLogin<'a>, Rejection> {
        Ok(MaskedLogin {
            masked_ip: mask_field(Field::Ip, &maskers.ip, self.ip.as_ref())?,
            masked_device_id: mask_field(
                Field::DeviceId,
                &maskers.device_id,
                self.device_id.as_ref(),
            )?,
            user_id: self.user_id,
            device_type: self.device_type,
            locale: self.locale,
            app_version: self.app_version,
        })
    }
}

fn mask_field(
    field: Field,
    masker: &FieldMasker,
    value: Option<&Pii<Cow<'_, str>>>,
) -> Result<Option<Masked>, Rejection> {
    let result = value.map(|value| masker.mask(value.expose())).transpose();
    result.map_err(|error| Rejection::of_field(field, reason_for(&error)))
}

fn reason_for(error: &MaskError) -> Reason {
    match error {
        MaskError::TooLong { .. } => Reason::MaskedValueTooLong,
        MaskError::NotAnAddress => Reason::IpNotAnAddress,
        _ => Reason::MaskingFailed,
    }
}

impl MaskedLogin<'_> {
    /// The row with texts of its own, for where it outlives the body.
    pub fn into_owned(self) -> MaskedLogin<'static> {
        let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        MaskedLogin {
            user_id: Cow::Owned(self.user_id.into_owned()),
            device_type: self.device_type.map(text),
            masked_ip: self.masked_ip,
            masked_device_id: self.masked_device_id,
            locale: self.locale.map(text),
            app_version: self.app_version,
        }
    }
}

/// Shows which fields are there, and no text: under base64 a masked value is as good as the raw one.
impl fmt::Debug for MaskedLogin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskedLogin")
            .field("has_device_type", &self.device_type.is_some())
            .field("has_masked_ip", &self.masked_ip.is_some())
            .field("has_masked_device_id", &self.masked_device_id.is_some())
            .field("has_locale", &self.locale.is_some())
            .field("app_version", &self.app_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_the_masker_has_its_reason() {
        let too_long = MaskError::TooLong { limit: 256 };
        assert_eq!(reason_for(&too_long), Reason::MaskedValueTooLong);
        assert_eq!(reason_for(&MaskError::NotAnAddress), Reason::IpNotAnAddress);
    }
}
