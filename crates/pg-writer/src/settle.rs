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
}

/// The result: a fate for each row, and the error that stopped the work where some are undecided.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) fates: Vec<Fate>,
    pub(crate) written: u64,
    pub(crate) error: Option<StoreError>,
}

/// Commits what can be committed. `may_blame` rows may be refused even where no neighbour commits in this batch,
/// because others committed shortly before; beyond that, refusing all is systemic and decides nothing.
pub(crate) async fn settle(attempt: &mut impl Attempt, rows: usize, may_blame: usize) -> Verdict {
    let mut search = Search::new(rows, may_blame);
    let error = search.run(attempt).await.err();
    search.verdict(error)
}

struct Search {
    fates: Vec<Fate>,
    written: u64,
    any_committed: bool,
    may_blame: usize,
    suspects: Vec<usize>,
    last_rule: String,
}

impl Search {
    fn new(rows: usize, may_blame: usize) -> Self {
        Self {
            fates: vec![Fate::Undecided; rows],
            written: 0,
            any_committed: false,
            may_blame,
            suspects: Vec::new(),
            last_rule: String::new(),
        }
    }

    async fn run(&mut self, attempt: &mut impl Attempt) -> Result<(), StoreError> {
        if self.fates.is_empty() {
            return Ok(());
        }
        let all = 0..self.fates.len();
        let mut open = vec![all];
        let mut probed = false;
        while let Some(rows) = open.pop() {
            if self.commits(attempt, rows.clone()).await? {
                continue;
            }
            if !probed {
                attempt.probe().await?;
                probed = true;
            }
            let failed_alone = rows.len() == 1;
            self.narrow(attempt, rows, &mut open, failed_alone).await?;
        }
        if self.any_committed || self.suspects.len() <= self.may_blame {
            Ok(())
        } else {
            Err(self.systemic())
        }
    }

    /// `rows` failed as a whole: halves it until one row is left, which then has failed at least twice.
    async fn narrow(
        &mut self,
        attempt: &mut impl Attempt,
        mut rows: Range<usize>,
        open: &mut Vec<Range<usize>>,
        mut needs_second_try: bool,
    ) -> Result<(), StoreError> {
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
        if !needs_second_try || !self.commits(attempt, rows.clone()).await? {
            self.suspects.push(rows.start);
        }
        if !self.any_committed && self.suspects.len() >= SYSTEMIC_AFTER {
            Err(self.systemic())
        } else {
            Ok(())
        }
    }

    async fn commits(
        &mut self,
        attempt: &mut impl Attempt,
        rows: Range<usize>,
    ) -> Result<bool, StoreError> {
        match attempt.attempt(rows.clone()).await {
            Ok(written) => {
                self.fates[rows].fill(Fate::Committed);
                self.written = self.written.saturating_add(written);
                self.any_committed = true;
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

    fn verdict(mut self, error: Option<StoreError>) -> Verdict {
        // Where the work stopped early, a suspect is judged only beside a neighbour that committed.
        if error.is_none() || self.any_committed {
            for row in self.suspects {
                self.fates[row] = Fate::Refused;
            }
        }
        Verdict {
            fates: self.fates,
            written: self.written,
            error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that refuses some rows; counts statements.
    #[derive(Default)]
    struct Table {
        refuses: Vec<usize>,
        statements: usize,
        breaks_at: Option<usize>,
        refuses_statement: bool,
    }

    impl Attempt for Table {
        async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure> {
            self.statements += 1;
            if self.breaks_at == Some(self.statements) {
                return Err(Failure::Transient("connection closed".to_owned()));
            }
            if self.refuses_statement || self.refuses.iter().any(|row| rows.contains(row)) {
                return Err(Failure::Unknown);
            }
            Ok(rows.len() as u64)
        }

        async fn probe(&mut self) -> Result<(), StoreError> {
            if self.refuses_statement {
                Err(StoreError::Refused("permission denied".to_owned()))
            } else {
                Ok(())
            }
        }
    }

    fn refused(verdict: &Verdict) -> Vec<usize> {
        (0..verdict.fates.len())
            .filter(|&row| verdict.fates[row] == Fate::Refused)
            .collect()
    }

    #[tokio::test]
    async fn one_bad_row_in_500_is_found_in_10_to_19_statements_wherever_it_is() {
        for bad in 0..500 {
            let mut table = Table {
                refuses: vec![bad],
                ..Table::default()
            };
            let verdict = settle(&mut table, 500, 0).await;
            assert_eq!(refused(&verdict), [bad]);
            assert_eq!(verdict.written, 499);
            assert!(
                (10..=19).contains(&table.statements),
                "{} statements for row {bad}",
                table.statements
            );
        }
    }

    #[tokio::test]
    async fn several_bad_rows_are_all_found() {
        let bad = vec![0, 1, 7, 250, 251, 499];
        let verdict = settle(
            &mut Table {
                refuses: bad.clone(),
                ..Table::default()
            },
            500,
            0,
        )
        .await;
        assert_eq!(refused(&verdict), bad);
        assert!(verdict.error.is_none());
    }

    #[tokio::test]
    async fn when_no_row_commits_none_is_blamed() {
        let mut table = Table {
            refuses: (0..500).collect(),
            ..Table::default()
        };
        let verdict = settle(&mut table, 500, 0).await;
        assert!(matches!(
            verdict.error,
            Some(StoreError::EveryRowRefused(_))
        ));
        assert!(verdict.fates.iter().all(|&fate| fate == Fate::Undecided));
        assert!(table.statements < 40);
    }

    #[tokio::test]
    async fn a_lone_bad_row_is_blamed_only_if_others_committed_before() {
        let alone = settle(
            &mut Table {
                refuses: vec![0],
                ..Table::default()
            },
            1,
            0,
        )
        .await;
        assert!(alone.error.is_some() && refused(&alone).is_empty());
        let mut table = Table {
            refuses: vec![0],
            ..Table::default()
        };
        let among_others = settle(&mut table, 1, 8).await;
        assert!(among_others.error.is_none());
        assert_eq!(refused(&among_others), [0]);
        assert_eq!(
            table.statements, 2,
            "a row is refused only after two failures"
        );
    }

    #[tokio::test]
    async fn a_statement_that_is_refused_without_rows_blames_no_row() {
        let mut table = Table {
            refuses_statement: true,
            ..Table::default()
        };
        let verdict = settle(&mut table, 500, 8).await;
        assert!(matches!(verdict.error, Some(StoreError::Refused(_))));
        assert_eq!(table.statements, 1);
    }

    #[tokio::test]
    async fn a_lost_connection_keeps_what_stands_and_leaves_the_rest_open() {
        let mut table = Table {
            refuses: vec![499],
            breaks_at: Some(3),
            ..Table::default()
        };
        let verdict = settle(&mut table, 500, 0).await;
        assert!(verdict.error.as_ref().is_some_and(StoreError::is_transient));
        assert_eq!(verdict.written, 250);
        assert_eq!(
            verdict
                .fates
                .iter()
                .filter(|&&fate| fate == Fate::Undecided)
                .count(),
            250
        );
    }
}
