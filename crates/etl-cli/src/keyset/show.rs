//! `etl keyset show`: what may be told of the keys in a file.

use etl_access::keys::{self, KeyError};
use masking::{KeyInfo, KeyPrefix, KeyType, KeysetError};

use crate::arguments::KeysetFile;
use crate::failure::Failure;
use crate::key_id;

const HEADER: [&str; 5] = ["KEY ID", "TYPE", "STATUS", "PRIMARY", "VALUES START WITH"];

pub(super) async fn show(arguments: &KeysetFile) -> Result<(), Failure> {
    let path = &arguments.keyset;
    let file = keys::read(path)?;
    if file.keyset() == Err(KeysetError::IsIpcryptKey) {
        keys::warn_of(&file);
        file.ipcrypt_key().map_err(KeyError::of(path))?;
        println!("a key of ipcrypt-pfx, which has no id");
        return Ok(());
    }
    let keyset = keys::open(&file, path, arguments.kek.keyset_kek.as_ref()).await?;
    print!("{}", table(&keyset.show()));
    Ok(())
}

fn table(keys: &[KeyInfo]) -> String {
    let mut text = line(&HEADER.map(str::to_owned));
    keys.iter()
        .for_each(|key| text.push_str(&line(&cells(*key))));
    text
}

fn cells(key: KeyInfo) -> [String; 5] {
    let primary = if key.primary { "primary" } else { "-" };
    let start = match (key.key_type, key.prefix) {
        (KeyType::AesSiv, KeyPrefix::Tink) => key_id::start(key.key_id),
        _ => "-".to_owned(),
    };
    [
        key.key_id.to_string(),
        key.key_type.to_string(),
        key.status.to_string(),
        primary.to_owned(),
        start,
    ]
}

fn line([key_id, key_type, status, primary, start]: &[String; 5]) -> String {
    format!("{key_id:<10}  {key_type:<10}  {status:<9}  {primary:<7}  {start}\n")
}

#[cfg(test)]
mod tests {
    use masking::{Key, Keyset};

    use super::*;

    #[test]
    fn ids_types_and_states_are_shown_and_nothing_else() {
        let bytes: [u8; 64] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let keys = [7, 0xdead_beef].map(|id| Key::aes_siv(id, &bytes).unwrap());
        let mut keyset = Keyset::new(keys.to_vec(), 0xdead_beef).unwrap();
        keyset.disable(7).unwrap();
        let expected = "\
KEY ID      TYPE        STATUS     PRIMARY  VALUES START WITH
7           AesSivKey   DISABLED   -        AQAAAA
3735928559  AesSivKey   ENABLED    primary  Ad6tvu
";
        assert_eq!(table(&keyset.show()), expected);
    }
}
