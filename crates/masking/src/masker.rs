//! The prepared masker of one field: every value of the field goes through it.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::address;
use crate::builder::FieldMaskerBuilder;
use crate::engine::Engine;
use crate::error::{MaskError, UnmaskError};
use crate::masked::Masked;
use crate::pii::Pii;
use crate::scheme::Scheme;

/// What a field holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Any text, masked as it stands.
    #[default]
    Text,
    /// An IP address: under every scheme but `base64` its spellings are brought to one canonical text first, so that
    /// one address has one mask. Text that is not an address is masked as it stands.
    Ip,
}

/// Masks, and where the scheme allows recovers, the values of one field. Keys are prepared once, in `build`.
///
/// It is `Send + Sync` and never changes: share one between threads.
pub struct FieldMasker {
    engine: Engine,
    scheme: Scheme,
    domain: String,
    kind: Kind,
    max_chars: usize,
}

impl FieldMasker {
    /// Starts a masker of `scheme`.
    pub const fn builder(scheme: Scheme) -> FieldMaskerBuilder {
        FieldMaskerBuilder::new(scheme)
    }

    pub(crate) fn new(engine: Engine, builder: FieldMaskerBuilder) -> Self {
        Self {
            engine,
            scheme: builder.scheme,
            domain: builder.domain.unwrap_or_default(),
            kind: builder.kind,
            max_chars: builder.max_chars,
        }
    }

    /// The scheme it masks with.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The kind of field it masks.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Masks one value under the primary key.
    pub fn mask(&self, value: &str) -> Result<Masked, MaskError> {
        let mut output = String::new();
        self.mask_into(value, &mut output)?;
        Ok(Masked::new(output))
    }

    /// Appends the mask of one value to `output`, which may be used again for the next. On an error `output` is as
    /// it was.
    pub fn mask_into(&self, value: &str, output: &mut String) -> Result<(), MaskError> {
        let start = output.len();
        let masked = self.push_mask(value, output);
        let checked =
            masked.and_then(|()| self.check_length(output.get(start..).unwrap_or_default()));
        if checked.is_err() {
            output.truncate(start);
        }
        checked
    }

    fn push_mask(&self, value: &str, output: &mut String) -> Result<(), MaskError> {
        match self.canonical(value) {
            Cow::Borrowed(value) => self
                .engine
                .mask_into(value, self.kind, self.max_chars, output),
            Cow::Owned(value) => self
                .engine
                .mask_into(&value, self.kind, self.max_chars, output),
        }
    }

    /// The value's masks under every enabled key, the primary's first: what a look-up searches for while a column
    /// holds values of several keys.
    pub fn mask_all_keys(&self, value: &str) -> Result<Vec<Masked>, MaskError> {
        let value = self.canonical(value);
        let masks = self
            .engine
            .mask_all_keys(&value, self.kind, self.max_chars)?;
        masks.iter().try_for_each(|mask| self.check_length(mask))?;
        Ok(masks.into_iter().map(Masked::new).collect())
    }

    /// Recovers the value, in its canonical text if the field is an address. Both base64 alphabets are read, padded or
    /// not.
    pub fn unmask(&self, masked: &str) -> Result<Pii<String>, UnmaskError> {
        self.engine.unmask(masked)
    }

    fn canonical<'value>(&self, value: &'value str) -> Cow<'value, str> {
        match (self.scheme, self.kind) {
            (Scheme::AesSiv | Scheme::HmacSha256, Kind::Ip) => address::canonical(value),
            // Base64 is byte for byte, as the readers of such columns expect; the others read the address themselves.
            _ => Cow::Borrowed(value),
        }
    }

    /// A mask has at most as many characters as bytes, so characters are counted only where the bytes are too many.
    fn check_length(&self, masked: &str) -> Result<(), MaskError> {
        let limit = self.max_chars;
        if masked.len() > limit && masked.chars().count() > limit {
            return Err(MaskError::TooLong { limit });
        }
        Ok(())
    }
}

impl fmt::Debug for FieldMasker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FieldMasker")
            .field("scheme", &self.scheme)
            .field("domain", &self.domain)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
