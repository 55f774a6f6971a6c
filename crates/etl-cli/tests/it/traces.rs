//! Traces reach the collector that the standard variables name, and hold no value.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::{Etl, Event, events, stage};

/// Takes what is posted to it, and says that all is well.
struct Collector {
    address: String,
    requests: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::<Mutex<Vec<u8>>>::default();
        let taken = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let request = take_request(&mut stream.unwrap());
                taken.lock().unwrap().extend(request);
            }
        });
        Self { address, requests }
    }

    fn has(&self, text: &str) -> bool {
        let requests = self.requests.lock().unwrap();
        requests
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// One request whole, answered.
fn take_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&request) {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the exporter hung up");
        request.extend(&chunk[..read]);
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).unwrap();
    request
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap().parse().unwrap();
    request.len() >= head.len() + 4 + length
}

#[test]
fn a_drain_tells_the_collector_what_it_did_and_no_value() {
    let collector = Collector::start();
    let (queue, database) = stage();
    queue.send(&events(5));
    queue.send(&[Event(90).without("locale")]);
    let summary = Etl::run(&queue, &database)
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("http://{}", collector.address),
        )
        .env("OTEL_SERVICE_NAME", "logins-of-today")
        .summary();
    assert_eq!(summary.counts(), [6, 5, 0, 1, 0]);
    for told in [
        "POST /v1/traces",
        "logins-of-today",
        "receive",
        "write",
        "delete",
        "rows.count",
    ] {
        assert!(collector.has(told), "no {told}");
    }
    for number in [0, 4, 90] {
        let event = Event(number);
        for value in [event.user_id(), event.ip(), event.device_id()] {
            assert!(!collector.has(&value), "{value}");
        }
    }
}

#[test]
fn a_collector_that_is_away_or_behind_tls_spoils_nothing_unsaid() {
    let (queue, database) = stage();
    queue.send(&events(2));
    let to =
        |endpoint: &str| Etl::run(&queue, &database).env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    assert_eq!(to("http://127.0.0.1:1").summary().get("written"), 2);
    let refused = to("https://collector.example").output();
    refused.assert_refused(
        2,
        &[
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "hint: name a collector beside the run",
        ],
    );
}
