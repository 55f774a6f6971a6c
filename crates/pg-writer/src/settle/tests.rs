//! The search against a table made of rules.

use super::*;

/// A table that refuses some rows; counts statements.
#[derive(Default)]
struct Table {
    refuses: Vec<usize>,
    known: Vec<usize>,
    statements: usize,
    breaks_at: Option<usize>,
    /// Statements, counted from 1, during which every new row is refused.
    broken_during: Range<usize>,
    refuses_statement: bool,
    has_no_example: bool,
}

impl Table {
    fn refusing(refuses: impl IntoIterator<Item = usize>) -> Self {
        Self {
            refuses: refuses.into_iter().collect(),
            ..Self::default()
        }
    }

    fn takes(&self, row: usize) -> bool {
        self.known.contains(&row)
            || !(self.broken_during.contains(&self.statements) || self.refuses.contains(&row))
    }
}

impl Attempt for Table {
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure> {
        self.statements += 1;
        if self.breaks_at == Some(self.statements) {
            return Err(Failure::Transient("connection closed".to_owned()));
        }
        if self.refuses_statement || !rows.clone().all(|row| self.takes(row)) {
            return Err(Failure::Unknown);
        }
        Ok(rows.filter(|row| !self.known.contains(row)).count() as u64)
    }

    async fn probe(&mut self) -> Result<(), StoreError> {
        if self.refuses_statement {
            Err(StoreError::Refused("permission denied".to_owned()))
        } else {
            Ok(())
        }
    }

    async fn control(&mut self, stands: Option<usize>) -> Result<bool, StoreError> {
        self.statements += 1;
        let known = stands.is_some() || !self.has_no_example;
        Ok(known && !self.broken_during.contains(&self.statements))
    }
}

fn undecided(verdict: &Verdict) -> usize {
    let fates = verdict.fates.iter();
    fates.filter(|&&fate| fate == Fate::Undecided).count()
}

fn is_systemic(verdict: &Verdict) -> bool {
    matches!(verdict.error, Some(StoreError::EveryRowRefused(_)))
}

fn refused(verdict: &Verdict) -> Vec<usize> {
    (0..verdict.fates.len())
        .filter(|&row| verdict.fates[row] == Fate::Refused)
        .collect()
}

#[tokio::test]
async fn one_bad_row_in_500_is_found_in_10_to_19_statements_wherever_it_is() {
    for bad in 0..500 {
        let mut table = Table::refusing([bad]);
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
    let verdict = settle(&mut Table::refusing(bad.clone()), 500, 0).await;
    assert_eq!(refused(&verdict), bad);
    assert!(verdict.error.is_none());
}

#[tokio::test]
async fn long_runs_of_bad_rows_are_found_as_long_as_others_are_taken() {
    for bad in [0..7, 1..20, 480..500, 100..400] {
        let mut table = Table::refusing(bad.clone());
        let verdict = settle(&mut table, 500, 0).await;
        assert_eq!(refused(&verdict), bad.collect::<Vec<_>>());
        assert!(table.statements < 1_600, "{}", table.statements);
    }
}

#[tokio::test]
async fn when_no_row_commits_none_is_blamed() {
    let mut table = Table::refusing(0..500);
    let verdict = settle(&mut table, 500, 8).await;
    assert!(is_systemic(&verdict));
    assert_eq!(undecided(&verdict), 500);
    assert!(table.statements < 40);
}

#[tokio::test]
async fn a_lone_bad_row_is_blamed_only_if_another_is_taken() {
    let mut table = Table::refusing([0]);
    let among_others = settle(&mut table, 1, 8).await;
    assert!(among_others.error.is_none());
    assert_eq!(refused(&among_others), [0]);
    let beyond_the_allowance = settle(&mut table, 1, 0).await;
    assert!(is_systemic(&beyond_the_allowance) && undecided(&beyond_the_allowance) == 1);
    table.has_no_example = true;
    let alone = settle(&mut table, 1, 8).await;
    assert!(is_systemic(&alone) && undecided(&alone) == 1);
}

/// A broken trigger, met while half of the batch had been written before: its other half was blamed.
#[tokio::test]
async fn rows_that_stood_already_vouch_for_nothing() {
    let mut table = Table {
        known: (0..250).collect(),
        broken_during: 0..usize::MAX,
        ..Table::default()
    };
    let verdict = settle(&mut table, 500, 8).await;
    assert!(is_systemic(&verdict));
    assert!(refused(&verdict).is_empty());
}

/// A disk that fills up in the middle of a search: every row after it was blamed.
#[tokio::test]
async fn trouble_that_starts_in_the_middle_is_no_rows_fault() {
    for start in 2..30 {
        let mut table = Table::refusing([300]);
        table.broken_during = start..usize::MAX;
        let verdict = settle(&mut table, 500, 8).await;
        let refused = refused(&verdict);
        assert!(
            refused.is_empty() || refused == [300],
            "{start}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn trouble_that_passes_during_the_search_is_no_rows_fault() {
    for end in 2..30 {
        let mut table = Table::refusing([]);
        table.broken_during = 1..end;
        let verdict = settle(&mut table, 500, 8).await;
        assert!(refused(&verdict).is_empty(), "until {end}");
    }
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
    let mut table = Table::refusing([499]);
    table.breaks_at = Some(3);
    let verdict = settle(&mut table, 500, 0).await;
    assert!(verdict.error.as_ref().is_some_and(StoreError::is_transient));
    assert_eq!(verdict.written, 250);
    assert_eq!(undecided(&verdict), 250);
}
