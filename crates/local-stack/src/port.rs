//! Free ports on the loopback, and telling whether one is taken.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

use crate::hint::hinted;

/// A port that nobody listens on now. Somebody else may take it before the server does: whoever asked starts again
/// with another.
pub(crate) fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Refuses a port that somebody else listens on, naming the option that chooses another.
pub(crate) fn demand_free(port: u16, option: &str) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(hinted(
            format_args!("port {port} on 127.0.0.1 is taken by another program"),
            format_args!("leave {option} out for a free one, or name another port"),
        )),
        Err(error) => Err(error).with_context(|| format!("failed to listen on port {port}")),
    }
}

/// Whether a server's last words say that its port was taken.
pub(crate) fn was_taken(log: &str) -> bool {
    log.contains("Address already in use")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_the_remedy() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = demand_free(port, "--port-sqs").unwrap_err().to_string();
        assert!(error.contains(&format!("port {port}")), "{error}");
        assert!(error.contains("hint: leave --port-sqs out"), "{error}");
    }

    #[test]
    fn a_free_port_can_be_listened_on() {
        assert!(demand_free(free_port().unwrap(), "--port-sqs").is_ok());
    }
}
