//! What each scheme does with a canonical value. One module a scheme; limits and kinds are decided above.

#[cfg(feature = "base64")]
mod base64;
mod truncate;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::builder::FieldMaskerBuilder;
use crate::error::{BuildError, MaskError, UnmaskError};
use crate::masker::Kind;
use crate::pii::Pii;
use crate::scheme::Scheme;

/// What stands in place of a value of which nothing may be shown.
const REDACTED: &str = "redacted";

/// A scheme with its keys prepared.
pub(crate) enum Engine {
    #[cfg(feature = "base64")]
    Base64,
    Truncate,
    Redact,
}

impl Engine {
    pub(crate) fn prepare(builder: &FieldMaskerBuilder) -> Result<Self, BuildError> {
        match builder.scheme {
            #[cfg(feature = "base64")]
            Scheme::Base64 => Ok(Self::Base64),
            Scheme::Truncate => Ok(Self::Truncate),
            Scheme::Redact => Ok(Self::Redact),
            scheme => Err(BuildError::NotCompiled {
                scheme,
                feature: scheme.feature().unwrap_or_default(),
            }),
        }
    }

    pub(crate) fn mask_into(
        &self,
        value: &str,
        kind: Kind,
        limit: usize,
        output: &mut String,
    ) -> Result<(), MaskError> {
        match self {
            #[cfg(feature = "base64")]
            Self::Base64 => base64::mask_into(value, limit, output)?,
            Self::Truncate => truncate::mask_into(value, kind, output),
            Self::Redact => output.push_str(REDACTED),
        }
        Ok(())
    }

    pub(crate) fn mask_all_keys(
        &self,
        value: &str,
        kind: Kind,
        limit: usize,
    ) -> Result<Vec<String>, MaskError> {
        let mut output = String::new();
        self.mask_into(value, kind, limit, &mut output)?;
        Ok(vec![output])
    }

    pub(crate) fn unmask(&self, masked: &str) -> Result<Pii<String>, UnmaskError> {
        match self {
            #[cfg(feature = "base64")]
            Self::Base64 => base64::unmask(masked),
            Self::Truncate => Err(UnmaskError::NotReversible(Scheme::Truncate)),
            Self::Redact => Err(UnmaskError::NotReversible(Scheme::Redact)),
        }
    }
}
