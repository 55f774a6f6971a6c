//! The names of the schemes and what each of them promises; how they work stands in [`crate::engine`].

use core::fmt;
use core::str::FromStr;

/// How one value is masked.
///
/// Every scheme is deterministic: equal text gives equal masks, so duplicates and groups stay visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scheme {
    /// Standard base64 of the exact bytes: an encoding that anyone reverses, not a protection.
    Base64,
    /// AES-256-SIV as Google Tink writes it: recovered with the keyset, and authenticated.
    AesSiv,
    /// A keyed fingerprint of 128 bits: links equal values, recovers nothing.
    HmacSha256,
    /// Prefix-preserving encryption of addresses: subnets still group; recovered with its key, unauthenticated.
    IpcryptPfx,
    /// The network of an address, or the last four characters of other text.
    Truncate,
    /// A fixed word.
    Redact,
}

impl Scheme {
    /// Every scheme, whether or not this build contains it.
    pub const ALL: &'static [Self] = &[
        Self::Base64,
        Self::AesSiv,
        Self::HmacSha256,
        Self::IpcryptPfx,
        Self::Truncate,
        Self::Redact,
    ];

    /// The name that [`FromStr`] takes and [`fmt::Display`] writes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::AesSiv => "aes-siv",
            Self::HmacSha256 => "hmac-sha256",
            Self::IpcryptPfx => "ipcrypt-pfx",
            Self::Truncate => "truncate",
            Self::Redact => "redact",
        }
    }

    /// Whether a Tink keyset is needed. (`ipcrypt-pfx` has a key of its own: see [`Scheme::needs_ipcrypt_key`].)
    pub const fn needs_keyset(self) -> bool {
        matches!(self, Self::AesSiv | Self::HmacSha256)
    }

    /// Whether an [`IpcryptKey`](crate::IpcryptKey) is needed.
    pub const fn needs_ipcrypt_key(self) -> bool {
        matches!(self, Self::IpcryptPfx)
    }

    /// Whether [`FieldMasker::unmask`](crate::FieldMasker::unmask) gives the value back.
    pub const fn is_reversible(self) -> bool {
        matches!(self, Self::Base64 | Self::AesSiv | Self::IpcryptPfx)
    }

    /// What the scheme does, in one line for a `--help` or a start-up message.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Base64 => "an encoding that anyone reverses: no protection",
            Self::AesSiv => "encrypted; equal values stay equal; recovered with the keyset",
            Self::HmacSha256 => "keyed fingerprint; equal values stay equal; never recovered",
            Self::IpcryptPfx => {
                "addresses only: encrypted, subnets still group; recovered with its key, unauthenticated"
            }
            Self::Truncate => {
                "the /24 or /48 of an address, the last four characters of other text"
            }
            Self::Redact => "a fixed word in place of every value",
        }
    }

    /// The cargo feature that compiles the scheme in; the last two are always there.
    #[cfg(not(all(
        feature = "base64",
        feature = "aes-siv",
        feature = "hmac",
        feature = "ip"
    )))]
    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::AesSiv => "aes-siv",
            Self::HmacSha256 => "hmac",
            Self::IpcryptPfx => "ip",
            Self::Truncate | Self::Redact => "default",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(name: &str) -> Result<Self, UnknownScheme> {
        let found = Self::ALL.iter().find(|scheme| scheme.name() == name);
        found.copied().ok_or(UnknownScheme)
    }
}

/// The text names no [`Scheme`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownScheme;

impl fmt::Display for UnknownScheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("unknown scheme, expected one of: ")?;
        for (index, scheme) in Scheme::ALL.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{scheme}")?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownScheme {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_name_reads_back() {
        for scheme in Scheme::ALL {
            assert_eq!(scheme.to_string().parse(), Ok(*scheme));
            assert!(!scheme.description().contains('\n'));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "rot13".parse::<Scheme>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown scheme, expected one of: base64, aes-siv, hmac-sha256, ipcrypt-pfx, truncate, redact"
        );
    }
}
