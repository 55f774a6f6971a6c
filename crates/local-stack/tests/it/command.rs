//! The long-running commands: their first line, their end on SIGTERM, their last line.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use local_stack::SqsClient;
use serde_json::{Value, json};

struct Server {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    endpoint: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-stack"));
        let mut process = command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let endpoint = lines.next().expect("a first line").expect("text");
        Self {
            process,
            lines,
            endpoint,
        }
    }

    fn client(&self) -> SqsClient {
        let port = self.endpoint.rsplit(':').next().expect("a port");
        SqsClient::new(port.parse().expect("a number"))
    }

    /// The last line, after SIGTERM.
    fn end(mut self) -> Value {
        let kill = format!("kill -TERM {}", self.process.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .expect("sh runs")
                .success()
        );
        let last = self.lines.next().expect("a last line").expect("text");
        assert!(self.process.wait().expect("it ends").success());
        serde_json::from_str(&last).expect("JSON")
    }
}

#[test]
fn a_load_queue_behind_a_fault_proxy_serves_and_counts() {
    let queue = Server::start(&[
        "load-queue",
        "--messages",
        "3",
        "--dead-letter",
        "login-queue-dlq",
    ]);
    let faults = ["--fault", "ReceiveMessage:503@#1", "--fault", "latency=1ms"];
    let proxy =
        Server::start(&[&["fault-proxy", "--upstream", &queue.endpoint], &faults[..]].concat());
    let input =
        json!({ "QueueUrl": "http://any/000000000000/login-queue", "MaxNumberOfMessages": 10 });
    let refused = proxy
        .client()
        .call("ReceiveMessage", &input)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("ServiceUnavailable"), "{refused}");
    let answer = proxy.client().call("ReceiveMessage", &input).unwrap();
    assert_eq!(answer["Messages"].as_array().unwrap().len(), 3);
    assert_eq!(proxy.end(), json!({ "503": 1, "latency": 2 }));
    assert_eq!(queue.end()["received"], 3);
}
