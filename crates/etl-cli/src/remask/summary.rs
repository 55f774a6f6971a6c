//! What a re-masking did, for people or for scripts, on stdout.

use std::time::Duration;

use serde::Serialize;

use super::walk::Tally;
use crate::arguments::OutputFormat;

/// The result. The JSON form is a promise: fields are added, never renamed.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Rows changed, or that would be.
    remasked: u64,
    /// Values left as they are.
    unreadable: u64,
    passes: u32,
    dry_run: bool,
    elapsed_seconds: f64,
    rows_per_second: u64,
}

impl Summary {
    pub(super) fn new(tally: &Tally, dry_run: bool, elapsed: Duration) -> Self {
        let per_second = u128::from(tally.rows) * 1000 / elapsed.as_millis().max(1);
        Self {
            remasked: tally.rows,
            unreadable: tally.unreadable.count(),
            passes: tally.passes,
            dry_run,
            elapsed_seconds: elapsed.as_secs_f64(),
            rows_per_second: u64::try_from(per_second).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn print(&self, format: OutputFormat) {
        match format {
            OutputFormat::Json => println!("{}", serde_json::to_string(self).unwrap_or_default()),
            OutputFormat::Text => print!("{}", self.text()),
        }
    }

    fn text(&self) -> String {
        let (seconds, rate) = (self.elapsed_seconds, self.rows_per_second);
        let (name, meaning) = if self.dry_run {
            (
                "to do",
                "rows would be re-masked; nothing was changed".to_owned(),
            )
        } else {
            (
                "re-masked",
                format!("rows in {seconds:.2} s ({rate} rows/s)"),
            )
        };
        format!(
            "{name:<11} {:>9}  {meaning}\n{:<11} {:>9}  values, left as they are\n",
            self.remasked, "unreadable", self.unreadable
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_is_one_flat_object_in_this_order() {
        let tally = Tally {
            rows: 1000,
            passes: 2,
            ..Tally::default()
        };
        let summary = Summary::new(&tally, false, Duration::from_millis(500));
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            r#"{"remasked":1000,"unreadable":0,"passes":2,"dry_run":false,"elapsed_seconds":0.5,"rows_per_second":2000}"#
        );
        assert_eq!(
            summary.text(),
            "re-masked        1000  rows in 0.50 s (2000 rows/s)\nunreadable          0  values, left as they are\n"
        );
    }
}
