//! What goes wrong: a fault, the action it is about, and when.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Error, Result};

use crate::hint::hinted;
use crate::when::When;

/// One way in which SQS, or the way to it, fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes later. Written `latency=10ms`; adds to whatever else strikes.
    Latency(Duration),
    /// Status 500, nothing done. Written `500`.
    InternalError,
    /// Status 503, nothing done. Written `503`.
    Unavailable,
    /// Status 400, `RequestThrottled`, nothing done. Written `throttle`.
    Throttled,
    /// Status 403, `ExpiredToken`, nothing done. Written `expired-token`.
    ExpiredToken,
    /// Status 403, `AccessDenied`, nothing done. Written `denied`.
    Denied,
    /// Status 403, `InvalidClientTokenId`, nothing done. Written `unknown-key`.
    UnknownKey,
    /// Status 403, `SignatureDoesNotMatch` for a signature of long ago, nothing done. Written `old-signature`.
    OldSignature,
    /// The answer is dated in another century. Written `old-date`.
    OldDate,
    /// The connection is reset, nothing done. Written `reset-before`.
    ResetBefore,
    /// The work is done, then the connection is reset in place of an answer. Written `reset-after`.
    ResetAfter,
    /// The work is done, the answer ends in the middle of its body. Written `truncate`.
    Truncate,
    /// Nothing is done and no answer comes until the client gives up. Written `hang`.
    Hang,
    /// A received message is delivered once more, in this answer or the next, under a handle of its own. Counted by
    /// message. Written `duplicate`.
    Duplicate,
    /// An entry of a batch delete is not deleted and stands in `Failed`, not by the sender's fault; a single delete gets
    /// a 500. Counted by entry. Written `fail-delete`.
    FailDelete,
}

/// A fault and when it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Of which action, `ReceiveMessage` say; none for all.
    pub action: Option<String>,
    /// What happens.
    pub fault: Fault,
    /// To which of them.
    pub when: When,
}

impl Rule {
    /// For every action.
    pub fn new(fault: Fault, when: When) -> Self {
        Self {
            action: None,
            fault,
            when,
        }
    }

    /// The same for one action alone.
    #[must_use]
    pub fn on(self, action: &str) -> Self {
        Self {
            action: Some(action.to_owned()),
            ..self
        }
    }
}

impl Fault {
    /// The name it is counted under, as it is written in a rule.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::InternalError => "500",
            Self::Unavailable => "503",
            Self::Throttled => "throttle",
            Self::ExpiredToken => "expired-token",
            Self::Denied => "denied",
            Self::UnknownKey => "unknown-key",
            Self::OldSignature => "old-signature",
            Self::OldDate => "old-date",
            Self::ResetBefore => "reset-before",
            Self::ResetAfter => "reset-after",
            Self::Truncate => "truncate",
            Self::Hang => "hang",
            Self::Duplicate => "duplicate",
            Self::FailDelete => "fail-delete",
        }
    }
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(time) = text.strip_prefix("latency=") {
            let milliseconds = time
                .trim_end_matches("ms")
                .parse()
                .context("latency is written latency=10ms")?;
            return Ok(Self::Latency(Duration::from_millis(milliseconds)));
        }
        let plain = [
            Self::InternalError,
            Self::Unavailable,
            Self::Throttled,
            Self::ExpiredToken,
            Self::Denied,
            Self::UnknownKey,
            Self::OldSignature,
            Self::OldDate,
            Self::ResetBefore,
            Self::ResetAfter,
            Self::Truncate,
            Self::Hang,
            Self::Duplicate,
            Self::FailDelete,
        ];
        plain
            .into_iter()
            .find(|fault| fault.name() == text)
            .ok_or_else(|| {
                let names = plain.map(|fault| fault.name()).join(", ");
                hinted(
                    format_args!("there is no fault {text:?}"),
                    format_args!("write one of latency=10ms, {names}"),
                )
            })
    }
}

/// `[ACTION:]FAULT[@WHEN]`
impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (rest, when) = text
            .split_once('@')
            .map_or((text, Ok(When::Always)), |(rest, when)| {
                (rest, when.parse())
            });
        let (action, fault) = rest
            .split_once(':')
            .map_or((None, rest), |(action, fault)| (Some(action), fault));
        Ok(Self {
            action: action.map(str::to_owned),
            fault: fault.parse()?,
            when: when?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        let rule: Rule = "DeleteMessageBatch:fail-delete@1/13".parse().unwrap();
        assert_eq!(
            rule,
            Rule::new(Fault::FailDelete, When::Every(13)).on("DeleteMessageBatch")
        );
        let rule: Rule = "latency=10ms".parse().unwrap();
        assert_eq!(
            rule,
            Rule::new(Fault::Latency(Duration::from_millis(10)), When::Always)
        );
    }

    #[test]
    fn an_unknown_fault_is_answered_with_the_known_ones() {
        let error = "boom@1/2".parse::<Rule>().unwrap_err().to_string();
        assert!(
            error.contains("hint: write one of latency=10ms, 500, 503, throttle"),
            "{error}"
        );
    }
}
