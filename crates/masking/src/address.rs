//! One text for each IP address. What this returns stands in columns for good: never change it.

use alloc::borrow::Cow;
use alloc::string::ToString;
use core::net::IpAddr;

/// The longest text of an address, in bytes.
#[cfg(feature = "ip")]
pub(crate) const LONGEST: usize = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".len();

/// The canonical text of an address (RFC 5952; an IPv4-mapped one as IPv4), or the text itself where it is none.
pub(crate) fn canonical(text: &str) -> Cow<'_, str> {
    // The parser takes no leading zeros and no spaces, so without a colon a text is the canonical spelling of an
    // IPv4 address or no address: either way it stays as it is.
    if !text.bytes().any(|byte| byte == b':') {
        return Cow::Borrowed(text);
    }
    parse(text).map_or(Cow::Borrowed(text), |address| {
        Cow::Owned(address.to_string())
    })
}

/// Reads an address, an IPv4-mapped one as IPv4. A port, a zone or a space makes it none.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::canonical;

    /// The design's table: for good, once it is in a column.
    #[test]
    fn one_text_for_each_address_and_nothing_done_to_the_rest() {
        let pairs = [
            ("2001:0DB8::1", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("::FFFF:0102:0304", "1.2.3.4"),
            ("::1.2.3.4", "::102:304"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("199.172.111.135", "199.172.111.135"),
        ];
        for (given, wanted) in pairs {
            assert_eq!(canonical(given), wanted);
        }
        for other in [
            " 1.2.3.4",
            "01.2.3.4",
            "1.2.3.4:80",
            "fe80::1%eth0",
            "[::1]",
            "not-an-ip",
            "",
        ] {
            assert_eq!(canonical(other), other);
        }
    }
}
