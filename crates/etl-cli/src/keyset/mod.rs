//! `etl keyset`: makes key files and rotates their keys, with the step that comes next.
//!
//! Invariant: nothing here prints key material; ids, types and states are all that is shown.

mod confirm;
mod show;

use std::path::Path;
use std::process::ExitCode;

use masking::{IpcryptKey, KeyFile, KeyFileError, KeyType, Keyset, KeysetError, Scheme};

use crate::arguments::{DestroyKey, KeysetCommand, NamedKey, NewKeyset, PromoteKey};
use crate::failure::Failure;
use crate::keys;

pub(crate) fn keyset(command: &KeysetCommand) -> Result<ExitCode, Failure> {
    match command {
        KeysetCommand::New(arguments) => new(arguments),
        KeysetCommand::Add(file) => add(&file.keyset),
        KeysetCommand::Promote(arguments) => promote(arguments),
        KeysetCommand::Disable(key) => disable(key),
        KeysetCommand::Enable(key) => enable(key),
        KeysetCommand::Destroy(arguments) => destroy(arguments),
        KeysetCommand::Show(file) => show::show(&file.keyset),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn new(arguments: &NewKeyset) -> Result<(), Failure> {
    let (path, scheme) = (&arguments.out, arguments.scheme);
    let text = match scheme {
        Scheme::AesSiv => Keyset::generate(KeyType::AesSiv).map(|keyset| keyset.to_json()),
        Scheme::HmacSha256 => Keyset::generate(KeyType::HmacPrf).map(|keyset| keyset.to_json()),
        Scheme::IpcryptPfx => IpcryptKey::generate().map(|key| key.to_json()),
        other => return Err(Failure::usage(format!("{other} needs no key"))),
    };
    let text = text.map_err(|error| Failure::gave_up(error.to_string()))?;
    KeyFile::create(path, text.expose()).map_err(refused)?;
    println!("made {} with one key for {scheme}", path.display());
    if scheme.is_reversible() {
        next(
            "keep a copy where no backup of the database lies: what is masked is lost with the key",
        );
    }
    next(&format!(
        "etl run {} --keyset {}",
        run_options(scheme),
        path.display()
    ));
    Ok(())
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

fn add(path: &Path) -> Result<(), Failure> {
    let key_id = KeyFile::update(path, Keyset::add_generated).map_err(refused)?;
    println!("added key {key_id} to {}", path.display());
    next(
        "give this file to every worker and reader first: who lacks the key cannot read what it masks",
    );
    next(&format!(
        "then etl keyset promote --keyset {}",
        path.display()
    ));
    Ok(())
}

fn promote(arguments: &PromoteKey) -> Result<(), Failure> {
    let path = &arguments.file.keyset;
    let change = |keyset: &mut Keyset| {
        let before = keyset.primary_key_id();
        let key_id = keyset.promote(arguments.key_id)?;
        Ok((before, key_id, keyset.key_type()))
    };
    let (before, key_id, key_type) = KeyFile::update(path, change).map_err(refused)?;
    if before == key_id {
        println!("key {key_id} is the primary of {} already", path.display());
        next("etl keyset add makes a key to promote");
        return Ok(());
    }
    println!("key {key_id} masks from now on, in place of {before}");
    next("give this file to every worker and restart it: a worker reads its keys at start");
    match key_type {
        KeyType::AesSiv => next(&format!(
            "then etl remask --masking aes-siv --keyset {}: until it is done equal values have two masks",
            path.display()
        )),
        _ => next(
            "old rows keep their masks, which nobody can bring over: equal values have two from now on",
        ),
    }
    Ok(())
}

fn disable(key: &NamedKey) -> Result<(), Failure> {
    change(key, Keyset::disable, "disabled")?;
    next("what only this key masked is not recovered while it is disabled");
    next(
        "give this file to every reader; if one misses the key, `etl keyset enable` brings it back",
    );
    Ok(())
}

fn enable(key: &NamedKey) -> Result<(), Failure> {
    change(key, Keyset::enable, "enabled")
}

fn destroy(arguments: &DestroyKey) -> Result<(), Failure> {
    let key = &arguments.key;
    if !arguments.yes {
        confirm::destruction(key)?;
    }
    change(key, Keyset::destroy, "destroyed")?;
    next("it is gone only once every copy of the old file is: workers, backups, secret stores");
    Ok(())
}

fn change(
    key: &NamedKey,
    operation: impl FnOnce(&mut Keyset, u32) -> Result<(), KeysetError>,
    done: &str,
) -> Result<(), Failure> {
    let path = &key.file.keyset;
    KeyFile::update(path, |keyset| operation(keyset, key.key_id)).map_err(refused)?;
    println!("{done} key {} of {}", key.key_id, path.display());
    Ok(())
}

/// What to do after this.
fn next(step: &str) {
    eprintln!("next: {step}");
}

fn refused(error: KeyFileError) -> Failure {
    let hint = match &error {
        KeyFileError::Keyset { source, .. } => hint_of(source),
        KeyFileError::Exists { .. } => Some("a key file is never written over: name another one"),
        KeyFileError::WritableByOthers { .. } => Some("chmod 600 it, if you trust what it holds"),
        KeyFileError::ChangeUnderWay { .. } => {
            Some("if no other change is under way, remove that file and try again")
        }
        _ => None,
    };
    let failure = keys::unreadable(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn hint_of(error: &KeysetError) -> Option<&'static str> {
    match error {
        KeysetError::UnknownKey { .. } => Some("`etl keyset show` lists the keys"),
        KeysetError::IsIpcryptKey => Some(
            "values of ipcrypt-pfx name no key, so its key is not rotated: make another with `etl keyset new`, \
             and bring the column over with `etl remask`",
        ),
        _ => None,
    }
}
