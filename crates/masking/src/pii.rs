//! A value that must not leak by accident: no `Display`, no `Serialize`, a redacted `Debug`, wiped on drop.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::mem;

/// Personal data on its way through the program. Reading it takes a visible [`expose`](Pii::expose).
///
/// Invariant: nothing here prints or serialises the value, so a `{:?}` of a struct that holds one stays harmless.
///
/// ```
/// use masking::Pii;
///
/// let address = Pii::new(String::from("199.172.111.135"));
/// assert_eq!(format!("{address:?}"), "Pii(redacted)");
/// assert_eq!(address.expose(), "199.172.111.135");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pii<T: Wipe>(T);

impl<T: Wipe> Pii<T> {
    /// Wraps a value; what it owns is overwritten when the wrapper is dropped.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Neither log nor store what this returns.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    #[cfg(feature = "keyset")]
    pub(crate) const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }

    /// The value without its protection: the caller now answers for it.
    pub fn into_exposed(mut self) -> T
    where
        T: Default,
    {
        mem::take(&mut self.0)
    }
}

impl<T: Wipe> fmt::Debug for Pii<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pii(redacted)")
    }
}

impl<T: Wipe> Drop for Pii<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

/// Overwrites what a value owns, so that freed memory does not hold it.
///
/// With the `zeroize` feature the overwriting is guaranteed; without it the compiler is only discouraged from
/// removing it. What a value merely borrows belongs to somebody else and is left alone.
pub trait Wipe {
    /// Overwrites the owned bytes; the value stays valid, with contents that mean nothing.
    fn wipe(&mut self);
}

impl Wipe for [u8] {
    #[cfg(feature = "zeroize")]
    fn wipe(&mut self) {
        zeroize::Zeroize::zeroize(self);
    }

    #[cfg(not(feature = "zeroize"))]
    fn wipe(&mut self) {
        self.fill(0);
        core::hint::black_box(self);
    }
}

impl<const N: usize> Wipe for [u8; N] {
    fn wipe(&mut self) {
        self.as_mut_slice().wipe();
    }
}

impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        // Earlier, longer contents may stand past the length: overwrite the whole capacity.
        self.resize(self.capacity(), 0);
        self.as_mut_slice().wipe();
        self.clear();
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        mem::take(self).into_bytes().wipe();
    }
}

impl Wipe for Cow<'_, str> {
    fn wipe(&mut self) {
        if let Cow::Owned(text) = self {
            text.wipe();
        }
    }
}

impl<T: Wipe> Wipe for Option<T> {
    fn wipe(&mut self) {
        if let Some(value) = self {
            value.wipe();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn debug_shows_nothing_of_the_value() {
        let owned: Pii<Cow<'_, str>> = Pii::new(Cow::Owned("593-47-5928".into()));
        assert_eq!(
            format!("{owned:?} {:#?}", Some(&owned)),
            "Pii(redacted) Some(\n    Pii(redacted),\n)"
        );
    }

    #[test]
    fn wiping_empties_what_is_owned_and_leaves_what_is_borrowed() {
        let mut owned: Cow<'_, str> = Cow::Owned("593-47-5928".into());
        let mut borrowed: Cow<'_, str> = Cow::Borrowed("593-47-5928");
        owned.wipe();
        borrowed.wipe();
        assert_eq!((&*owned, &*borrowed), ("", "593-47-5928"));
    }

    #[test]
    fn an_exposed_value_survives_its_wrapper() {
        assert_eq!(Pii::new(String::from("kept")).into_exposed(), "kept");
    }
}
