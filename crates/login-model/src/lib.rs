#![doc = include_str!("../README.md")]

mod app_version;
mod body_encoding;
mod depth;
mod envelope;
mod event;
mod field;
mod masked;
mod members;
mod parser;
mod plain;
mod reason;
mod rejection;
mod text;

pub use app_version::AppVersionRule;
pub use body_encoding::BodyEncoding;
pub use envelope::EnvelopeRule;
pub use event::LoginEvent;
pub use field::Field;
pub use masked::{MaskedLogin, Maskers};
pub use parser::{NOT_UTF8, Parser};
pub use reason::Reason;
pub use rejection::Rejection;

/// A text that names none of the choices there are; the message lists those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {}", .expected.join(", "))]
pub struct UnknownName {
    /// The names that exist.
    pub expected: &'static [&'static str],
}
