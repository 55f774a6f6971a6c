//! Which rows of a batch stand, which are at fault, and when it is not the rows at all: bisection as a pure
//! algorithm over "try these rows", so that it is tested without a database.

use std::ops::Range;

use crate::batch::Fate;
use crate::error::{Failure, StoreError};

/// Rows refused in a row, with no commit between, after which the trouble is systemic and no row's fault.
pub(crate) const SYSTEMIC_AFTER: usize = 8;

/// Writes a stretch of a batch in one statement.
pub(crate) trait Attempt {
    /// Rows that were new.
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure>;
    /// The same statement without rows: fails where it is not a row's fault.
    async fn probe(&mut self) -> Result<(), StoreError>;
    /// Whether the table takes a row now: writes a copy of one that stands, from this batch if it is told of one,
    /// under another key, and takes it back. False too where none is known.
    async fn control(&mut self, stands: Option<usize>) -> Result<bool, StoreError>;
}

/// The result: a fate for each row, and the error that stopped the work where some are undecided.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) fates: Vec<Fate>,
    pub(crate) written: u64,
    /// A row that was taken this time.
    pub(crate) example: Option<usize>,
    pub(crate) error: Option<StoreError>,
}

/// Commits what can be committed. A row is refused once it failed both before and after the table was seen to take
/// another. Where no row of the batch is new to the table, at most `may_blame` are: beyond that it is systemic.
pub(crate) async fn settle(attempt: &mut impl Attempt, rows: usize, may_blame: usize) -> Verdict {
    let mut search = Search::new(rows, may_blame);
    let error = search.run(attempt).await.err();
    Verdict {
        fates: search.fates,
        written: search.written,
        example: search.example,
        error,
    }
}

struct Search {
    fates: Vec<Fate>,
    written: u64,
    /// A row of a statement that wrote: statements that meet only known rows show nothing of the table.
    example: Option<usize>,
    may_blame: usize,
    suspects: Vec<usize>,
    /// Suspects found since a row was taken.
    in_a_row: usize,
    last_rule: String,
}

impl Search {
    fn new(rows: usize, may_blame: usize) -> Self {
        Self {
            fates: vec![Fate::Undecided; rows],
            written: 0,
            example: None,
            may_blame,
            suspects: Vec::new(),
            in_a_row: 0,
            last_rule: String::new(),
        }
    }

    async fn run(&mut self, attempt: &mut impl Attempt) -> Result<(), StoreError> {
        let all = self.fates.len();
        if all == 0 || self.commits(attempt, 0..all).await? {
            return Ok(());
        }
        attempt.probe().await?;
        let mut open = Vec::from([Range { start: 0, end: all }]);
        let mut is_first = true;
        self.find_in(attempt, &mut open, all == 1).await?;
        while let Some(mut rows) = open.pop() {
            // Mostly one row is bad: then all the others are done in one statement.
            if std::mem::take(&mut is_first) {
                rows.end = all;
                open.clear();
            }
            if !self.commits(attempt, rows.clone()).await? {
                let alone = rows.len() == 1;
                open.push(rows);
                self.find_in(attempt, &mut open, alone).await?;
            }
        }
        self.judge(attempt).await
    }

    /// The last range of `open` failed as a whole: halves it until one row is left, which then has failed twice.
    async fn find_in(
        &mut self,
        attempt: &mut impl Attempt,
        open: &mut Vec<Range<usize>>,
        mut needs_second_try: bool,
    ) -> Result<(), StoreError> {
        let mut rows = open.pop().unwrap_or_default();
        while rows.len() > 1 {
            let middle = rows.start + rows.len() / 2;
            if self.commits(attempt, rows.start..middle).await? {
                // The fault is in the right half, which has not been tried on its own.
                rows.start = middle;
                needs_second_try = true;
            } else {
                open.push(middle..rows.end);
                rows.end = middle;
                needs_second_try = false;
            }
        }
        if needs_second_try && self.commits(attempt, rows.clone()).await? {
            return Ok(());
        }
        self.suspect(attempt, rows.start).await
    }

    async fn suspect(&mut self, attempt: &mut impl Attempt, row: usize) -> Result<(), StoreError> {
        self.suspects.push(row);
        self.in_a_row += 1;
        if self.in_a_row < SYSTEMIC_AFTER {
            Ok(())
        } else if self.example.is_some() {
            self.judge(attempt).await
        } else {
            Err(self.systemic())
        }
    }

    /// Refuses the suspects, unless the trouble is the table's: a disk that has just filled up, a trigger that has
    /// just broken, a lock that is gone by now. So the table must take a row, and after that they must fail again.
    async fn judge(&mut self, attempt: &mut impl Attempt) -> Result<(), StoreError> {
        let suspects = std::mem::take(&mut self.suspects);
        if let ([row], Some(_), 1) = (&*suspects, self.example, self.in_a_row) {
            // Failed in the batch, then others were taken, then it failed alone.
            self.fates[*row] = Fate::Refused;
            return Ok(());
        }
        if !suspects.is_empty() && !self.table_takes_rows(attempt, suspects.len()).await? {
            return Err(self.systemic());
        }
        self.in_a_row = 0;
        for row in suspects {
            if !self.commits(attempt, row..row + 1).await? {
                self.fates[row] = Fate::Refused;
            }
        }
        Ok(())
    }

    async fn table_takes_rows(
        &self,
        attempt: &mut impl Attempt,
        suspects: usize,
    ) -> Result<bool, StoreError> {
        let any_standing = || self.fates.iter().position(|&fate| fate == Fate::Committed);
        match self.example {
            Some(_) if self.in_a_row == 0 => Ok(true),
            Some(row) => attempt.control(Some(row)).await,
            None if suspects > self.may_blame => Ok(false),
            None => attempt.control(any_standing()).await,
        }
    }

    async fn commits(
        &mut self,
        attempt: &mut impl Attempt,
        rows: Range<usize>,
    ) -> Result<bool, StoreError> {
        match attempt.attempt(rows.clone()).await {
            Ok(written) => {
                if written > 0 {
                    self.example = Some(rows.start);
                    self.in_a_row = 0;
                }
                self.fates[rows].fill(Fate::Committed);
                self.written = self.written.saturating_add(written);
                Ok(true)
            }
            Err(Failure::Transient(why)) => Err(StoreError::Unavailable(why)),
            Err(Failure::Row(rule)) => {
                self.last_rule = rule;
                Ok(false)
            }
            Err(Failure::Unknown) => Ok(false),
        }
    }

    fn systemic(&self) -> StoreError {
        StoreError::EveryRowRefused(self.last_rule.clone())
    }
}

#[cfg(test)]
mod tests;
