//! What each scheme does with a canonical value. One module a scheme; limits and kinds are decided above.

#[cfg(feature = "aes-siv")]
mod aes_siv;
#[cfg(feature = "base64")]
mod base64;
#[cfg(feature = "hmac")]
mod hmac;
#[cfg(feature = "ip")]
mod ipcrypt;
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
    #[cfg(feature = "aes-siv")]
    AesSiv(aes_siv::AesSiv),
    #[cfg(feature = "hmac")]
    Hmac(hmac::HmacFingerprint),
    // Two AES key schedules: on the heap, so that the other schemes do not carry their room.
    #[cfg(feature = "ip")]
    Ipcrypt(alloc::boxed::Box<ipcrypt::Ipcrypt>),
    Truncate,
    Redact,
}

impl Engine {
    pub(crate) fn prepare(builder: &FieldMaskerBuilder) -> Result<Self, BuildError> {
        match builder.scheme {
            #[cfg(feature = "base64")]
            Scheme::Base64 => Ok(Self::Base64),
            #[cfg(feature = "aes-siv")]
            Scheme::AesSiv => builder
                .keyed(crate::KeyType::AesSiv)
                .map(|(domain, keyset)| Self::AesSiv(aes_siv::AesSiv::new(domain, keyset))),
            #[cfg(feature = "hmac")]
            Scheme::HmacSha256 => builder
                .keyed(crate::KeyType::HmacPrf)
                .map(|(domain, keyset)| Self::Hmac(hmac::HmacFingerprint::new(domain, keyset))),
            #[cfg(feature = "ip")]
            Scheme::IpcryptPfx => builder
                .address_key()
                .map(|key| Self::Ipcrypt(ipcrypt::Ipcrypt::new(key).into())),
            Scheme::Truncate => Ok(Self::Truncate),
            Scheme::Redact => Ok(Self::Redact),
            #[cfg(not(all(
                feature = "base64",
                feature = "aes-siv",
                feature = "hmac",
                feature = "ip"
            )))]
            scheme => Err(BuildError::NotCompiled {
                scheme,
                feature: scheme.feature(),
            }),
        }
    }

    #[cfg_attr(
        not(any(feature = "base64", feature = "ip")),
        expect(
            clippy::unnecessary_wraps,
            reason = "the schemes that fail are not in this build"
        )
    )]
    #[cfg_attr(
        not(feature = "base64"),
        expect(
            unused_variables,
            reason = "the schemes that look at the limit are not in this build"
        )
    )]
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
            #[cfg(feature = "aes-siv")]
            Self::AesSiv(engine) => engine.mask_into(value, limit, output)?,
            #[cfg(feature = "hmac")]
            Self::Hmac(engine) => engine.mask_into(value, output),
            #[cfg(feature = "ip")]
            Self::Ipcrypt(engine) => engine.mask_into(value, output)?,
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
        match self {
            #[cfg(feature = "aes-siv")]
            Self::AesSiv(engine) => engine.mask_all_keys(value, limit),
            #[cfg(feature = "hmac")]
            Self::Hmac(engine) => Ok(engine.mask_all_keys(value)),
            _ => {
                let mut output = String::new();
                self.mask_into(value, kind, limit, &mut output)
                    .map(|()| vec![output])
            }
        }
    }

    #[cfg_attr(
        not(any(feature = "base64", feature = "ip")),
        expect(
            unused_variables,
            reason = "the schemes that can be reversed are not in this build"
        )
    )]
    pub(crate) fn unmask(&self, masked: &str) -> Result<Pii<String>, UnmaskError> {
        match self {
            #[cfg(feature = "base64")]
            Self::Base64 => base64::unmask(masked),
            #[cfg(feature = "aes-siv")]
            Self::AesSiv(engine) => engine.unmask(masked),
            #[cfg(feature = "hmac")]
            Self::Hmac(_) => Err(UnmaskError::NotReversible(Scheme::HmacSha256)),
            #[cfg(feature = "ip")]
            Self::Ipcrypt(engine) => engine.unmask(masked),
            Self::Truncate => Err(UnmaskError::NotReversible(Scheme::Truncate)),
            Self::Redact => Err(UnmaskError::NotReversible(Scheme::Redact)),
        }
    }
}
