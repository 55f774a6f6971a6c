//! One field on its way: what its values become, and why one does not.

use std::fmt;

use masking::{FieldMasker, MaskError, Scheme, UnmaskError};

/// Which way the filter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Mask,
    Unmask,
}

/// A field with its masker.
pub(super) struct Field {
    /// As the input names it; empty where a whole line is one value, which then holds no line break.
    pub(super) name: String,
    pub(super) domain: String,
    masker: FieldMasker,
    direction: Direction,
}

impl Field {
    pub(super) fn new(name: &str, domain: &str, masker: FieldMasker, direction: Direction) -> Self {
        Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            masker,
            direction,
        }
    }

    /// Whether a value tells by which key it was made.
    pub(super) fn names_keys(&self) -> bool {
        self.direction == Direction::Unmask && self.masker.scheme() == Scheme::AesSiv
    }

    /// Puts in `output` what becomes of `value`; leaves it empty where nothing does.
    pub(super) fn convert(&self, value: &[u8], output: &mut String) -> Result<(), Fault> {
        output.clear();
        let value = str::from_utf8(value).map_err(|_| Fault::NotUtf8)?;
        match self.direction {
            Direction::Mask => self.masker.mask_into(value, output).map_err(Fault::Mask),
            Direction::Unmask => {
                let recovered = self.masker.unmask(value).map_err(Fault::Unmask)?;
                if self.name.is_empty() && recovered.expose().contains(['\n', '\r']) {
                    return Err(Fault::LineBreak);
                }
                output.push_str(recovered.expose());
                Ok(())
            }
        }
    }
}

/// Why a value, or a whole line, cannot be converted. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Mask(MaskError),
    Unmask(UnmaskError),
    NotUtf8,
    NotAnObject,
    NotAString,
    LineBreak,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mask(error) => error.fmt(formatter),
            Self::Unmask(error) => error.fmt(formatter),
            Self::NotUtf8 => formatter.write_str("not UTF-8"),
            Self::NotAnObject => formatter.write_str("not a JSON object"),
            Self::NotAString => formatter.write_str("the value is not a string"),
            Self::LineBreak => {
                formatter.write_str("the recovered value holds a line break; use --jsonl or --csv")
            }
        }
    }
}
