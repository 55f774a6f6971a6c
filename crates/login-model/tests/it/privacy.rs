//! No value of a field shows in what can be logged.

use std::error::Error as _;

use login_model::{Field, Parser};
use proptest::prelude::*;

use crate::support::{any_field, body_with, maskers, object};

const SECRET: &str = "zqxjkvb";

#[test]
fn debug_of_an_event_and_of_a_row_shows_no_text() {
    let text = format!("\"{SECRET}\"");
    let members = Field::ALL.map(|field| (field.as_str(), text.as_str()));
    let body = object(members).replace(&format!("\"app_version\": {text}"), "\"app_version\": 1");
    let event = Parser::new().parse(&body).unwrap();
    let shown = format!("{event:?} {event:#?}");
    let row = event.mask(&maskers()).unwrap();
    let masked = row.masked_ip.as_ref().unwrap().as_str().to_owned();
    let shown = format!("{shown} {row:?} {row:#?}");
    assert!(
        !shown.contains(SECRET) && !shown.contains(&masked),
        "{shown}"
    );
    assert!(
        shown.contains("has_masked_ip: true, has_masked_device_id: true"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn a_rejection_shows_no_value(field in any_field(), left in "[ -!#-\\[\\]-~]{0,200}") {
        for json in [format!("\"{SECRET}{left}\\u0000\""), format!("[\"{SECRET}\"]"), SECRET.to_owned()] {
            let body = body_with(field, &json);
            let rejection = Parser::new().parse(&body).unwrap_err();
            let shown = format!("{rejection} {rejection:?} {}", rejection.hint());
            prop_assert!(!shown.contains(SECRET));
            prop_assert!(rejection.source().is_none());
        }
    }
}
