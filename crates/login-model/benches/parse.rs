//! What one body costs: read alone, and read and masked with base64.

use std::fmt::Write as _;
use std::hint::black_box;

use divan::Bencher;
use divan::counter::BytesCount;
use login_model::{Maskers, Parser};
use masking::{FieldMasker, Kind, Scheme};

/// As the app writes it; 169 bytes.
const PLAIN: &str = r#"{"user_id": "424cdd21-063a-43a7-b91b-7ca1a833afae", "app_version": "2.3.0", "device_type": "android", "ip": "192.0.2.135", "locale": "RU", "device_id": "593-47-5928"}"#;

fn main() {
    divan::main();
}

fn maskers() -> Maskers {
    let build = |domain, kind| {
        let builder = FieldMasker::builder(Scheme::Base64)
            .domain(domain)
            .kind(kind);
        builder.max_chars(256).build().expect("base64 needs no key")
    };
    Maskers {
        ip: build("ip", Kind::Ip),
        device_id: build("device_id", Kind::Text),
    }
}

/// The body inside an SNS notification: unescaped, then read a second time.
fn notification() -> String {
    let mut body = String::from(r#"{"Type": "Notification", "MessageId": "m", "Message": "#);
    write!(body, "{PLAIN:?}}}").expect("a string takes any text");
    body
}

#[divan::bench(sample_count = 500, sample_size = 1000)]
fn parse(bencher: Bencher) {
    let parser = Parser::new();
    bencher
        .counter(BytesCount::of_str(PLAIN))
        .bench(|| parser.parse(black_box(PLAIN)));
}

#[divan::bench(sample_count = 500, sample_size = 1000)]
fn parse_and_mask_base64(bencher: Bencher) {
    let (parser, maskers) = (Parser::new(), maskers());
    bencher.counter(BytesCount::of_str(PLAIN)).bench(|| {
        parser
            .parse(black_box(PLAIN))
            .and_then(|event| event.mask(&maskers))
    });
}

#[divan::bench(sample_count = 500, sample_size = 1000)]
fn parse_escaped(bencher: Bencher) {
    let body = PLAIN.replace("android", r"\u0061ndroid");
    let parser = Parser::new();
    bencher
        .counter(BytesCount::of_str(&body))
        .bench(|| parser.parse(black_box(&body)).is_ok());
}

#[divan::bench(sample_count = 500, sample_size = 1000)]
fn parse_sns_notification(bencher: Bencher) {
    let (parser, body) = (Parser::new(), notification());
    bencher
        .counter(BytesCount::of_str(&body))
        .bench(|| parser.parse(black_box(&body)).is_ok());
}

#[divan::bench(sample_count = 500, sample_size = 1000)]
fn reject_malformed(bencher: Bencher) {
    let parser = Parser::new();
    bencher.bench(|| {
        parser
            .parse(black_box(r#"{"foo": "oops_wrong_msg_type", "bar": "123"}"#))
            .is_err()
    });
}
