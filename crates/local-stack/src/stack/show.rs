//! What a run has written, to look at: the first rows, and the masked values that occur more than once.

use anyhow::{Context, Result};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::Stack;
use super::table::table;
use crate::hint::hinted;
use crate::postgres::connection::{blocking, connect};

const COLUMNS: [&str; 7] = [
    "user_id",
    "device_type",
    "masked_ip",
    "masked_device_id",
    "locale",
    "app_version",
    "create_date",
];

/// The tables as text; each with at most `rows` rows.
pub(crate) fn show(stack: &Stack, rows: u32) -> Result<String> {
    let url = stack.running_postgres()?.database_url();
    blocking(async move {
        let client = connect(&url).await?;
        let found = client
            .query_one("SELECT to_regclass('user_logins') IS NOT NULL", &[])
            .await?;
        if !found.get::<_, bool>(0) {
            return Err(hinted(
                "there is no table user_logins yet",
                "run `etl migrate` or `etl run`",
            ));
        }
        let count: i64 = client
            .query_one("SELECT count(*) FROM user_logins", &[])
            .await?
            .get(0);
        let first = first_rows(&client, rows).await?;
        let devices = repeated(&client, "masked_device_id", rows).await?;
        let addresses = repeated(&client, "masked_ip", rows).await?;
        Ok(format!(
            "First rows of {count} in user_logins\n{first}\n\
             Masked devices that logged in more than once\n{devices}\n\
             Masked addresses that logged in more than once\n{addresses}"
        ))
    })
}

async fn first_rows(client: &Client, rows: u32) -> Result<String> {
    let columns = COLUMNS
        .map(|column| format!("coalesce({column}::text, 'NULL')"))
        .join(", ");
    let sql = format!("SELECT {columns} FROM user_logins LIMIT {rows}");
    render(client, &COLUMNS, &sql).await
}

async fn repeated(client: &Client, column: &str, rows: u32) -> Result<String> {
    let sql = format!(
        "SELECT {column}, count(*)::text, count(DISTINCT user_id)::text FROM user_logins
         WHERE {column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1
         ORDER BY count(*) DESC, {column} LIMIT {rows}"
    );
    render(client, &[column, "logins", "users"], &sql).await
}

async fn render(client: &Client, header: &[&str], sql: &str) -> Result<String> {
    let found = client
        .query(sql, &[])
        .await
        .map_err(|error| match error.code() {
            Some(&SqlState::UNDEFINED_COLUMN) => {
                hinted("user_logins has other columns", "run `etl migrate`")
            }
            _ => error.into(),
        });
    let found = found.context("failed to read user_logins")?;
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|row| (0..header.len()).map(|index| row.get(index)).collect())
        .collect();
    Ok(if rows.is_empty() {
        "none\n".to_owned()
    } else {
        table(header, &rows)
    })
}
