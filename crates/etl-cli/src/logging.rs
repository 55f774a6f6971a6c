//! Logs on stderr. Only this workspace's crates may speak below `warn`, whatever filter is asked for: the driver
//! of the database logs bind parameters and the SDK logs bodies, which are people's data.

use etl_stages::may_speak;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::{LogArguments, LogFormat};
use crate::failure::Failure;
use crate::terminal::{LogWriter, has_colour};

/// Where spans go besides, until it is dropped.
#[cfg(feature = "otel")]
type Traces = Option<crate::traces::Traces>;
#[cfg(not(feature = "otel"))]
type Traces = ();

pub(crate) fn start(arguments: &LogArguments) -> Result<Traces, Failure> {
    let wanted = std::env::var("RUST_LOG")
        .ok()
        .filter(|value| !value.is_empty());
    let wanted = wanted.unwrap_or_else(|| arguments.log_level.clone());
    let filter = EnvFilter::builder().parse(&wanted).map_err(|error| {
        Failure::usage(format!("--log-level cannot be read: {error}"))
            .hint("use error, warn, info, debug or trace")
    })?;
    // The hint spares the SDK's many spans a look at the filter.
    let filter = filter.and(filter_fn(is_line).with_max_level_hint(LevelFilter::TRACE));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| LogWriter)
        .with_ansi(has_colour());
    let layer = match arguments.log_format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let registry = tracing_subscriber::registry().with(layer.with_filter(filter));
    #[cfg(feature = "otel")]
    {
        let traces = crate::traces::Traces::from_environment()?;
        let spans = traces.as_ref().map(|traces| {
            let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer());
            let layer = layer.with_location(false).with_threads(false);
            layer.with_filter(filter_fn(is_milestone))
        });
        registry.with(spans).init();
        Ok(traces)
    }
    #[cfg(not(feature = "otel"))]
    {
        registry.init();
        Ok(())
    }
}

/// Each line reads alone: spans, which are for traces, do not go before it.
fn is_line(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && may_speak(metadata)
}

/// What a trace may hold: what a log may, without its details.
#[cfg(feature = "otel")]
fn is_milestone(metadata: &Metadata<'_>) -> bool {
    may_speak(metadata) && *metadata.level() <= LevelFilter::INFO
}
