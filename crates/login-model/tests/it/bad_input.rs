//! Every kind of bad body, and the one reason and field that it is rejected with.

use login_model::Field::{self, AppVersion, DeviceId, DeviceType, Ip, Locale, UserId};
use login_model::Reason::{
    AppVersionBadPart, AppVersionNoMajor, AppVersionOutOfRange, Empty, MaskedValueTooLong,
    MissingField, NestedTooDeep, NotAnObject, NotJson, NotUtf8, NulCharacter, TooLong,
    UnpairedSurrogate, WrongType,
};
use login_model::{AppVersionRule, Parser, Reason};

use crate::support::{MEMBERS, body_with, brackets, maskers, object, quoted, valid_body};

#[track_caller]
fn assert_rejected(body: &str, reason: Reason, field: Option<Field>) {
    let rejection = Parser::new().parse(body).expect_err("the body is bad");
    let start: String = body.chars().take(60).collect();
    assert_eq!(
        (rejection.reason, rejection.field),
        (reason, field),
        "{start}"
    );
}

#[test]
fn bodies_that_are_no_json() {
    let valid = valid_body();
    let cut = &valid[..valid.len() - 1];
    let two = format!("{valid}{valid}");
    for body in [
        "",
        " \n",
        "hello",
        "{",
        cut,
        &two,
        "{'user_id': 1}",
        "{\"user_id\": NaN}",
        "[1,",
        "\"open",
        "nul",
        "{\"user_id\": \"\u{0}\"}",
        "{\"user_id\": \"\u{1f}\"}",
        r#"{"user_id": "\x"}"#,
        r#"{"user_id": "\u00g0"}"#,
        r#"{"user_id": 01}"#,
        "{\"a\": 1,}",
        "\u{feff}\u{feff}{}",
        "\u{a0}{}",
    ] {
        assert_rejected(body, NotJson, None);
    }
}

