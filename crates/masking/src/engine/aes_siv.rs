//! AES-256-SIV (RFC 5297) in Google Tink's framing: `01 ‖ key id ‖ synthetic IV ‖ ciphertext`, as base64.
//!
//! The associated data is exactly one element, the domain, also when it is empty: Tink does it so, and S2V of no
//! element is something else.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use ::aes_siv::siv::Aes256Siv;
use ::aes_siv::{KeyInit, Tag};

use crate::error::{MaskError, UnmaskError};
use crate::keyset::{Key, KeyPrefix, KeyStatus, Keyset, PREFIX_LENGTH};
use crate::pii::{Pii, Wipe};
use crate::text;

const TAG_LENGTH: usize = 16;
/// Values whose prefix, tag and text fit in here are masked without a buffer on the heap.
const STACK_LENGTH: usize = 256;

/// The keys of one domain. The cipher itself is set up for each value: RustCrypto's takes `&mut self` and cannot be
/// cloned, and a lock round one would make threads wait for each other.
pub(crate) struct AesSiv {
    domain: String,
    keyset: Keyset,
}

impl AesSiv {
    pub(super) fn new(domain: &str, keyset: &Keyset) -> Self {
        Self {
            domain: domain.into(),
            keyset: keyset.clone(),
        }
    }

    pub(super) fn mask_into(
        &self,
        value: &str,
        limit: usize,
        output: &mut String,
    ) -> Result<(), MaskError> {
        self.mask_with(self.keyset.primary(), value, limit, output)
    }

    pub(super) fn mask_all_keys(
        &self,
        value: &str,
        limit: usize,
    ) -> Result<Vec<String>, MaskError> {
        let mask = |key| {
            let mut output = String::new();
            self.mask_with(key, value, limit, &mut output)
                .map(|()| output)
        };
        self.keyset.enabled_primary_first().map(mask).collect()
    }

    fn mask_with(
        &self,
        key: &Key,
        value: &str,
        limit: usize,
        output: &mut String,
    ) -> Result<(), MaskError> {
        let length =
            key.prefix_bytes().as_ref().map_or(0, |prefix| prefix.len()) + TAG_LENGTH + value.len();
        text::check_length(length, limit)?;
        let mut on_stack = [0; STACK_LENGTH];
        let mut on_heap;
        let frame = if let Some(frame) = on_stack.get_mut(..length) {
            frame
        } else {
            on_heap = vec![0; length];
            &mut on_heap
        };
        self.seal(key, value.as_bytes(), frame);
        text::encode_into(frame, output);
        Ok(())
    }

    /// Fills a frame of the right length. The value is encrypted where it will be sent from, so no plaintext is left in
    /// the buffer.
    fn seal(&self, key: &Key, value: &[u8], frame: &mut [u8]) {
        let body_start = frame.len() - value.len();
        let (head, body) = frame.split_at_mut(body_start);
        body.copy_from_slice(value);
        let tag = cipher(key)
            .encrypt_inout_detached([self.domain.as_bytes()], body.into())
            .expect("one element of associated data is within the limit of 126");
        let (prefix, iv) = head.split_at_mut(body_start - TAG_LENGTH);
        iv.copy_from_slice(&tag);
        if let Some(bytes) = key.prefix_bytes() {
            prefix.copy_from_slice(&bytes);
        }
    }

    /// Recovers by the prefix first, then by every key without one, as Tink does.
    pub(super) fn unmask(&self, masked: &str) -> Result<Pii<String>, UnmaskError> {
        let mut frame = text::decode(masked)?;
        if frame.len() < TAG_LENGTH {
            return Err(UnmaskError::Truncated);
        }
        let named = self.named_key(&frame);
        if let Some(key) = named.filter(|key| key.status() == KeyStatus::Enabled)
            && self.open(key, &mut frame, PREFIX_LENGTH)
        {
            return into_text(frame, PREFIX_LENGTH);
        }
        let mut raw_keys = self
            .keyset
            .enabled_primary_first()
            .filter(|key| key.prefix() == KeyPrefix::Raw);
        if raw_keys.any(|key| self.open(key, &mut frame, 0)) {
            return into_text(frame, 0);
        }
        Err(self.refusal(&frame, named))
    }

    /// The key that the frame's prefix names, whatever its status.
    fn named_key(&self, frame: &[u8]) -> Option<&Key> {
        let prefix = frame.first_chunk::<PREFIX_LENGTH>()?;
        self.keyset
            .keys()
            .find(|key| key.prefix_bytes().as_ref() == Some(prefix))
    }

    /// Decrypts in place behind the prefix. Where the authentication fails, the frame is as it was.
    fn open(&self, key: &Key, frame: &mut [u8], prefix_length: usize) -> bool {
        let Some((tag, body)) = frame[prefix_length..].split_first_chunk_mut::<TAG_LENGTH>() else {
            return false;
        };
        cipher(key)
            .decrypt_inout_detached([self.domain.as_bytes()], body.into(), &Tag::from(*tag))
            .is_ok()
    }

    /// Why no key opened it: told by the prefix, which is all that is known of the value.
    fn refusal(&self, frame: &[u8], named: Option<&Key>) -> UnmaskError {
        let has_raw_keys = self.keyset.keys().any(|key| key.prefix() == KeyPrefix::Raw);
        match (named, frame) {
            (Some(_), _) if frame.len() < PREFIX_LENGTH + TAG_LENGTH => UnmaskError::Truncated,
            (Some(key), _) if key.status() == KeyStatus::Enabled => UnmaskError::NotAuthentic,
            (Some(key), _) => UnmaskError::KeyNotEnabled { key_id: key.id() },
            (None, [1, first, second, third, fourth, ..]) if !has_raw_keys => {
                let key_id = u32::from_be_bytes([*first, *second, *third, *fourth]);
                UnmaskError::UnknownKey { key_id }
            }
            (None, _) => UnmaskError::NotAuthentic,
        }
    }
}

fn cipher(key: &Key) -> Aes256Siv {
    Aes256Siv::new_from_slice(key.material()).expect("a keyset takes AES-SIV keys of 64 bytes only")
}

/// Makes text of what stands behind prefix and tag, within the one allocation; the tail it leaves is overwritten.
fn into_text(mut frame: Vec<u8>, prefix_length: usize) -> Result<Pii<String>, UnmaskError> {
    let start = prefix_length + TAG_LENGTH;
    let length = frame.len() - start;
    frame.copy_within(start.., 0);
    frame[length..].wipe();
    frame.truncate(length);
    text::into_text(frame)
}
