//! What is to be re-masked, from what to what; refused before the database is asked where it cannot be done.

use std::path::Path;

use etl_access::keys::{Choice, Keys};
use masking::{FieldMasker, Kind, Scheme};
use pg_writer::Finished;

use super::convert::Converter;
use crate::arguments::{LoginColumn, RemaskArguments};
use crate::failure::Failure;
use crate::key_id;

/// A converter for each column that is asked for.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) ip: Option<Converter>,
    pub(super) device_id: Option<Converter>,
}

impl Plan {
    pub(super) async fn of(arguments: &RemaskArguments) -> Result<Self, Failure> {
        let (target, origin) = (arguments.masking, arguments.from);
        check(target, origin, arguments.from_keyset.as_deref())?;
        let is_for_addresses = [Some(target), origin].contains(&Some(Scheme::IpcryptPfx));
        let wanted = match arguments.column.as_slice() {
            [] if is_for_addresses => &[LoginColumn::Ip][..],
            [] => &[LoginColumn::Ip, LoginColumn::DeviceId],
            asked => asked,
        };
        let mut files = Files::of(arguments);
        let mut plan = Self::default();
        if wanted.contains(&LoginColumn::Ip) {
            plan.ip = Some(files.converter("ip", Kind::Ip).await?);
        }
        if wanted.contains(&LoginColumn::DeviceId) {
            if is_for_addresses {
                return Err(addresses_only());
            }
            plan.device_id = Some(files.converter("device_id", Kind::Text).await?);
        }
        Ok(plan)
    }

    pub(super) fn finished(&self) -> Finished {
        Finished {
            ip: self.ip.as_ref().map(Converter::finished),
            device_id: self.device_id.as_ref().map(Converter::finished),
        }
    }
}

fn check(target: Scheme, origin: Option<Scheme>, other_file: Option<&Path>) -> Result<(), Failure> {
    if !target.needs_keyset() && !target.needs_ipcrypt_key() {
        return Err(
            Failure::usage(format!("--masking {target} has no key to bring rows under"))
                .hint("rows are brought under a key of aes-siv, hmac-sha256 or ipcrypt-pfx"),
        );
    }
    match (target, origin) {
        (Scheme::HmacSha256, None) => Err(one_way(target)),
        (_, Some(origin)) if !origin.is_reversible() => Err(one_way(origin)),
        (Scheme::IpcryptPfx, None) => Err(Failure::usage(
            "ipcrypt-pfx needs --from: its values name no key",
        )
        .hint("--from base64, or --from aes-siv --from-keyset FILE")),
        (Scheme::IpcryptPfx, Some(Scheme::IpcryptPfx)) => Err(by_way_of_aes_siv()),
        (_, Some(Scheme::IpcryptPfx))
        | (Scheme::HmacSha256 | Scheme::IpcryptPfx, Some(Scheme::AesSiv))
            if other_file.is_none() =>
        {
            Err(Failure::usage("the old rows' key is not given")
                .hint("--from-keyset names the key file of the old rows"))
        }
        _ => Ok(()),
    }
}

fn one_way(scheme: Scheme) -> Failure {
    Failure::usage(format!(
        "{scheme} is one-way: what it masked cannot be recovered, so it cannot be re-masked"
    ))
}

/// A value of `ipcrypt-pfx` under the new key looks as one under the old key does. A run that was cut short, or one
/// that is repeated, would mask some rows twice, and nobody could tell which.
fn by_way_of_aes_siv() -> Failure {
    Failure::usage("ipcrypt-pfx cannot be brought from key to key directly: its values name no key")
        .hint(
            "go by way of aes-siv: etl remask --column ip --masking aes-siv --keyset KEYSET --from ipcrypt-pfx \
             --from-keyset OLD, then etl remask --column ip --masking ipcrypt-pfx --keyset NEW --from aes-siv \
             --from-keyset KEYSET",
        )
}

fn addresses_only() -> Failure {
    Failure::usage("ipcrypt-pfx masks addresses only, and device_id holds none")
        .hint("--column ip leaves the other column alone")
}

/// The key files that rows end under, and that they come from.
struct Files<'a> {
    arguments: &'a RemaskArguments,
    new: Keys<'a>,
    old: Keys<'a>,
}

impl<'a> Files<'a> {
    fn of(arguments: &'a RemaskArguments) -> Self {
        let wrapped_by = arguments.kek.keyset_kek.as_ref();
        Self {
            arguments,
            new: Keys::new(wrapped_by),
            old: Keys::old(wrapped_by),
        }
    }

    async fn converter(&mut self, domain: &str, kind: Kind) -> Result<Converter, Failure> {
        let (scheme, file) = (self.arguments.masking, self.arguments.keyset.as_deref());
        let choice = |scheme, key_file| Choice { scheme, key_file };
        let target = self.new.masker(choice(scheme, file), domain, kind).await?;
        let origin = match (self.arguments.from, self.arguments.from_keyset.as_deref()) {
            (None, _) | (Some(Scheme::AesSiv), None) => None,
            (Some(scheme), file) => {
                let old = self.old.masker(choice(scheme, file), domain, kind);
                Some(old.await?)
            }
        };
        let primary = match file {
            Some(path) if scheme == Scheme::AesSiv => self.new.primary_id(path).await?,
            _ => None,
        };
        if let Some(origin) = &origin {
            refuse_equal_ids(&target, origin, primary)?;
        }
        Ok(Converter::new(target, origin, primary))
    }
}

/// Two keys of one id: the values of the one would pass for values of the other, which are finished.
fn refuse_equal_ids(
    target: &FieldMasker,
    origin: &FieldMasker,
    primary: Option<u32>,
) -> Result<(), Failure> {
    let probe = |masker: &FieldMasker| masker.mask("").ok();
    let (new, old) = (probe(target), probe(origin));
    let old_id = old.as_ref().and_then(|old| key_id::of_value(old.as_str()));
    if primary.is_some() && old_id == primary && old != new {
        return Err(Failure::usage(
            "the two key files hold different keys under one id",
        ));
    }
    Ok(())
}
