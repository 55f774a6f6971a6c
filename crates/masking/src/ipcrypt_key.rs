//! The key of `ipcrypt-pfx`. Tink has no type for it, so it is never part of a keyset.

use alloc::vec::Vec;
use core::fmt;

use crate::secret::Secret;

/// The 32 bytes that `ipcrypt-pfx` encrypts addresses with.
///
/// The scheme is unauthenticated: another key gives another address, silently. Keep the key with its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpcryptKey(Secret);

impl IpcryptKey {
    /// A key from its bytes; refused where its halves are equal, since the two ciphers would cancel out.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, WeakIpcryptKey> {
        let (left, right) = bytes.split_at(16);
        if left == right {
            return Err(WeakIpcryptKey);
        }
        Ok(Self(Secret::new(Vec::from(bytes))))
    }

    #[cfg(feature = "keyset")]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    #[cfg(feature = "ip")]
    pub(crate) fn to_bytes(&self) -> [u8; 32] {
        self.0
            .bytes()
            .try_into()
            .expect("the one constructor takes 32 bytes")
    }
}

/// The two halves of the key are equal, which would leave the addresses as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeakIpcryptKey;

impl fmt::Display for WeakIpcryptKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the two halves of the ipcrypt key are equal")
    }
}

impl core::error::Error for WeakIpcryptKey {}
