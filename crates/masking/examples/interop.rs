//! This crate's side of the live exchange with Google Tink (`interop/exchange.sh`): one request a line on stdin, one
//! answer a line on stdout, fields separated by tabs. For tests: it prints key material when asked to.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

use masking::{EncryptedKeyset, FieldMasker, KeyFile, KeyType, Keyset, Scheme};

type Answer = Result<String, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    for line in stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|error| format!("error: {error}"));
        let mut output = stdout().lock();
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &str) -> Answer {
    let fields: Vec<&str> = line.split('\t').collect();
    match *fields.as_slice() {
        ["new", path] => new(path),
        [
            operation @ ("add" | "promote" | "disable" | "destroy"),
            path,
            key_id,
        ] => change(operation, path, key_id),
        ["mask", scheme, path, domain, value] => {
            Ok(masker(scheme, path, domain)?.mask(value)?.into_string())
        }
        ["unmask", scheme, path, domain, masked] => {
            Ok(masker(scheme, path, domain)?.unmask(masked)?.into_exposed())
        }
        ["ciphertext", path] => Ok(hex(KeyFile::read(path)?.encrypted_keyset()?.ciphertext())),
        ["open", path, binary] => open(path, binary),
        ["binary", path] => Ok(hex(KeyFile::read(path)?.keyset()?.to_binary().expose())),
        ["seal", path, ciphertext, out] => seal(path, ciphertext, out),
        _ => Err("not a request".into()),
    }
}

fn new(path: &str) -> Answer {
    KeyFile::create(path, Keyset::generate(KeyType::AesSiv)?.to_json().expose())?;
    Ok("done".into())
}

fn change(operation: &str, path: &str, key_id: &str) -> Answer {
    let id = key_id.parse().ok();
    let named = id.unwrap_or_default();
    let key_id = KeyFile::update(path, |keyset| match operation {
        "add" => keyset.add_generated(),
        "promote" => keyset.promote(id),
        "disable" => keyset.disable(named).map(|()| named),
        _ => keyset.destroy(named).map(|()| named),
    })?;
    Ok(key_id.to_string())
}

fn masker(scheme: &str, path: &str, domain: &str) -> Result<FieldMasker, Box<dyn Error>> {
    let keyset = KeyFile::read(path)?.keyset()?;
    let builder = FieldMasker::builder(scheme.parse::<Scheme>()?);
    Ok(builder.domain(domain).keyset(&keyset).build()?)
}

/// Takes what Tink decrypted, as a key service would hand it back, and tells which key masks.
fn open(path: &str, binary: &str) -> Answer {
    let document = KeyFile::read(path)?.encrypted_keyset()?;
    let keyset = document.open(|_| unhex(binary))?;
    Ok(keyset.primary_key_id().to_string())
}

fn seal(path: &str, ciphertext: &str, out: &str) -> Answer {
    let keyset = KeyFile::read(path)?.keyset()?;
    let sealed = EncryptedKeyset::from_ciphertext(unhex(ciphertext).unwrap_or_default(), &keyset);
    KeyFile::create(out, &sealed.to_json())?;
    Ok(keyset
        .show()
        .iter()
        .filter(|key| key.primary)
        .count()
        .to_string())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
    let starts = (0..text.len().saturating_sub(1)).step_by(2);
    starts
        .map(|start| u8::from_str_radix(&text[start..start + 2], 16))
        .collect()
}
