//! A real SQS server for tests, `roto` from a Python wheel: in memory, on a private port, gone with the process.

pub(crate) mod client;
mod kms;
pub(crate) mod server;
mod wire;

use std::sync::OnceLock;

use anyhow::{Result, bail};

pub use self::client::SqsClient;
pub use self::kms::KmsClient;
use self::server::{READY, command_line, fetch};
use crate::guarded::{Care, Guarded};
use crate::hint::report;
use crate::home::ephemeral;
use crate::port;

/// The account in the path of every queue URL.
pub const ACCOUNT_ID: &str = "000000000000";
/// The region to sign for; queues of one region are not seen in another.
pub const REGION: &str = "us-east-1";
/// Any credentials do; these are they.
pub const ACCESS_KEY_ID: &str = "local";
/// Any credentials do; these are they.
pub const SECRET_ACCESS_KEY: &str = "local";

const ATTEMPTS: usize = 5;

/// A running server.
#[derive(Debug)]
pub struct Sqs {
    port: u16,
    server: Guarded,
}

/// The server that all tests of this process share; the first call starts it (about 0.1 s).
///
/// # Panics
/// If it cannot be started, with what to do about it.
pub fn sqs() -> &'static Sqs {
    static SHARED: OnceLock<Sqs> = OnceLock::new();
    SHARED.get_or_init(Sqs::start_private)
}

impl Sqs {
    /// A server of one's own; dropping it stops it.
    ///
    /// # Panics
    /// If it cannot be started, with what to do about it.
    pub fn start_private() -> Self {
        Self::try_start()
            .unwrap_or_else(|error| panic!("failed to start the SQS server: {}", report(&error)))
    }

    /// The same, and the trouble as a value.
    pub fn try_start() -> Result<Self> {
        let program = fetch()?;
        let folder = ephemeral("sqs")?;
        for _ in 0..ATTEMPTS {
            let port = port::free_port()?;
            match Guarded::start(&Care::simple(&folder, READY), &command_line(&program, port)) {
                Err(error) if port::was_taken(&format!("{error:#}")) => {}
                Err(error) => {
                    let _ = std::fs::remove_dir(&folder);
                    return Err(error);
                }
                Ok(server) => return Ok(Self { port, server }),
            }
        }
        bail!(
            "every one of {ATTEMPTS} free ports was taken by somebody else before the server had it"
        )
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a queue by its name.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT_ID}/{name}", self.endpoint())
    }

    /// Region and credentials as environment variables, for the programs that a test starts.
    pub fn environment() -> [(&'static str, &'static str); 3] {
        [
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY),
        ]
    }

    /// The last lines that the server printed.
    pub fn log(&self) -> String {
        self.server.log()
    }
}
