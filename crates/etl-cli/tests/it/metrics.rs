//! What a run shows at `--metrics-addr`: its figures, whether it works, whether it has what it needs.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use local_stack::Postgres;

use crate::harness::{Database, Etl, Event, Pages, Queue, Running, events, stage};

/// A follower that serves its pages somewhere.
fn follower(queue: &Queue, database: &Database) -> Running {
    Etl::run(queue, database)
        .args(["--follow", "--wait-time-seconds", "1"])
        .env("ETL_METRICS_ADDR", "127.0.0.1:0")
        .start()
}

/// The text of a file of the repository.
fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn the_figures_are_those_of_the_summary() {
    let (queue, database) = stage();
    queue.send(&events(20));
    queue.send(&["no JSON".to_owned(), Event(90).without("locale")]);
    // The same message twice, as a redrive sends it.
    for _ in 0..2 {
        let source = [
            ("source-message-id", "01890a5d-ac96-774b-bcce-b302099a8057"),
            ("source-sent-at", "7"),
        ];
        queue.send_with(&Event(50).body(), &source);
    }
    let running = follower(&queue, &database);
    let pages = Pages::of(&running);
    pages.until("etl_messages_deleted_total", 24.0);
    let page = pages.get("/metrics");
    for (name, value) in [
        ("etl_messages_received_total", 24.0),
        ("etl_messages_redelivered_total", 0.0),
        ("etl_rows_written_total", 21.0),
        ("etl_messages_duplicate_total", 1.0),
        ("etl_messages_dead_lettered_total", 2.0),
        ("etl_messages_left_total", 0.0),
        ("etl_message_delete_failures_total", 0.0),
        ("etl_messages_rejected_total{reason=\"not_json\"}", 1.0),
        ("etl_messages_rejected_total{reason=\"missing_field\"}", 1.0),
        ("etl_messages_in_flight", 0.0),
        ("etl_oldest_message_held_seconds", 0.0),
        ("etl_batch_rows_sum", 22.0),
        ("etl_database_connections_limit", 3.0),
    ] {
        assert!(
            (page.sample(name) - value).abs() < f64::EPSILON,
            "{name}: {page:?}"
        );
    }
    assert!(page.sample("etl_commit_duration_seconds_count") >= 1.0);
    assert!(page.sample("process_resident_memory_bytes") > 1e6);
    assert!(
        page.head
            .contains("content-type: text/plain; version=0.0.4"),
        "{page:?}"
    );
    running.signal("TERM");
    let summary = running.end().summary();
    assert_eq!(summary.counts(), [24, 21, 1, 2, 0]);
}

#[test]
fn a_run_with_all_it_needs_is_alive_and_ready_and_knows_the_depth_of_its_queue() {
    let (queue, database) = stage();
    let running = follower(&queue, &database);
    let pages = Pages::of(&running);
    let ready = pages.until_status("/readyz", 200);
    assert_eq!(ready.body, "queue: ok\ndatabase: ok\n");
    assert_eq!(pages.get("/healthz").body, "ok\n");
    pages.until("etl_queue_messages{state=\"waiting\"}", 0.0);
    pages.until("etl_dependency_up{dependency=\"queue\"}", 1.0);
    assert_eq!(pages.get("/").status, 404);
    assert_eq!(pages.ask("POST", "/metrics").status, 405);
    assert_eq!(pages.ask("HEAD", "/metrics").body, "");
}

#[test]
fn a_database_that_is_away_is_named_and_is_no_reason_to_be_killed() {
    let server = Postgres::start_private();
    let queue = Queue::with_dead_letter_queue();
    let database = Database::migrated_on(&server);
    let running = follower(&queue, &database);
    let pages = Pages::of(&running);
    pages.until_status("/readyz", 200);
    server.stop();
    queue.send(&[Event(0).body()]);
    let missing = pages.until_status("/readyz", 503);
    assert!(
        missing
            .body
            .starts_with("queue: ok\ndatabase: not usable ("),
        "{missing:?}"
    );
    pages.until("etl_dependency_up{dependency=\"database\"}", 0.0);
    assert_eq!(pages.get("/healthz").status, 200);
    server.start();
    pages.until_status("/readyz", 200);
    pages.until("etl_rows_written_total", 1.0);
    assert!(
        pages.sample("etl_retries_total{dependency=\"database\",class=\"unavailable\"}") >= 1.0
    );
}

