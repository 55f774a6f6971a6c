//! The HTTP server: three pages, read only, one request a connection.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sqs_reader::Transport;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::board::Board;
use super::health::Verdict;
use super::process;
use super::watch::watch;
use crate::failure::Failure;
use crate::pipeline::{Pipeline, Store};

/// More callers than an orchestrator and a few Prometheus servers wait until one is done.
const CONNECTIONS: usize = 32;
/// A caller who takes longer is let go, so that none can hold a connection.
const PATIENCE: Duration = Duration::from_secs(10);
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(100);

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// Serves until dropped.
pub(crate) struct Server {
    board: Arc<Board>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps an eye on queue and database until dropped.
pub(crate) struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Server {
    /// Listens at `address` from now on; the pages say that the run is starting.
    pub(crate) async fn start(address: &str) -> Result<Self, Failure> {
        process::note_start();
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| cannot_listen(address, &error))?;
        if let Ok(bound) = listener.local_addr() {
            tracing::info!(metrics.addr = %bound, "serving /metrics, /healthz and /readyz");
        }
        let board = Arc::new(Board::default());
        let task = tokio::spawn(accept(listener, Arc::clone(&board)));
        Ok(Self { board, task })
    }

    /// From now on the pages speak of this pipeline.
    pub(crate) fn show<T: Transport, S: Store>(
        &self,
        pipeline: &Arc<Pipeline<T, S>>,
        is_queue: bool,
    ) -> Watch {
        self.board.show(Arc::<Pipeline<T, S>>::clone(pipeline));
        let board = Arc::clone(&self.board);
        Watch(tokio::spawn(watch(Arc::clone(pipeline), board, is_queue)))
    }
}

fn cannot_listen(address: &str, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::AddrInUse => "another process listens there: choose another port",
        ErrorKind::PermissionDenied => "ports below 1024 are for root: choose a higher one",
        _ => "give an address of this machine, such as 127.0.0.1:9464 or 0.0.0.0:9464",
    };
    Failure::usage(format!(
        "--metrics-addr: cannot listen on {address}: {error}"
    ))
    .hint(hint)
}

async fn accept(listener: TcpListener, board: Arc<Board>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, mostly: without a pause the loop would spin.
            tokio::time::sleep(AFTER_A_FAILED_ACCEPT).await;
            continue;
        };
        let board = Arc::clone(&board);
        tokio::spawn(async move {
            serve(stream, board).await;
            drop(place);
        });
    }
}

async fn serve(stream: TcpStream, board: Arc<Board>) {
    let pages = service_fn(move |request: Request<Incoming>| {
        let response = answer(&board, request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), pages);
    // A caller who hangs up, is late or speaks no HTTP is no concern of ours.
    drop(tokio::time::timeout(PATIENCE, connection).await);
}

fn answer(board: &Board, method: &Method, path: &str) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut refusal = page(StatusCode::METHOD_NOT_ALLOWED, PLAIN_TEXT, String::new());
        refusal
            .headers_mut()
            .insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match path {
        "/metrics" => page(StatusCode::OK, PROMETHEUS_TEXT, board.metrics()),
        "/healthz" => verdict(board.is_alive()),
        "/readyz" => verdict(board.is_ready()),
        _ => {
            let pages = "/metrics\n/healthz\n/readyz\n".to_owned();
            page(StatusCode::NOT_FOUND, PLAIN_TEXT, pages)
        }
    }
}

fn verdict(verdict: Verdict) -> Response<Full<Bytes>> {
    let status = if verdict.is_good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    page(status, PLAIN_TEXT, verdict.text)
}

fn page(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let content_type = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
