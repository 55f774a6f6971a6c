//! One text for each IP address. What this returns stands in columns for good: never change it.

use alloc::borrow::Cow;
use alloc::string::ToString;
use core::net::IpAddr;

/// The canonical text of an address (RFC 5952; an IPv4-mapped one as IPv4), or the text itself where it is none.
pub(crate) fn canonical(text: &str) -> Cow<'_, str> {
    match parse(text) {
        Some(address @ IpAddr::V6(_)) => Cow::Owned(address.to_string()),
        // The parser takes no leading zeros and no spaces: only the canonical spelling of an IPv4 address comes
        // through, unless it was mapped.
        Some(address @ IpAddr::V4(_)) if text.contains(':') => Cow::Owned(address.to_string()),
        Some(IpAddr::V4(_)) | None => Cow::Borrowed(text),
    }
}

/// Reads an address, an IPv4-mapped one as IPv4. A port, a zone or a space makes it none.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}
