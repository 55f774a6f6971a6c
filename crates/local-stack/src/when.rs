//! When a fault strikes: by count or by seeded chance, so that a run can be repeated.

use std::str::FromStr;

use anyhow::{Error, Result};

use crate::hint::hinted;
use crate::random::Random;

/// Which of the requests (or messages, or entries) that a rule is about are struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// All of them. Written `always`.
    Always,
    /// The nth, the 2nth and so on. Written `1/n`.
    Every(u64),
    /// The nth alone, counted from 1. Written `#n`.
    Nth(u64),
    /// The first n. Written `first n`.
    First(u64),
    /// So many in a hundred, by the seed. Written `n%`.
    Percent(u64),
}

/// Counts what a rule has seen.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    when: When,
    seen: u64,
    random: Random,
}

impl Trigger {
    pub(crate) fn new(when: When, seed: u64) -> Self {
        Self {
            when,
            seen: 0,
            random: Random::new(seed, 0),
        }
    }

    /// Whether the next one is struck.
    pub(crate) fn strikes(&mut self) -> bool {
        self.seen += 1;
        match self.when {
            When::Always => true,
            When::Every(n) => self.seen.is_multiple_of(n.max(1)),
            When::Nth(n) => self.seen == n,
            When::First(n) => self.seen <= n,
            When::Percent(percent) => self.random.below(100) < percent,
        }
    }
}

impl FromStr for When {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |digits: &str| digits.trim().parse().ok().filter(|number| *number > 0);
        let found = if text == "always" {
            Some(Self::Always)
        } else if let Some(n) = text.strip_prefix("1/") {
            number(n).map(Self::Every)
        } else if let Some(n) = text.strip_prefix('#') {
            number(n).map(Self::Nth)
        } else if let Some(n) = text.strip_prefix("first") {
            number(n).map(Self::First)
        } else {
            text.strip_suffix('%')
                .and_then(number)
                .filter(|percent| *percent <= 100)
                .map(Self::Percent)
        };
        found.ok_or_else(|| {
            hinted(
                format_args!("{text:?} is not a time to strike"),
                "write always, 1/7, #3, first 5 or 10%",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(when: &str, of: u64) -> Vec<u64> {
        let mut trigger = Trigger::new(when.parse().unwrap(), 7);
        (1..=of).filter(|_| trigger.strikes()).collect()
    }

    #[test]
    fn counts_are_from_one() {
        assert_eq!(struck("1/3", 7), [3, 6]);
        assert_eq!(struck("#2", 7), [2]);
        assert_eq!(struck("first 2", 7), [1, 2]);
        assert_eq!(struck("always", 3), [1, 2, 3]);
    }

    #[test]
    fn chance_is_about_right_and_repeats() {
        let first = struck("10%", 2_000);
        assert!((140..260).contains(&first.len()), "{}", first.len());
        assert_eq!(first, struck("10%", 2_000));
    }

    #[test]
    fn nonsense_is_refused_with_the_remedy() {
        for text in ["", "1/0", "#", "101%", "never"] {
            let error = text.parse::<When>().unwrap_err().to_string();
            assert!(error.contains("hint: write always"), "{error}");
        }
    }
}
