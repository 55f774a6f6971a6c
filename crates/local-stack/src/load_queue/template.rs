//! Login events made on the fly, shaped like real ones. Message `index` of a seed is always the same, so nothing of a
//! backlog is held in memory until it is received.

use crate::random::Random;

const LOCALES: [&str; 12] = [
    "RU", "PH", "ID", "FR", "CN", "BR", "US", "PL", "PT", "SE", "JP", "GR",
];

/// Writes the event as compact JSON with the spacing of the real ones.
pub(crate) fn write_event(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut random = Random::new(seed, index);
    out.extend_from_slice(br#"{"user_id": ""#);
    write_uuid(&mut random, out);
    out.extend_from_slice(br#"", "app_version": ""#);
    write_version(&mut random, out);
    let device = if random.below(2) == 0 {
        "android"
    } else {
        "ios"
    };
    out.extend_from_slice(br#"", "device_type": ""#);
    out.extend_from_slice(device.as_bytes());
    out.extend_from_slice(br#"", "ip": ""#);
    write_address(&mut random, out);
    write_locale(&mut random, out);
    out.extend_from_slice(br#", "device_id": ""#);
    write_device(&mut random, out);
    out.extend_from_slice(br#""}"#);
}

/// What one in so many messages is instead, where asked for.
pub(crate) const MALFORMED: &[u8] = br#"{"foo": "oops_wrong_msg_type", "bar": "123"}"#;

/// A random UUID in its usual text.
pub(crate) fn write_uuid(random: &mut Random, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = *b"00000000-0000-4000-8000-000000000000";
    let mut bits = 0;
    for (position, digit) in text.iter_mut().enumerate() {
        if position % 16 == 0 {
            bits = random.next();
        }
        if *digit == b'0' {
            *digit = DIGITS[(bits & 15) as usize];
            bits >>= 4;
        }
    }
    out.extend_from_slice(&text);
}

/// Two or three parts, as `2.3.0` or `0.96`.
fn write_version(random: &mut Random, out: &mut Vec<u8>) {
    write_number(out, random.below(6));
    out.push(b'.');
    if random.below(4) == 0 {
        write_number(out, random.below(100));
    } else {
        write_number(out, random.below(10));
        out.push(b'.');
        write_number(out, random.below(10));
    }
}

fn write_address(random: &mut Random, out: &mut Vec<u8>) {
    for part in 0..4 {
        if part > 0 {
            out.push(b'.');
        }
        write_number(out, 1 + random.below(254));
    }
}

/// 29 in a hundred have none.
fn write_locale(random: &mut Random, out: &mut Vec<u8>) {
    if random.below(100) < 29 {
        out.extend_from_slice(br#"", "locale": null"#);
        return;
    }
    let locale = LOCALES[usize::try_from(random.below(LOCALES.len() as u64)).unwrap_or(0)];
    out.extend_from_slice(br#"", "locale": ""#);
    out.extend_from_slice(locale.as_bytes());
    out.push(b'"');
}

fn write_device(random: &mut Random, out: &mut Vec<u8>) {
    let mut text = *b"000-00-0000";
    for digit in text.iter_mut().filter(|digit| **digit == b'0') {
        *digit = b"0123456789"[usize::try_from(random.below(10)).unwrap_or(0)];
    }
    out.extend_from_slice(&text);
}

/// In decimal, without the machinery of formatting.
pub(crate) fn write_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b"0123456789"[(number % 10) as usize];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn event(index: u64) -> Value {
        let mut text = Vec::new();
        write_event(7, index, &mut text);
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 9, 10, 255, 1_795_353_266_782, u64::MAX] {
            let mut text = Vec::new();
            write_number(&mut text, number);
            assert_eq!(text, number.to_string().as_bytes());
        }
    }

    #[test]
    fn an_event_is_the_same_each_time_and_unlike_its_neighbour() {
        assert_eq!(event(3), event(3));
        assert_ne!(event(3)["user_id"], event(4)["user_id"]);
    }

    #[test]
    fn events_have_the_shape_of_real_ones() {
        let events: Vec<Value> = (0..2_000).map(event).collect();
        let without_locale = events
            .iter()
            .filter(|event| event["locale"].is_null())
            .count();
        let ios = events
            .iter()
            .filter(|event| event["device_type"] == "ios")
            .count();
        assert!((480..680).contains(&without_locale), "{without_locale}");
        assert!((850..1150).contains(&ios), "{ios}");
        for event in &events {
            assert_eq!(event["user_id"].as_str().unwrap().len(), 36);
            assert!(
                event["ip"]
                    .as_str()
                    .unwrap()
                    .parse::<std::net::Ipv4Addr>()
                    .is_ok()
            );
            let parts = event["app_version"].as_str().unwrap().split('.').count();
            assert!((2..=3).contains(&parts));
        }
    }
}
