//! How the role logs in, and where its tables are.

use local_stack::REGION;
use serde_json::json;

use crate::harness::{Answer, Database, Event, Function, Rds, record};

/// Writes one row.
fn writes(variables: &[(&str, &str)]) {
    let function = Function::with(variables);
    let answer = function.invoke(json!({ "Records": [record("q", 1, "", &Event(0).body())] }));
    match answer {
        Answer::Response(response) => assert_eq!(response, json!({ "batchItemFailures": [] })),
        Answer::Error(error) => panic!("{error}\n{}", function.log()),
    }
}

#[test]
fn the_password_comes_from_a_file_and_the_tables_from_the_schema_that_is_named() {
    let database = Database::empty();
    database.execute("CREATE SCHEMA logins");
    database.migrate("logins");
    let (url, password) = database.url_and_password();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), password).unwrap();
    writes(&[
        ("DATABASE_URL", &url),
        ("ETL_DATABASE_PASSWORD_FILE", file.path().to_str().unwrap()),
        ("ETL_DATABASE_SCHEMA", "logins"),
    ]);
    let rows = database.texts("SELECT user_id FROM logins.user_logins");
    assert_eq!(rows, [Event(0).user_id()]);
}

/// As the template of `deploy/lambda` has it: a role without a password, and a certificate that is verified.
#[test]
fn with_iam_each_connection_is_let_in_by_a_token_and_no_password_stands_anywhere() {
    let database = Database::migrated();
    let rds = Rds::before(&database);
    let (url, host) = (rds.url(), rds.host());
    writes(&[("DATABASE_URL", &url), ("ETL_DATABASE_AUTH", "iam")]);
    assert_eq!(database.user_ids(), [Event(0).user_id()]);
    let tokens = rds.tokens();
    assert!(!tokens.is_empty());
    for token in tokens {
        let start = format!("{host}/?Action=connect&DBUser={}&", rds.role());
        assert!(token.starts_with(&start), "{token}");
        let scope = format!("%2F{REGION}%2Frds-db%2Faws4_request");
        assert!(token.contains(&scope), "{token}");
    }
}
