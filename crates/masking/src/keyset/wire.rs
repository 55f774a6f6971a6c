//! The little of protocol buffers that Tink's messages need: varints, length-delimited fields, unknown ones skipped.
//! A hand-written page instead of `prost` and its build: five messages, none of which changes any more.

use super::KeysetError;
use crate::pii::Pii;

/// One field of a message.
pub(super) enum Field<'message> {
    Number(u64),
    Bytes(&'message [u8]),
    /// Fixed-width: Tink uses none, so its contents do not matter.
    Other,
}

/// Reads the fields of one message, in order.
pub(super) struct Reader<'message>(&'message [u8]);

impl<'message> Reader<'message> {
    pub(super) const fn new(message: &'message [u8]) -> Self {
        Self(message)
    }

    /// The next field's number and contents, or nothing at the message's end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Field<'message>)>, KeysetError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Number(self.varint()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let length =
                    usize::try_from(self.varint()?).map_err(|_| KeysetError::NotProtobuf)?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return Err(KeysetError::NotProtobuf),
        };
        Ok(Some((tag >> 3, field)))
    }

    fn varint(&mut self) -> Result<u64, KeysetError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte, ..] = *self.take(1)? else {
                return Err(KeysetError::NotProtobuf);
            };
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(KeysetError::NotProtobuf)
    }

    fn take(&mut self, length: usize) -> Result<&'message [u8], KeysetError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(KeysetError::NotProtobuf)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Writes one message. It holds key material, so it is wiped when dropped.
pub(super) struct Writer(Pii<Vec<u8>>);

impl Writer {
    /// Room is taken once, so that growing leaves no copy of a key behind.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(Pii::new(Vec::with_capacity(capacity)))
    }

    /// A number; zero is what absence means, so it is left out, as Tink leaves it out.
    pub(super) fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.0.expose_mut().push(field << 3);
            self.varint(value);
        }
    }

    pub(super) fn bytes(&mut self, field: u8, value: &[u8]) {
        self.0.expose_mut().push(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.expose_mut().extend_from_slice(value);
    }

    pub(super) fn finish(self) -> Pii<Vec<u8>> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                return self.0.expose_mut().push(low & 0x7f);
            }
            self.0.expose_mut().push(low | 0x80);
        }
    }
}
