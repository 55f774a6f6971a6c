//! Trouble on the way, made by the fault proxy before the local server.

use std::time::Duration;

use local_stack::{Fault, FaultProxy, Rule, When, sqs};
use sqs_reader::{QueueError, SdkTransport, Transport};

use super::NOW;
use crate::bench::{Bench, Plan, Real, connect};

/// A queue behind a proxy that does this to every request.
async fn through(fault: Fault, name: &str) -> (FaultProxy, SdkTransport) {
    let queue = Real.queue(name, &Plan::default()).await;
    let proxy = FaultProxy::start(sqs().port(), vec![Rule::new(fault, When::Always)], 1);
    let queue = connect(&proxy.endpoint(), queue.queue_url()).await;
    (proxy, queue)
}

#[tokio::test]
async fn what_may_pass_by_itself_is_transient_and_told_apart() {
    for (fault, name, words) in [
        (
            Fault::InternalError,
            "fault-500",
            "the queue's server failed",
        ),
        (Fault::Unavailable, "fault-503", "the queue's server failed"),
        (
            Fault::Throttled,
            "fault-throttled",
            "the queue asks to slow down",
        ),
        (
            Fault::ExpiredToken,
            "fault-expired",
            "the AWS credentials have expired",
        ),
        (
            Fault::ResetBefore,
            "fault-reset",
            "the queue cannot be reached",
        ),
        (
            Fault::Truncate,
            "fault-truncated",
            "the queue cannot be reached",
        ),
    ] {
        let (_proxy, queue) = through(fault, name).await;
        let error = queue.receive(1, NOW).await.unwrap_err();
        assert!(error.to_string().starts_with(words), "{fault:?}: {error}");
        assert!(error.is_transient(), "{fault:?}");
    }
}

/// The polling loop backs off by itself; a client that tries again under it would hide the trouble and multiply it.
#[tokio::test]
async fn a_receive_is_one_request_and_a_call_is_tried_three_times() {
    let (proxy, queue) = through(Fault::InternalError, "tries").await;
    assert!(queue.receive(1, NOW).await.is_err());
    assert_eq!(proxy.struck()["500"], 1);
    assert!(queue.facts().await.is_err());
    assert_eq!(proxy.struck()["500"], 4);
}

#[tokio::test]
async fn a_call_outlasts_a_blip() {
    let (proxy, queue) = through(Fault::Unavailable, "blip").await;
    proxy.set_rules(vec![Rule::new(Fault::ResetBefore, When::First(2))]);
    assert_eq!(queue.facts().await.unwrap().waiting, 0);
}

/// As by a proxy or a firewall that forgets a connection: the answer never comes, and the client must not wait for it.
#[tokio::test]
async fn a_receive_that_gets_no_answer_ends_by_the_clients_own_time_out() {
    let (proxy, queue) = through(Fault::Hang, "hang").await;
    let url = queue.queue_url().to_owned();
    let settings = sqs_reader::Settings {
        longest_wait: NOW,
        ..super::settings(sqs_reader::QueueAddress::Url(url), Some(&proxy.endpoint()))
    };
    let queue = super::open(&settings).await.unwrap();
    let begun = std::time::Instant::now();
    let error = queue.receive(1, NOW).await.unwrap_err();
    assert!(
        matches!(&error, QueueError::Unreachable(text) if text.contains("no answer in time")),
        "{error:?}"
    );
    assert!(
        (9..14).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
    assert!(begun.elapsed() > Duration::from_secs(9));
}
