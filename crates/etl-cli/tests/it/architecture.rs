//! The arrows between the crates: each stage knows what it needs and nothing further back.

use std::fs;
use std::path::Path;

/// What a crate may not depend on, by the beginnings of names.
const FORBIDDEN: [(&str, &[&str]); 8] = [
    (
        "masking",
        &[
            "aws-",
            "diesel",
            "tokio",
            "login-model",
            "pg-writer",
            "sqs-reader",
        ],
    ),
    (
        "login-model",
        &["aws-", "diesel", "tokio", "pg-writer", "sqs-reader"],
    ),
    (
        "sqs-reader",
        &[
            "diesel",
            "tokio-postgres",
            "login-model",
            "masking",
            "pg-writer",
        ],
    ),
    ("pg-writer", &["aws-", "sqs-reader", "etl-"]),
    (
        "etl-stages",
        &["aws-", "diesel", "tokio", "etl-cli", "etl-lambda"],
    ),
    (
        "etl-access",
        &[
            "aws-sdk-sqs",
            "diesel",
            "tokio-postgres",
            "clap",
            "sqs-reader",
            "etl-",
        ],
    ),
    (
        "etl-lambda",
        &["aws-", "diesel", "tokio-postgres", "clap", "etl-cli"],
    ),
    (
        "local-stack",
        &[
            "aws-",
            "diesel",
            "login-model",
            "masking",
            "pg-writer",
            "sqs-reader",
        ],
    ),
];

#[test]
fn no_stage_knows_what_it_has_no_business_with() {
    for (name, forbidden) in FORBIDDEN {
        for dependency in dependencies(name) {
            let broken = forbidden.iter().any(|start| dependency.starts_with(start));
            assert!(!broken, "{name} depends on {dependency}");
        }
    }
}

#[test]
fn only_development_depends_on_the_local_stack() {
    for (name, _) in FORBIDDEN {
        assert!(
            !dependencies(name).contains(&"local-stack".to_owned()),
            "{name}"
        );
    }
    for name in ["etl-cli", "etl-lambda"] {
        assert!(!dependencies(name).contains(&"local-stack".to_owned()));
    }
}

/// The names under `[dependencies]`.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
        .join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let (_, section) = text
        .split_once("\n[dependencies]\n")
        .expect("a [dependencies] section");
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next());
    let names: Vec<String> = names
        .filter(|name| !name.is_empty() && *name != "#")
        .map(str::to_owned)
        .collect();
    assert!(!names.is_empty(), "{name} has no dependencies at all?");
    names
}
