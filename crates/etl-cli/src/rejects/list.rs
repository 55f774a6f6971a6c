//! `etl rejects list`: how many messages were rejected, by day, reason and field.

use std::process::ExitCode;

use serde::Serialize;

use crate::arguments::{ListArguments, OutputFormat};
use crate::database::open_pool;
use crate::failure::Failure;

#[derive(Serialize)]
struct Line<'a> {
    day: &'a str,
    reason: &'a str,
    field: Option<&'a str>,
    messages: u64,
}

pub(super) async fn list(arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let pool = open_pool(&arguments.database, 1)?;
    let counts = pg_writer::rejection_counts(&pool).await?;
    let lines: Vec<Line<'_>> = counts
        .iter()
        .map(|count| Line {
            day: &count.day,
            reason: &count.reason,
            field: count.field.as_deref(),
            messages: count.messages,
        })
        .collect();
    match arguments.output {
        OutputFormat::Json => println!("{}", serde_json::to_string(&lines).unwrap_or_default()),
        OutputFormat::Text if lines.is_empty() => println!("nothing was rejected"),
        OutputFormat::Text => print!("{}", text(&lines)),
    }
    Ok(ExitCode::SUCCESS)
}

fn text(lines: &[Line<'_>]) -> String {
    let head = row("last seen", "messages", "reason", "field");
    let rows = lines.iter().map(|line| {
        let field = line.field.unwrap_or("–");
        row(line.day, &line.messages.to_string(), line.reason, field)
    });
    std::iter::once(head).chain(rows).collect()
}

fn row(day: &str, messages: &str, reason: &str, field: &str) -> String {
    format!("{day:<10}  {messages:>9}  {reason:<28}  {field}\n")
}
