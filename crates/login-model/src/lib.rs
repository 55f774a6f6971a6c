#![doc = include_str!("../README.md")]

mod app_version;
mod depth;
mod envelope;
mod event;
mod field;
mod masked;
mod members;
mod parser;
mod reason;
mod rejection;
mod text;

pub use app_version::AppVersionRule;
pub use envelope::EnvelopeRule;
pub use event::LoginEvent;
pub use field::Field;
pub use masked::{MaskedLogin, Maskers};
pub use parser::Parser;
pub use reason::Reason;
pub use rejection::Rejection;

/// The text names no rule of that kind; the message lists the ones that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown rule, expected one of: {expected}")]
pub struct UnknownRule {
    pub(crate) expected: &'static str,
}
