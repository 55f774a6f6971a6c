//! Lambda's runtime API, version 2018-06-01, as a function sees it: it asks for the next invocation and posts an answer
//! or an error. Source: AWS, "Using the Lambda runtime API for custom runtimes".

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;

/// How long an invocation may take, by its deadline.
const TIME: Duration = Duration::from_secs(30);

/// What a function made of an invocation.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Value),
    Error(Value),
}

/// A running API; its function is told of no end.
pub(crate) struct RuntimeApi {
    pub(crate) port: u16,
    events: Sender<Value>,
    answers: Receiver<Answer>,
}

impl RuntimeApi {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (events, waiting) = channel();
        let (answering, answers) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (waiting, answering) = (Arc::clone(&waiting), answering.clone());
                std::thread::spawn(move || serve(&stream.unwrap(), &waiting, &answering));
            }
        });
        Self {
            port,
            events,
            answers,
        }
    }

    pub(crate) fn invoke(&self, event: Value) -> Answer {
        self.events.send(event).unwrap();
        self.answers.recv_timeout(TIME).unwrap()
    }
}

fn serve(stream: &TcpStream, events: &Mutex<Receiver<Value>>, answers: &Sender<Answer>) {
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = request(&mut reader) {
        let value = || serde_json::from_slice(&body).unwrap();
        let is_open = match path.rsplit('/').next().unwrap() {
            "next" => match events.lock().unwrap().recv() {
                Ok(event) => answer(stream, "200 OK", &event.to_string()),
                Err(_) => false,
            },
            "response" => {
                answers.send(Answer::Response(value())).is_ok() && answer(stream, ACCEPTED, "")
            }
            "error" => answers.send(Answer::Error(value())).is_ok() && answer(stream, ACCEPTED, ""),
            other => panic!("the runtime API has no {other}"),
        };
        if !is_open {
            return;
        }
    }
}

const ACCEPTED: &str = "202 Accepted";

/// The path and the body of the next request.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1).unwrap().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some((path, body))
}

fn answer(mut stream: &TcpStream, status: &str, body: &str) -> bool {
    let deadline = SystemTime::now() + TIME;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 8476a536\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\nLambda-Runtime-Trace-Id: Root=1-5bef4de7\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:etl\r\n\
         Content-Length: {}\r\n\r\n{body}",
        deadline.as_millis(),
        body.len(),
    );
    stream.write_all(text.as_bytes()).is_ok()
}
