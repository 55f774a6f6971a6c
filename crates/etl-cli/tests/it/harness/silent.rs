//! A server that takes connections and never says a word.

use std::net::{TcpListener, TcpStream};

use super::wait::until;

pub(crate) struct Silent(TcpListener);

impl Silent {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// In place of a service of AWS.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// In place of a database.
    pub(crate) fn database_url(&self) -> String {
        format!("postgres://etl@127.0.0.1:{}/logins", self.port())
    }

    /// Returns once somebody has connected, who waits until the answer is dropped.
    pub(crate) fn until_called(&self) -> TcpStream {
        let mut caller = None;
        until("somebody calls", || {
            caller = self.0.accept().ok();
            caller.is_some()
        });
        caller.unwrap().0
    }
}
