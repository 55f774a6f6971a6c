//! Whether both fields can be masked: schemes, key files, and that they fit each other.

use login_model::Maskers;
use masking::{FieldMasker, Scheme};

use super::report::Report;
use crate::arguments::MaskingArguments;

/// With the maskers, where there are any.
pub(super) async fn check(arguments: &MaskingArguments) -> (Report, Option<Maskers>) {
    let mut report = Report::default();
    let maskers = match arguments.maskers().await {
        Err(failure) => {
            report.fail("masking", failure);
            None
        }
        Ok(maskers) => {
            let told = format!(
                "ip {}, device_id {}",
                maskers.ip.scheme(),
                maskers.device_id.scheme()
            );
            let is_plain = |masker: &FieldMasker| masker.scheme() == Scheme::Base64;
            if is_plain(&maskers.ip) || is_plain(&maskers.device_id) {
                let hint = "choose another --masking, unless the rows must be as the Python original wrote them";
                report.warn(
                    "masking",
                    format!("{told}: base64 is an encoding, not protection"),
                    hint,
                );
            } else {
                report.pass("masking", told);
            }
            Some(maskers)
        }
    };
    (report, maskers)
}
