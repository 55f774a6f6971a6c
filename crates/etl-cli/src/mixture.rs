//! A column that holds masks of two schemes joins and counts wrongly, and nobody sees it. `etl check` says so, and a run
//! at its start, by a look at the rows that were written last; where they may not be read nothing is said.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use login_model::Maskers;
use masking::{FieldMasker, Scheme};
use pg_writer::PgStore;

use crate::key_id;

/// Some hundred rows.
const BLOCKS: u32 = 4;
/// A table that is locked must not hold up a run.
const PATIENCE: Duration = Duration::from_secs(2);

/// A column whose last values are of other schemes than the one that is to write.
pub(crate) struct Mixture {
    pub(crate) column: &'static str,
    pub(crate) own: Scheme,
    /// Their names.
    pub(crate) others: Vec<&'static str>,
}

/// None where there are no rows to look at, or they may not be read, or not in time.
pub(crate) async fn find(store: &PgStore, maskers: &Maskers) -> Option<Vec<Mixture>> {
    let looked = tokio::time::timeout(PATIENCE, store.recent_masks(BLOCKS)).await;
    let rows = looked.ok()?.ok().filter(|rows| !rows.is_empty())?;
    let ips = rows.iter().filter_map(|(ip, _)| ip.as_deref());
    let devices = rows.iter().filter_map(|(_, device)| device.as_deref());
    let both = [
        mixture("masked_ip", &maskers.ip, ips),
        mixture("masked_device_id", &maskers.device_id, devices),
    ];
    Some(both.into_iter().flatten().collect())
}

/// Warns of each.
pub(crate) async fn warn(store: &PgStore, maskers: &Maskers) {
    for Mixture {
        column,
        own,
        others,
    } in find(store, maskers).await.unwrap_or_default()
    {
        tracing::warn!(
            column,
            masking = %own,
            found = others.join(", "),
            "the column holds masks of another scheme: equal values will have two masks \
             (etl remask brings old rows over, where they can be recovered)"
        );
    }
}

fn mixture<'a>(
    column: &'static str,
    masker: &FieldMasker,
    values: impl Iterator<Item = &'a str>,
) -> Option<Mixture> {
    let others: Vec<_> = others(masker, values).into_iter().collect();
    (!others.is_empty()).then(|| Mixture {
        column,
        own: masker.scheme(),
        others,
    })
}

/// The schemes that values look like, where that is not the masker's own.
fn others<'a>(
    masker: &FieldMasker,
    values: impl Iterator<Item = &'a str>,
) -> BTreeSet<&'static str> {
    let own = masker.scheme();
    // Under a key without a prefix nothing tells a value of `aes-siv`.
    let is_bare = |mask: masking::Masked| !looks_like(own, mask.as_str());
    if own == Scheme::AesSiv && masker.mask("").is_ok_and(is_bare) {
        return BTreeSet::new();
    }
    let foreign = values.filter(|value| !looks_like(own, value));
    let scheme_of = |value: &str| {
        let found = Scheme::ALL
            .iter()
            .rev()
            .find(|scheme| looks_like(**scheme, value));
        found.map_or("something else", |scheme| scheme.name())
    };
    foreign.map(scheme_of).collect()
}

/// Whether a scheme can have made a value, by its shape alone.
fn looks_like(scheme: Scheme, value: &str) -> bool {
    let is_of_fingerprint = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match scheme {
        Scheme::Base64 => key_id::of_value(value).is_none() && is_text_in_base64(value),
        // Prefix and tag are 21 bytes.
        Scheme::AesSiv => value.len() >= 28 && key_id::of_value(value).is_some(),
        Scheme::HmacSha256 => value.len() == 22 && value.bytes().all(is_of_fingerprint),
        Scheme::IpcryptPfx => value.parse::<IpAddr>().is_ok(),
        Scheme::Truncate => is_truncated(value),
        Scheme::Redact => value == "redacted",
        // A scheme that is not known here cannot be told from others.
        _ => true,
    }
}

fn is_text_in_base64(value: &str) -> bool {
    let Ok(base64) = FieldMasker::builder(Scheme::Base64).build() else {
        return false;
    };
    let again = |text: masking::Pii<String>| base64.mask(text.expose()).ok();
    let again = base64.unmask(value).ok().and_then(again);
    again.is_some_and(|again| again.as_str() == value)
}

/// A network, four characters, or the word that stands for a value of which nothing is shown.
fn is_truncated(value: &str) -> bool {
    let network = value.split_once('/');
    network.is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok())
        || value.chars().count() == 4
        || value == "redacted"
}

#[cfg(test)]
mod tests {
    use masking::{IpcryptKey, Key, Keyset, Kind};

    use super::*;

    fn masker(scheme: Scheme, kind: Kind) -> FieldMasker {
        let key = match scheme {
            Scheme::HmacSha256 => Key::hmac_prf(1, &[7; 32]),
            _ => Key::aes_siv(0xdead_beef, &[7; 64]),
        };
        let key = key.unwrap();
        let keyset = Keyset::new(vec![key.clone()], key.id()).unwrap();
        let builder = FieldMasker::builder(scheme).domain("d").kind(kind);
        let builder = builder.keyset(&keyset);
        let ipcrypt_key = IpcryptKey::generate().unwrap();
        builder.ipcrypt_key(&ipcrypt_key).build().unwrap()
    }

    fn masks(scheme: Scheme) -> Vec<String> {
        let mask = |kind, value: &str| masker(scheme, kind).mask(value).unwrap().into_string();
        let mut masks = vec![
            mask(Kind::Ip, "199.172.111.135"),
            mask(Kind::Ip, "2001:db8::1"),
        ];
        if scheme != Scheme::IpcryptPfx {
            masks.extend(
                ["593-47-5928", "0123456789abcdef0123", ""].map(|text| mask(Kind::Text, text)),
            );
        }
        masks
    }

    #[test]
    fn no_scheme_is_warned_of_its_own_values() {
        for &scheme in Scheme::ALL {
            let masks = masks(scheme);
            let found = others(&masker(scheme, Kind::Ip), masks.iter().map(String::as_str));
            assert!(found.is_empty(), "{scheme}: {found:?} in {masks:?}");
        }
    }

    #[test]
    fn values_of_another_scheme_are_named() {
        for &own in Scheme::ALL {
            for &other in Scheme::ALL.iter().filter(|other| **other != own) {
                let masks = masks(other);
                let found = others(&masker(own, Kind::Ip), masks.iter().map(String::as_str));
                // What cannot be shown in part is shown as a redacted value is.
                let is_alike = [own, other] == [Scheme::Truncate, Scheme::Redact];
                assert!(
                    found.contains(other.name()) || is_alike,
                    "{own}, {other}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn under_a_key_without_a_prefix_nothing_is_said() {
        let key = Key::aes_siv(1, &[7; 64]).unwrap();
        let keyset = Keyset::new(vec![key.with_prefix(masking::KeyPrefix::Raw)], 1).unwrap();
        let builder = FieldMasker::builder(Scheme::AesSiv).domain("ip");
        let masker = builder.keyset(&keyset).build().unwrap();
        assert!(others(&masker, ["MS4yLjMuNA=="].into_iter()).is_empty());
    }
}
