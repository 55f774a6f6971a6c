//! What Prometheus itself thinks of the page, the rules and the dashboard: its linter, its rule tests, and a server
//! that scrapes. Where it is not installed the tests say so and check nothing, unless `ETL_TESTS_REQUIRE_PROMETHEUS`
//! is set, as CI does once it has installed it.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::{Etl, Pages, events, stage, until};

/// Answers whether a tool of Prometheus's can be run.
fn is_installed(tool: &str) -> bool {
    let silent = || Stdio::null();
    let mut version = Command::new(tool);
    let version = version.arg("--version").stdout(silent()).stderr(silent());
    let found = version.status().is_ok_and(|status| status.success());
    let required = std::env::var_os("ETL_TESTS_REQUIRE_PROMETHEUS").is_some();
    assert!(found || !required, "{tool} is required and not installed");
    if !found {
        eprintln!("{tool} is not installed (Debian: apt-get install prometheus): NOT CHECKED");
    }
    found
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/observability")
}

/// Runs promtool in the folder of the rules, with `input` on its stdin.
fn promtool(arguments: &[&str], input: &str) {
    let mut child = Command::new("promtool")
        .args(arguments)
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn the_page_passes_the_linter() {
    if !is_installed("promtool") {
        return;
    }
    let (queue, database) = stage();
    queue.send(&events(3));
    let running = Etl::run(&queue, &database)
        .args(["--follow", "--metrics-addr", "127.0.0.1:0"])
        .start();
    let pages = Pages::of(&running);
    pages.until("etl_messages_deleted_total", 3.0);
    pages.until("etl_dependency_up{dependency=\"queue\"}", 1.0);
    promtool(&["check", "metrics"], &pages.get("/metrics").body);
}

#[test]
fn the_rules_and_the_configuration_pass_and_each_alert_fires_when_it_should() {
    if !is_installed("promtool") {
        return;
    }
    promtool(&["check", "config", "prometheus.yml"], "");
    promtool(&["check", "rules", "alerts.yml"], "");
    promtool(&["test", "rules", "alerts_test.yml"], "");
}

#[test]
fn every_query_of_the_dashboard_is_one() {
    if !is_installed("promtool") {
        return;
    }
    let text = std::fs::read_to_string(folder().join("grafana/etl.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let queries = targets.map(|target| target["expr"].as_str().unwrap());
    let queries: Vec<String> = queries
        .map(|query| query.replace("$__rate_interval", "5m"))
        .collect();
    assert!(queries.len() > 20, "{queries:?}");
    let rule = |(number, query): (usize, &String)| serde_json::json!({ "record": format!("query_{number}"), "expr": query });
    let rules: Vec<Value> = queries.iter().enumerate().map(rule).collect();
    let rules = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yml");
    std::fs::write(&path, rules.to_string()).unwrap();
    promtool(&["check", "rules", path.to_str().unwrap()], "");
}

/// A server that is killed at the end of the test.
struct Prometheus {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Prometheus {
    fn scraping(target: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let rules = folder().join("alerts.yml").canonicalize().unwrap();
        let configuration = serde_json::json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": [rules],
            "scrape_configs": [{ "job_name": "etl", "static_configs": [{ "targets": [target] }] }],
        });
        let path = data.path().join("prometheus.yml");
        std::fs::write(&path, configuration.to_string()).unwrap();
        let address = free_address();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                data.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            address,
            _folder: data,
        }
    }

    /// The `data` of an answer; null while there is none.
    fn ask(&self, path: &str) -> Value {
        if std::net::TcpStream::connect(&self.address).is_err() {
            return Value::Null;
        }
        let pages = Pages {
            address: self.address.clone(),
        };
        let page = pages.get(path);
        let answer: Value = serde_json::from_str(&page.body).unwrap_or_default();
        answer["data"].clone()
    }

    /// The value of the only series that a query finds.
    fn value(&self, query: &str) -> Option<String> {
        let data = self.ask(&format!("/api/v1/query?query={query}"));
        data["result"][0]["value"][1].as_str().map(str::to_owned)
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_real_server_scrapes_the_page_and_can_evaluate_every_rule() {
    if !is_installed("prometheus") {
        return;
    }
    let (queue, database) = stage();
    queue.send(&events(30));
    let running = Etl::run(&queue, &database)
        .args(["--follow", "--metrics-addr", "127.0.0.1:0"])
        .start();
    let prometheus = Prometheus::scraping(&Pages::of(&running).address);
    until("30 rows are scraped", || {
        prometheus.value("etl_rows_written_total").as_deref() == Some("30")
    });
    assert_eq!(prometheus.value("up").as_deref(), Some("1"));
    let rules = || {
        let groups = prometheus.ask("/api/v1/rules")["groups"].clone();
        let groups = groups.as_array().cloned().unwrap_or_default();
        groups
            .iter()
            .flat_map(|group| group["rules"].as_array().cloned().unwrap())
            .collect::<Vec<_>>()
    };
    let evaluated = |rules: &[Value]| rules.iter().all(|rule| rule["health"] != "unknown");
    until("every rule was evaluated", || {
        !rules().is_empty() && evaluated(&rules())
    });
    let failing: Vec<Value> = rules()
        .into_iter()
        .filter(|rule| rule["health"] != "ok")
        .collect();
    assert!(failing.is_empty(), "{failing:?}");
}
