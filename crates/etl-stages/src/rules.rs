//! What a body is turned into, and by which rules.

use login_model::{MaskedLogin, Maskers, Parser, Rejection};

/// What a delivery is turned into, and by which rules.
#[derive(Debug)]
pub struct Rules {
    /// How a body is read.
    pub parser: Parser,
    /// How its personal data is masked.
    pub maskers: Maskers,
}

impl Rules {
    /// The masked row in `body`.
    pub fn row<'a>(&self, body: &'a str) -> Result<MaskedLogin<'a>, Rejection> {
        self.parser.parse(body)?.mask(&self.maskers)
    }
}
