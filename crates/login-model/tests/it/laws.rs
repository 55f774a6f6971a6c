//! Laws that hold for any body: no panic, a round trip, and no meaning in the order of keys.

use login_model::{AppVersionRule, EnvelopeRule, Field, Parser, Reason};
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::support::{any_field, body_with, object, quoted};

/// Text as Postgres holds it: any character but U+0000.
fn text(max_chars: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(
        any::<char>().prop_filter("U+0000", |c| *c != '\0'),
        0..=max_chars,
    )
    .prop_map(String::from_iter)
}

/// A value of any JSON type, some of them right for some field.
fn json() -> impl Strategy<Value = String> {
    prop_oneof![
        text(40).prop_map(|text| quoted(&text)),
        "[0-9]{1,3}(\\.[0-9]{1,4}){0,2}".prop_map(|version| quoted(&version)),
        "-?[1-9][0-9]{0,10}(\\.[0-9]{1,3})?",
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""\ud800""#.to_owned()),
        Just(r#""\u0000""#.to_owned()),
        Just(r#"[{"user_id": "nested"}]"#.to_owned()),
    ]
}

/// Some of the six members, in any order.
fn members() -> impl Strategy<Value = Vec<(Field, String)>> {
    (
        subsequence(Field::ALL.to_vec(), 0..=6),
        proptest::array::uniform6(json()),
    )
        .prop_map(|(fields, values)| fields.into_iter().zip(values).collect())
}

/// Every character of a text as an escape.
fn escaped(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    format!("\"{}\"", units.collect::<String>())
}

fn body_of(members: &[(Field, String)]) -> String {
    object(
        members
            .iter()
            .map(|(field, json)| (field.as_str(), json.as_str())),
    )
}

proptest! {
    #[test]
    fn any_text_is_read_or_rejected(body in any::<String>()) {
        let _ = Parser::new().parse(&body);
    }

    #[test]
    fn any_near_miss_is_read_or_rejected(body in r#"[\[\]{}",:\\ud8-f0-9eE.+ntrue-]{0,60}"#) {
        let _ = Parser::new().envelope(EnvelopeRule::Auto).parse(&body);
        let _ = Parser::new().parse(&format!("{{\"user_id\": {body}}}"));
    }

    #[test]
    fn any_bytes_are_read_or_rejected(body in any::<Vec<u8>>()) {
        let _ = Parser::new().parse_bytes(&body);
    }

    #[test]
    fn a_valid_event_comes_back_as_it_was_written(
        user_id in text(127),
        texts in proptest::array::uniform4(proptest::option::of(text(32))),
        major in proptest::option::of(0..=i32::MAX),
        as_escapes: bool,
    ) {
        let user_id = format!("u{user_id}");
        let quote = if as_escapes { escaped } else { quoted };
        let nullable = |text: &Option<String>| text.as_deref().map_or("null".to_owned(), quote);
        let version = major.map_or("null".to_owned(), |major| quote(&format!("{major}.1")));
        let [device_type, ip, locale, device_id] = &texts;
        let body = body_of(&[
            (Field::UserId, quote(&user_id)),
            (Field::AppVersion, version),
            (Field::DeviceType, nullable(device_type)),
            (Field::Ip, nullable(ip)),
            (Field::Locale, nullable(locale)),
            (Field::DeviceId, nullable(device_id)),
        ]);
        let event = Parser::new().parse(&body).unwrap();
        prop_assert_eq!(event.user_id.as_ref(), &user_id);
        prop_assert_eq!(event.app_version, major);
        prop_assert_eq!(event.device_type.as_deref(), device_type.as_deref());
        prop_assert_eq!(event.ip.as_ref().map(|ip| ip.expose().as_ref()), ip.as_deref());
        prop_assert_eq!(event.locale.as_deref(), locale.as_deref());
        prop_assert_eq!(event.device_id.as_ref().map(|id| id.expose().as_ref()), device_id.as_deref());
        prop_assert_eq!(event.clone().into_owned(), event);
    }

    #[test]
    fn the_order_of_the_keys_has_no_meaning(
        (members, shuffled) in members().prop_flat_map(|members| {
            (Just(members.clone()), Just(members).prop_shuffle())
        }),
    ) {
        let (body, shuffled) = (body_of(&members), body_of(&shuffled));
        prop_assert_eq!(Parser::new().parse(&body), Parser::new().parse(&shuffled));
    }

    #[test]
    fn the_last_of_two_equal_keys_counts(field in any_field(), first in json(), last in json()) {
        let once = body_with(field, &last);
        let twice = once.replacen('{', &format!("{{\"{field}\": {first}, "), 1);
        prop_assert_eq!(Parser::new().parse(&twice), Parser::new().parse(&once));
    }

    #[test]
    fn packed_versions_keep_their_order(
        low in (0..=2146_i32, 0..=999_i32, 0..=999_i32),
        high in (0..=2146_i32, 0..=999_i32, 0..=999_i32),
    ) {
        let packed = |(major, minor, patch)| {
            let body = body_with(Field::AppVersion, &format!("\"{major}.{minor}.{patch}\""));
            Parser::new().app_version(AppVersionRule::Packed).parse(&body).unwrap().app_version
        };
        prop_assert_eq!(packed(low).cmp(&packed(high)), low.cmp(&high));
    }
}

#[test]
fn a_byte_order_mark_and_white_space_round_a_body_are_skipped() {
    let plain = body_with(Field::Locale, "null");
    let framed = format!("\u{feff} \r\n\t{plain}\n");
    assert_eq!(Parser::new().parse(&framed), Parser::new().parse(&plain));
}

#[test]
fn a_json_number_counts_as_it_is_written() {
    let parser = Parser::new().app_version(AppVersionRule::Packed);
    let version = |json| {
        parser
            .parse(&body_with(Field::AppVersion, json))
            .unwrap()
            .app_version
    };
    assert_eq!(version("2.10"), Some(2_010_000));
    assert_eq!(version("2.1"), Some(2_001_000));
    assert_eq!(version("7"), Some(7_000_000));
}

#[test]
fn every_reason_has_a_remedy_in_one_line() {
    for reason in Reason::ALL {
        assert!(
            !reason.hint().is_empty() && !reason.hint().contains('\n'),
            "{reason}"
        );
    }
}
