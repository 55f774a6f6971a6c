//! Key files: who may read and write them, and what a change leaves behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use masking::{KeyFile, KeyFileError, KeyFileWarning, KeysetError};
use tempfile::TempDir;

use crate::keys::{KEY_ID, ipcrypt_key, siv_keyset};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn keyset_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyset.json");
    KeyFile::create(&path, siv_keyset().to_json().expose()).unwrap();
    (folder, path)
}

#[test]
fn a_new_file_is_its_owners_alone_and_reads_back() {
    let (folder, path) = keyset_file();
    assert_eq!(mode(&path), 0o600);
    let file = KeyFile::read(&path).unwrap();
    assert_eq!(file.warning(), None);
    assert_eq!(file.keyset().unwrap(), siv_keyset());
    assert_eq!(
        format!("{file:?}"),
        "KeyFile { text: Pii(redacted), warning: None }"
    );
    let other = folder.path().join("ipcrypt.json");
    KeyFile::create(&other, ipcrypt_key().to_json().expose()).unwrap();
    assert_eq!(
        KeyFile::read(&other).unwrap().ipcrypt_key().unwrap(),
        ipcrypt_key()
    );
}

#[test]
fn an_existing_file_is_never_written_over() {
    let (_folder, path) = keyset_file();
    let before = fs::read(&path).unwrap();
    let error = KeyFile::create(&path, "other").unwrap_err();
    assert!(matches!(error, KeyFileError::Exists { .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_others_may_write_is_refused_and_one_they_may_read_is_warned_of() {
    let (_folder, path) = keyset_file();
    for refused in [0o620, 0o602, 0o666] {
        set_mode(&path, refused);
        let error = KeyFile::read(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::WritableByOthers { mode, .. } if mode == refused));
    }
    for warned in [0o640, 0o604, 0o444] {
        set_mode(&path, warned);
        let file = KeyFile::read(&path).unwrap();
        let wanted = KeyFileWarning::ReadableByOthers {
            path: path.clone(),
            mode: warned,
        };
        assert_eq!(file.warning(), Some(&wanted));
    }
    set_mode(&path, 0o400);
    assert_eq!(KeyFile::read(&path).unwrap().warning(), None);
}

#[test]
fn an_update_replaces_the_keyset_and_keeps_the_permissions() {
    let (folder, path) = keyset_file();
    set_mode(&path, 0o640);
    let added = KeyFile::update(&path, |keyset| {
        keyset.add_generated()?;
        keyset.promote(None)
    })
    .unwrap();
    let reread = KeyFile::read(&path).unwrap().keyset().unwrap();
    assert_eq!(
        (reread.primary_key_id(), reread.show().len(), mode(&path)),
        (added, 2, 0o640)
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn a_refused_update_changes_nothing() {
    let (folder, path) = keyset_file();
    let before = fs::read(&path).unwrap();
    let error = KeyFile::update(&path, |keyset| keyset.destroy(KEY_ID)).unwrap_err();
    assert!(matches!(
        error,
        KeyFileError::Keyset {
            source: KeysetError::IsPrimary { .. },
            ..
        }
    ));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn two_updates_at_once_do_not_lose_a_key() {
    let (_folder, path) = keyset_file();
    let outer = KeyFile::update(&path, |keyset| {
        let inner = KeyFile::update(&path, masking::Keyset::add_generated).unwrap_err();
        assert!(matches!(inner, KeyFileError::ChangeUnderWay { .. }));
        keyset.add_generated()
    });
    assert!(outer.is_ok());
    assert_eq!(
        KeyFile::read(&path).unwrap().keyset().unwrap().show().len(),
        2
    );
}

/// As a keyset that a key service seals is changed: the caller opens and writes by itself.
#[test]
fn a_change_holds_off_others_and_leaves_nothing_if_it_is_given_up() {
    let (folder, path) = keyset_file();
    let before = fs::read_to_string(&path).unwrap();
    set_mode(&path, 0o640);
    let change = KeyFile::change(&path).unwrap();
    assert_eq!(change.current().keyset().unwrap(), siv_keyset());
    let other = KeyFile::change(&path).unwrap_err();
    assert!(matches!(other, KeyFileError::ChangeUnderWay { .. }));
    drop(change);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    KeyFile::change(&path).unwrap().replace("sealed").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "sealed");
    assert_eq!(mode(&path), 0o640);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_update_through_a_link_changes_the_file_and_keeps_the_link() {
    let (folder, path) = keyset_file();
    let link = folder.path().join("link.json");
    symlink(&path, &link).unwrap();
    KeyFile::update(&link, masking::Keyset::add_generated).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        KeyFile::read(&path).unwrap().keyset().unwrap().show().len(),
        2
    );
}

#[test]
fn what_is_no_key_file_is_refused_without_its_contents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    fs::write(&path, [0xff, 0xfe]).unwrap();
    set_mode(&path, 0o600);
    assert!(matches!(
        KeyFile::read(&path),
        Err(KeyFileError::Keyset { .. })
    ));
    fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
    assert!(matches!(
        KeyFile::read(&path),
        Err(KeyFileError::TooLarge { .. })
    ));
    let missing = KeyFile::read(folder.path().join("missing")).unwrap_err();
    assert!(missing.to_string().starts_with("cannot open "));
}
