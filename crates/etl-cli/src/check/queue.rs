//! The queue: who asks, whether it is there, what may be done with it, and whether its settings suit a run.

use std::time::Duration;

use sqs_reader::{Caller, Connection, QueueError, QueueFacts, SdkTransport, Transport as _};
use tokio::time::timeout;

use super::report::Report;
use super::{dead_letters, report_clock};
use crate::arguments::RunArguments;
use crate::failure::Failure;
use crate::run::FEW_RECEIVES;

const CHECKS: [&str; 7] = [
    "credentials",
    "queue",
    "queue-rights",
    "visibility-timeout",
    "max-receive-count",
    "dead-letter-queue",
    "queue-clock",
];

const PATIENCE: Duration = Duration::from_secs(10);
/// Time for a request that extends a message's visibility to be tried again.
const SHORT_VISIBILITY: Duration = Duration::from_secs(10);

pub(super) async fn check(arguments: &RunArguments) -> Report {
    let mut report = Report::default();
    if arguments.reading.input.is_some() {
        report.skip_rest(&CHECKS, "--input is read in place of a queue");
        return report;
    }
    if let Some((transport, facts)) = find(arguments, &mut report).await {
        let (rights, dead_letters, lead) = tokio::join!(
            transport.denied_actions(facts.waiting == 0),
            dead_letters::check(arguments, &transport, &facts),
            transport.clock_lead(),
        );
        check_rights(arguments, &facts, rights, &mut report);
        check_visibility(arguments, &facts, &mut report);
        check_receives(&facts, &mut report);
        match lead {
            Ok(Some(lead)) => report_clock(&mut report, "queue-clock", lead),
            Ok(None) => report.skip("queue-clock", "its answers are not dated"),
            Err(error) => report.fail(blamed(&error), error),
        }
        report = Report::of([report, dead_letters]);
    }
    report.skip_rest(&CHECKS, "the queue could not be asked");
    report.sort(&CHECKS);
    report
}

/// The queue with what it says of itself, where it answers.
async fn find(arguments: &RunArguments, report: &mut Report) -> Option<(SdkTransport, QueueFacts)> {
    let wait = Duration::from_secs(arguments.reading.wait_time_seconds);
    let settings = arguments.queue.settings(wait);
    let settings = settings
        .map_err(|failure| report.fail("queue", failure))
        .ok()?;
    let connection = Connection::open(&settings).await;
    let connection = connection
        .map_err(|error| report.fail("queue", error))
        .ok()?;
    let caller = connection.caller();
    let asked = async {
        let transport = connection.queue(&settings.queue).await?;
        let facts = transport.facts().await?;
        Ok::<_, QueueError>((transport, facts))
    };
    let (asked, arn) = tokio::join!(timeout(PATIENCE, asked), who(caller));
    let asked = asked.unwrap_or_else(|_| Err(no_answer()));
    let (transport, facts) = match asked {
        Ok(found) => found,
        Err(error) => {
            let blamed = blamed(&error);
            if blamed != "credentials"
                && let Some(Ok(arn)) = arn
            {
                report.pass("credentials", arn);
            }
            report.fail(blamed, error);
            return None;
        }
    };
    report_caller(arn, transport.region(), report);
    let waiting = format!("{} with {} waiting", transport.queue_url(), facts.waiting);
    report.pass("queue", waiting);
    Some((transport, facts))
}

async fn who(caller: Option<Caller>) -> Option<Result<String, QueueError>> {
    match caller {
        Some(caller) => Some(caller.arn().await),
        None => None,
    }
}

/// The queue has accepted them; STS only knows the name.
fn report_caller(arn: Option<Result<String, QueueError>>, region: &str, report: &mut Report) {
    match arn {
        Some(Ok(arn)) => report.pass("credentials", format!("{arn}, in {region}")),
        Some(Err(error)) => {
            report.pass(
                "credentials",
                format!("accepted in {region}; whose they are is not known: {error}"),
            );
        }
        None => report.skip("credentials", "not AWS: whose they are is not asked"),
    }
}

/// Which check an error belongs to.
fn blamed(error: &QueueError) -> &'static str {
    match error {
        QueueError::Credentials(_)
        | QueueError::CredentialsUnavailable(_)
        | QueueError::Expired(_) => "credentials",
        QueueError::ClockSkew(_) => "queue-clock",
        QueueError::Denied(_) => "queue-rights",
        _ => "queue",
    }
}

fn no_answer() -> QueueError {
    QueueError::Unreachable(format!("no answer within {PATIENCE:?}"))
}

fn check_rights(
    arguments: &RunArguments,
    facts: &QueueFacts,
    denied: Result<Vec<&'static str>, QueueError>,
    report: &mut Report,
) {
    let mut denied = match denied {
        Ok(denied) => denied,
        Err(error) => return report.fail("queue-rights", error),
    };
    if arguments.writing.dry_run {
        denied.retain(|action| *action != "sqs:DeleteMessage");
    }
    if !denied.is_empty() {
        let failure = Failure::usage(format!("{} denied", denied.join(", ")));
        let hint = "allow it in the identity's policy or the queue's";
        return report.fail("queue-rights", failure.hint(hint));
    }
    report.pass("queue-rights", if facts.waiting == 0 {
        "receive, delete, change visibility"
    } else {
        "delete, change visibility; receive as far as can be told without raising a message's receive count"
    });
}

fn check_visibility(arguments: &RunArguments, facts: &QueueFacts, report: &mut Report) {
    let asked = arguments
        .reading
        .visibility_timeout
        .map(Duration::from_secs);
    let timeout = asked.unwrap_or(facts.visibility_timeout);
    let needed = SHORT_VISIBILITY.saturating_add(arguments.writing.batch_age);
    if timeout < needed {
        let message = format!(
            "{timeout:?} are short for a batch: what is held is extended at half that time, and comes back where one \
             request is late"
        );
        let hint = "give the queue a VisibilityTimeout of 30 s or more, or --visibility-timeout 30";
        report.warn("visibility-timeout", message, hint);
    } else {
        report.pass(
            "visibility-timeout",
            format!("{timeout:?}, extended while a batch takes longer"),
        );
    }
}

fn check_receives(facts: &QueueFacts, report: &mut Report) {
    let Some(policy) = &facts.redrive else {
        return report.pass(
            "max-receive-count",
            "none: SQS dead-letters nothing by itself",
        );
    };
    match policy.max_receive_count {
        Some(count) if count < FEW_RECEIVES => report.warn(
            "max-receive-count",
            format!("{count}: restarts and outages may dead-letter good messages"),
            format!("set maxReceiveCount in the queue's RedrivePolicy to {FEW_RECEIVES} or more"),
        ),
        Some(count) => report.pass("max-receive-count", count.to_string()),
        None => report.skip(
            "max-receive-count",
            "the queue's RedrivePolicy cannot be read",
        ),
    }
}
