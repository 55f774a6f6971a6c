//! Keeps what groups and drops what singles out: the network of an address, the last four characters of other text.

use alloc::string::String;
use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::REDACTED;
use crate::address;
use crate::masker::Kind;

/// How many characters of a text are kept.
const KEPT: usize = 4;
/// Shorter text is not shown in part: four characters of it would be most of it.
const SHORTEST: usize = 2 * KEPT;

pub(super) fn mask_into(value: &str, kind: Kind, output: &mut String) {
    match kind {
        Kind::Ip => push_network(value, output),
        Kind::Text => output.push_str(last_four(value)),
    }
}

fn push_network(value: &str, output: &mut String) {
    // Writing to a String cannot fail.
    let _ = match address::parse(value) {
        Some(IpAddr::V4(address)) => {
            let [first, second, third, _] = address.octets();
            write!(output, "{}/24", Ipv4Addr::new(first, second, third, 0))
        }
        Some(IpAddr::V6(address)) => {
            let [first, second, third, ..] = address.segments();
            write!(
                output,
                "{}/48",
                Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0)
            )
        }
        None => output.write_str(REDACTED),
    };
}

fn last_four(value: &str) -> &str {
    let mut starts = value.char_indices().rev();
    match (starts.nth(KEPT - 1), starts.nth(SHORTEST - KEPT - 1)) {
        (Some((start, _)), Some(_)) => &value[start..],
        _ => REDACTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truncated(value: &str, kind: Kind) -> String {
        let mut output = String::new();
        mask_into(value, kind, &mut output);
        output
    }

    #[test]
    fn addresses_keep_their_network() {
        assert_eq!(truncated("199.172.111.135", Kind::Ip), "199.172.111.0/24");
        assert_eq!(
            truncated("2001:db8:85a3::8a2e:370:7334", Kind::Ip),
            "2001:db8:85a3::/48"
        );
    }

    #[test]
    fn what_is_no_address_shows_nothing() {
        assert_eq!(truncated("199.172.111.135:80", Kind::Ip), "redacted");
    }

    #[test]
    fn text_keeps_its_last_four_characters_unless_that_is_most_of_it() {
        assert_eq!(truncated("593-47-5928", Kind::Text), "5928");
        assert_eq!(truncated("1234ä678", Kind::Text), "ä678");
        assert_eq!(truncated("1234567", Kind::Text), "redacted");
        assert_eq!(truncated("", Kind::Text), "redacted");
    }
}
