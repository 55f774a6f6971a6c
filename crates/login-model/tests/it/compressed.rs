//! Bodies as base64 of gzip: read where told so, and never larger than a message may be.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use login_model::{BodyEncoding, Field, Parser, Reason, Rejection};

use crate::support::{body_with, quoted, valid_body};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn packed(text: &str) -> String {
    STANDARD.encode(gzip(text.as_bytes()))
}

fn reading() -> Parser {
    Parser::new().body_encoding(BodyEncoding::Gzip)
}

fn reason(body: &str) -> Reason {
    reading().parse(body).expect_err("it is damaged").reason
}

#[test]
fn a_compressed_event_is_the_event() {
    let plain = valid_body();
    let expected = Parser::new().parse(&plain);
    assert!(expected.is_ok());
    let body = packed(&plain);
    let (first, second) = body.split_at(76);
    for body in [
        body.clone(),
        format!("{first}\r\n{second}\n"),
        body.trim_end_matches('=').to_owned(),
        plain.clone(),
        packed(&packed(&plain)),
        format!(
            r#"{{"Type": "Notification", "Message": {}}}"#,
            quoted(&body)
        ),
    ] {
        assert_eq!(reading().parse(&body), expected, "{body}");
    }
    let two_members = [gzip(&plain.as_bytes()[..20]), gzip(&plain.as_bytes()[20..])].concat();
    assert_eq!(reading().parse(&STANDARD.encode(two_members)), expected);
}

#[test]
fn it_is_read_only_where_told_so() {
    let rejected = Err(Rejection::of_message(Reason::NotJson));
    assert_eq!(Parser::new().parse(&packed(&valid_body())), rejected);
}

#[test]
fn a_fault_inside_is_told_as_without_compression() {
    for inside in [
        body_with(Field::Locale, "7"),
        "[]".to_owned(),
        "no JSON".to_owned(),
    ] {
        assert_eq!(
            reading().parse(&packed(&inside)),
            Parser::new().parse(&inside)
        );
    }
    let latin = STANDARD.encode(gzip(b"{\"user_id\": \"\xe9\"}"));
    assert_eq!(reason(&latin), Reason::NotUtf8);
}

#[test]
fn what_cannot_be_unpacked_is_told() {
    let body = packed(&valid_body());
    let cut = &body[..body.len() / 2];
    let mut wrong_sum = gzip(valid_body().as_bytes());
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    for body in ["H4sI", "H4sI!", cut, STANDARD.encode(wrong_sum).as_str()] {
        assert_eq!(reason(body), Reason::GzipDamaged, "{body}");
    }
}

/// A kilobyte of them would be a gigabyte.
#[test]
fn a_bomb_is_refused_at_the_size_of_a_message() {
    let mebibyte = 1024 * 1024;
    let padded = |length: usize| {
        let body = valid_body();
        packed(&format!("{body}{}", " ".repeat(length - body.len())))
    };
    assert!(reading().parse(&padded(mebibyte)).is_ok());
    assert_eq!(reason(&padded(mebibyte + 1)), Reason::UnpackedTooLarge);
    assert_eq!(reason(&padded(64 * mebibyte)), Reason::UnpackedTooLarge);
    let nested = (0..100).fold(valid_body(), |inner, _| packed(&inner));
    assert_eq!(reason(&nested), Reason::NotJson);
}
