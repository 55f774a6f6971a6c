//! Answers that the local servers never give, in the form of AWS: a server of one canned answer.
//! Codes: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use sqs_reader::{QueueError, Transport};

use super::NOW;
use crate::bench::connect;

/// Answers every request with this, for as long as the process lives.
fn server(status: &str, query_code: Option<&str>, body: &str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let code = query_code.map_or(String::new(), |code| {
        format!("x-amzn-query-error: {code};Sender\r\n")
    });
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\n{code}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is its own affair.
            let _ = converse(stream, &answer);
        }
    });
    endpoint
}

fn converse(mut stream: TcpStream, answer: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&request) {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&chunk[..read]);
    }
    stream.write_all(answer.as_bytes())
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// What a receive makes of an error of AWS's JSON protocol.
async fn error(status: &str, kind: &str, query_code: Option<&str>, message: &str) -> QueueError {
    let body = format!(r#"{{"__type":"com.amazon.coral.service#{kind}","message":"{message}"}}"#);
    let endpoint = server(status, query_code, &body);
    let queue = connect(&endpoint, &format!("{endpoint}/000000000000/q")).await;
    queue.receive(1, NOW).await.unwrap_err()
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_as_that_whichever_way() {
    let expired = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)";
    let early = "Signature not yet current: 20260101T010000Z is still later than 20260101T000500Z";
    for message in [expired, early] {
        for (kind, code) in [
            ("InvalidSignatureException", None),
            ("InvalidSignatureException", Some("SignatureDoesNotMatch")),
        ] {
            let error = error("403 Forbidden", kind, code, message).await;
            assert!(matches!(error, QueueError::ClockSkew(_)), "{error:?}");
            assert!(error.hint().unwrap().contains("NTP") && error.is_transient());
        }
    }
}

#[tokio::test]
async fn credentials_that_are_not_accepted() {
    for (status, kind, code) in [
        (
            "403 Forbidden",
            "UnrecognizedClientException",
            Some("InvalidClientTokenId"),
        ),
        ("403 Forbidden", "UnrecognizedClientException", None),
        (
            "403 Forbidden",
            "InvalidSignatureException",
            Some("SignatureDoesNotMatch"),
        ),
        ("403 Forbidden", "InvalidSignatureException", None),
        ("403 Forbidden", "MissingAuthenticationTokenException", None),
        ("400 Bad Request", "IncompleteSignatureException", None),
    ] {
        let error = error(
            status,
            kind,
            code,
            "The security token included in the request is invalid.",
        )
        .await;
        assert!(
            matches!(error, QueueError::Credentials(_)),
            "{kind} {code:?}: {error:?}"
        );
        assert!(error.hint().unwrap().contains("AWS_ACCESS_KEY_ID") && !error.is_transient());
    }
}

#[tokio::test]
async fn a_session_that_has_expired() {
    let error = error(
        "403 Forbidden",
        "ExpiredTokenException",
        None,
        "The security token included in the request is expired",
    )
    .await;
    assert!(matches!(error, QueueError::Expired(_)), "{error:?}");
    assert!(error.hint().unwrap().contains("aws sso login") && error.is_transient());
}

#[tokio::test]
async fn rights_that_are_missing() {
    let message = "User: arn:aws:iam::1:user/u is not authorized to perform: sqs:receivemessage";
    let error = error(
        "400 Bad Request",
        "AccessDeniedException",
        Some("AccessDenied"),
        message,
    )
    .await;
    assert!(
        matches!(&error, QueueError::Denied(text) if text.contains("sqs:receivemessage")),
        "{error:?}"
    );
    assert!(error.hint().unwrap().contains("sqs:ReceiveMessage"));
}

#[tokio::test]
async fn a_queue_url_that_is_of_another_region_than_the_endpoint() {
    let message =
        "The address https://sqs.eu-west-1.amazonaws.com/ is not valid for this endpoint.";
    let error = error(
        "404 Not Found",
        "InvalidAddress",
        Some("InvalidAddress"),
        message,
    )
    .await;
    assert!(
        matches!(&error, QueueError::Configuration(text) if text.contains("eu-west-1")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_queue_that_asks_to_slow_down() {
    for (status, kind) in [
        ("400 Bad Request", "RequestThrottled"),
        ("400 Bad Request", "ThrottlingException"),
        ("403 Forbidden", "OverLimit"),
        ("429 Too Many Requests", "Whatever"),
        ("503 Service Unavailable", "SlowDown"),
        ("400 Bad Request", "TooManyRequestsException"),
        ("400 Bad Request", "RequestLimitExceeded"),
    ] {
        let error = error(status, kind, None, "Rate exceeded").await;
        assert!(
            matches!(error, QueueError::Throttled(_)) && error.is_transient(),
            "{kind}: {error:?}"
        );
    }
}

#[tokio::test]
async fn what_answers_is_no_sqs() {
    for status in ["404 Not Found", "405 Method Not Allowed", "200 OK"] {
        let endpoint = server(status, None, "<html>hello</html>");
        let queue = connect(&endpoint, &format!("{endpoint}/000000000000/q")).await;
        let error = queue.receive(1, NOW).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("not answer as SQS does") || text.contains("garbled"),
            "{status}: {text}"
        );
    }
}
