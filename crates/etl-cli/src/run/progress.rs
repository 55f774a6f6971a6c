//! How far a run is: a line at the bottom of a terminal, else a log line now and then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use sqs_reader::Transport;
use tokio::task::JoinHandle;

use crate::pipeline::{Counts, Pipeline, Store};
use crate::terminal;

const REDRAW: Duration = Duration::from_millis(200);
/// How often the queue is asked what is left: one request, of no weight beside the polls.
const ASK_QUEUE: Duration = Duration::from_secs(2);
const LOG_EVERY: Duration = Duration::from_secs(30);

/// Progress that is shown until it is ended.
pub(super) struct Progress {
    task: JoinHandle<()>,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn end(self) {
        self.task.abort();
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

pub(super) fn start<T: Transport, S: Store>(
    pipeline: Arc<Pipeline<T, S>>,
    is_queue: bool,
) -> Progress {
    if !terminal::is_watched() {
        return Progress {
            task: tokio::spawn(log(pipeline, is_queue)),
            bar: None,
        };
    }
    let bar = terminal::progress(None, "{spinner} {msg}");
    Progress {
        task: tokio::spawn(draw(pipeline, bar.clone(), is_queue)),
        bar: Some(bar),
    }
}

async fn draw<T: Transport, S: Store>(
    pipeline: Arc<Pipeline<T, S>>,
    bar: ProgressBar,
    is_queue: bool,
) {
    let mut pace = Pace::new();
    let (mut asked_at, mut left) = (Instant::now(), None);
    loop {
        tokio::time::sleep(REDRAW).await;
        if is_queue && asked_at.elapsed() >= ASK_QUEUE {
            left = waiting(&pipeline).await;
            asked_at = Instant::now();
            pace.mark(settled(&pipeline.tally().counts()));
        }
        bar.set_message(message(&pipeline.tally().counts(), &pace, left));
        bar.tick();
    }
}

/// What the queue says is waiting; none where it does not answer.
async fn waiting<T: Transport, S: Store>(pipeline: &Pipeline<T, S>) -> Option<u64> {
    pipeline.ask_queue().await.ok().map(|facts| facts.waiting)
}

fn settled(counts: &Counts) -> u64 {
    counts.written + counts.duplicates + counts.rejected + counts.left
}

fn message(counts: &Counts, pace: &Pace, left: Option<u64>) -> String {
    let done = settled(counts);
    let rate = pace.per_second(done);
    let rejected = counts.rejected + counts.left;
    let left = left.map_or_else(String::new, |left| {
        format!(", about {left} left on the queue{}", time_left(left, rate))
    });
    format!("{done} done ({rate}/s), {rejected} rejected{left}")
}

fn time_left(left: u64, rate: u64) -> String {
    match left.checked_div(rate) {
        Some(seconds) if left > 0 => {
            format!(
                " ({})",
                humantime::format_duration(Duration::from_secs(seconds))
            )
        }
        _ => String::new(),
    }
}

/// A rate over the last few seconds: over the whole run it would hide that nothing moves any more.
struct Pace {
    /// The two latest marks; the rate counts from the older one.
    marks: [(Instant, u64); 2],
}

impl Pace {
    fn new() -> Self {
        Self {
            marks: [(Instant::now(), 0); 2],
        }
    }

    fn mark(&mut self, done: u64) {
        self.marks = [self.marks[1], (Instant::now(), done)];
    }

    fn per_second(&self, done: u64) -> u64 {
        let (since, before) = self.marks[0];
        per_second(done.saturating_sub(before), since.elapsed())
    }
}

async fn log<T: Transport, S: Store>(pipeline: Arc<Pipeline<T, S>>, is_queue: bool) {
    let mut before = Counts::default();
    loop {
        tokio::time::sleep(LOG_EVERY).await;
        let counts = pipeline.tally().counts();
        if counts == before {
            continue;
        }
        let left = if is_queue {
            waiting(&pipeline).await
        } else {
            None
        };
        tracing::info!(
            messages.received = counts.received,
            messages.written = counts.written,
            messages.duplicate = counts.duplicates,
            messages.rejected = counts.rejected + counts.left,
            messages.waiting = left,
            rate.per_s = per_second(settled(&counts) - settled(&before), LOG_EVERY),
            "progress"
        );
        before = counts;
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1000 / elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        Counts {
            received: 120,
            written: 90,
            duplicates: 7,
            rejected: 2,
            left: 1,
            ..Counts::default()
        }
    }

    #[test]
    fn the_line_tells_what_is_done_rejected_and_left() {
        let pace = Pace {
            marks: [(Instant::now(), 100); 2],
        };
        let line = message(&counts(), &pace, Some(400));
        assert_eq!(
            line,
            "100 done (0/s), 3 rejected, about 400 left on the queue"
        );
        assert_eq!(
            message(&counts(), &pace, None),
            "100 done (0/s), 3 rejected"
        );
    }

    #[test]
    fn the_rate_counts_from_the_mark_before_the_last() {
        let ago = |seconds| {
            Instant::now()
                .checked_sub(Duration::from_secs(seconds))
                .unwrap()
        };
        let mut pace = Pace {
            marks: [(ago(100), 0), (ago(10), 500)],
        };
        pace.mark(900);
        assert_eq!(pace.per_second(1500), 100);
    }

    #[test]
    fn the_time_that_is_left_is_told_where_there_is_a_rate() {
        assert_eq!(time_left(6000, 100), " (1m)");
        assert_eq!(time_left(6000, 0), "");
        assert_eq!(time_left(0, 100), "");
    }
}
