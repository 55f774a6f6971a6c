//! The version of the app as one number: its major part, or all three parts packed in order.

use std::fmt;
use std::str::FromStr;

use crate::{Field, Reason, Rejection, UnknownName, text};

/// The packed form's place for the minor and for the patch part: 0 to 999.
const PART_LIMIT: i32 = 1_000;

/// Which number is stored for a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AppVersionRule {
    /// The major number: `2.3.0` is 2, `2.3.0-beta` too.
    #[default]
    Major,
    /// major·10⁶ + minor·10³ + patch, absent parts 0: `2.3` is 2003000. Keeps the order of versions.
    Packed,
}

impl AppVersionRule {
    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Packed => "packed",
        }
    }

    /// The number for a JSON value: a string, a number (as written: 2.10 has the minor part 10) or null.
    pub(crate) fn number_of_json(self, json: &str) -> Result<Option<i32>, Rejection> {
        let number = match json.as_bytes().first() {
            Some(b'n') => return Ok(None),
            Some(b'-' | b'0'..=b'9') => self.number(json),
            _ => text::decode(json).and_then(|version| self.number(&version)),
        };
        number
            .map(Some)
            .map_err(|reason| Rejection::of_field(Field::AppVersion, reason))
    }

    /// The number for a version.
    fn number(self, version: &str) -> Result<i32, Reason> {
        let (major, rest) = leading_number(version, i32::MAX).map_err(|reason| match reason {
            Reason::AppVersionBadPart => Reason::AppVersionNoMajor,
            other => other,
        })?;
        match self {
            Self::Major => Ok(major),
            Self::Packed => pack(major, rest),
        }
    }
}

/// Appends the minor and the patch part to the major one; what follows them does not count.
fn pack(major: i32, rest: &str) -> Result<i32, Reason> {
    let (minor, rest) = next_part(rest)?;
    let (patch, _) = next_part(rest)?;
    let high = major
        .checked_mul(PART_LIMIT)
        .and_then(|packed| packed.checked_add(minor));
    high.and_then(|packed| packed.checked_mul(PART_LIMIT))
        .and_then(|packed| packed.checked_add(patch))
        .ok_or(Reason::AppVersionOutOfRange)
}

/// The part behind a dot; 0 where the version ends or goes on as a pre-release or as build metadata.
fn next_part(rest: &str) -> Result<(i32, &str), Reason> {
    match rest.strip_prefix('.') {
        Some(part) => leading_number(part, PART_LIMIT - 1),
        None => Ok((0, "")),
    }
}

/// The digits at the start, up to the end, a dot, a hyphen or a plus, and what follows them.
fn leading_number(version: &str, max: i32) -> Result<(i32, &str), Reason> {
    let end = version
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(version.len());
    let (digits, rest) = version.split_at(end);
    if digits.is_empty() || !(rest.is_empty() || rest.starts_with(['.', '-', '+'])) {
        return Err(Reason::AppVersionBadPart);
    }
    // Digits alone fail to parse only where they are too many.
    let number = digits.parse().ok().filter(|number| *number <= max);
    number
        .map(|number| (number, rest))
        .ok_or(Reason::AppVersionOutOfRange)
}

impl fmt::Display for AppVersionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AppVersionRule {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "major" => Ok(Self::Major),
            "packed" => Ok(Self::Packed),
            _ => Err(UnknownName {
                expected: &["major", "packed"],
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AppVersionRule::{Major, Packed};
    use crate::Reason::{AppVersionBadPart, AppVersionNoMajor, AppVersionOutOfRange};

    #[test]
    fn major_takes_the_leading_number() {
        for (version, number) in [
            ("2", 2),
            ("2.3", 2),
            ("2.3.0", 2),
            ("2.", 2),
            ("2.x", 2),
            ("2.3.0-beta", 2),
            ("2-rc1", 2),
            ("2+5", 2),
            ("007.1", 7),
            ("2147483647", i32::MAX),
        ] {
            assert_eq!(Major.number(version), Ok(number), "{version}");
        }
    }

    #[test]
    fn major_refuses_what_has_no_leading_number() {
        for version in [
            "", "v2", "x", "-1", ".5", "2x", "2e3", " 2", "2 ", "２.0", "+2",
        ] {
            assert_eq!(Major.number(version), Err(AppVersionNoMajor), "{version}");
        }
        assert_eq!(Major.number("2147483648"), Err(AppVersionOutOfRange));
        assert_eq!(
            Major.number(&"9".repeat(100_000)),
            Err(AppVersionOutOfRange)
        );
    }

    #[test]
    fn packed_keeps_three_parts_in_order() {
        for (version, number) in [
            ("2", 2_000_000),
            ("2.3", 2_003_000),
            ("2.10", 2_010_000),
            ("2.3.4", 2_003_004),
            ("2.3.4.5", 2_003_004),
            ("2.3.4-beta.7", 2_003_004),
            ("2-beta.7", 2_000_000),
            ("2147.483.647", i32::MAX),
        ] {
            assert_eq!(Packed.number(version), Ok(number), "{version}");
        }
    }

    #[test]
    fn packed_refuses_parts_that_do_not_fit() {
        for version in ["2.1000", "2.3.1000", "2147.483.648", "2148", "2147483648"] {
            assert_eq!(
                Packed.number(version),
                Err(AppVersionOutOfRange),
                "{version}"
            );
        }
        for version in ["2.", "2.x", "2.3.", "2.3.x", "2.3b"] {
            assert_eq!(Packed.number(version), Err(AppVersionBadPart), "{version}");
        }
    }

    #[test]
    fn a_json_number_counts_as_it_is_written() {
        assert_eq!(Packed.number_of_json("2.10"), Ok(Some(2_010_000)));
        assert_eq!(Major.number_of_json("3"), Ok(Some(3)));
        assert_eq!(Major.number_of_json("null"), Ok(None));
    }

    #[test]
    fn rules_read_back_as_they_are_shown() {
        assert_eq!("major".parse(), Ok(Major));
        assert_eq!(Packed.to_string().parse(), Ok(Packed));
        let unknown = "minor".parse::<super::AppVersionRule>().unwrap_err();
        assert_eq!(unknown.to_string(), "expected one of: major, packed");
    }
}