#[test]
fn json_that_is_no_object() {
    for body in [
        "[]",
        "[{}]",
        "\"text\"",
        "12",
        "-1.5e3",
        "null",
        "true",
        " [\"a\", 1] ",
    ] {
        assert_rejected(body, NotAnObject, None);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let rejection = Parser::new()
        .parse_bytes(b"{\"user_id\": \"\xff\"}")
        .unwrap_err();
    assert_eq!((rejection.reason, rejection.field), (NotUtf8, None));
}

#[test]
fn each_field_missing() {
    for (missing, _) in MEMBERS {
        let others = MEMBERS.iter().filter(|(field, _)| *field != missing);
        let body = object(others.map(|(field, json)| (field.as_str(), *json)));
        assert_rejected(&body, MissingField, Some(missing));
    }
    assert_rejected("{}", MissingField, Some(UserId));
    assert_rejected(r#"{"User_Id": "1"}"#, MissingField, Some(UserId));
}

#[test]
fn each_field_of_a_wrong_type() {
    for json in ["true", "false", "[]", "{}", "[\"2.3\"]", r#"{"a": "b"}"#] {
        for field in Field::ALL {
            assert_rejected(&body_with(field, json), WrongType, Some(field));
        }
    }
    for field in [UserId, DeviceType, Ip, Locale, DeviceId] {
        assert_rejected(&body_with(field, "7"), WrongType, Some(field));
    }
    assert_rejected(&body_with(UserId, "null"), WrongType, Some(UserId));
}

#[test]
fn texts_that_their_column_cannot_hold() {
    assert_rejected(&body_with(UserId, "\"\""), Empty, Some(UserId));
    for (field, limit) in [(UserId, 128), (DeviceType, 32), (Locale, 32)] {
        for character in ["a", "語", "😀"] {
            let text = |count| quoted(&character.repeat(count));
            assert!(Parser::new().parse(&body_with(field, &text(limit))).is_ok());
            assert_rejected(&body_with(field, &text(limit + 1)), TooLong, Some(field));
        }
    }
}

#[test]
fn characters_that_postgres_cannot_hold() {
    for field in Field::ALL {
        assert_rejected(&body_with(field, r#""2\u0000""#), NulCharacter, Some(field));
        for half in [
            r#""2\ud83d""#,
            r#""2\ude00""#,
            r#""\ud83d\ud83d""#,
            r#""2\ud83dx""#,
        ] {
            assert_rejected(&body_with(field, half), UnpairedSurrogate, Some(field));
        }
    }
}

#[test]
fn half_a_surrogate_pair_where_nobody_reads_it_does_no_harm() {
    let body = valid_body().replacen('{', r#"{"x": "\ud800", "\ud800": "\u0000", "#, 1);
    assert!(Parser::new().parse(&body).is_ok());
}

#[test]
fn versions_without_a_number_that_fits() {
    for json in [
        r#""""#,
        r#""v2.3""#,
        r#""beta""#,
        "-1",
        "2e3",
        r#"" 2""#,
        r#""-2""#,
    ] {
        assert_rejected(
            &body_with(AppVersion, json),
            AppVersionNoMajor,
            Some(AppVersion),
        );
    }
    for json in ["2147483648", r#""99999999999999999999.1""#] {
        assert_rejected(
            &body_with(AppVersion, json),
            AppVersionOutOfRange,
            Some(AppVersion),
        );
    }
}

#[test]
fn versions_that_cannot_be_packed() {
    let parser = Parser::new().app_version(AppVersionRule::Packed);
    for (json, reason) in [
        ("2.1000", AppVersionOutOfRange),
        (r#""2148.0.0""#, AppVersionOutOfRange),
        (r#""2.x""#, AppVersionBadPart),
        (r#""x.2""#, AppVersionNoMajor),
    ] {
        let rejection = parser.parse(&body_with(AppVersion, json)).unwrap_err();
        assert_eq!(
            (rejection.reason, rejection.field),
            (reason, Some(AppVersion)),
            "{json}"
        );
    }
}

#[test]
fn a_hundred_thousand_brackets() {
    let deep = brackets(100_000);
    assert_rejected(&deep, NestedTooDeep, None);
    assert_rejected(&"[".repeat(100_000), NotJson, None);
    assert_rejected(&"{\"a\":".repeat(100_000), NotJson, None);
    assert_rejected(&body_with(Locale, &deep), NestedTooDeep, None);
    assert_rejected(&object([("unknown", deep.as_str())]), NestedTooDeep, None);
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_rejected(&objects, NestedTooDeep, None);
}

#[test]
fn a_body_of_one_mebibyte() {
    let text = quoted(&"x".repeat(1 << 20));
    assert_rejected(&text, NotAnObject, None);
    assert_rejected(&body_with(UserId, &text), TooLong, Some(UserId));
    let unknown = valid_body().replacen('{', &format!("{{\"unknown\": {text}, "), 1);
    assert!(Parser::new().parse(&unknown).is_ok());
}

#[test]
fn values_too_long_once_masked_are_the_fault_of_their_field() {
    for field in [Ip, DeviceId] {
        let body = body_with(field, &quoted(&"x".repeat(193)));
        let event = Parser::new().parse(&body).unwrap();
        let rejection = event.mask(&maskers()).unwrap_err();
        assert_eq!(
            (rejection.reason, rejection.field),
            (MaskedValueTooLong, Some(field))
        );
    }
}

#[test]
fn of_several_faults_the_first_in_the_order_of_the_fields_is_told() {
    let body = object([
        ("device_id", "1"),
        ("locale", "1"),
        ("ip", "1"),
        ("device_type", "1"),
        ("app_version", "true"),
        ("user_id", "\"u\""),
    ]);
    assert_rejected(&body, WrongType, Some(AppVersion));
    assert_rejected(&format!("{body}x"), NotJson, None);
    assert_rejected(r#"{"user_id": "", "ip": 1}"#, Empty, Some(UserId));
}
