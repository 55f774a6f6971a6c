//! A plain body is read without a copy: every text lies within the body.

use std::borrow::Cow;

use login_model::Parser;

use crate::support::valid_body;

#[test]
fn every_text_of_a_plain_body_is_borrowed() {
    let body = valid_body();
    let event = Parser::new().parse(&body).unwrap();
    let texts = [
        Some(&event.user_id),
        event.device_type.as_ref(),
        event.ip.as_ref().map(masking::Pii::expose),
        event.locale.as_ref(),
        event.device_id.as_ref().map(masking::Pii::expose),
    ];
    for text in texts {
        assert!(matches!(text, Some(Cow::Borrowed(_))));
    }
}

#[test]
fn only_the_escaped_text_of_a_body_is_owned() {
    let body = valid_body().replace("android", r"\u0061ndroid");
    let event = Parser::new().parse(&body).unwrap();
    assert!(matches!(event.device_type, Some(Cow::Owned(ref text)) if text == "android"));
    assert!(matches!(event.user_id, Cow::Borrowed(_)));
}
