//! Pins the bodies of a seed, and the mixture of every hundred.

use std::collections::HashMap;

use login_model::{LoginEvent, Parser};
use uuid::Uuid;

use super::{Generator, MALFORMED};

fn bodies(seed: u64, count: usize) -> Vec<String> {
    Generator::new(seed).take(count).collect()
}

fn events(bodies: &[String]) -> Vec<LoginEvent<'_>> {
    bodies
        .iter()
        .filter_map(|body| Parser::new().parse(body).ok())
        .collect()
}

/// The texts that occur more than once.
fn repeated<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut counts = HashMap::new();
    texts.for_each(|text| *counts.entry(text).or_insert(0) += 1);
    counts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(text, _)| text)
        .collect()
}

#[test]
fn the_bodies_of_a_seed_never_change() {
    assert_eq!(
        bodies(1, 3),
        [
            r#"{"user_id": "1805127c-c0db-4d9d-a524-e51ffe73cb44", "app_version": "2.37", "device_type": "ios", "ip": "50.100.112.3", "locale": null, "device_id": "325-56-1325"}"#,
            r#"{"user_id": "a9745007-6ed1-49d2-8942-629f167fa313", "app_version": "1.3.0", "device_type": "android", "ip": "11.249.159.230", "locale": "UA", "device_id": "324-54-3994"}"#,
            r#"{"user_id": "d4d2fac5-e33b-4804-8083-da61bd55a196", "app_version": "4.49", "device_type": "ios", "ip": "139.107.187.13", "locale": "SE", "device_id": "447-65-4614"}"#,
        ]
    );
    // A fingerprint of all that follows, with addresses in every form.
    let thousand = bodies(1, 1_000).join("\n");
    let fingerprint = Uuid::new_v5(&Uuid::NAMESPACE_OID, thousand.as_bytes());
    assert_eq!(
        fingerprint.to_string(),
        "7bfe795a-a3cf-5574-85ff-39473c838585"
    );
}

#[test]
fn another_seed_gives_other_bodies() {
    assert_ne!(bodies(1, 3), bodies(2, 3));
}

#[test]
fn every_hundred_holds_one_malformed_message_and_29_without_a_locale() {
    let bodies = bodies(42, 1_000);
    for hundred in bodies.chunks(100) {
        assert_eq!(hundred.iter().filter(|body| *body == MALFORMED).count(), 1);
        let events = events(hundred);
        assert_eq!(events.len(), 99);
        assert_eq!(
            events.iter().filter(|event| event.locale.is_none()).count(),
            29
        );
        let ios = events
            .iter()
            .filter(|event| event.device_type.as_deref() == Some("ios"));
        assert_eq!(ios.count(), 49);
    }
}

#[test]
fn a_hundred_messages_show_devices_and_addresses_that_occur_again() {
    for seed in 0..20 {
        let bodies = bodies(seed, 100);
        let events = events(&bodies);
        let device_ids = events.iter().filter_map(|event| event.device_id.as_ref());
        assert_eq!(repeated(device_ids.map(|id| id.expose().as_ref())).len(), 4);
        let ips = events.iter().filter_map(|event| event.ip.as_ref());
        let again = repeated(ips.map(|ip| ip.expose().as_ref()));
        assert!((5..=8).contains(&again.len()), "{}", again.len());
    }
}

#[test]
fn addresses_of_both_families_are_valid_and_some_are_not_written_canonically() {
    let bodies = bodies(3, 100);
    let (mut ipv6, mut canonical) = (0, 0);
    for event in events(&bodies) {
        let text = event.ip.as_ref().map(|ip| ip.expose().as_ref()).unwrap();
        let address: std::net::IpAddr = text.parse().unwrap();
        ipv6 += usize::from(address.is_ipv6());
        canonical += usize::from(address.to_string() == text);
    }
    assert_eq!((ipv6, canonical), (15, 89));
}

#[test]
fn versions_have_two_or_three_parts_and_a_major_number() {
    let bodies = bodies(4, 1_000);
    let parts = |body: &String| body.split('"').nth(7).unwrap().split('.').count();
    let valid = || bodies.iter().filter(|body| *body != MALFORMED);
    assert!(valid().all(|body| [2, 3].contains(&parts(body))));
    assert!((400..600).contains(&valid().filter(|body| parts(body) == 2).count()));
}
