//! The dead-letter queue: whether it is there, whether unreadable messages may be sent to it, and whether SQS may move
//! messages there itself. A run works without, but then what is unreadable stays on the queue.

use sqs_reader::{QueueError, QueueFacts, RedrivePolicy, SdkTransport, SendRight, Transport as _};

use super::report::Report;
use crate::arguments::RunArguments;
use crate::run::dead_letter_url;

const CHECK: &str = "dead-letter-queue";

pub(super) async fn check(
    arguments: &RunArguments,
    queue: &SdkTransport,
    facts: &QueueFacts,
) -> Report {
    let mut report = Report::default();
    let asked = arguments.reading.dead_letter_queue.as_deref();
    let url = match asked {
        Some(_) => match dead_letter_url(queue, facts, asked).await {
            Ok(url) => url,
            Err(failure) => {
                report.fail(CHECK, failure);
                return report;
            }
        },
        None => of_policy(queue, facts, &mut report).await,
    };
    if let Some(url) = url {
        check_url(queue, facts, &url, asked.is_some(), &mut report).await;
    }
    report
}

/// The queue of the redrive policy, which a run that does not find it goes without.
async fn of_policy(
    queue: &SdkTransport,
    facts: &QueueFacts,
    report: &mut Report,
) -> Option<String> {
    let policy = facts.redrive.as_ref();
    let Some((account, name)) = policy.and_then(RedrivePolicy::account_and_name) else {
        let message = "none: unreadable messages stay on the queue, hidden for an hour at a time";
        report.warn(
            CHECK,
            message,
            "give the queue a RedrivePolicy, or --dead-letter-queue",
        );
        return None;
    };
    let found = queue.url_of(name, Some(account)).await;
    found.map_err(|error| warn_of_absence(&error, report)).ok()
}

fn warn_of_absence(error: &QueueError, report: &mut Report) {
    let message = format!("the RedrivePolicy names a queue that cannot be found: {error}");
    report.warn(
        CHECK,
        message,
        "make that queue, name another one, or allow sqs:GetQueueUrl on it",
    );
}

async fn check_url(
    queue: &SdkTransport,
    facts: &QueueFacts,
    url: &str,
    is_asked: bool,
    report: &mut Report,
) {
    match queue.send_right(url).await {
        Ok(SendRight::Granted) => {}
        Ok(SendRight::Denied) => {
            let message = format!(
                "sqs:SendMessage denied on {url}: unreadable messages would stay on the queue"
            );
            return report.warn(
                CHECK,
                message,
                "allow it in the identity's policy or that queue's",
            );
        }
        Ok(SendRight::Taken) => {
            let message = format!("{url} took a message that SQS would have refused");
            return report.warn(CHECK, message, "delete it there: its body is U+FFFE");
        }
        Err(error) if is_asked => return report.fail(CHECK, error),
        Err(error) => return warn_of_absence(&error, report),
    }
    // Where the right to look is missing, SQS alone knows; a run needs neither.
    if facts.redrive.is_some()
        && !is_asked
        && let Ok(false) = queue.allows_redrive(url).await
    {
        let message = format!(
            "the RedriveAllowPolicy of {url} does not let SQS move messages there from this queue"
        );
        return report.warn(CHECK, message, "add the queue's ARN to its sourceQueueArns");
    }
    report.pass(CHECK, url);
}
