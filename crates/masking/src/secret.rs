//! Key bytes in memory: a redacted `Debug`, compared in constant time, wiped on drop.

use alloc::vec::Vec;
use core::fmt;

use crate::pii::Wipe;

/// Key material on the heap, so that moving its owner leaves no copy behind on the stack.
#[derive(Clone)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let difference = self
            .0
            .iter()
            .zip(&other.0)
            .fold(0, |sum, (left, right)| sum | (left ^ right));
        self.0.len() == other.0.len() && core::hint::black_box(difference) == 0
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}
