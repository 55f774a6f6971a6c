//! What was found out: a line a check, for people or as one JSON object.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use crate::arguments::OutputFormat;
use crate::failure::{Failure, GAVE_UP};

/// The findings, in the order in which they are told.
#[derive(Debug, Default)]
pub(super) struct Report {
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    check: &'static str,
    status: Status,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pass,
    Warn,
    Fail,
    Skip,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

impl Report {
    pub(super) fn of(parts: impl IntoIterator<Item = Self>) -> Self {
        let lines = parts.into_iter().flat_map(|part| part.lines).collect();
        Self { lines }
    }

    pub(super) fn pass(&mut self, check: &'static str, message: impl AsRef<str>) {
        self.add(check, Status::Pass, message.as_ref(), None);
    }

    pub(super) fn skip(&mut self, check: &'static str, why: impl AsRef<str>) {
        self.add(check, Status::Skip, why.as_ref(), None);
    }

    /// A run works, but not as well as it should.
    pub(super) fn warn(
        &mut self,
        check: &'static str,
        message: impl AsRef<str>,
        hint: impl Into<String>,
    ) {
        self.add(check, Status::Warn, message.as_ref(), Some(hint.into()));
    }

    /// A run would stop at this.
    pub(super) fn fail(&mut self, check: &'static str, failure: impl Into<Failure>) {
        let (message, hint) = failure.into().into_parts();
        self.add(check, Status::Fail, &message, hint);
    }

    /// What was not looked at, since something before it failed.
    pub(super) fn skip_rest(&mut self, checks: &[&'static str], why: &str) {
        for check in checks {
            if !self.lines.iter().any(|line| line.check == *check) {
                self.skip(check, why);
            }
        }
    }

    /// In the order of `checks`, whatever order they ended in.
    pub(super) fn sort(&mut self, checks: &[&'static str]) {
        let place = |line: &Line| checks.iter().position(|check| *check == line.check);
        self.lines.sort_by_key(place);
    }

    fn add(&mut self, check: &'static str, status: Status, message: &str, hint: Option<String>) {
        // A list of choices belongs to the help text.
        let message = message.lines().next().unwrap_or_default().to_owned();
        self.lines.push(Line {
            check,
            status,
            message,
            hint,
        });
    }

    fn count(&self, status: Status) -> usize {
        self.lines
            .iter()
            .filter(|line| line.status == status)
            .count()
    }

    pub(super) fn print(&self, format: OutputFormat) {
        match format {
            OutputFormat::Text => print!("{}", self.text()),
            OutputFormat::Json => {
                let ok = self.count(Status::Fail) == 0;
                println!("{}", serde_json::json!({ "ok": ok, "checks": self.lines }));
            }
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for line in &self.lines {
            let word = line.status.word();
            let _ = writeln!(text, "{word}  {:<20} {}", line.check, line.message);
            if let Some(hint) = &line.hint {
                let _ = writeln!(text, "{:<27}hint: {hint}", "");
            }
        }
        let _ = match (self.count(Status::Fail), self.count(Status::Warn)) {
            (0, 0) => writeln!(text, "\na run would work"),
            (0, warned) => writeln!(text, "\na run would work, with {warned} to look at"),
            (failed, _) => writeln!(text, "\na run would not work: {failed} failed"),
        };
        text
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self.count(Status::Fail) {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::from(GAVE_UP),
        }
    }
}
