//! The program in an execution environment: the variables that Lambda sets, ours, and nothing else.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use local_stack::{Sqs, sqs};
use serde_json::Value;

use super::database::Database;
use super::runtime_api::{Answer, RuntimeApi};

/// A started function; it is killed when dropped, as Lambda does.
pub(crate) struct Function {
    child: Child,
    api: RuntimeApi,
    log: Option<JoinHandle<String>>,
}

impl Function {
    pub(crate) fn on(database: &Database) -> Self {
        Self::with(&[("DATABASE_URL", &database.url())])
    }

    /// With these variables beside the usual; an empty one takes a usual one away.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start();
        let mut command = Command::new(env!("CARGO_BIN_EXE_etl-lambda"));
        command
            .env_clear()
            .envs(Sqs::environment())
            .env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{}", api.port))
            .env("AWS_LAMBDA_FUNCTION_NAME", "etl")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("ETL_ENDPOINT_URL", sqs().endpoint())
            .env("ETL_MASKING", "base64")
            .envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        Self {
            child,
            api,
            log: Some(log),
        }
    }

    pub(crate) fn invoke(&self, event: Value) -> Answer {
        self.api.invoke(event)
    }

    /// Ends it, and gives all that it logged.
    pub(crate) fn log(mut self) -> String {
        self.child.kill().unwrap();
        self.log.take().unwrap().join().unwrap()
    }

    /// Waits for an end that it finds itself: whether that was a good one, and what it logged.
    pub(crate) fn end(mut self) -> (bool, String) {
        let status = self.child.wait().unwrap();
        (status.success(), self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
