//! Runs a fault proxy until it is told to end.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::load_queue::until_told_to_end;
use crate::fault_proxy::{FaultProxy, Rule};
use crate::hint::hinted;

#[derive(Debug, Args)]
pub(crate) struct FaultProxyArguments {
    /// The SQS server behind it: http://127.0.0.1:PORT, or its port alone
    #[arg(long, value_name = "URL", value_parser = port_of)]
    upstream: u16,
    /// Port on 127.0.0.1 [default: a free one]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    port: u16,
    /// Another seed strikes others where a fault comes by chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What goes wrong when, as in `DeleteMessageBatch:fail-delete@1/13`; may be given more than once
    ///
    /// FAULT is one of latency=10ms, 500, 503, throttle, expired-token, reset-before, reset-after, truncate, hang,
    /// duplicate, fail-delete; WHEN one of always, 1/7, #3, 'first 5', 10%.
    #[arg(long = "fault", value_name = "[ACTION:]FAULT[@WHEN]")]
    faults: Vec<Rule>,
}

/// Prints the endpoint, serves until SIGINT or SIGTERM, then prints how often each fault struck as one JSON object.
pub(crate) fn run(arguments: FaultProxyArguments) -> Result<()> {
    let FaultProxyArguments {
        upstream,
        port,
        seed,
        faults,
    } = arguments;
    let proxy = FaultProxy::try_start(port, upstream, faults, seed)?;
    println!("{}", proxy.endpoint());
    until_told_to_end()?;
    println!("{}", json!(proxy.struck()));
    Ok(())
}

/// Servers elsewhere are not for trying faults on.
fn port_of(text: &str) -> Result<u16> {
    let address = text
        .strip_prefix("http://")
        .unwrap_or(text)
        .trim_end_matches('/');
    let port = ["127.0.0.1:", "localhost:"]
        .iter()
        .find_map(|host| address.strip_prefix(host))
        .unwrap_or(address);
    let refused = || {
        hinted(
            format_args!("{text:?} is no server on this machine"),
            "write http://127.0.0.1:PORT",
        )
    };
    port.parse().map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_on_this_machine_stand_behind_the_proxy() {
        assert_eq!(port_of("http://127.0.0.1:5070/").unwrap(), 5070);
        assert_eq!(port_of("5070").unwrap(), 5070);
        assert!(port_of("https://sqs.us-east-1.amazonaws.com").is_err());
    }
}
