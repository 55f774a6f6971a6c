//! Every family at `/metrics`: names, units, help. `docs/METRICS.md` explains them; a test keeps the two together.

use super::board::{Answer, Sight};
use super::health::worse;
use super::process;
use super::text::Text;
use crate::pipeline::{Measures, Observation};

/// The whole page; before the pipeline runs, what is known without it.
pub(super) fn of(shown: Option<(&Observation, &Measures)>, sight: &Sight) -> String {
    let mut text = Text::default();
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    text.family(
        "etl_build_info",
        "gauge",
        "Always 1; the version is the label.",
        [(version, 1)],
    );
    if let Some((seen, measures)) = shown {
        messages(&mut text, seen, measures);
        held(&mut text, seen);
        times(&mut text, measures);
        calls(&mut text, seen, measures);
        connections(&mut text, seen);
        servers(&mut text, seen, sight);
    }
    process::add_to(&mut text);
    text.into_string()
}

/// Once nothing is under way: received = written + duplicates + dead-lettered + left.
fn messages(text: &mut Text, seen: &Observation, measures: &Measures) {
    let counts = &seen.counts;
    let counters = [
        (
            "etl_messages_received_total",
            "Deliveries taken from the queue.",
            counts.received,
        ),
        (
            "etl_messages_redelivered_total",
            "Deliveries of messages that had been delivered before.",
            measures.redelivered.get(),
        ),
        (
            "etl_rows_written_total",
            "Deliveries that became a new row in user_logins.",
            counts.written,
        ),
        (
            "etl_messages_duplicate_total",
            "Deliveries whose row stood already.",
            counts.duplicates,
        ),
        (
            "etl_messages_dead_lettered_total",
            "Rejected deliveries that stand in the dead-letter queue.",
            counts.rejected,
        ),
        (
            "etl_messages_left_total",
            "Rejected deliveries that no dead-letter queue took.",
            counts.left,
        ),
        (
            "etl_messages_deleted_total",
            "Deliveries deleted from the queue.",
            counts.deleted,
        ),
        (
            "etl_message_delete_failures_total",
            "Settled deliveries that could not be deleted; they come again as duplicates.",
            counts.undeleted,
        ),
    ];
    for (name, help, value) in counters {
        text.counter(name, help, value);
    }
    text.family(
        "etl_messages_rejected_total",
        "counter",
        "Deliveries recorded in rejected_messages, by reason; afterwards dead-lettered or left.",
        labelled("reason", measures.rejected.get()),
    );
}

fn held(text: &mut Text, seen: &Observation) {
    text.gauge(
        "etl_messages_in_flight",
        "Messages held just now.",
        seen.held,
    );
    let oldest = seen.oldest_held.unwrap_or_default().as_secs_f64();
    text.gauge(
        "etl_oldest_message_held_seconds",
        "How long the message is held that was received first; 0 where none is.",
        oldest,
    );
    text.counter(
        "etl_visibility_extensions_total",
        "Messages whose visibility timeout was extended, each time counted.",
        seen.extensions,
    );
    text.gauge(
        "etl_pollers_active",
        "Pollers at work; one on an idle queue.",
        seen.pollers,
    );
}

fn times(text: &mut Text, measures: &Measures) {
    let histograms = [
        (
            "etl_receive_duration_seconds",
            "Time of a receive, its long poll included.",
            &measures.receive_seconds,
        ),
        (
            "etl_commit_duration_seconds",
            "Time of the write of a batch, until its commit or its failure.",
            &measures.commit_seconds,
        ),
        (
            "etl_batch_rows",
            "Rows of a batch that is written.",
            &measures.batch_rows,
        ),
    ];
    for (name, help, histogram) in histograms {
        text.histogram(name, help, &histogram.get());
    }
}

