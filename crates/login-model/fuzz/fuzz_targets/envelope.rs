//! An event is the same event inside up to four envelopes, of SNS and EventBridge in any order, and inside a fifth it is
//! none; what is no event is none in an envelope either.
#![no_main]

use libfuzzer_sys::fuzz_target;
use login_model::{EnvelopeRule, Parser, Reason};

/// As many as the parser opens.
const MOST: u32 = 4;

fuzz_target!(|input: (u8, &str)| {
    let (layers, text) = input;
    let depth = u32::from(layers % 6);
    // The mark is the body's and not the event's: an envelope has one of its own.
    let text = text.trim_start_matches('\u{feff}');
    let opened = Parser::new().parse(text);
    let bare = Parser::new().envelope(EnvelopeRule::None).parse(text);
    let Some(wrapped) = wrap(text, layers / 6, depth) else {
        return;
    };
    match (Parser::new().parse(&wrapped), &bare) {
        (Ok(event), _) => assert_eq!(Ok(&event), opened.as_ref()),
        // An embedded event is a level deeper, which the limit on nesting may refuse.
        (Err(rejection), Ok(_)) => assert!(depth > MOST || rejection.reason == Reason::NestedTooDeep),
        (Err(_), Err(_)) => {}
    }
    if depth > MOST {
        assert!(bare.is_err() || Parser::new().parse(&wrapped).is_err());
    }
    if depth > 0 {
        let closed = Parser::new().envelope(EnvelopeRule::None);
        assert!(closed.parse(&wrapped).is_err());
    }
});

/// `None` where an embedded text could end its envelope early: only what is JSON can be embedded.
fn wrap(text: &str, kinds: u8, depth: u32) -> Option<String> {
    let mut body = text.to_owned();
    for layer in 0..depth {
        body = if kinds >> layer & 1 == 0 {
            // Written out once only: each time makes it six times as long.
            let message = if layer == 0 { quoted(&body) } else { serde_json::to_string(&body).ok()? };
            format!(r#"{{"Type":"Notification","Message":{message}}}"#)
        } else {
            serde_json::from_str::<serde::de::IgnoredAny>(&body).ok()?;
            format!(r#"{{"detail-type":"login","detail":{body}}}"#)
        };
    }
    Some(body)
}

/// A text as a JSON string, written without the library under test.
fn quoted(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    format!("\"{}\"", units.collect::<String>())
}
