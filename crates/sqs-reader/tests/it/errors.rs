//! Trouble with the queue, told as what it is and with what to do about it.

mod answers;
mod credentials;
mod faults;

use std::time::Duration;

use local_stack::{REGION, sqs};
use sqs_reader::{Connection, Endpoint, QueueAddress, QueueError, Settings, Transport};
use tokio::time::Instant;

use crate::bench::{Bench, Plan, Real, connect, credentials};

const NOW: Duration = Duration::ZERO;

fn settings(queue: QueueAddress, endpoint: Option<&str>) -> Settings {
    Settings {
        queue,
        endpoint: endpoint.map(|url| Endpoint::parse(url).unwrap()),
        region: Some(REGION.to_owned()),
        longest_wait: Duration::from_secs(20),
    }
}

/// The error of a call that fails.
async fn open(settings: &Settings) -> Result<sqs_reader::SdkTransport, QueueError> {
    let connection = Connection::open_as(settings, credentials()).await?;
    connection.queue(&settings.queue).await
}

#[tokio::test]
async fn a_queue_that_does_not_exist() {
    let endpoint = sqs().endpoint();
    let name = QueueAddress::Name("no-such-queue".to_owned());
    let by_name = open(&settings(name, Some(&endpoint))).await.err().unwrap();
    assert_eq!(
        by_name.to_string(),
        "the queue does not exist: look up queue no-such-queue"
    );
    assert!(by_name.hint().unwrap().contains("--queue-name"));
    assert!(!by_name.is_transient());
    let by_url = connect(&endpoint, &Real.url("no-such-queue")).await;
    assert!(matches!(
        by_url.facts().await,
        Err(QueueError::NoSuchQueue(_))
    ));
    assert!(matches!(
        by_url.receive(1, NOW).await,
        Err(QueueError::NoSuchQueue(_))
    ));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_of_quickly() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let queue = connect(&endpoint, &format!("{endpoint}/000000000000/q")).await;
    let begun = Instant::now();
    for error in [queue.receive(1, NOW).await.err(), queue.facts().await.err()] {
        let error = error.unwrap();
        assert!(matches!(error, QueueError::Unreachable(_)), "{error:?}");
        assert!(error.to_string().contains("onnection refused"), "{error}");
        assert!(error.hint().unwrap().contains("--endpoint-url") && error.is_transient());
    }
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_queue_url_off_aws_leads_to_its_server() {
    Real.queue("own-server", &Plan::default()).await;
    let by_url = settings(QueueAddress::Url(Real.url("own-server")), None);
    assert_eq!(
        open(&by_url).await.unwrap().facts().await.unwrap().waiting,
        0
    );
}

/// A proxy or a VPC endpoint is another host than the one in the URLs that the server gives out.
#[tokio::test]
async fn an_explicit_endpoint_wins_over_the_host_in_the_queue_url() {
    Real.queue("explicit", &Plan::default()).await;
    for host in ["elsewhere.invalid:1", "sqs.eu-west-1.amazonaws.com"] {
        let url = QueueAddress::Url(format!("http://{host}/000000000000/explicit"));
        let with_path = format!("{}/000000000000/", sqs().endpoint());
        let queue = open(&settings(url, Some(&with_path))).await.unwrap();
        assert_eq!(queue.facts().await.unwrap().waiting, 0, "{host}");
    }
}

#[tokio::test]
async fn a_region_that_contradicts_the_queue_url() {
    let url = QueueAddress::Url("https://sqs.eu-west-1.amazonaws.com/1/q".to_owned());
    let error = open(&settings(url, None)).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "--queue-url is in region eu-west-1, --region says us-east-1: give one of them, or the right one"
    );
}
