//! TLS by `sslmode`, against a server with certificates of a made authority: what is trusted, what is refused, and
//! what is said about it.

mod certificates;
mod server;
mod terminator;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pg_writer::{Settings, StoreError, TokenMaker, prepare, rejection_counts};

use self::certificates::{Authority, Server};
use self::server::TlsServer;
use crate::support::{pool, pool_of};

/// Whether the connection that this URL gives is encrypted, or why there is none.
async fn outcome(url: &str) -> Result<(), String> {
    match prepare(&pool_of(url), false).await {
        // The database is empty on purpose: whoever gets as far as the schema is in.
        Err(StoreError::Schema(_)) | Ok(()) => Ok(()),
        Err(error @ StoreError::Configuration(_)) => Err(error.to_string()),
        Err(error) => panic!("neither in nor refused: {error}"),
    }
}

async fn refusal(url: &str) -> String {
    outcome(url).await.unwrap_err()
}

#[tokio::test]
async fn the_modes_check_what_they_say() {
    let (ours, others) = (Authority::new(), Authority::new());
    let server = TlsServer::start();
    server.serve(&ours.signs(&Server::valid("localhost")));
    let url = |mode: &str, trusts: &Authority| server.url("localhost", mode, Some(trusts));

    for mode in ["verify-full", "verify-ca", "require", "prefer"] {
        outcome(&url(mode, &ours)).await.unwrap();
    }
    // The host is known under another name than the certificate's.
    let by_address = |mode| server.url("127.0.0.1", mode, Some(&ours));
    outcome(&by_address("verify-ca")).await.unwrap();
    assert!(
        refusal(&by_address("verify-full"))
            .await
            .contains("another host name")
    );

    // With a root certificate, `require` checks it too, as libpq does for old programs' sake.
    for mode in ["verify-full", "verify-ca", "require"] {
        let text = refusal(&url(mode, &others)).await;
        assert!(
            text.contains("not signed by an authority that is trusted"),
            "{text}"
        );
    }
    outcome(&server.url("localhost", "require", None))
        .await
        .unwrap();
    let by_the_system = refusal(&server.url("localhost", "verify-full", None)).await;
    assert!(
        by_the_system.contains("not signed by an authority"),
        "{by_the_system}"
    );

    server.serve(&ours.signs(&Server::expired("localhost")));
    assert!(
        refusal(&url("verify-full", &ours))
            .await
            .contains("has expired")
    );
    assert!(
        refusal(&url("verify-ca", &ours))
            .await
            .contains("has expired")
    );
    outcome(&server.url("localhost", "require", None))
        .await
        .unwrap();
    server.serve(&ours.signs(&Server::not_yet_valid("localhost")));
    assert!(
        refusal(&url("verify-full", &ours))
            .await
            .contains("not valid yet")
    );
}

#[tokio::test]
async fn a_server_that_asks_for_tls_lets_nobody_in_without() {
    let authority = Authority::new();
    let server = TlsServer::start();
    server.serve(&authority.signs(&Server::valid("localhost")));
    let url = |mode| server.url_of_who_must_encrypt(mode);
    outcome(&url("prefer")).await.unwrap();
    let refused = refusal(&url("disable")).await;
    assert!(refused.contains("no encryption"), "{refused}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_by_every_mode_that_asks_for_it() {
    let url = local_stack::postgres().admin_url();
    for mode in ["require", "verify-ca", "verify-full"] {
        let text = refusal(&format!("{url}?sslmode={mode}")).await;
        assert!(text.contains("does not offer TLS"), "{text}");
    }
    outcome(&format!("{url}?sslmode=disable")).await.unwrap();
}

#[tokio::test]
async fn each_new_connection_asks_for_a_token_of_its_own() {
    let ours = Authority::new();
    let server = TlsServer::start();
    server.serve(&ours.signs(&Server::valid("localhost")));
    let url = server.url("localhost", "verify-full", Some(&ours));
    let counted = Arc::new(AtomicUsize::new(0));
    let (count, right) = (Arc::clone(&counted), password_of(&url));
    let make: TokenMaker = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let token = right.clone();
        Box::pin(async move { Ok(token) })
    });
    let settings = Settings::parse(&url).unwrap().tokens(make).unwrap();
    let pool = pool(&settings);
    // Two at once need two connections; a third call finds one that is open. (The table is missing, the way is open.)
    let (one, two) = tokio::join!(rejection_counts(&pool), rejection_counts(&pool));
    for outcome in [one, two, rejection_counts(&pool).await] {
        assert!(matches!(outcome, Err(StoreError::Refused(_))));
    }
    assert_eq!(counted.load(Ordering::Relaxed), 2);

    let wrong: TokenMaker = Arc::new(|| Box::pin(async { Ok("expired".to_owned()) }));
    let settings = Settings::parse(&url).unwrap().tokens(wrong).unwrap();
    let error = prepare(&self::pool(&settings), false).await.unwrap_err();
    assert!(matches!(error, StoreError::Configuration(_)), "{error}");
}

fn password_of(url: &str) -> String {
    let (login, _) = url.split_once('@').unwrap();
    login.rsplit_once(':').unwrap().1.to_owned()
}

#[tokio::test]
async fn a_root_certificate_that_cannot_be_read_is_named() {
    let settings =
        pg_writer::Settings::parse("postgres://h/d?sslmode=verify-full&sslrootcert=/no/such.pem");
    let error = pg_writer::Pool::new(&settings.unwrap(), 1).err().unwrap();
    assert!(error.to_string().contains("/no/such.pem"), "{error}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn log_of(url: &str) -> String {
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || to.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let pool = pool_of(url);
    // Each gets a connection of its own.
    let (one, two) = tokio::join!(prepare(&pool, false), prepare(&pool, false));
    assert!(matches!(
        (one, two),
        (Err(StoreError::Schema(_)), Err(StoreError::Schema(_)))
    ));
    drop(guard);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_fall_back_to_no_tls_is_logged_once() {
    let url = local_stack::postgres().admin_url();
    let log = log_of(&url).await;
    assert_eq!(log.matches("connected without TLS").count(), 1, "{log}");
    let asked_for = log_of(&format!("{url}?sslmode=disable")).await;
    assert!(!asked_for.contains("TLS"), "{asked_for}");
}
