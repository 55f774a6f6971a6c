//! What a test process leaves behind when it is killed: nothing.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use local_stack::{Postgres, Sqs};

const VICTIM: &str = "LOCAL_STACK_TEST_VICTIM";

/// Not a test of its own: the process that the next test kills.
#[test]
fn victim() {
    if std::env::var_os(VICTIM).is_none() {
        return;
    }
    let (postgres, sqs) = (Postgres::start_private(), Sqs::start_private());
    println!("\nports {} {}", postgres.port(), sqs.port());
    std::thread::park();
}

#[test]
fn the_servers_of_a_killed_process_end() {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::victim", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let ports = lines
        .find_map(|line| line.strip_prefix("ports ").map(str::to_owned))
        .unwrap();
    let ports: Vec<u16> = ports.split(' ').map(|port| port.parse().unwrap()).collect();
    assert!(ports.iter().all(|port| answers(*port)));
    victim.kill().unwrap();
    victim.wait().unwrap();
    // Not our children: nobody tells us when they end.
    let deadline = Instant::now() + Duration::from_secs(20);
    while ports.iter().any(|port| answers(*port)) {
        assert!(Instant::now() < deadline, "a server outlives its process");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
