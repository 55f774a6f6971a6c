//! Where a run shows its figures and its health.

/// Who may look
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Observing")]
pub(crate) struct ObservingArguments {
    /// Where a run serves /metrics for Prometheus, /healthz and /readyz, such as 127.0.0.1:9464; nowhere unless given
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port, env = "ETL_METRICS_ADDR")]
    pub(crate) metrics_addr: Option<String>,
}

fn host_and_port(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or_default();
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err("expected an address and a port, such as 127.0.0.1:9464".to_owned());
    }
    Ok(text.to_owned())
}
