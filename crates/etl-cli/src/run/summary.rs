//! What a run did, for people or for scripts, on stdout.

use serde::Serialize;

use crate::arguments::OutputFormat;
use crate::pipeline::Counts;

/// The result of a run. The JSON form is a promise: fields are added, never renamed.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    #[serde(flatten)]
    pub(super) counts: Counts,
    pub(super) sqs_requests: u64,
    pub(super) sql_statements: u64,
    pub(super) elapsed_seconds: f64,
}

impl Summary {
    pub(super) fn print(&self, format: OutputFormat, is_queue: bool) {
        match format {
            OutputFormat::Json => println!("{}", serde_json::to_string(self).unwrap_or_default()),
            OutputFormat::Text => print!("{}", self.text(is_queue)),
        }
    }

    fn text(&self, is_queue: bool) -> String {
        let Counts {
            received,
            written,
            duplicates,
            rejected,
            left,
            deleted,
            undeleted,
        } = self.counts;
        let seconds = self.elapsed_seconds;
        let mut lines = vec![
            line(
                "received",
                received,
                &format!("deliveries in {seconds:.2} s"),
            ),
            line("written", written, "new rows in user_logins"),
            line("duplicates", duplicates, "stood there already"),
        ];
        if is_queue {
            let remedy = "why: etl rejects list; once that is mended: etl rejects redrive";
            let meaning = "unreadable, now in the dead-letter queue";
            lines.push(line_with_remedy("rejected", rejected, meaning, remedy));
        }
        if left > 0 || !is_queue {
            let (meaning, remedy) = if is_queue {
                LEFT_ON_QUEUE
            } else {
                LEFT_IN_INPUT
            };
            lines.push(line_with_remedy("left", left, meaning, remedy));
        }
        if is_queue {
            lines.push(line(
                "deleted",
                deleted,
                &format!("from the queue ({} requests to SQS)", self.sqs_requests),
            ));
        }
        if undeleted > 0 {
            lines.push(line(
                "undeleted",
                undeleted,
                "written, but still on the queue; they come again as duplicates",
            ));
        }
        lines.concat()
    }
}

/// What became of them, and what to do.
const LEFT_ON_QUEUE: (&str, &str) = (
    "unreadable, on the queue: no dead-letter queue took them",
    "why: etl rejects list; they come again in an hour, for --dead-letter-queue or a RedrivePolicy to take",
);
const LEFT_IN_INPUT: (&str, &str) = (
    "unreadable, in the input",
    "why: etl rejects list; put them, once mended, into a file of their own",
);

/// The remedy stands below, where there is anything to mend.
fn line_with_remedy(name: &str, count: u64, meaning: &str, remedy: &str) -> String {
    let line = line(name, count, meaning);
    if count == 0 {
        return line;
    }
    format!("{line}{:21}  {remedy}\n", "")
}

fn line(name: &str, count: u64, meaning: &str) -> String {
    format!("{name:<11} {count:>9}  {meaning}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let counts = Counts {
            received: 100,
            written: 98,
            duplicates: 0,
            rejected: 1,
            left: 1,
            deleted: 99,
            undeleted: 0,
        };
        Summary {
            counts,
            sqs_requests: 25,
            sql_statements: 2,
            elapsed_seconds: 0.5,
        }
    }

    #[test]
    fn the_json_form_is_one_flat_object_in_this_order() {
        assert_eq!(
            serde_json::to_string(&summary()).unwrap(),
            r#"{"received":100,"written":98,"duplicates":0,"rejected":1,"left":1,"deleted":99,"undeleted":0,"sqs_requests":25,"sql_statements":2,"elapsed_seconds":0.5}"#
        );
    }

    #[test]
    fn the_text_form_says_what_became_of_every_delivery() {
        let expected = "\
received          100  deliveries in 0.50 s
written            98  new rows in user_logins
duplicates          0  stood there already
rejected            1  unreadable, now in the dead-letter queue
                       why: etl rejects list; once that is mended: etl rejects redrive
left                1  unreadable, on the queue: no dead-letter queue took them
                       why: etl rejects list; they come again in an hour, for --dead-letter-queue or a RedrivePolicy to take
deleted            99  from the queue (25 requests to SQS)
";
        assert_eq!(summary().text(true), expected);
    }
}
