//! How far a run is: a line at the bottom of a terminal, else a log line now and then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use sqs_reader::Transport;
use tokio::task::JoinHandle;

use crate::pipeline::{Pipeline, Store};
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
            task: tokio::spawn(log(pipeline)),
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
    let started = Instant::now();
    let (mut asked_at, mut waiting) = (Instant::now(), None);
    loop {
        tokio::time::sleep(REDRAW).await;
        if is_queue && asked_at.elapsed() >= ASK_QUEUE {
            waiting = pipeline.waiting().await;
            asked_at = Instant::now();
        }
        bar.set_message(message(&pipeline, started.elapsed(), waiting));
        bar.tick();
    }
}

fn message<T: Transport, S: Store>(
    pipeline: &Pipeline<T, S>,
    elapsed: Duration,
    waiting: Option<u64>,
) -> String {
    let counts = pipeline.tally().counts();
    let rate = per_second(counts.written + counts.duplicates, elapsed);
    let left = waiting.map_or_else(String::new, |waiting| {
        format!(", about {waiting} left on the queue")
    });
    format!(
        "{} written ({rate}/s), {} rejected{left}",
        counts.written,
        counts.rejected + counts.left
    )
}

async fn log<T: Transport, S: Store>(pipeline: Arc<Pipeline<T, S>>) {
    let mut before = 0;
    loop {
        tokio::time::sleep(LOG_EVERY).await;
        let counts = pipeline.tally().counts();
        if counts.received != before {
            let rate = per_second(counts.received - before, LOG_EVERY);
            before = counts.received;
            let rejected = counts.rejected + counts.left;
            tracing::info!(
                counts.received,
                counts.written,
                counts.duplicates,
                rejected,
                rate.per_s = rate,
                "progress"
            );
        }
    }
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1000 / elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
}
