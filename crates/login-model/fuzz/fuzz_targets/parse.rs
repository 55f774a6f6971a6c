//! Any body is read or rejected; whatever is read keeps the limits of its columns; and an event is the
//! same event off the fast lane, inside an SNS notification and inside an EventBridge event.
#![no_main]

use libfuzzer_sys::fuzz_target;
use login_model::{AppVersionRule, EnvelopeRule, Field, LoginEvent, Parser};

fuzz_target!(|body: &[u8]| {
    let Ok(body) = std::str::from_utf8(body) else {
        return;
    };
    let bare = Parser::new()
        .app_version(AppVersionRule::Packed)
        .envelope(EnvelopeRule::None);
    let _ = bare.parse(body);
    if let Ok(event) = Parser::new().parse(body) {
        assert_limits(&event);
    }
    let Ok(event) = Parser::new().envelope(EnvelopeRule::None).parse(body) else {
        return;
    };
    let plain = body.strip_prefix('\u{feff}').unwrap_or(body);
    // An array keeps a body off the fast lane.
    let slow = plain.replacen('{', r#"{"x":[],"#, 1);
    assert_eq!(Parser::new().parse(&slow).as_ref(), Ok(&event));
    let notification = format!(r#"{{"Type":"Notification","Message":{}}}"#, quoted(plain));
    assert_eq!(Parser::new().parse(&notification).as_ref(), Ok(&event));
    // The envelope adds a level, which the limit on nesting may refuse.
    let embedded = format!(r#"{{"detail-type":"login","detail":{plain}}}"#);
    if let Ok(unwrapped) = Parser::new().parse(&embedded) {
        assert_eq!(unwrapped, event);
    }
});

fn assert_limits(event: &LoginEvent<'_>) {
    assert!(!event.user_id.is_empty());
    let texts = [
        (Field::UserId, Some(&event.user_id)),
        (Field::DeviceType, event.device_type.as_ref()),
        (Field::Ip, event.ip.as_ref().map(|ip| ip.expose())),
        (Field::Locale, event.locale.as_ref()),
        (
            Field::DeviceId,
            event.device_id.as_ref().map(|id| id.expose()),
        ),
    ];
    for (field, text) in texts {
        let Some(text) = text else { continue };
        assert!(!text.contains('\0'));
        assert!(
            field
                .max_chars()
                .is_none_or(|limit| text.chars().count() <= limit)
        );
    }
}

/// A text as a JSON string, written without the library under test.
fn quoted(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    format!("\"{}\"", units.collect::<String>())
}
