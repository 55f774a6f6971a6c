//! Where a password comes from when the URL has none: files that may be replaced, and libpq's password file.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use pg_writer::{Pool, Settings, StoreError, prepare};
use tempfile::TempDir;

use crate::support::{Migrated, migrated, pool};

/// A role that must have a password, and a place for files.
struct Login {
    migrated: Migrated,
    role: String,
    folder: TempDir,
}

impl Login {
    async fn new() -> Self {
        let migrated = migrated().await;
        let role = format!("{}_login", migrated.database.name());
        let rights = format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'first'");
        migrated.execute(&rights).await;
        let folder = tempfile::tempdir().unwrap();
        Self {
            migrated,
            role,
            folder,
        }
    }

    fn settings(&self) -> Settings {
        let (_, place) = self.migrated.database.url().split_once('@').unwrap();
        Settings::parse(&format!("postgres://{}@{place}", self.role)).unwrap()
    }

    fn file(&self, text: &str, mode: u32) -> PathBuf {
        let path = self.folder.path().join("secret");
        write(&path, text);
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

async fn enters(settings: &Settings) -> Result<Pool, StoreError> {
    let pool = pool(settings);
    prepare(&pool, false).await.map(|()| pool)
}

async fn refusal(settings: &Settings) -> String {
    let error = enters(settings).await.err().unwrap();
    assert!(matches!(error, StoreError::Configuration(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_password_that_is_missing_is_said_to_be() {
    let login = Login::new().await;
    let text = refusal(&login.settings()).await;
    assert!(
        text.contains("asks for a password: none is given"),
        "{text}"
    );
    enters(&login.settings().password("first")).await.unwrap();
    refusal(&login.settings().password("wrong")).await;
}

#[tokio::test]
async fn a_password_file_is_read_again_for_each_connection() {
    let login = Login::new().await;
    let path = login.file("first\n", 0o600);
    let settings = login.settings().password_file(path.clone());
    let pool = enters(&settings).await.unwrap();
    let role = &login.role;
    login
        .migrated
        .execute(&format!(
            "ALTER ROLE {role} PASSWORD 'second'; \
             SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{role}'"
        ))
        .await;
    write(&path, "second");
    // The pool may not have seen yet that the old connection is gone.
    while let Err(error) = prepare(&pool, false).await {
        assert!(error.is_transient(), "{error}");
    }
    write(&path, "\n");
    assert!(refusal(&settings).await.contains("is empty"));
    std::fs::remove_file(&path).unwrap();
    assert!(refusal(&settings).await.contains("secret cannot be read"));
}

#[tokio::test]
async fn the_password_file_of_libpq_gives_the_password_of_its_line() {
    let login = Login::new().await;
    let line = format!("*:*:*:somebody:no\n127.0.0.1:*:*:{}:first\n", login.role);
    let path = login.file(&line, 0o600);
    let settings = login.settings().pass_file(path.clone());
    enters(&settings).await.unwrap();
    login.file(&line, 0o644);
    let text = refusal(&settings).await;
    assert!(
        text.contains("secret is open to others (mode 0644)"),
        "{text}"
    );
    assert!(!text.contains("first"), "{text}");
    // Whoever needs no password does not mind.
    let open = Settings::parse(login.migrated.database.url()).unwrap();
    enters(&open.pass_file(path)).await.unwrap();
}
