//! Keys at the KMS that the SQS server also is. It checks the key, its state, the context and the lengths as AWS does;
//! what it calls a ciphertext is a mere encoding, so nothing may be concluded from how that looks.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::wire::Service;

const KMS: Service = Service {
    target: "TrentService",
    scope: "kms",
};

/// A client of a server on this machine.
#[derive(Clone, Debug)]
pub struct KmsClient {
    port: u16,
}

impl KmsClient {
    /// Of the server on this port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// Calls `action` and returns the answer's object; an error carries the server's own words.
    pub fn call(&self, action: &str, input: &Value) -> Result<Value> {
        KMS.call(self.port, action, input)
    }

    /// Makes a symmetric key and returns its ARN.
    pub fn create_key(&self) -> Result<String> {
        let answer = self.call("CreateKey", &json!({}))?;
        let arn = answer["KeyMetadata"]["Arn"].as_str();
        arn.map(str::to_owned).context("no Arn in the answer")
    }
}
