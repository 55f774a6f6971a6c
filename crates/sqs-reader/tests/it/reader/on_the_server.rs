//! The same over the SDK, on the local SQS server: the parts whose truth a double could only repeat.

use std::time::Duration;

use local_stack::{Fault, FaultProxy, Rule, When, sqs};
use sqs_reader::{DeleteReport, Note, Reader, ReaderOptions, SdkTransport, Transport};

use super::{kept_hidden, reader, take_all};
use crate::bench::{Bench, Plan, Real, connect};

const LONG: Duration = Duration::from_secs(20);

async fn queue(name: &str, visibility: u64) -> SdkTransport {
    let plan = Plan {
        visibility: Some(visibility),
        ..Plan::default()
    };
    Real.queue(name, &plan).await
}

async fn send(queue: &SdkTransport, count: usize) {
    for number in 0..count {
        let body = number.to_string();
        assert!(
            queue
                .send(queue.queue_url(), &[body.as_str().into()])
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_message_held_for_many_timeouts_is_not_delivered_again() {
    let queue = queue("reader-held", 1).await;
    send(&queue, 3).await;
    let reader = reader(queue).await;
    let held = take_all(&reader).await;
    assert_eq!(held.len(), 3);
    let other = connect(&sqs().endpoint(), &Real.url("reader-held")).await;
    let again = kept_hidden(&reader, other.receive(10, Duration::from_secs(4))).await;
    assert!(again.unwrap().is_empty());
    assert_eq!(reader.delete(held).await.deleted, 3);
}

#[tokio::test]
async fn the_identity_survives_forwarding_and_redriving() {
    let (queue, dead) = (
        queue("reader-forward", 30).await,
        queue("reader-forward-dead", 30).await,
    );
    send(&queue, 12).await;
    let dead_url = dead.queue_url().to_owned();
    let (reading, burying) = (reader(queue).await, reader(dead).await);
    let held = take_all(&reading).await;
    let mut identities: Vec<_> = held.iter().map(|delivery| delivery.identity).collect();
    let note = Note {
        reason: "not_json",
        field: None,
    };
    let rejected = held.into_iter().map(|delivery| (delivery, note)).collect();
    let report = reading.forward(rejected, Some(&dead_url)).await;
    assert_eq!((report.forwarded, report.deletion.deleted), (12, 12));
    let buried = take_all(&burying).await;
    assert_eq!(buried[0].attribute("reject-reason"), Some("not_json"));
    assert_eq!(
        burying
            .redrive(buried, &Real.url("reader-forward"), false)
            .await
            .redriven,
        12
    );
    let mut again: Vec<_> = take_all(&reading)
        .await
        .iter()
        .map(|delivery| delivery.identity)
        .collect();
    identities.sort_unstable();
    again.sort_unstable();
    assert_eq!(again, identities);
}

#[tokio::test]
async fn the_reader_gets_through_a_proxy_that_fails_and_doubles() {
    let queue = queue("reader-faults", 5).await;
    send(&queue, 40).await;
    let rules = [
        Rule::new(Fault::InternalError, When::Every(5)),
        Rule::new(Fault::ResetAfter, When::Every(7)),
        Rule::new(Fault::Duplicate, When::Every(6)),
        Rule::new(Fault::FailDelete, When::Every(4)),
    ];
    let proxy = FaultProxy::start(sqs().port(), rules.to_vec(), 1);
    let facts = queue.facts().await.unwrap();
    let options = ReaderOptions {
        max_in_flight: 100,
        visibility_timeout: facts.visibility_timeout,
    };
    let reader = Reader::new(
        connect(&proxy.endpoint(), queue.queue_url()).await,
        &facts,
        &options,
    );
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 40 {
        let Ok(received) = reader.receive(reader.slots(10).await, LONG).await else {
            continue;
        };
        seen.extend(received.iter().map(|delivery| delivery.body.clone()));
        assert_eq!(reader.delete(received).await.undeleted, 0);
    }
    let struck = proxy.struck();
    assert_eq!(struck.len(), 4, "{struck:?}");
    let facts = queue.facts().await.unwrap();
    assert_eq!(facts.waiting, 0);
}

#[tokio::test]
async fn deletes_wait_for_credentials_that_are_renewed() {
    let queue = queue("reader-away", 30).await;
    send(&queue, 2).await;
    let rules = vec![Rule::new(Fault::ExpiredToken, When::Always).on("DeleteMessageBatch")];
    let proxy = FaultProxy::start(sqs().port(), rules, 1);
    let reader = reader(connect(&proxy.endpoint(), queue.queue_url()).await).await;
    let held = take_all(&reader).await;
    let (report, ()) = tokio::join!(reader.delete(held), async {
        while proxy.struck().is_empty() {
            tokio::task::yield_now().await;
        }
        proxy.set_rules(Vec::new());
    });
    assert_eq!(
        report,
        DeleteReport {
            deleted: 2,
            undeleted: 0
        }
    );
}
