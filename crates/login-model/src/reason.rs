//! Why a message can be rejected: one table with the stored name, the sentence and the remedy.

use std::fmt;
use std::str::FromStr;

use crate::UnknownName;

/// Writes the enum and its four views from one table, so that they cannot drift apart.
macro_rules! reasons {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal: $says:literal, hint: $hint:literal;)+) => {
        /// Why a message was rejected. The name ([`Reason::as_str`]) is stored and never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])+ $variant,)+
        }

        impl Reason {
            /// Every reason, for metrics and for help texts.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the `rejected_messages` table, in metrics and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What is wrong, to be read after the name of the field or after "the message".
            pub(crate) const fn says(self) -> &'static str {
                match self { $(Self::$variant => $says),+ }
            }

            /// What to do about it.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint),+ }
            }
        }

        impl FromStr for Reason {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(UnknownName { expected: &[$($name),+] }),
                }
            }
        }
    };
}

reasons! {
    /// The body is no JSON text, or is cut off.
    NotJson = "not_json": "is not valid JSON",
        hint: "send one complete JSON object as the message body";
    /// The body is JSON, but an array, a string, a number, a boolean or null.
    NotAnObject = "not_an_object": "is JSON, but not an object",
        hint: "send one JSON object as the message body, without a list round it";
    /// Arrays and objects stand deeper in each other than any login event needs.
    NestedTooDeep = "nested_too_deep": "nests arrays and objects more than 128 deep",
        hint: "a login event is flat: send the six fields without nesting";
    /// The bytes are no UTF-8 text.
    NotUtf8 = "not_utf8": "is not valid UTF-8",
        hint: "encode the message body as UTF-8";
    /// A field is absent; null must be written out.
    MissingField = "missing_field": "is missing",
        hint: "send all six fields; those without a value as null";
    /// A field is of a type that it never has.
    WrongType = "wrong_type": "has the wrong JSON type",
        hint: "user_id is a string, app_version a string, a number or null, each other field a string or null";
    /// A text that may not be empty is.
    Empty = "empty": "is empty",
        hint: "send the identifier of the user who logged in";
    /// A text has more characters than its column takes.
    TooLong = "too_long": "is too long",
        hint: "send at most 128 characters in user_id, 32 in device_type and in locale";
    /// A text holds U+0000, which Postgres cannot store.
    NulCharacter = "nul_character": "holds the character \\u0000, which Postgres cannot store",
        hint: "strip \\u0000 before sending";
    /// A text holds half of a UTF-16 pair, which is no character.
    UnpairedSurrogate = "unpaired_surrogate": "holds half of a surrogate pair, which is no character",
        hint: "send both halves of the pair, or cut texts between characters";
    /// The version does not start with a whole number.
    AppVersionNoMajor = "app_version_no_major": "does not start with a major version number",
        hint: "send a version such as 2.3.0, without a letter before it";
    /// The minor or the patch part of a version to be packed is no whole number.
    AppVersionBadPart = "app_version_bad_part": "has a minor or patch part that is not a number",
        hint: "send a version such as 2.3.0, or store the major number alone (--app-version major)";
    /// The number of the version does not fit its column.
    AppVersionOutOfRange = "app_version_out_of_range": "has a part that is too large to be stored",
        hint: "major versions go up to 2147483647; packed, up to 2147 with minor and patch up to 999";
    /// The chosen scheme masks addresses only, and this is none.
    IpNotAnAddress = "ip_not_an_address": "is not an IP address, which its masking scheme requires",
        hint: "send a bare IPv4 or IPv6 address, or choose a scheme that takes any text";
    /// The masked value has more characters than its column takes.
    MaskedValueTooLong = "masked_value_too_long": "is too long for its column once masked",
        hint: "send a shorter value, or choose a scheme with short values such as hmac-sha256";
    /// The masker refused the value for another reason.
    MaskingFailed = "masking_failed": "could not be masked",
        hint: "check the masking scheme and its keyset with: etl check";
    /// Postgres refuses this row while it takes its neighbours.
    RefusedByDatabase = "refused_by_database": "was refused by the database",
        hint: "look for a trigger or a constraint on the table that this event violates";
    /// The body begins as base64 of gzip and is damaged, or cut off.
    GzipDamaged = "gzip_damaged": "cannot be unpacked: it is not whole gzip in base64",
        hint: "send base64 of one whole gzip stream, or plain JSON";
    /// The body is small and what it unpacks to is larger than any message.
    UnpackedTooLarge = "unpacked_too_large": "is larger than 1 MiB once it is unpacked",
        hint: "a login event has six short fields: look at who sends this";
    /// The body points to a payload in S3 (the SQS extended client).
    S3Pointer = "s3_pointer": "is a pointer to a payload in S3",
        hint: "send login events in the message itself: they are far smaller than the limit of SQS";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn every_name_reads_back_as_its_reason() {
        for &reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
    }

    #[test]
    fn names_are_snake_case() {
        for name in Reason::ALL.iter().map(|reason| reason.as_str()) {
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            );
        }
    }
}
