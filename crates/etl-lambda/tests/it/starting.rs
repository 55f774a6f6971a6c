//! What a function needs to start, and what it says where that is missing.

use serde_json::json;

use crate::harness::{Answer, Database, Event, Function, record};

#[test]
fn a_function_without_its_settings_ends_and_names_them() {
    for (variables, named) in [
        (vec![("ETL_MASKING", "base64")], "DATABASE_URL is not set"),
        (
            vec![
                ("DATABASE_URL", "postgres://localhost"),
                ("ETL_MASKING", ""),
            ],
            "ETL_MASKING is not set",
        ),
        (
            vec![
                ("DATABASE_URL", "postgres://localhost"),
                ("ETL_MASKING", "aes-siv"),
            ],
            "ETL_KEYSET is not set",
        ),
    ] {
        let (is_good, log) = Function::with(&variables).end();
        assert!(!is_good && log.contains(named), "{log}");
    }
}

#[test]
fn tables_that_are_not_there_are_an_error_with_its_remedy() {
    let database = Database::empty();
    let function = Function::on(&database);
    let answer = function.invoke(json!({ "Records": [record("q", 1, "", &Event(0).body())] }));
    let Answer::Error(error) = answer else {
        panic!("{answer:?}");
    };
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("etl migrate"), "{message}");
}

#[test]
fn an_invocation_without_records_is_answered() {
    let database = Database::migrated();
    let function = Function::on(&database);
    let answer = function.invoke(json!({ "Records": [] }));
    assert!(
        matches!(&answer, Answer::Response(response) if *response == json!({ "batchItemFailures": [] })),
        "{answer:?}"
    );
}
