//! Pages of the server that a run starts with `--metrics-addr`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::program::Running;
use super::wait::{PATIENCE, until};

/// Where a running program serves its pages.
pub(crate) struct Pages {
    pub(crate) address: String,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Pages {
    /// Of a program that was told to serve at port 0 and says at which it does.
    pub(crate) fn of(running: &Running) -> Self {
        let line = running.line_logged("metrics.addr");
        // Text or JSON.
        let (_, rest) = line.split_once("metrics.addr").unwrap();
        let address = rest.trim_start_matches(['"', ':', '=']);
        let end = address.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
        Self {
            address: address[..end.unwrap_or(address.len())].to_owned(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Page {
        self.ask("GET", path)
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Page {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Page {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    /// The value of a sample, written as on the page.
    pub(crate) fn sample(&self, name: &str) -> f64 {
        self.get("/metrics").sample(name)
    }

    /// Returns once a sample has this value.
    pub(crate) fn until(&self, name: &str, value: f64) {
        let reached = || (self.sample(name) - value).abs() < f64::EPSILON;
        until(&format!("{name} is {value}"), reached);
    }

    /// Returns the answer of a page once it has this status.
    pub(crate) fn until_status(&self, path: &str, status: u16) -> Page {
        let mut page = None;
        until(&format!("{path} answers {status}"), || {
            let answer = self.get(path);
            let reached = answer.status == status;
            page = Some(answer);
            reached
        });
        page.unwrap()
    }
}

impl Page {
    /// The value of a sample; NaN where the page does not have it.
    pub(crate) fn sample(&self, name: &str) -> f64 {
        let mut lines = self.body.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(f64::NAN, |value| value.parse().unwrap())
    }

    /// The names of the families on a page of metrics, as its TYPE lines give them.
    pub(crate) fn families(&self) -> Vec<&str> {
        let types = self
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split(' ').next()).collect()
    }
}
