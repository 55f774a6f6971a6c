//! A machine without credentials. The environment cannot be changed within a process, so this test runs itself again in
//! a process of its own.

use std::process::Command;
use std::time::{Duration, Instant};

use sqs_reader::{Connection, QueueAddress, QueueError, Transport};

use super::{NOW, settings};

const CHILD: &str = "SQS_READER_TEST_WITHOUT_CREDENTIALS";
const NAME: &str = "errors::credentials::none_are_told_of_quickly_and_with_the_remedy";
const DONE: &str = "no credentials, and said so";

#[tokio::test]
async fn none_are_told_of_quickly_and_with_the_remedy() {
    if std::env::var_os(CHILD).is_some() {
        without_credentials().await;
        println!("{DONE}");
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env_clear()
        .envs([
            (CHILD, "1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("HOME", "/nonexistent"),
        ])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains(DONE),
        "{printed}"
    );
}

async fn without_credentials() {
    let begun = Instant::now();
    let settings = settings(
        QueueAddress::Name("q".to_owned()),
        Some("http://127.0.0.1:9"),
    );
    let connection = Connection::open(&settings).await.unwrap();
    let by_name = connection.queue(&settings.queue).await.err().unwrap();
    let by_url = Connection::open(&settings).await.unwrap();
    let address = QueueAddress::Url("http://127.0.0.1:9/000000000000/q".to_owned());
    let queue = by_url.queue(&address).await.unwrap();
    let on_receive = queue.receive(1, NOW).await.unwrap_err();
    for error in [by_name, on_receive] {
        assert!(matches!(error, QueueError::Credentials(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("AWS_ACCESS_KEY_ID"));
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}
