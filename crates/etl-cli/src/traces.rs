//! Traces for an OpenTelemetry collector, where the standard variables name one: a span for each receive, write and
//! delete. In the feature `otel` only.

use std::env;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use tokio::runtime::Runtime;

use crate::failure::Failure;

const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// The exporter's own default.
const PATIENCE: Duration = Duration::from_secs(10);

/// Exports until it is dropped, and then what is left.
pub(crate) struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is away must not spoil how a run ends.
        drop(self.0.shutdown_with_timeout(PATIENCE));
    }
}

impl Traces {
    /// Of the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` or its variant for traces names; none without one, or where
    /// `OTEL_SDK_DISABLED` is true.
    pub(crate) fn from_environment() -> Result<Option<Self>, Failure> {
        let Some((name, endpoint)) = ENDPOINTS.iter().find_map(|name| set(name)) else {
            return Ok(None);
        };
        if set("OTEL_SDK_DISABLED").is_some_and(|(_, value)| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        if !endpoint.starts_with("http://") {
            return Err(
                Failure::usage(format!("{name} is not http://…: {endpoint}")).hint(
                    "name a collector beside the run, which speaks TLS to the rest of the world",
                ),
            );
        }
        let unusable = |error: String| Failure::usage(format!("{name} cannot be used: {error}"));
        let client = Client::start().map_err(|error| unusable(error.to_string()))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource());
        Ok(Some(Self(provider.build())))
    }

    /// What spans are handed to.
    pub(crate) fn tracer(&self) -> Tracer {
        self.0.tracer("etl")
    }
}

/// A variable with its value, where it has one.
fn set(name: &'static str) -> Option<(&'static str, String)> {
    let value = env::var(name).ok().filter(|value| !value.is_empty())?;
    Some((name, value))
}

/// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over the name.
fn resource() -> Resource {
    let resource = Resource::builder();
    match set("OTEL_SERVICE_NAME") {
        Some(_) => resource.build(),
        None => resource.with_service_name("etl").build(),
    }
}

/// The exporter works on a thread of its own, where no runtime is: this one brings it.
#[derive(Debug)]
struct Client {
    runtime: Runtime,
    hyper: HyperClient,
}

impl Client {
    fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let hyper = HyperClient::with_default_connector(PATIENCE, None);
        Ok(Self { runtime, hyper })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.hyper.clone();
        self.runtime
            .spawn(async move { client.send_bytes(request).await })
            .await?
    }
}
