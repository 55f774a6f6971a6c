//! Prefix-preserving encryption of addresses (draft-denis-ipcrypt, `ipcrypt-pfx`): two addresses of one subnet stay in
//! one subnet. It has no authentication, so a wrong key gives a wrong address and no error.

use alloc::string::String;
use core::fmt::Write;

use ipcrypt_rs::IpcryptPfx;

use crate::address;
use crate::error::{MaskError, UnmaskError};
use crate::ipcrypt_key::IpcryptKey;
use crate::pii::Pii;

pub(crate) struct Ipcrypt(IpcryptPfx);

impl Ipcrypt {
    pub(super) fn new(key: &IpcryptKey) -> Self {
        // Its panic over equal halves cannot happen: such a key is no `IpcryptKey`.
        Self(IpcryptPfx::new(key.to_bytes()))
    }

    pub(super) fn mask_into(&self, value: &str, output: &mut String) -> Result<(), MaskError> {
        let address = address::parse(value).ok_or(MaskError::NotAnAddress)?;
        // Writing to a String cannot fail.
        let _ = write!(output, "{}", self.0.encrypt_ipaddr(address));
        Ok(())
    }

    pub(super) fn unmask(&self, masked: &str) -> Result<Pii<String>, UnmaskError> {
        let address = address::parse(masked).ok_or(UnmaskError::NotAnAddress)?;
        let mut text = String::with_capacity(address::LONGEST);
        let _ = write!(text, "{}", self.0.decrypt_ipaddr(address));
        Ok(Pii::new(text))
    }
}