fn calls(text: &mut Text, seen: &Observation, measures: &Measures) {
    text.counter(
        "etl_sqs_requests_total",
        "Requests to SQS, retries inside its client aside.",
        seen.requests,
    );
    text.counter(
        "etl_sql_statements_total",
        "Statements of writes sent to Postgres.",
        seen.statements,
    );
    let with = |dependency: &str, failures: Vec<(&'static str, u64)>| {
        let sample = |(class, count)| {
            (
                format!("dependency=\"{dependency}\",class=\"{class}\""),
                count,
            )
        };
        failures.into_iter().map(sample).collect::<Vec<_>>()
    };
    let mut samples = with("queue", seen.queue_failures.clone());
    samples.extend(with("database", measures.database_failures.get()));
    text.family(
        "etl_retries_total",
        "counter",
        "Calls that failed, by class of error; each is tried again while that may help.",
        samples,
    );
}

fn connections(text: &mut Text, seen: &Observation) {
    let pool = &seen.connections;
    text.family(
        "etl_database_connections",
        "gauge",
        "Open connections to Postgres.",
        labelled("state", vec![("busy", pool.busy), ("idle", pool.idle)]),
    );
    text.gauge(
        "etl_database_connections_limit",
        "Connections to Postgres that may be open.",
        pool.limit,
    );
    text.gauge(
        "etl_database_connections_awaited",
        "Tasks that wait for a connection to Postgres.",
        pool.waiting,
    );
}

fn servers(text: &mut Text, seen: &Observation, sight: &Sight) {
    let is_up = |answer, fails| u8::from(worse(answer, fails) == Answer::Well);
    let queue = is_up(sight.queue, seen.queue_fails);
    let database = is_up(sight.database, seen.database_fails);
    text.family(
        "etl_dependency_up",
        "gauge",
        "Whether queue and database can be used, 1 or 0, as /readyz says.",
        labelled("dependency", vec![("queue", queue), ("database", database)]),
    );
    if let Some(depth) = sight.depth {
        text.family(
            "etl_queue_messages",
            "gauge",
            "The queue's own approximate count, as last asked.",
            labelled(
                "state",
                vec![
                    ("waiting", depth.waiting),
                    ("not_visible", depth.not_visible),
                ],
            ),
        );
    }
}

fn labelled<V>(label: &str, values: Vec<(&'static str, V)>) -> Vec<(String, V)> {
    let sample = |(name, value)| (format!("{label}=\"{name}\""), value);
    values.into_iter().map(sample).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::metrics::board::Depth;
    use crate::pipeline::Counts;
    use std::time::Duration;

    pub(in crate::metrics) fn observation() -> Observation {
        Observation {
            counts: Counts {
                received: 100,
                written: 98,
                left: 1,
                rejected: 1,
                ..Counts::default()
            },
            held: 3,
            oldest_held: Some(Duration::from_millis(1500)),
            extensions: 4,
            requests: 25,
            statements: 2,
            queue_failures: vec![("throttled", 5)],
            connections: pg_writer::Connections::default(),
            pollers: 1,
            quiet_for: Duration::ZERO,
            queue_fails: false,
            database_fails: false,
            stopping: false,
        }
    }

    #[test]
    fn what_is_counted_is_shown_under_its_name() {
        let measures = Measures::new();
        measures.rejected.count("not_json");
        let sight = Sight {
            queue: Answer::Well,
            database: Answer::Badly("unavailable"),
            depth: Some(Depth {
                waiting: 7,
                not_visible: 3,
            }),
        };
        let page = of(Some((&observation(), &measures)), &sight);
        for line in [
            "etl_messages_received_total 100",
            "etl_messages_dead_lettered_total 1",
            "etl_messages_rejected_total{reason=\"not_json\"} 1",
            "etl_messages_rejected_total{reason=\"missing_field\"} 0",
            "etl_oldest_message_held_seconds 1.5",
            "etl_retries_total{dependency=\"queue\",class=\"throttled\"} 5",
            "etl_retries_total{dependency=\"database\",class=\"unavailable\"} 0",
            "etl_dependency_up{dependency=\"queue\"} 1",
            "etl_dependency_up{dependency=\"database\"} 0",
            "etl_queue_messages{state=\"waiting\"} 7",
        ] {
            assert!(
                page.lines().any(|known| known == line),
                "no {line} in {page}"
            );
        }
    }

    #[test]
    fn before_the_start_there_is_the_version_and_the_process() {
        let page = of(None, &Sight::default());
        assert!(page.contains("etl_build_info{version=\""), "{page}");
        assert!(!page.contains("etl_messages"), "{page}");
    }
}