#[test]
fn a_queue_that_is_gone_is_named() {
    let (queue, database) = stage();
    let running = follower(&queue, &database);
    let pages = Pages::of(&running);
    // One receive that worked: a queue that never answered ends the run.
    pages.until_status("/readyz", 200);
    queue.send(&[Event(0).body()]);
    pages.until("etl_messages_deleted_total", 1.0);
    queue.delete();
    let missing = pages.until_status("/readyz", 503);
    assert!(
        missing.body.starts_with("queue: not usable ("),
        "{missing:?}"
    );
    assert!(missing.body.ends_with("database: ok\n"), "{missing:?}");
    assert_eq!(pages.get("/healthz").status, 200);
}

#[test]
fn the_pages_are_there_before_the_servers_are() {
    let (queue, database) = stage();
    let running = Etl::run(&queue, &database)
        .env("ETL_ENDPOINT_URL", "http://127.0.0.1:1")
        .args(["--metrics-addr", "127.0.0.1:0"])
        .start();
    let pages = Pages::of(&running);
    let starting = pages.get("/readyz");
    assert_eq!(
        (starting.status, starting.body.as_str()),
        (503, "starting\n")
    );
    assert_eq!(pages.get("/healthz").status, 200);
    assert!((pages.get("/metrics").sample("etl_messages_received_total")).is_nan());
}

#[test]
fn an_address_that_cannot_be_had_is_refused_before_a_server_is_asked() {
    let (queue, database) = stage();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().map(|address| (taken, address)).unwrap();
    let at = |address: &str| {
        Etl::run(&queue, &database)
            .env("ETL_ENDPOINT_URL", "http://127.0.0.1:1")
            .args(["--metrics-addr", address])
            .output()
    };
    let address = taken.1.to_string();
    let in_use = [
        "--metrics-addr",
        address.as_str(),
        "hint: another process listens there",
    ];
    at(&address).assert_refused(2, &in_use);
    at("192.0.2.1:9464").assert_refused(
        2,
        &["--metrics-addr", "hint: give an address of this machine"],
    );
    at("9464").assert_refused(2, &["--metrics-addr", "such as 127.0.0.1:9464"]);
}

#[test]
fn the_health_check_asks_the_run_and_needs_nothing_else() {
    let (queue, database) = stage();
    let running = follower(&queue, &database);
    let address = Pages::of(&running).address;
    let check = |address: &str| {
        Etl::bare("healthcheck")
            .env("ETL_METRICS_ADDR", address)
            .output()
    };
    let well = check(&address);
    assert_eq!(
        (well.code, well.stdout.as_str(), well.stderr.as_str()),
        (0, "ok\n", "")
    );
    running.signal("TERM");
    assert_eq!(running.end().code, 0);
    check(&address).assert_refused(1, &[&address, "refused"]);
    Etl::bare("healthcheck").output().assert_refused(
        2,
        &["hint: give the run and this command the same ETL_METRICS_ADDR"],
    );
}

#[test]
fn every_figure_is_explained_and_what_is_drawn_or_alarmed_on_is_there() {
    let (queue, database) = stage();
    let running = follower(&queue, &database);
    let pages = Pages::of(&running);
    pages.until_status("/readyz", 200);
    let page = pages.get("/metrics");
    let mut shown = page.families();
    shown.sort_unstable();
    let document = file("docs/METRICS.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut explained: Vec<&str> = rows
        .filter_map(|row| row.split(['`', '{']).next())
        .collect();
    explained.sort_unstable();
    assert_eq!(explained, shown);
    for path in [
        "deploy/observability/alerts.yml",
        "deploy/observability/grafana/etl.json",
    ] {
        let text = file(path);
        let names = names_in(&text);
        assert!(names.len() > 5, "{path}");
        let unknown = names.iter().find(|name| !shown.contains(&family(name)));
        assert_eq!(unknown, None, "in {path}");
    }
}

/// The names of our metrics in a text; those of recorded series hold a colon.
fn names_in(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let is_name = |word: &&str| word.starts_with("etl_") || word.starts_with("process_");
    words.filter(is_name).collect()
}

/// The family of a sample: a histogram's have suffixes.
fn family(name: &str) -> &str {
    let suffixes = ["_bucket", "_sum", "_count"];
    let stripped = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
    stripped.unwrap_or(name)
}
