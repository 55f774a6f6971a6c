//! A server that speaks German: every decision must come out the same, since none may read a message.

use std::path::Path;
use std::process::Command;

use local_stack::Postgres;
use pg_writer::{PgStore, Settings, prepare};

use crate::support::{batch, connect, login, pool, pool_of, push, tokens};

const LOCALE: &str = "de_DE.UTF-8";
/// Marks the process that has the locale: a process finds its locales by its environment.
const CHILD: &str = "PG_WRITER_LOCALE_TEST";

/// Makes the locale in a folder of its own, where the machine has its sources (Debian's package `locales`).
fn make_locale(folder: &Path) -> bool {
    let mut compile = Command::new("localedef");
    compile.args(["-i", "de_DE", "-f", "UTF-8"]);
    let made = compile.arg(folder.join(LOCALE)).output();
    made.is_ok_and(|output| output.status.success())
}

#[test]
fn nothing_depends_on_the_language_of_the_server() {
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(in_german());
    }
    let folder = tempfile::tempdir().unwrap();
    // The server runs under another account.
    let open: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    if !make_locale(folder.path()) {
        eprintln!(
            "skipped: no German locale can be made here (package locales, program localedef)"
        );
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "language::nothing_depends_on_the_language_of_the_server",
            "--nocapture",
        ])
        .env("LOCPATH", folder.path())
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{said}");
}

async fn in_german() {
    let server = Postgres::start_private();
    // Not for the whole server: whoever started it waits for its English word that it is ready.
    let german = format!("ALTER DATABASE postgres SET lc_messages = '{LOCALE}'");
    let english = connect(&server.admin_url()).await;
    english.batch_execute(&german).await.unwrap();
    let client = connect(&server.admin_url()).await;
    let refusal = client
        .batch_execute("SELECT * FROM nowhere")
        .await
        .unwrap_err();
    let message = refusal.as_db_error().unwrap().message().to_owned();
    if !message.contains("existiert nicht") {
        eprintln!("skipped: this Postgres was built without German messages ({message})");
        return;
    }
    prepare(&pool_of(&server.admin_url()), true).await.unwrap();
    refused_rows_are_found(&server).await;
    a_late_statement_is_late(&server).await;
    a_wrong_password_is_wrong(&server).await;
}

async fn refused_rows_are_found(server: &Postgres) {
    let client = connect(&server.admin_url()).await;
    client
        .batch_execute("ALTER TABLE user_logins ADD CHECK (app_version < 100)")
        .await
        .unwrap();
    let store = PgStore::new(pool_of(&server.admin_url()));
    let mut rows = batch(0..100);
    push(&mut rows, 100, login(&"x".repeat(129)));
    let mut newest = login("newest");
    newest.app_version = Some(100);
    push(&mut rows, 101, newest);
    assert_eq!(tokens(store.write(rows).await)[1], [100, 101]);
    client
        .batch_execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        .await
        .unwrap();
    let read_only = PgStore::new(pool_of(&server.admin_url()));
    let (_, error) = read_only.write(batch([200])).await.undecided.unwrap();
    assert!(error.is_transient(), "{error}");
    client
        .batch_execute("ALTER DATABASE postgres SET default_transaction_read_only = off")
        .await
        .unwrap();
}

async fn a_late_statement_is_late(server: &Postgres) {
    let settings = Settings::parse(&server.admin_url()).unwrap();
    let hasty = pool(&settings.statement_timeout(std::time::Duration::from_millis(200)));
    let client = connect(&server.admin_url()).await;
    client
        .batch_execute("BEGIN; LOCK TABLE user_logins")
        .await
        .unwrap();
    let (_, error) = PgStore::new(hasty)
        .write(batch([300]))
        .await
        .undecided
        .unwrap();
    assert!(error.is_transient(), "{error}");
}

async fn a_wrong_password_is_wrong(server: &Postgres) {
    let url = format!(
        "postgres://postgres:hunter2@127.0.0.1:{}/postgres",
        server.port()
    );
    let error = prepare(&pool_of(&url), true).await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
}
