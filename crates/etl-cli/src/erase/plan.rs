//! What is searched for, in which column; refused before the database is asked where it could not be found.

use std::net::IpAddr;

use etl_access::keys::{Choice, Keys};
use masking::{Kind, Scheme};
use pg_writer::PersonColumn;

use super::values::{Value, read};
use crate::arguments::{EraseArguments, PersonField};
use crate::failure::Failure;

pub(super) struct Plan {
    pub(super) column: PersonColumn,
    /// Each value under each key.
    pub(super) terms: Vec<String>,
    /// Values before they were masked.
    pub(super) count: usize,
    /// None for a column that is not masked.
    pub(super) scheme: Option<Scheme>,
}

impl Plan {
    pub(super) async fn of(arguments: &EraseArguments) -> Result<Self, Failure> {
        let (column, kind) = match arguments.field {
            PersonField::UserId => return Ok(Self::of_user_ids(&read(&arguments.input)?)),
            PersonField::Ip => (PersonColumn::MaskedIp, Kind::Ip),
            PersonField::DeviceId => (PersonColumn::MaskedDeviceId, Kind::Text),
        };
        let domain = arguments.field.name();
        let scheme = searchable(arguments.masking, domain)?;
        let key_file = arguments.keyset.as_deref();
        let mut keys = Keys::new(arguments.kek.keyset_kek.as_ref());
        let masker = keys
            .masker(Choice { scheme, key_file }, domain, kind)
            .await?;
        if let (true, Some(path)) = (scheme.needs_keyset(), key_file) {
            refuse_disabled(&keys.disabled_ids(path).await?)?;
        }
        let values = read(&arguments.input)?;
        if arguments.field == PersonField::Ip {
            values.iter().for_each(warn_of_no_address);
        }
        let mut terms = Vec::with_capacity(values.len());
        for Value { line, text } in &values {
            let masks = masker.mask_all_keys(text.expose());
            let masks = masks.map_err(|error| Failure::usage(format!("line {line}: {error}")))?;
            terms.extend(masks.into_iter().map(masking::Masked::into_string));
        }
        Ok(Self {
            column,
            terms,
            count: values.len(),
            scheme: Some(scheme),
        })
    }

    fn of_user_ids(values: &[Value]) -> Self {
        let texts = values.iter().map(|value| value.text.expose().clone());
        Self {
            column: PersonColumn::UserId,
            terms: texts.collect(),
            count: values.len(),
            scheme: None,
        }
    }
}

/// Not where many people share a masked value: their rows would go too.
fn searchable(scheme: Option<Scheme>, domain: &str) -> Result<Scheme, Failure> {
    let why = match scheme {
        None => {
            return Err(Failure::usage(format!(
                "--masking is not given: under which scheme is {domain} masked?"
            )));
        }
        Some(Scheme::Redact) => "every row holds the same word",
        Some(Scheme::Truncate) => "many people share what is left of a value",
        Some(scheme) => return Ok(scheme),
    };
    let scheme = scheme.map_or("", Scheme::name);
    Err(Failure::usage(format!(
        "a person cannot be found by {domain} under {scheme}: {why}"
    ))
    .hint("find the person by user_id: --field user_id"))
}

/// What a disabled key masked would stay, and nobody would be told.
fn refuse_disabled(ids: &[u32]) -> Result<(), Failure> {
    match ids {
        [] => Ok(()),
        [id, ..] => Err(
            Failure::usage(format!("key {id} is disabled: what it masked would not be found")).hint(
                format!(
                    "enable it meanwhile (etl keyset enable --key-id {id}), or destroy it, and what it masked is \
                     unreadable for good"
                ),
            ),
        ),
    }
}

fn warn_of_no_address(value: &Value) {
    if value.text.expose().parse::<IpAddr>().is_err() {
        tracing::warn!(
            input.line = value.line,
            "no IP address: searched for as it stands"
        );
    }
}
