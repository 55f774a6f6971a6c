//! The values of a person, one a line, from a file or stdin.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use masking::Pii;

use crate::failure::Failure;

/// One value, and where it stood.
pub(super) struct Value {
    pub(super) line: usize,
    pub(super) text: Pii<String>,
}

/// Empty lines are none; a value keeps its spaces.
pub(super) fn read(input: &Path) -> Result<Vec<Value>, Failure> {
    let failed = |error: io::Error| Failure::usage(format!("--input {}: {error}", input.display()));
    let text = if input == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(input)
    };
    let text = Pii::new(text.map_err(failed)?);
    let values = values_of(text.expose());
    if values.is_empty() {
        return Err(Failure::usage(format!(
            "--input {} holds no value",
            input.display()
        )));
    }
    Ok(values)
}

fn values_of(text: &str) -> Vec<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = text.lines().enumerate();
    numbered
        .filter(|(_, line)| !line.is_empty())
        .map(|(index, line)| Value {
            line: index + 1,
            text: Pii::new(line.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::values_of;

    #[test]
    fn a_line_is_a_value_with_its_spaces_and_without_its_end() {
        let values = values_of("\u{feff}one\r\n\n two \nthree");
        let read: Vec<(usize, &str)> = values
            .iter()
            .map(|value| (value.line, value.text.expose().as_str()))
            .collect();
        assert_eq!(read, [(1, "one"), (3, " two "), (4, "three")]);
        assert!(values_of("\n\r\n").is_empty());
    }
}
