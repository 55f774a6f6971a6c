//! The proof that a text is masked: only a [`FieldMasker`](crate::FieldMasker) makes one.

use alloc::string::String;
use core::fmt;

/// A masked value, fit to be stored. It has no public constructor, so where a function takes `Masked`
/// a plain value does not compile.
///
/// ```compile_fail
/// let forged = masking::Masked(String::from("199.172.111.135"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Masked(String);

impl Masked {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The masked text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The masked text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl AsRef<str> for Masked {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Masked> for String {
    fn from(masked: Masked) -> Self {
        masked.0
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for Masked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Masked({:?})", self.0)
    }
}
