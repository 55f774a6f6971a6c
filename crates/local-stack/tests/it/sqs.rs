//! The SQS server of the tests.

use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn the_shared_server_answers_on_the_loopback() {
    let server = local_stack::sqs();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
}
