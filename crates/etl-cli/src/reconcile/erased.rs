//! How many rows of which day `etl erase` deleted, from its record.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

pub(super) type ByDay = BTreeMap<String, u64>;

/// A line of the record, of which other commands write too.
#[derive(Deserialize)]
struct Line {
    event: String,
    #[serde(default)]
    database: String,
    #[serde(default)]
    erased_by_day: ByDay,
}

/// Rows that were deleted from this database. A record that is not there yet has none.
pub(super) fn read(path: &Path, database: &str) -> Result<ByDay, Failure> {
    let failed =
        |error: std::io::Error| Failure::usage(format!("--audit-log {}: {error}", path.display()));
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(ByDay::new()),
        opened => opened.map_err(failed)?,
    };
    let mut erased = ByDay::new();
    for line in BufReader::new(file).lines() {
        add(&mut erased, &line.map_err(failed)?, database);
    }
    Ok(erased)
}

/// Lines of others, and one that was cut short, say nothing here.
fn add(erased: &mut ByDay, line: &str, database: &str) {
    let Ok(line) = serde_json::from_str::<Line>(line) else {
        return;
    };
    if line.event == "erase_finished" && line.database == database {
        for (day, rows) in line.erased_by_day {
            *erased.entry(day).or_default() += rows;
        }
    }
}
