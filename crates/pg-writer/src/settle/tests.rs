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
    /// And from this one on.
    broken_again_from: Option<usize>,
    refuses_statement: bool,
    /// Statements during which there is room for no new row.
    full_during: Range<usize>,
    /// Rows of a day of which the table takes none.
    without_partition: Range<usize>,
}

impl Table {
    fn refusing(refuses: impl IntoIterator<Item = usize>) -> Self {
        Self {
            refuses: refuses.into_iter().collect(),
            ..Self::default()
        }
    }

    fn is_broken(&self) -> bool {
        let again = self.broken_again_from;
        self.broken_during.contains(&self.statements)
            || again.is_some_and(|start| self.statements >= start)
    }

    fn takes(&self, row: usize) -> bool {
        self.known.contains(&row)
            || !(self.is_broken()
                || self.without_partition.contains(&row)
                || self.refuses.contains(&row))
    }

    fn has_room(&self) -> Result<(), StoreError> {
        if self.full_during.contains(&self.statements) {
            return Err(StoreError::DiskFull);
        }
        Ok(())
    }
}

impl Attempt for Table {
    async fn attempt(&mut self, rows: Range<usize>) -> Result<u64, Failure> {
        self.statements += 1;
        if self.breaks_at == Some(self.statements) {
            return Err(Failure::unavailable("connection closed"));
        }
        if rows.clone().any(|row| !self.known.contains(&row)) {
            self.has_room().map_err(Failure::Transient)?;
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

    async fn control(&mut self, _: Option<usize>, under: usize) -> Result<bool, StoreError> {
        self.statements += 1;
        self.has_room()?;
        Ok(!(self.is_broken() || self.without_partition.contains(&under)))
    }

    fn is_same_day(&self, one: usize, other: usize) -> bool {
        self.without_partition.contains(&one) == self.without_partition.contains(&other)
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
        let verdict = settle(&mut table, 500).await;
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
    let verdict = settle(&mut Table::refusing(bad.clone()), 500).await;
    assert_eq!(refused(&verdict), bad);
    assert!(verdict.error.is_none());
}

#[tokio::test]
async fn long_runs_of_bad_rows_are_found_as_long_as_others_are_taken() {
    for bad in [0..7, 1..20, 480..500, 100..400] {
        let mut table = Table::refusing(bad.clone());
        let verdict = settle(&mut table, 500).await;
        assert_eq!(refused(&verdict), bad.collect::<Vec<_>>());
        assert!(table.statements < 1_700, "{}", table.statements);
    }
}

/// More than eight refused at once were taken for an outage, and stayed undecided for good.
#[tokio::test]
async fn where_all_are_refused_and_the_control_is_taken_all_are_blamed() {
    for count in [1, 2, 9, 500] {
        let mut table = Table::refusing(0..count);
        let verdict = settle(&mut table, count).await;
        assert!(verdict.error.is_none());
        assert_eq!(refused(&verdict).len(), count);
        assert!(table.statements < 4 * count + 4, "{}", table.statements);
    }
}

#[tokio::test]
async fn where_the_control_is_refused_too_none_is_blamed() {
    let mut table = Table {
        broken_during: 0..usize::MAX,
        ..Table::default()
    };
    let verdict = settle(&mut table, 500).await;
    assert!(is_systemic(&verdict));
    assert_eq!(undecided(&verdict), 500);
    assert!(table.statements < 40);
}

/// At midnight the rows of the new day were dead-lettered, with their neighbours of the day before as witnesses.
#[tokio::test]
async fn rows_of_a_day_of_which_none_is_taken_are_not_blamed_by_those_of_another() {
    for missing in [
        499..500,
        490..500,
        200..500,
        0..1,
        0..8,
        0..90,
        90..100,
        95..480,
    ] {
        let mut table = Table::refusing([93, 485]);
        table.without_partition = missing.clone();
        let verdict = settle(&mut table, 500).await;
        let bad: Vec<_> = [93, 485]
            .into_iter()
            .filter(|row| !missing.contains(row))
            .collect();
        assert_eq!(refused(&verdict), bad, "{missing:?}");
        assert!(
            table.statements < 70,
            "{} for {missing:?}",
            table.statements
        );
        assert_eq!(undecided(&verdict), missing.len(), "{missing:?}");
        assert!(is_systemic(&verdict));
    }
}

/// A long row found no room where a short one, and the control, still did: it was blamed.
#[tokio::test]
async fn a_disk_that_fills_up_is_no_rows_fault_and_ends_the_search() {
    for start in 1..30 {
        let mut table = Table::refusing([300]);
        table.full_during = start..usize::MAX;
        let verdict = settle(&mut table, 500).await;
        let refused = refused(&verdict);
        assert!(
            refused.is_empty() || refused == [300],
            "{start}: {refused:?}"
        );
        if refused.is_empty() {
            assert!(
                matches!(verdict.error, Some(StoreError::DiskFull)),
                "{start}"
            );
            assert_eq!(table.statements, start);
        }
    }
}

/// A broken trigger, met while half of the batch had been written before: its other half was blamed.
#[tokio::test]
async fn rows_that_stood_already_vouch_for_nothing() {
    let mut table = Table {
        known: (0..250).collect(),
        broken_during: 0..usize::MAX,
        ..Table::default()
    };
    let verdict = settle(&mut table, 500).await;
    assert!(is_systemic(&verdict));
    assert!(refused(&verdict).is_empty());
}

/// A row failed in one trouble, the control fell between two, and the row failed in the next: it was blamed.
#[tokio::test]
async fn a_row_between_two_troubles_is_not_blamed() {
    for end in 2..8 {
        for start in end + 1..end + 6 {
            let mut table = Table {
                broken_during: 1..end,
                broken_again_from: Some(start),
                ..Table::default()
            };
            let verdict = settle(&mut table, 1).await;
            assert!(refused(&verdict).is_empty(), "until {end}, from {start}");
        }
    }
}

/// A disk that fills up in the middle of a search: every row after it was blamed.
#[tokio::test]
async fn trouble_that_starts_in_the_middle_is_no_rows_fault() {
    for start in 2..30 {
        let mut table = Table::refusing([300]);
        table.broken_during = start..usize::MAX;
        let verdict = settle(&mut table, 500).await;
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
        let verdict = settle(&mut table, 500).await;
        assert!(refused(&verdict).is_empty(), "until {end}");
    }
}

#[tokio::test]
async fn a_statement_that_is_refused_without_rows_blames_no_row() {
    let mut table = Table {
        refuses_statement: true,
        ..Table::default()
    };
    let verdict = settle(&mut table, 500).await;
    assert!(matches!(verdict.error, Some(StoreError::Refused(_))));
    assert_eq!(table.statements, 1);
}

#[tokio::test]
async fn a_lost_connection_keeps_what_stands_and_leaves_the_rest_open() {
    let mut table = Table::refusing([499]);
    table.breaks_at = Some(3);
    let verdict = settle(&mut table, 500).await;
    assert!(verdict.error.as_ref().is_some_and(StoreError::is_transient));
    assert_eq!(verdict.written, 250);
    assert_eq!(undecided(&verdict), 250);
}
