//! The connections of the proxy: each request is judged, then answered here or passed on.

use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::plan::Plan;
use super::refusal;
use super::rewrite::{Duplicates, add_failed, restore_handles, take_failing, with_old_date};
use super::rule::Fault;
use crate::http::{Connection, Frame, header, with_body};

/// What all connections share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    upstream: u16,
    plan: Arc<Mutex<Plan>>,
    duplicates: Arc<Mutex<Duplicates>>,
}

/// What the client sees of its request.
enum Outcome {
    Answer(Vec<u8>),
    LastAnswer(Vec<u8>),
    Reset,
}

/// An answer in place of an upstream's, where there is nothing to ask it for.
const OWN_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n\r\n";

impl Shared {
    pub(crate) fn new(upstream: u16, plan: Plan) -> Self {
        Self {
            upstream,
            plan: Arc::new(Mutex::new(plan)),
            duplicates: Arc::default(),
        }
    }

    /// Held for microseconds and never across an await.
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = self.clone();
            // A client that goes away is its own affair.
            tokio::spawn(async move { shared.converse(stream).await });
        }
    }

    async fn converse(self, stream: TcpStream) -> io::Result<()> {
        let mut client = Connection::new(stream)?;
        let mut upstream = None;
        while let Some(frame) = client.next().await? {
            let head = client.head(frame);
            let target = header(head, "x-amz-target").unwrap_or_default();
            let action = target
                .strip_prefix("AmazonSQS.")
                .unwrap_or(target)
                .to_owned();
            let last = header(head, "connection") == Some("close");
            let verdict = self.plan().judge(&action);
            sleep(verdict.latency).await;
            match self
                .deal_with(verdict.fault, &action, &client, frame, &mut upstream)
                .await?
            {
                Outcome::Answer(answer) => client.write(&answer).await?,
                Outcome::LastAnswer(answer) => return client.write(&answer).await,
                Outcome::Reset => return client.reset(),
            }
            if last {
                break;
            }
            client.release(frame);
        }
        Ok(())
    }

    async fn deal_with(
        &self,
        fault: Option<Fault>,
        action: &str,
        client: &Connection,
        frame: Frame,
        upstream: &mut Option<Connection>,
    ) -> io::Result<Outcome> {
        match fault {
            Some(Fault::ResetBefore) => return Ok(Outcome::Reset),
            Some(Fault::Hang) => {
                client.closed().await;
                return Ok(Outcome::Reset);
            }
            _ => {}
        }
        if let Some(refused) = fault.and_then(refusal::answer) {
            return Ok(Outcome::Answer(refused));
        }
        let mut answer = self.pass_on(action, client, frame, upstream).await?;
        Ok(match fault {
            Some(Fault::ResetAfter) => Outcome::Reset,
            Some(Fault::Truncate) => {
                answer.truncate(middle_of_body(&answer));
                Outcome::LastAnswer(answer)
            }
            Some(Fault::OldDate) => Outcome::Answer(with_old_date(&answer)?),
            _ => Outcome::Answer(answer),
        })
    }

    /// The upstream's answer, changed where the plan says so.
    async fn pass_on(
        &self,
        action: &str,
        client: &Connection,
        frame: Frame,
        upstream: &mut Option<Connection>,
    ) -> io::Result<Vec<u8>> {
        let ask = Ask {
            shared: self,
            client,
            frame,
        };
        let [duplicate, fail] = {
            let plan = self.plan();
            [Fault::Duplicate, Fault::FailDelete].map(|fault| plan.has(fault))
        };
        match action {
            "ReceiveMessage" if duplicate => ask.receive(upstream).await,
            "DeleteMessageBatch" if duplicate || fail => ask.delete(upstream).await,
            "DeleteMessage" if fail && self.plan().strikes(Fault::FailDelete, action) => {
                Ok(refusal::answer(Fault::InternalError).unwrap_or_default())
            }
            "DeleteMessage" | "ChangeMessageVisibility" | "ChangeMessageVisibilityBatch"
                if duplicate =>
            {
                let mut request = ask.request()?;
                restore_handles(&mut request);
                ask.exchange(&ask.rewritten(&request), upstream).await
            }
            _ => ask.exchange(client.whole(frame), upstream).await,
        }
    }
}

/// One request on its way.
struct Ask<'a> {
    shared: &'a Shared,
    client: &'a Connection,
    frame: Frame,
}

impl Ask<'_> {
    async fn receive(&self, upstream: &mut Option<Connection>) -> io::Result<Vec<u8>> {
        let mut request = self.request()?;
        let wanted = request["MaxNumberOfMessages"].as_u64().unwrap_or(1);
        let (copies, left) = self.duplicates().take_for(&mut request);
        let answer = if left > 0 {
            self.exchange(&self.rewritten(&request), upstream).await?
        } else {
            with_body(OWN_HEAD, b"{}")
        };
        let (head, body) = split(&answer)?;
        let mut value = parse(body)?;
        if value["__type"].is_null() {
            let (mut duplicates, mut plan) = (self.duplicates(), self.shared.plan());
            duplicates.mix_into(&mut value, copies, &mut plan);
            duplicates.fill(&mut value, wanted);
        }
        Ok(with_body(head, value.to_string().as_bytes()))
    }

    async fn delete(&self, upstream: &mut Option<Connection>) -> io::Result<Vec<u8>> {
        let mut request = self.request()?;
        restore_handles(&mut request);
        let failed = take_failing(&mut request, &mut self.shared.plan());
        let is_empty = request["Entries"].as_array().is_none_or(Vec::is_empty);
        let answer = if is_empty && !failed.is_empty() {
            with_body(OWN_HEAD, b"{}")
        } else {
            self.exchange(&self.rewritten(&request), upstream).await?
        };
        let (head, body) = split(&answer)?;
        let mut value = parse(body)?;
        if value["__type"].is_null() {
            add_failed(&mut value, failed);
        }
        Ok(with_body(head, value.to_string().as_bytes()))
    }

    /// Sends to the upstream and waits for its answer; gives up when the client does.
    async fn exchange(
        &self,
        request: &[u8],
        upstream: &mut Option<Connection>,
    ) -> io::Result<Vec<u8>> {
        let mut connection = match upstream.take() {
            Some(connection) => connection,
            None => Connection::new(
                TcpStream::connect((Ipv4Addr::LOCALHOST, self.shared.upstream)).await?,
            )?,
        };
        connection.write(request).await?;
        let answered = tokio::select! {
            answered = connection.next() => answered?,
            () = self.client.closed() => None,
        };
        let frame = answered.ok_or(ErrorKind::ConnectionAborted)?;
        let answer = connection.whole(frame).to_vec();
        connection.release(frame);
        *upstream = Some(connection);
        Ok(answer)
    }

    fn request(&self) -> io::Result<Value> {
        parse(self.client.body(self.frame))
    }

    fn rewritten(&self, request: &Value) -> Vec<u8> {
        with_body(self.client.head(self.frame), request.to_string().as_bytes())
    }

    fn duplicates(&self) -> MutexGuard<'_, Duplicates> {
        self.shared
            .duplicates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(body: &[u8]) -> io::Result<Value> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(io::Error::from)
}

fn split(answer: &[u8]) -> io::Result<(&[u8], &[u8])> {
    let head = memchr::memmem::find(answer, b"\r\n\r\n").ok_or(ErrorKind::InvalidData)?;
    Ok(answer.split_at(head + 4))
}

fn middle_of_body(answer: &[u8]) -> usize {
    split(answer).map_or(0, |(head, body)| head.len() + body.len() / 2)
}
