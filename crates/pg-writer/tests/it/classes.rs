//! What will not pass by itself is said at once, and no text repeats a secret.

use local_stack::postgres;
use pg_writer::{StoreError, prepare};

use crate::support::pool_of;

async fn refusal(url: &str) -> StoreError {
    prepare(&pool_of(url), true).await.unwrap_err()
}

fn url_with(user: &str, password: &str, rest: &str) -> String {
    format!(
        "postgres://{user}:{password}@127.0.0.1:{}/{rest}",
        postgres().port()
    )
}

fn is_for_a_person(error: &StoreError) {
    assert!(matches!(error, StoreError::Configuration(_)), "{error:?}");
    assert!(!error.is_transient());
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_wrong_password() {
    let error = refusal(&url_with("postgres", "hunter2", "postgres")).await;
    is_for_a_person(&error);
    assert!(error.to_string().contains("\"postgres\""), "{error}");
}

#[tokio::test]
async fn no_password_where_one_is_asked_for() {
    let url = format!(
        "postgres://postgres@127.0.0.1:{}/postgres",
        postgres().port()
    );
    is_for_a_person(&refusal(&url).await);
}

#[tokio::test]
async fn an_unknown_role() {
    is_for_a_person(&refusal(&url_with("nobody_here", "hunter2", "postgres")).await);
}

#[tokio::test]
async fn an_unknown_database() {
    let error = refusal(&postgres().url_of("no_such_database")).await;
    is_for_a_person(&error);
    assert!(error.to_string().contains("no_such_database"), "{error}");
}

#[tokio::test]
async fn an_option_that_the_server_does_not_know() {
    let url = format!("{}?options=-cno_such_option%3D1", postgres().admin_url());
    is_for_a_person(&refusal(&url).await);
}

#[tokio::test]
async fn an_unreachable_port_may_become_reachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = refusal(&format!("postgres://u:hunter2@127.0.0.1:{port}/d")).await;
    assert!(error.is_transient(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&format!("127.0.0.1:{port}")) && !text.contains("hunter2"),
        "{text}"
    );
}
