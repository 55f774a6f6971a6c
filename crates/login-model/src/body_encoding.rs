//! Bodies that a sender has compressed: gzip, written as base64 since SQS carries text.
//! Invariant: what a few bytes unpack to is bounded; nobody fills the memory with them.

use std::fmt;
use std::io::Read as _;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;

use crate::{Reason, Rejection, UnknownName};

/// As base64 writes the three bytes that every gzip stream begins with (RFC 1952, section 2.3.1). No JSON does.
const START: &str = "H4sI";
/// The largest message of SQS; a login event is a thousandth of it.
const LARGEST: usize = 1024 * 1024;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How senders write a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BodyEncoding {
    /// As JSON.
    #[default]
    Plain,
    /// As base64 of gzip of JSON, or as JSON: the two are told apart.
    Gzip,
}

/// The text that `body` unpacks to; `None` where it is not compressed.
pub(crate) fn unpack(body: &str) -> Result<Option<String>, Rejection> {
    if !body.starts_with(START) {
        return Ok(None);
    }
    let damaged = Rejection::of_message(Reason::GzipDamaged);
    // Tools break lines after 76 letters.
    let letters: String = body.split_ascii_whitespace().collect();
    let packed = BASE64.decode(letters).map_err(|_| damaged)?;
    let mut text = Vec::new();
    // One byte more than is allowed tells that there is more.
    let unpacking = MultiGzDecoder::new(packed.as_slice()).take(LARGEST as u64 + 1);
    { unpacking }.read_to_end(&mut text).map_err(|_| damaged)?;
    if text.len() > LARGEST {
        return Err(Rejection::of_message(Reason::UnpackedTooLarge));
    }
    let text = String::from_utf8(text).map_err(|_| Rejection::of_message(Reason::NotUtf8))?;
    Ok(Some(text))
}

impl BodyEncoding {
    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
        }
    }
}

impl fmt::Display for BodyEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BodyEncoding {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "plain" => Ok(Self::Plain),
            "gzip" => Ok(Self::Gzip),
            _ => Err(UnknownName {
                expected: &["plain", "gzip"],
            }),
        }
    }
}
