//! Which rows of a batch stand, which are at fault, and when it is not the rows at all: bisection as a pure
//! algorithm over "try these rows", so that it is tested without a database.

use std::ops::Range;

use crate::batch::Fate;
use crate::error::{Failure, StoreError};

/// Rows found refused in a row, with none taken between, before the table is asked whether it takes any.
const TOGETHER: usize = 8;

/// Writes a stretch of a batch in one statement.
pub(crate) trait Attempt {
    /// Rows that were new.
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure>;
    /// The same statement without rows: fails where it is not a row's fault.
    async fn probe(&mut self) -> Result<(), StoreError>;
    /// Whether the table takes a row at the time of row `under`: writes what is in one that stands, of this batch if it
    /// is told of one, and takes it back.
    async fn control(&mut self, stands: Option<usize>, under: usize) -> Result<bool, StoreError>;
    /// Whether two rows of the batch are of one day, by which a table may be partitioned.
    fn is_same_day(&self, one: usize, other: usize) -> bool;
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

/// Commits what can be committed. A row is refused once it failed alone, each time for a reason that may be its own, both
/// before and after the table was seen to take another of its day, its batch's neighbour or a control, and the table
/// takes a control still. Where the control is refused too, the trouble is the table's: the rows of that day stay undecided, few or many.
pub(crate) async fn settle(attempt: &mut impl Attempt, rows: usize) -> Verdict {
    let mut search = Search::new(rows);
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
    suspects: Vec<usize>,
    /// Suspects found since a row was taken.
    in_a_row: usize,
    /// A row of each day of which the table was seen to take none.
    shut_days: Vec<usize>,
    last_rule: String,
}

impl Search {
    fn new(rows: usize) -> Self {
        Self {
            fates: vec![Fate::Undecided; rows],
            written: 0,
            example: None,
            suspects: Vec::new(),
            in_a_row: 0,
            shut_days: Vec::new(),
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
        self.judge(attempt).await?;
        if self.fates.contains(&Fate::Undecided) {
            return Err(self.systemic());
        }
        Ok(())
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
        self.suspect(attempt, open, rows.start).await
    }

    async fn suspect(
        &mut self,
        attempt: &mut impl Attempt,
        open: &mut Vec<Range<usize>>,
        row: usize,
    ) -> Result<(), StoreError> {
        self.suspects.push(row);
        self.in_a_row += 1;
        if self.in_a_row >= TOGETHER {
            self.judge(attempt).await?;
            self.leave_out_shut_days(attempt, open);
        }
        Ok(())
    }

    /// Refuses the suspects, unless the trouble is the table's: a trigger that has just broken, a partition that is
    /// missing, a lock that is gone by now.
    async fn judge(&mut self, attempt: &mut impl Attempt) -> Result<(), StoreError> {
        let suspects = std::mem::take(&mut self.suspects);
        if let ([row], Some(example), 1) = (&*suspects, self.example, self.in_a_row)
            && attempt.is_same_day(*row, example)
        {
            // Failed in the batch, then others of its day were taken, then it failed alone.
            return self.refuse_beside_neighbours(attempt, &suspects).await;
        }
        let neighbour = self.example.filter(|_| self.in_a_row == 0);
        self.in_a_row = 0;
        let (mut beside, mut alone, mut open_day) = (Vec::new(), Vec::new(), None);
        for row in suspects {
            let is_of = |day: Option<usize>| day.is_some_and(|day| attempt.is_same_day(day, row));
            let has_neighbour = is_of(neighbour);
            if !has_neighbour && !is_of(open_day) {
                if !self.opens(attempt, row).await? {
                    continue;
                }
                open_day = Some(row);
            }
            if !self.commits(attempt, row..row + 1).await? {
                if has_neighbour {
                    &mut beside
                } else {
                    &mut alone
                }
                .push(row);
            }
        }
        self.refuse_beside_neighbours(attempt, &beside).await?;
        self.refuse(attempt, alone).await
    }

    /// The neighbours vouch for the table. No control here: their copy breaks a key that it has on what is in a row.
    async fn refuse_beside_neighbours(
        &mut self,
        attempt: &mut impl Attempt,
        rows: &[usize],
    ) -> Result<(), StoreError> {
        if !rows.is_empty() {
            attempt.probe().await?;
        }
        rows.iter().for_each(|&row| self.fates[row] = Fate::Refused);
        Ok(())
    }

    /// Once the table takes a control after them too: else one trouble may have ended before the last try and the next
    /// begun with it.
    async fn refuse(
        &mut self,
        attempt: &mut impl Attempt,
        rows: Vec<usize>,
    ) -> Result<(), StoreError> {
        let mut seen = None;
        for row in rows {
            let known = seen.filter(|&(other, _)| attempt.is_same_day(other, row));
            let takes = match known {
                Some((_, takes)) => takes,
                None => attempt.control(self.standing(), row).await?,
            };
            seen = Some((row, takes));
            if takes {
                self.fates[row] = Fate::Refused;
            }
        }
        Ok(())
    }

    fn standing(&self) -> Option<usize> {
        let any = || self.fates.iter().position(|&fate| fate == Fate::Committed);
        self.example.or_else(any)
    }

    /// Whether the table takes rows of this one's day.
    async fn opens(&mut self, attempt: &mut impl Attempt, row: usize) -> Result<bool, StoreError> {
        let is_shut = |&other: &usize| attempt.is_same_day(other, row);
        if self.shut_days.iter().any(is_shut) {
            return Ok(false);
        }
        let opens = attempt.control(self.standing(), row).await?;
        if !opens {
            self.shut_days.push(row);
        }
        Ok(opens)
    }

    /// A search among them would come to the same for each; others may stand behind them.
    fn leave_out_shut_days(&self, attempt: &impl Attempt, open: &mut Vec<Range<usize>>) {
        let is_shut = |row: usize| {
            let mut days = self.shut_days.iter();
            days.any(|&shut| attempt.is_same_day(shut, row))
        };
        let mut left: Vec<Range<usize>> = Vec::new();
        for row in open.drain(..).flatten().filter(|&row| !is_shut(row)) {
            match left.last_mut() {
                Some(run) if run.end == row => run.end += 1,
                _ => left.push(row..row + 1),
            }
        }
        *open = left;
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
            Err(Failure::Transient(trouble)) => Err(trouble),
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
