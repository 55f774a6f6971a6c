//! What becomes of one old value. Whether a value is finished, to be changed or unreadable is told by the value alone.
//!
//! * `aes-siv` is authenticated: what opens under the keyset is what it claims to be, and no base64 text opens by chance.
//! * A value of the Python original is exactly what its base64 encodes to; what begins with Tink's prefix is taken for
//!   a value of a key that is missing, and left.
//! * An address is never base64, nor the other way round: so `ipcrypt-pfx` is told from the others, but never one of its
//!   keys from another.

use masking::{FieldMasker, Masked, Pii, Scheme};

use crate::key_id;

/// A pattern that no masked value matches.
const NOTHING: &str = "^#";

/// Recovers old values and masks them anew.
pub(super) struct Converter {
    target: FieldMasker,
    /// How the values that the target does not open are read, if there can be such.
    origin: Option<FieldMasker>,
    /// The key id before finished values of `aes-siv`; none under a key without a prefix.
    primary: Option<u32>,
}

/// What is to be done with a value.
pub(super) enum Verdict {
    /// It is under the primary key.
    Finished,
    /// This is to stand in its place.
    New(Masked),
    /// It stays as it is; the reason holds nothing of it.
    Unreadable(String),
}

impl Converter {
    pub(super) fn new(
        target: FieldMasker,
        origin: Option<FieldMasker>,
        primary: Option<u32>,
    ) -> Self {
        Self {
            target,
            origin,
            primary,
        }
    }

    /// A regular expression for Postgres: the values that need no look. It may miss finished values.
    pub(super) fn finished(&self) -> String {
        match (self.target.scheme(), self.primary) {
            (Scheme::AesSiv, Some(key_id)) => key_id::pattern(key_id),
            (Scheme::HmacSha256, _) => "^[A-Za-z0-9_-]{22}$".to_owned(),
            (Scheme::IpcryptPfx, _) => "[.:]".to_owned(),
            _ => NOTHING.to_owned(),
        }
    }

    pub(super) fn judge(&self, value: &str) -> Verdict {
        if self.has_finished_shape(value) {
            return Verdict::Finished;
        }
        let recovered = match self.recover(value) {
            Ok(recovered) => recovered,
            Err(reason) => return Verdict::Unreadable(reason),
        };
        match self.target.mask(recovered.expose()) {
            Ok(masked) if masked.as_str() == value => Verdict::Finished,
            Ok(masked) => Verdict::New(masked),
            Err(error) => Verdict::Unreadable(error.to_string()),
        }
    }

    /// The same as the patterns, for the schemes whose values are told by their shape.
    fn has_finished_shape(&self, value: &str) -> bool {
        let is_of_fingerprint = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        match self.target.scheme() {
            Scheme::HmacSha256 => value.len() == 22 && value.bytes().all(is_of_fingerprint),
            Scheme::IpcryptPfx => value.contains(['.', ':']),
            _ => false,
        }
    }

    fn recover(&self, value: &str) -> Result<Pii<String>, String> {
        let mut refusal = None;
        if self.target.scheme() == Scheme::AesSiv {
            match self.target.unmask(value) {
                Ok(recovered) => return Ok(recovered),
                Err(error) => refusal = Some(error.to_string()),
            }
        }
        match &self.origin {
            Some(origin) if origin.scheme() == Scheme::Base64 => decode(origin, value, refusal),
            Some(origin) => origin.unmask(value).map_err(|error| error.to_string()),
            None => Err(refusal.unwrap_or_default()),
        }
    }
}

/// Reads base64 that is exactly as the original wrote it.
fn decode(
    base64: &FieldMasker,
    value: &str,
    refusal: Option<String>,
) -> Result<Pii<String>, String> {
    if key_id::of_value(value).is_some() {
        return Err(
            refusal.unwrap_or_else(|| "the masked value is not base64 of a text".to_owned())
        );
    }
    let recovered = base64.unmask(value).map_err(|error| error.to_string())?;
    let again = base64.mask(recovered.expose());
    if again.is_ok_and(|again| again.as_str() == value) {
        Ok(recovered)
    } else {
        Err("the masked value is not base64 as the original wrote it".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use masking::{Key, Keyset, Kind};

    use super::*;

    fn keyset(ids: &[u32], primary: u32) -> Keyset {
        let key = |id: &u32| Key::aes_siv(*id, &[u8::try_from(*id).unwrap(); 64]).unwrap();
        Keyset::new(ids.iter().map(key).collect(), primary).unwrap()
    }

    fn aes_siv(keyset: &Keyset) -> FieldMasker {
        let builder = FieldMasker::builder(Scheme::AesSiv)
            .domain("ip")
            .kind(Kind::Ip);
        builder.keyset(keyset).build().unwrap()
    }

    fn base64() -> FieldMasker {
        FieldMasker::builder(Scheme::Base64).build().unwrap()
    }

    fn text(verdict: Verdict) -> String {
        match verdict {
            Verdict::Finished => "finished".to_owned(),
            Verdict::New(masked) => masked.into_string(),
            Verdict::Unreadable(_) => "unreadable".to_owned(),
        }
    }

    #[test]
    fn values_of_older_keys_come_under_the_primary_and_stay_there() {
        let (old, new) = (aes_siv(&keyset(&[1], 1)), aes_siv(&keyset(&[1, 2], 2)));
        let (was, is) = (old.mask("1.2.3.4").unwrap(), new.mask("1.2.3.4").unwrap());
        let converter = Converter::new(new, None, Some(2));
        assert_eq!(text(converter.judge(was.as_str())), is.as_str());
        assert_eq!(text(converter.judge(is.as_str())), "finished");
    }

    #[test]
    fn base64_is_told_from_values_of_any_key() {
        let (missing, new) = (aes_siv(&keyset(&[3], 3)), aes_siv(&keyset(&[2], 2)));
        let is = new.mask("2001:db8::1").unwrap();
        let converter = Converter::new(new, Some(base64()), Some(2));
        let encoded = base64().mask("2001:0DB8::1").unwrap();
        assert_eq!(text(converter.judge(encoded.as_str())), is.as_str());
        assert_eq!(text(converter.judge(is.as_str())), "finished");
        let of_missing_key = missing.mask("1.2.3.4").unwrap();
        assert_eq!(text(converter.judge(of_missing_key.as_str())), "unreadable");
    }

    #[test]
    fn what_the_original_never_wrote_is_left() {
        let converter = Converter::new(aes_siv(&keyset(&[2], 2)), Some(base64()), Some(2));
        for value in [
            "1.2.3.4",
            "redacted",
            "TMjQu8M67DD95rWRa9oHTA",
            // Without its padding, and in the other alphabet.
            "MS4yLjMuNDU",
            "Pz8_Pz8_",
            // A text that begins as Tink's values do.
            "AWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=",
        ] {
            assert_eq!(text(converter.judge(value)), "unreadable", "{value}");
        }
    }

    #[test]
    fn a_fingerprint_is_finished_and_never_read_again() {
        let keyset = Keyset::new(vec![Key::hmac_prf(7, &[9; 32]).unwrap()], 7).unwrap();
        let builder = FieldMasker::builder(Scheme::HmacSha256)
            .domain("ip")
            .keyset(&keyset);
        let fingerprint = builder.build().unwrap();
        let is = fingerprint.mask("1.2.3.4").unwrap();
        let converter = Converter::new(fingerprint, Some(base64()), None);
        assert_eq!(text(converter.judge("MS4yLjMuNA==")), is.as_str());
        assert_eq!(text(converter.judge(is.as_str())), "finished");
    }
}
