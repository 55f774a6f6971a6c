//! Events as SNS and EventBridge deliver them, and the pointers of the SQS extended client.

use login_model::{EnvelopeRule, Field, LoginEvent, Parser, Reason, Rejection};

use crate::support::{body_with, brackets, quoted, valid_body};

/// The members and their order are those of AWS's own example.
fn sns(message: &str) -> String {
    format!(
        r#"{{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "arn:aws:sns:us-west-2:123456789012:logins",
  "Subject" : "login",
  "Message" : {message},
  "Timestamp" : "2012-05-02T00:54:06.655Z",
  "SignatureVersion" : "1",
  "MessageAttributes" : {{"a" : {{"Type" : "String", "Value" : "b"}}}}
}}"#
    )
}

fn event_bridge(detail: &str) -> String {
    format!(
        r#"{{"version": "0", "id": "12345678-1234-1234-1234-111122223333",
            "detail-type": "login", "source": "app", "account": "123456789012",
            "time": "2022-01-01T00:00:00Z", "region": "us-east-1", "resources": [],
            "detail": {detail}}}"#
    )
}

fn parse(body: &str) -> Result<LoginEvent<'_>, Rejection> {
    Parser::new().parse(body)
}

#[test]
fn each_envelope_gives_the_event_inside() {
    let plain = valid_body();
    let expected = parse(&plain);
    assert!(expected.is_ok());
    for body in [
        sns(&quoted(&plain)),
        event_bridge(&plain),
        sns(&quoted(&event_bridge(&plain))),
        event_bridge(&sns(&quoted(&plain))),
    ] {
        assert_eq!(parse(&body), expected, "{body}");
    }
}

#[test]
fn a_fault_inside_an_envelope_is_told_as_without_one() {
    let bad = body_with(Field::Locale, "7");
    for inside in [
        "plain text",
        "[]",
        "{}",
        bad.as_str(),
        brackets(1_000).as_str(),
    ] {
        assert_eq!(parse(&sns(&quoted(inside))), parse(inside));
    }
    assert_eq!(parse(&event_bridge(&bad)), parse(&bad));
}

#[test]
fn envelopes_stay_closed_where_told_so() {
    let closed = Parser::new().envelope(EnvelopeRule::None);
    let missing = Err(Rejection::of_field(Field::UserId, Reason::MissingField));
    assert_eq!(closed.parse(&sns(&quoted(&valid_body()))), missing);
    assert_eq!(closed.parse(&event_bridge(&valid_body())), missing);
}

#[test]
fn what_only_looks_like_an_envelope_is_none() {
    let missing = Err(Rejection::of_field(Field::UserId, Reason::MissingField));
    let message = quoted(&valid_body());
    for body in [
        sns("null"),
        sns(&valid_body()),
        sns(&message).replace("Notification", "SubscriptionConfirmation"),
        event_bridge(&message),
        event_bridge("null"),
        event_bridge(&valid_body()).replace("detail-type", "type"),
    ] {
        assert_eq!(parse(&body), missing, "{body}");
    }
}

#[test]
fn an_event_that_has_members_of_an_envelope_stays_an_event() {
    let extra =
        r#"{"Type": "Notification", "Message": "hello", "detail-type": "x", "detail": {}, "#;
    let body = valid_body().replacen('{', extra, 1);
    assert!(parse(&body).is_ok());
}

#[test]
fn half_a_surrogate_pair_in_the_carried_text_is_told() {
    let rejection = parse(&sns(r#""{\ud800}""#)).unwrap_err();
    assert_eq!(
        (rejection.reason, rejection.field),
        (Reason::UnpairedSurrogate, None)
    );
}

#[test]
fn envelopes_in_envelopes_come_to_an_end() {
    let nested = (0..100).fold(valid_body(), |inner, _| event_bridge(&inner));
    let rejection = parse(&nested).unwrap_err();
    assert_eq!(
        (rejection.reason, rejection.field),
        (Reason::MissingField, Some(Field::UserId))
    );
}

#[test]
fn pointers_to_s3_are_told_as_such() {
    let pointer = r#"{"s3BucketName": "b", "s3Key": "k"}"#;
    for class in [
        "com.amazon.sqs.javamessaging.MessageS3Pointer",
        "software.amazon.payloadoffloading.PayloadS3Pointer",
    ] {
        let body = format!(r#"["{class}",{pointer}]"#);
        let rejected = Err(Rejection::of_message(Reason::S3Pointer));
        assert_eq!(parse(&body), rejected);
        assert_eq!(parse(&format!(" {body}\n")), rejected);
        assert_eq!(parse(&sns(&quoted(&body))), rejected);
        assert_eq!(
            Parser::new().envelope(EnvelopeRule::None).parse(&body),
            rejected
        );
    }
    let other = format!(r#"["com.example.MessageS3Pointer",{pointer}]"#);
    assert_eq!(
        parse(&other),
        Err(Rejection::of_message(Reason::NotAnObject))
    );
}
