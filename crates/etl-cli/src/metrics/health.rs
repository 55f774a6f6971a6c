//! The two questions of an orchestrator. Alive: should it be killed? Only where the loop stands still, which an idle
//! queue or an outage does not make it. Ready: does it have what it needs, and what is missing?

use std::time::Duration;

use super::board::{Answer, Sight};
use crate::pipeline::Observation;

/// Longer than anything that ends: a long poll with its time-out (35 s) and its back-off (20 s), a statement (60 s)
/// with the waits for a connection (40 s).
const STANDS_STILL_AFTER: Duration = Duration::from_mins(5);

/// An answer: good or bad, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) is_good: bool,
    pub(super) text: String,
}

/// A program that is still starting is alive: its preflight ends by itself.
pub(super) fn is_alive(seen: Option<&Observation>) -> Verdict {
    let quiet_for = seen.map_or(Duration::ZERO, |seen| seen.quiet_for);
    if quiet_for < STANDS_STILL_AFTER {
        return Verdict {
            is_good: true,
            text: "ok\n".to_owned(),
        };
    }
    Verdict {
        is_good: false,
        text: format!(
            "no receive and no write has ended for {} s\n",
            quiet_for.as_secs()
        ),
    }
}

/// One line for each of queue and database.
pub(super) fn is_ready(seen: Option<&Observation>, sight: &Sight) -> Verdict {
    let Some(seen) = seen else {
        return Verdict {
            is_good: false,
            text: "starting\n".to_owned(),
        };
    };
    let queue = worse(sight.queue, seen.queue_fails);
    let database = worse(sight.database, seen.database_fails);
    let stopping = if seen.stopping { "stopping\n" } else { "" };
    Verdict {
        is_good: queue == Answer::Well && database == Answer::Well && !seen.stopping,
        text: format!(
            "queue: {}\ndatabase: {}\n{stopping}",
            word(queue),
            word(database)
        ),
    }
}

/// What the pipeline meets counts before what the last look saw.
pub(super) fn worse(answer: Answer, fails: bool) -> Answer {
    match answer {
        Answer::Badly(class) => Answer::Badly(class),
        _ if fails => Answer::Badly("fails"),
        other => other,
    }
}

fn word(answer: Answer) -> String {
    match answer {
        Answer::NotAsked => "not asked yet".to_owned(),
        Answer::Well => "ok".to_owned(),
        Answer::Badly(class) => format!("not usable ({class})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::exposition::tests::observation;

    const WELL: Sight = Sight {
        queue: Answer::Well,
        database: Answer::Well,
        depth: None,
    };

    #[test]
    fn who_stands_still_for_long_is_not_alive() {
        let mut seen = observation();
        seen.quiet_for = Duration::from_secs(299);
        assert!(is_alive(Some(&seen)).is_good);
        seen.quiet_for = Duration::from_secs(300);
        let verdict = is_alive(Some(&seen));
        assert_eq!(
            verdict.text,
            "no receive and no write has ended for 300 s\n"
        );
        assert!(!verdict.is_good);
    }

    #[test]
    fn who_starts_is_alive_and_not_ready() {
        assert!(is_alive(None).is_good);
        assert!(!is_ready(None, &WELL).is_good);
    }

    #[test]
    fn an_outage_is_no_reason_to_be_killed_and_is_named() {
        let mut seen = observation();
        seen.database_fails = true;
        assert!(is_alive(Some(&seen)).is_good);
        let verdict = is_ready(Some(&seen), &WELL);
        assert_eq!(verdict.text, "queue: ok\ndatabase: not usable (fails)\n");
        assert!(!verdict.is_good);
    }

    #[test]
    fn what_was_not_asked_is_not_ready() {
        let verdict = is_ready(Some(&observation()), &Sight::default());
        assert_eq!(
            verdict.text,
            "queue: not asked yet\ndatabase: not asked yet\n"
        );
        assert!(!verdict.is_good);
        assert!(is_ready(Some(&observation()), &WELL).is_good);
    }
}
