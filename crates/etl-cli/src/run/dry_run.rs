//! `--dry-run`: shows the rows that a run would write. Nothing is written or deleted; what was received is held,
//! and released once at the end.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use login_model::MaskedLogin;
use serde::Serialize;
use sqs_reader::{Delivery, MAX_BATCH, Transport};

use super::Run;
use super::preflight::{Source, receive_patiently};
use crate::failure::Failure;
use crate::pipeline::{Ending, Rules};

const DEFAULT_LIMIT: u64 = 100;

/// A row of `user_logins`.
#[derive(Serialize)]
struct Row<'a> {
    user_id: &'a str,
    device_type: Option<&'a str>,
    masked_ip: Option<&'a str>,
    masked_device_id: Option<&'a str>,
    locale: Option<&'a str>,
    app_version: Option<i32>,
    create_date: String,
}

pub(super) async fn print_rows<T: Transport>(
    source: Source<T>,
    rules: &Rules,
    run: &Run,
) -> Result<ExitCode, Failure> {
    let reader = source.reader;
    let mut held = Vec::new();
    let outcome = tokio::select! {
        biased;
        () = run.stop.token.cancelled() => Ok(()),
        () = reader.keep_hidden() => Ok(()),
        outcome = read(&reader, rules, run, &mut held) => outcome,
    };
    let deliveries = held.len();
    reader.hide(held, Duration::ZERO).await;
    outcome?;
    eprintln!("dry run: {deliveries} deliveries read and released; nothing was written or deleted");
    run.exit_code(if run.stop.token.is_cancelled() {
        Ending::Stopped
    } else {
        Ending::Done
    })
}

async fn read<T: Transport>(
    reader: &sqs_reader::Reader<T>,
    rules: &Rules,
    run: &Run,
    held: &mut Vec<Delivery>,
) -> Result<(), Failure> {
    let reading = &run.arguments.reading;
    let room = u64::try_from(reading.max_in_flight).unwrap_or(u64::MAX);
    let limit = reading.max_messages.unwrap_or(DEFAULT_LIMIT).min(room);
    let mut wait = Duration::from_secs(reading.wait_time_seconds);
    loop {
        let open = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(held.len());
        if open == 0 {
            return Ok(());
        }
        let deliveries = receive_patiently(reader, open.min(MAX_BATCH), wait).await?;
        if deliveries.is_empty() {
            return Ok(());
        }
        wait = wait.min(Duration::from_secs(1));
        deliveries
            .iter()
            .try_for_each(|delivery| print(delivery, rules))?;
        held.extend(deliveries.into_iter().map(Delivery::without_body));
    }
}

fn print(delivery: &Delivery, rules: &Rules) -> Result<(), Failure> {
    let login = match rules.row(&delivery.body) {
        Ok(login) => login,
        Err(rejection) => {
            tracing::warn!(message.id = %delivery.identity.message_id, "would be rejected: {rejection}");
            return Ok(());
        }
    };
    let line = serde_json::to_string(&row(&login, delivery))
        .map_err(|error| Failure::gave_up(error.to_string()))?;
    writeln!(std::io::stdout(), "{line}")
        .map_err(|error| Failure::gave_up(format!("cannot write to stdout: {error}")))
}

fn row<'a>(login: &'a MaskedLogin<'_>, delivery: &Delivery) -> Row<'a> {
    let sent_at = Duration::from_millis(u64::try_from(delivery.identity.sent_at_ms).unwrap_or(0));
    let mut create_date = humantime::format_rfc3339(UNIX_EPOCH + sent_at).to_string();
    create_date.truncate("2026-01-31".len());
    Row {
        user_id: &login.user_id,
        device_type: login.device_type.as_deref(),
        masked_ip: login.masked_ip.as_ref().map(masking::Masked::as_str),
        masked_device_id: login.masked_device_id.as_ref().map(masking::Masked::as_str),
        locale: login.locale.as_deref(),
        app_version: login.app_version,
        create_date,
    }
}
