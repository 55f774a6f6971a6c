//! Log lines as JSON on stdout, from where Lambda takes them to CloudWatch.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// In this order: ours, any Rust program's, and the one that a function's own settings make.
const LEVELS: [&str; 3] = ["ETL_LOG_LEVEL", "RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"];

pub(crate) fn start() {
    let wanted = LEVELS.iter().find_map(|name| std::env::var(name).ok());
    // A level that cannot be read is no reason to leave messages unread.
    let filter = wanted
        .and_then(|wanted| EnvFilter::builder().parse(wanted.to_lowercase()).ok())
        .unwrap_or_else(|| EnvFilter::new("info"));
    let ours = filter_fn(etl_stages::may_speak).with_max_level_hint(LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_filter(filter.and(ours));
    tracing_subscriber::registry().with(lines).init();
}
