//! A hundred real messages, where they lie beside the checkout: they are not part of the repository.

use std::fs;
use std::path::Path;

use login_model::{Field, Parser, Reason, Rejection};

use crate::support::maskers;

const SAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/login-events.jsonl"
);

fn sample() -> Option<String> {
    if !Path::new(SAMPLE).exists() {
        println!("file absent, nothing to test here: {SAMPLE}");
        return None;
    }
    Some(fs::read_to_string(SAMPLE).expect("the sample is text"))
}

#[test]
fn ninety_nine_messages_are_events_and_line_13_is_none() {
    let Some(sample) = sample() else { return };
    let parsed: Vec<_> = sample
        .lines()
        .map(|line| Parser::new().parse(line))
        .collect();
    let missing = Rejection::of_field(Field::UserId, Reason::MissingField);
    assert_eq!(
        (parsed.len(), parsed[12].as_ref().err()),
        (100, Some(&missing))
    );
    let events: Vec<_> = parsed.into_iter().flatten().collect();
    assert_eq!(events.len(), 99);
    assert_eq!(
        events.iter().filter(|event| event.locale.is_none()).count(),
        29
    );
    assert!(
        events
            .iter()
            .all(|event| event.app_version.is_some_and(|major| major < 10))
    );
}

#[test]
fn every_event_can_be_masked_and_none_shows_a_value() {
    let Some(sample) = sample() else { return };
    let maskers = maskers();
    for event in sample
        .lines()
        .filter_map(|line| Parser::new().parse(line).ok())
    {
        let values = [
            event.user_id.to_string(),
            event.ip.as_ref().unwrap().expose().to_string(),
            event.device_id.as_ref().unwrap().expose().to_string(),
        ];
        let shown = format!("{event:?} {:?}", event.clone().mask(&maskers).unwrap());
        assert!(values.iter().all(|value| !shown.contains(value)));
    }
}

#[test]
fn a_message_cut_off_anywhere_is_rejected_without_its_values() {
    let Some(sample) = sample() else { return };
    for line in sample.lines() {
        for end in (0..line.len()).filter(|end| line.is_char_boundary(*end)) {
            let rejection = Parser::new().parse(&line[..end]).unwrap_err();
            assert_eq!(rejection, Rejection::of_message(Reason::NotJson));
        }
    }
}
