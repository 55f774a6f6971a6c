//! Sample login events from a seed, shaped and written as the app's own messages.
//!
//! Invariant: the bodies of a seed never change, so that two people who name a seed speak of one input.

mod random;

use std::net::{Ipv4Addr, Ipv6Addr};

use random::Random;

/// What one message in each hundred is: JSON, but of another kind.
const MALFORMED: &str = r#"{"foo": "oops_wrong_msg_type", "bar": "123"}"#;

const LOCALES: [&str; 16] = [
    "ID", "CN", "RU", "FR", "PT", "PH", "BR", "US", "PL", "SE", "JP", "KE", "PE", "UA", "CZ", "GR",
];

/// Messages are dealt in hundreds, as shuffled numbered slots: every hundred holds the same mixture
/// (one malformed, 29 without a locale, the same repeats), in an order of its own.
const HUNDRED: usize = 100;
const MALFORMED_SLOT: usize = 0;
const LAST_SLOT_WITHOUT_LOCALE: usize = 29;

/// An endless stream of message bodies.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    random: Random,
    slots: Vec<usize>,
    /// Log in again and again, each from one device at one address.
    regulars: [Visitor; 4],
    /// Where many different devices log in from; a network behind one address.
    shared_ipv4: Ipv4Addr,
    shared_ipv6: Ipv6Addr,
}

/// Who logs in, on what, from where.
#[derive(Clone, Debug)]
struct Visitor {
    user_id: String,
    device_type: &'static str,
    ip: String,
    device_id: String,
}

impl Generator {
    /// The stream of one seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let regulars = std::array::from_fn(|index| {
            let ip = ipv4(&mut random).to_string();
            visitor(&mut random, device_type(index), ip)
        });
        let (shared_ipv4, shared_ipv6) = (ipv4(&mut random), ipv6(&mut random));
        Self {
            random,
            slots: Vec::new(),
            regulars,
            shared_ipv4,
            shared_ipv6,
        }
    }

    fn deal(&mut self) -> usize {
        if self.slots.is_empty() {
            self.slots.extend(0..HUNDRED);
            self.random.shuffle(&mut self.slots);
        }
        self.slots.pop().unwrap_or(MALFORMED_SLOT)
    }

    fn event(&mut self, slot: usize) -> String {
        let Visitor {
            user_id,
            device_type,
            ip,
            device_id,
        } = self.visitor(slot);
        let app_version = version(&mut self.random);
        let locale = self.locale(slot);
        format!(
            r#"{{"user_id": "{user_id}", "app_version": "{app_version}", "device_type": "{device_type}", "ip": "{ip}", "locale": {locale}, "device_id": "{device_id}"}}"#
        )
    }

    fn visitor(&mut self, slot: usize) -> Visitor {
        let tens = slot / 10;
        let ip = match slot % 10 {
            0 => return self.regulars[tens % self.regulars.len()].clone(),
            3 => {
                let address = ipv6(&mut self.random);
                written(&mut self.random, address)
            }
            5 if tens.is_multiple_of(2) => self.shared_ipv4.to_string(),
            5 => written(&mut self.random, self.shared_ipv6),
            _ => ipv4(&mut self.random).to_string(),
        };
        visitor(&mut self.random, device_type(slot / 2), ip)
    }

    fn locale(&mut self, slot: usize) -> String {
        if slot <= LAST_SLOT_WITHOUT_LOCALE {
            return "null".to_owned();
        }
        format!("\"{}\"", LOCALES[self.random.index(LOCALES.len())])
    }
}

impl Iterator for Generator {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        Some(match self.deal() {
            MALFORMED_SLOT => MALFORMED.to_owned(),
            slot => self.event(slot),
        })
    }
}

fn visitor(random: &mut Random, device_type: &'static str, ip: String) -> Visitor {
    Visitor {
        user_id: user_id(random),
        device_type,
        ip,
        device_id: device_id(random),
    }
}

fn device_type(number: usize) -> &'static str {
    if number.is_multiple_of(2) {
        "ios"
    } else {
        "android"
    }
}

fn user_id(random: &mut Random) -> String {
    let bytes = (u128::from(random.next()) << 64) | u128::from(random.next());
    uuid::Builder::from_random_bytes(bytes.to_be_bytes())
        .into_uuid()
        .to_string()
}

fn device_id(random: &mut Random) -> String {
    format!(
        "{:03}-{:02}-{:04}",
        random.index(1_000),
        random.index(100),
        random.index(10_000)
    )
}

fn ipv4(random: &mut Random) -> Ipv4Addr {
    let [a, b, c, d, ..] = random.next().to_be_bytes();
    // Neither "this network" nor the broadcast address.
    Ipv4Addr::new(a.clamp(1, 254), b, c, d)
}

/// Within 2001:db8::/32, which RFC 3849 keeps for examples.
fn ipv6(random: &mut Random) -> Ipv6Addr {
    let [a, b, c, d, ..] = random.next().to_be_bytes().map(u16::from);
    Ipv6Addr::new(0x2001, 0xdb8, (a << 8) | b, 0, 0, 0, 0, (c << 8) | d)
}

/// One of the ways in which senders write one address: shortest, in capitals, or in full.
fn written(random: &mut Random, address: Ipv6Addr) -> String {
    match random.index(3) {
        0 => address.to_string(),
        1 => address.to_string().to_uppercase(),
        _ => address
            .segments()
            .map(|group| format!("{group:04x}"))
            .join(":"),
    }
}

/// Two or three parts, low major versions more often than high ones.
fn version(random: &mut Random) -> String {
    let major = random.index(10).min(random.index(10));
    if random.index(2) == 0 {
        return format!("{major}.{}", random.index(100));
    }
    format!("{major}.{}.{}", random.index(10), random.index(10))
}

#[cfg(test)]
mod tests;
