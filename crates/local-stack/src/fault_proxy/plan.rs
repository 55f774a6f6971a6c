//! The rules of a proxy with their counters: what strikes the next request, message or entry.

use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Fault, Rule};
use crate::when::Trigger;

#[derive(Debug, Default)]
pub(crate) struct Plan {
    rules: Vec<(Rule, Trigger)>,
    /// How often each fault struck, by its name.
    pub(crate) struck: BTreeMap<&'static str, u64>,
}

/// What strikes a whole request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) latency: Duration,
    pub(crate) fault: Option<Fault>,
}

impl Plan {
    /// Each rule has a stream of chance of its own, so that adding one does not move the others.
    pub(crate) fn new(rules: Vec<Rule>, seed: u64) -> Self {
        let triggers = rules.into_iter().zip(seed..).map(|(rule, seed)| {
            let trigger = Trigger::new(rule.when, seed);
            (rule, trigger)
        });
        Self {
            rules: triggers.collect(),
            struck: BTreeMap::new(),
        }
    }

    /// Of the faults that strike, the first rule's; latencies add up. Every rule counts every request it is about.
    pub(crate) fn judge(&mut self, action: &str) -> Verdict {
        let mut verdict = Verdict::default();
        for (rule, trigger) in &mut self.rules {
            if !is_about(rule, action) || matches!(rule.fault, Fault::Duplicate | Fault::FailDelete)
            {
                continue;
            }
            match (trigger.strikes(), rule.fault) {
                (true, Fault::Latency(latency)) => {
                    verdict.latency = verdict.latency.saturating_add(latency);
                }
                (true, fault) if verdict.fault.is_none() => verdict.fault = Some(fault),
                _ => continue,
            }
            *self.struck.entry(rule.fault.name()).or_default() += 1;
        }
        verdict
    }

    /// Whether the next message of a receive, or entry of a delete, is struck by this fault.
    pub(crate) fn strikes(&mut self, fault: Fault, action: &str) -> bool {
        let mut struck = false;
        for (rule, trigger) in &mut self.rules {
            if rule.fault == fault && is_about(rule, action) {
                struck |= trigger.strikes();
            }
        }
        if struck {
            *self.struck.entry(fault.name()).or_default() += 1;
        }
        struck
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.rules.iter().any(|(rule, _)| rule.fault == fault)
    }
}

fn is_about(rule: &Rule, action: &str) -> bool {
    rule.action.as_deref().is_none_or(|wanted| wanted == action)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rules: &[&str]) -> Plan {
        Plan::new(rules.iter().map(|rule| rule.parse().unwrap()).collect(), 1)
    }

    #[test]
    fn latencies_add_up_and_the_first_fault_wins() {
        let mut plan = plan(&[
            "latency=10ms",
            "ReceiveMessage:latency=5ms",
            "500@1/2",
            "503@1/2",
        ]);
        assert_eq!(
            plan.judge("ReceiveMessage"),
            Verdict {
                latency: Duration::from_millis(15),
                fault: None
            }
        );
        let second = plan.judge("SendMessage");
        assert_eq!(
            second,
            Verdict {
                latency: Duration::from_millis(10),
                fault: Some(Fault::InternalError)
            }
        );
        assert_eq!(plan.struck, BTreeMap::from([("500", 1), ("latency", 3)]));
    }

    #[test]
    fn a_rule_counts_its_own_action_only() {
        let mut plan = plan(&["DeleteMessageBatch:reset-after@#2"]);
        let faults = ["DeleteMessageBatch", "ReceiveMessage", "DeleteMessageBatch"]
            .map(|action| plan.judge(action).fault);
        assert_eq!(faults, [None, None, Some(Fault::ResetAfter)]);
    }
}
