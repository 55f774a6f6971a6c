//! Passes over the table until one finds nothing to do. A batch is read, converted and written back; it is whole or it
//! did not happen, so a walk may end after any.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use pg_writer::{Change, OldLogin, Remasking, StoreError};
use tokio_util::sync::CancellationToken;

use super::convert::{Converter, Verdict};
use super::plan::Plan;
use crate::failure::Failure;
use crate::run::patiently;
use crate::terminal;

/// A pass that finds rows is followed by another. After this many, somebody keeps writing under an older key.
const PASSES: u32 = 10;
/// Where there is nothing to do a batch may become this many times longer. More would be too many rows at once when
/// the next stretch is all to be done.
const LONGEST: u32 = 16;
const LOG_EVERY: Duration = Duration::from_secs(30);
const TEMPLATE: &str = "{wide_bar} block {human_pos} of {human_len} ({msg}, {eta} left)";
/// Reasons that are told apart; a column of garbage must not fill memory.
const REASONS: usize = 20;

/// How a walk ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    Stopped,
    /// The last pass allowed still found rows.
    Restless,
}

/// Counts of a walk.
#[derive(Default)]
pub(super) struct Tally {
    /// Rows changed; rows that would be, in a dry run.
    pub(super) rows: u64,
    pub(super) passes: u32,
    /// Of the last pass: what cannot be read is met again in each.
    pub(super) unreadable: Unreadable,
}

/// Values that were left as they are, by reason.
#[derive(Default)]
pub(super) struct Unreadable(BTreeMap<String, u64>);

impl Unreadable {
    pub(super) fn count(&self) -> u64 {
        self.0.values().sum()
    }

    fn add(&mut self, reason: String) {
        let is_known = self.0.len() < REASONS || self.0.contains_key(&reason);
        let reason = if is_known {
            reason
        } else {
            "other reasons".to_owned()
        };
        *self.0.entry(reason).or_default() += 1;
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (reason, count) in &self.0 {
            write!(formatter, "{separator}{reason} ({count})")?;
            separator = "; ";
        }
        Ok(())
    }
}

/// A walk over the table.
pub(super) struct Walk<'a> {
    pub(super) table: &'a Remasking<'a>,
    pub(super) plan: &'a Plan,
    /// Blocks in one batch.
    pub(super) batch: u32,
    pub(super) dry_run: bool,
    pub(super) stop: &'a CancellationToken,
}

impl Walk<'_> {
    pub(super) async fn to_the_end(&self) -> Result<(Ending, Tally), Failure> {
        let mut tally = Tally::default();
        while tally.passes < PASSES {
            tally.passes += 1;
            tally.unreadable = Unreadable::default();
            let before = tally.rows;
            let is_whole = self.pass(&mut tally).await?;
            if !is_whole {
                return Ok((Ending::Stopped, tally));
            }
            if self.dry_run || tally.rows == before {
                return Ok((Ending::Done, tally));
            }
        }
        Ok((Ending::Restless, tally))
    }

    /// Goes once over the blocks that the table has now: rows that are changed move behind them, and the next pass
    /// passes over them. Answers whether it came to the end.
    async fn pass(&self, tally: &mut Tally) -> Result<bool, Failure> {
        let blocks = patiently(StoreError::is_transient, || self.table.blocks()).await?;
        let progress = Progress::new(blocks);
        let (mut next, mut length) = (0, self.batch);
        while next < blocks {
            if self.stop.is_cancelled() {
                return Ok(false);
            }
            let end = next.saturating_add(length).min(blocks);
            let rows = self.batch(next..end, &mut tally.unreadable).await?;
            tally.rows += rows;
            length = next_length(length, rows > 0, self.batch);
            next = end;
            progress.tell(next, blocks, tally);
        }
        Ok(true)
    }

    /// Changes the rows of some blocks; the same again does no harm.
    async fn batch(&self, blocks: Range<u32>, unreadable: &mut Unreadable) -> Result<u64, Failure> {
        let rows = patiently(StoreError::is_transient, || self.table.read(blocks.clone())).await?;
        let changes: Vec<Change> = rows
            .into_iter()
            .filter_map(|old| self.change(old, unreadable))
            .collect();
        if self.dry_run || changes.is_empty() {
            return Ok(changes.len() as u64);
        }
        let write = || self.table.write(blocks.clone(), &changes);
        patiently(StoreError::is_transient, write).await
    }

    fn change(&self, old: OldLogin, unreadable: &mut Unreadable) -> Option<Change> {
        let mut judge = |converter: Option<&Converter>, value: Option<&str>| {
            match converter?.judge(value?) {
                Verdict::New(masked) => return Some(masked),
                Verdict::Unreadable(reason) => unreadable.add(reason),
                Verdict::Finished => {}
            }
            None
        };
        let ip = judge(self.plan.ip.as_ref(), old.ip.as_deref());
        let device_id = judge(self.plan.device_id.as_ref(), old.device_id.as_deref());
        let is_change = ip.is_some() || device_id.is_some();
        is_change.then_some(Change { old, ip, device_id })
    }
}

/// Finished stretches are passed over in long steps, so that the way to and from the server weighs little.
fn next_length(length: u32, found: bool, shortest: u32) -> u32 {
    if found {
        return shortest;
    }
    length
        .saturating_mul(2)
        .min(shortest.saturating_mul(LONGEST))
}

/// How far a pass is: a bar where somebody watches, else a log line now and then.
struct Progress {
    bar: ProgressBar,
    told_at: std::cell::Cell<Instant>,
}

impl Progress {
    fn new(blocks: u32) -> Self {
        Self {
            bar: terminal::progress(Some(u64::from(blocks)), TEMPLATE),
            told_at: Instant::now().into(),
        }
    }

    fn tell(&self, block: u32, blocks: u32, tally: &Tally) {
        self.bar.set_message(format!("{} rows changed", tally.rows));
        self.bar.set_position(u64::from(block));
        if !terminal::is_watched() && self.told_at.get().elapsed() >= LOG_EVERY {
            self.told_at.set(Instant::now());
            tracing::info!(
                block,
                blocks,
                rows.changed = tally.rows,
                pass = tally.passes,
                "progress"
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::next_length;

    #[test]
    fn steps_grow_where_nothing_is_to_be_done_and_shrink_at_once() {
        let mut length = 100;
        for expected in [200, 400, 800, 1600, 1600] {
            length = next_length(length, false, 100);
            assert_eq!(length, expected);
        }
        assert_eq!(next_length(length, true, 100), 100);
        assert_eq!(next_length(u32::MAX, false, u32::MAX), u32::MAX);
    }
}
