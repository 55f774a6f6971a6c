//! `etl healthcheck`: asks the `/healthz` of an `etl run` on this machine, so that a container needs no other program
//! to do it.

use std::process::ExitCode;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::arguments::ObservingArguments;
use crate::failure::Failure;

const PATIENCE: Duration = Duration::from_secs(5);

/// Exits 0 where the run is well and 1 where it is not, or does not answer.
pub(crate) async fn healthcheck(arguments: &ObservingArguments) -> Result<ExitCode, Failure> {
    let address = arguments.metrics_addr.as_deref().ok_or_else(|| {
        Failure::usage("no address to ask")
            .hint("give the run and this command the same ETL_METRICS_ADDR or --metrics-addr")
    })?;
    let asked = tokio::time::timeout(PATIENCE, ask(address)).await;
    let (status, text) = asked
        .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {PATIENCE:?}")))
        .map_err(|error| Failure::gave_up(format!("{address}: {error:#}")))?;
    if status != StatusCode::OK {
        return Err(Failure::gave_up(format!("{address}: {}", text.trim_end())));
    }
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

async fn ask(address: &str) -> anyhow::Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/healthz")
        .header(HOST, address)
        .body(Empty::<Bytes>::new())?;
    let answer = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        anyhow::Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    let (answer, _) = tokio::join!(answer, connection);
    answer
}
