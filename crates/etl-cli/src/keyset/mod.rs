//! `etl keyset`: makes key files and rotates their keys, with the step that comes next.
//!
//! Invariant: nothing here prints key material; ids, types and states are all that is shown.

mod confirm;
mod new;
mod show;

use std::process::ExitCode;

use etl_access::keys::{self, KeyError};
use masking::{KeyFile, KeyType, Keyset, KeysetError};

use crate::arguments::{DestroyKey, KeysetCommand, KeysetFile, NamedKey, PromoteKey};
use crate::failure::Failure;

pub(crate) async fn keyset(command: &KeysetCommand) -> Result<ExitCode, Failure> {
    match command {
        KeysetCommand::New(arguments) => new::new(arguments).await,
        KeysetCommand::Encrypt(arguments) => new::encrypt(arguments).await,
        KeysetCommand::Add(file) => add(file).await,
        KeysetCommand::Promote(arguments) => promote(arguments).await,
        KeysetCommand::Disable(key) => disable(key).await,
        KeysetCommand::Enable(key) => enable(key).await,
        KeysetCommand::Destroy(arguments) => destroy(arguments).await,
        KeysetCommand::Show(file) => show::show(file).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn add(file: &KeysetFile) -> Result<(), Failure> {
    let (path, key_id) = (&file.keyset, update(file, Keyset::add_generated).await?);
    println!("added key {key_id} to {}", path.display());
    next(
        "give this file to every worker and reader first: who lacks the key cannot read what it masks",
    );
    next(&format!("then etl keyset promote {file}"));
    Ok(())
}

async fn promote(arguments: &PromoteKey) -> Result<(), Failure> {
    let path = &arguments.file.keyset;
    let change = |keyset: &mut Keyset| {
        let before = keyset.primary_key_id();
        let key_id = keyset.promote(arguments.key_id)?;
        Ok((before, key_id, keyset.key_type()))
    };
    let (before, key_id, key_type) = update(&arguments.file, change).await?;
    if before == key_id {
        println!("key {key_id} is the primary of {} already", path.display());
        next("etl keyset add makes a key to promote");
        return Ok(());
    }
    println!("key {key_id} masks from now on, in place of {before}");
    next("give this file to every worker and restart it: a worker reads its keys at start");
    match key_type {
        KeyType::AesSiv => next(&format!(
            "then etl remask --masking aes-siv {}: until it is done equal values have two masks",
            arguments.file
        )),
        _ => next(
            "old rows keep their masks, which nobody can bring over: equal values have two from now on",
        ),
    }
    Ok(())
}

async fn disable(key: &NamedKey) -> Result<(), Failure> {
    change(key, Keyset::disable, "disabled").await?;
    next("what only this key masked is not recovered while it is disabled");
    next(
        "give this file to every reader; if one misses the key, `etl keyset enable` brings it back",
    );
    Ok(())
}

async fn enable(key: &NamedKey) -> Result<(), Failure> {
    change(key, Keyset::enable, "enabled").await
}

async fn destroy(arguments: &DestroyKey) -> Result<(), Failure> {
    let key = &arguments.key;
    if !arguments.yes {
        confirm::destruction(key)?;
    }
    change(key, Keyset::destroy, "destroyed").await?;
    next("it is gone only once every copy of the old file is: workers, backups, secret stores");
    Ok(())
}

async fn change(
    key: &NamedKey,
    operation: impl FnOnce(&mut Keyset, u32) -> Result<(), KeysetError>,
    done: &str,
) -> Result<(), Failure> {
    update(&key.file, |keyset| operation(keyset, key.key_id)).await?;
    println!("{done} key {} of {}", key.key_id, key.file.keyset.display());
    Ok(())
}

/// Changes the keyset in a file, and leaves it encrypted where it was; refused, it stays as it was.
async fn update<R>(
    file: &KeysetFile,
    operation: impl FnOnce(&mut Keyset) -> Result<R, KeysetError>,
) -> Result<R, Failure> {
    let (path, wrapped_by) = (&file.keyset, file.kek.keyset_kek.as_ref());
    let change = KeyFile::change(path).map_err(KeyError::from)?;
    let mut keyset = keys::open(change.current(), path, wrapped_by).await?;
    let answer = operation(&mut keyset).map_err(KeyError::of(path))?;
    let text = keys::text(&keyset, wrapped_by).await?;
    change.replace(text.expose()).map_err(KeyError::from)?;
    Ok(answer)
}

/// What to do after this.
fn next(step: &str) {
    eprintln!("next: {step}");
}
