//! `etl keyset new` and `etl keyset encrypt`: files that do not exist yet.

use std::path::Path;

use etl_access::keys::{self, KeyError, WrappingKey};
use masking::{IpcryptKey, KeyFile, KeyType, Keyset, KeysetError, Pii, Scheme};

use super::next;
use crate::arguments::{EncryptKeyset, NewKeyset};
use crate::failure::Failure;

pub(super) async fn new(arguments: &NewKeyset) -> Result<(), Failure> {
    let (path, scheme) = (&arguments.out, arguments.scheme);
    let text = generate(arguments).await?;
    KeyFile::create(path, text.expose()).map_err(KeyError::from)?;
    let wrapped_by = arguments.kek.keyset_kek.as_ref();
    let encrypted = wrapped_by.map_or_else(String::new, |key| format!(", encrypted with {key}"));
    println!(
        "made {} with one key for {scheme}{encrypted}",
        path.display()
    );
    if scheme.is_reversible() {
        next(what_to_keep(wrapped_by.is_some()));
    }
    next(&format!(
        "etl run {} --keyset {}{}",
        run_options(scheme),
        path.display(),
        arguments.kek
    ));
    Ok(())
}

async fn generate(arguments: &NewKeyset) -> Result<Pii<String>, Failure> {
    let wrapped_by = arguments.kek.keyset_kek.as_ref();
    let no_randomness = |error: KeysetError| Failure::gave_up(error.to_string());
    let key_type = match arguments.scheme {
        Scheme::AesSiv => KeyType::AesSiv,
        Scheme::HmacSha256 => KeyType::HmacPrf,
        Scheme::IpcryptPfx if wrapped_by.is_some() => return Err(no_encrypted_form()),
        Scheme::IpcryptPfx => {
            let key = IpcryptKey::generate().map_err(no_randomness)?;
            return Ok(key.to_json());
        }
        other => return Err(Failure::usage(format!("{other} needs no key"))),
    };
    let keyset = Keyset::generate(key_type).map_err(no_randomness)?;
    Ok(keys::text(&keyset, wrapped_by).await?)
}

fn no_encrypted_form() -> Failure {
    Failure::usage("a key of ipcrypt-pfx has no encrypted form, since Tink knows no such key")
        .hint("leave out --keyset-kek (ETL_KEYSET_KEK), and keep the file in a secret store")
}

const fn what_to_keep(is_encrypted: bool) -> &'static str {
    if is_encrypted {
        "keep a copy of the file, and the key at KMS: what is masked is lost with either"
    } else {
        "keep a copy where no backup of the database lies: what is masked is lost with the key"
    }
}

/// The scheme for addresses leaves the other column to another scheme.
fn run_options(scheme: Scheme) -> String {
    match scheme {
        Scheme::IpcryptPfx => {
            "--mask-ip ipcrypt-pfx --mask-device-id SCHEME (with --keyset-device-id, if that needs a key)"
                .to_owned()
        }
        other => format!("--masking {other}"),
    }
}

/// A copy, so that nothing is lost should KMS refuse to open what it sealed: that is tried before the file is made.
pub(super) async fn encrypt(arguments: &EncryptKeyset) -> Result<(), Failure> {
    let (path, out) = (arguments.keyset.as_path(), arguments.out.as_path());
    let keyset = keys::open(&keys::read(path)?, path, None).await?;
    let key = &arguments.keyset_kek;
    let sealed = key.seal(&keyset).await.map_err(KeyError::from)?;
    if key.open(&sealed).await.map_err(KeyError::from)? != keyset {
        return Err(Failure::gave_up(format!(
            "{key} gave back something else than it was given"
        )));
    }
    KeyFile::create(out, &sealed.to_json()).map_err(KeyError::from)?;
    println!(
        "made {} from {}, encrypted with {key}",
        out.display(),
        path.display()
    );
    tell_what_follows(path, out, key);
    Ok(())
}

fn tell_what_follows(clear: &Path, encrypted: &Path, key: &WrappingKey) {
    next(&format!(
        "use --keyset {} --keyset-kek {} from now on",
        encrypted.display(),
        key.uri()
    ));
    next(&format!(
        "then remove {} and every copy of it: whoever has one needs no KMS",
        clear.display()
    ));
}
