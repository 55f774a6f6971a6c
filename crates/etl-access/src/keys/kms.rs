//! The key at AWS KMS that encrypts key files, named and used as Tink does it: it encrypts the binary keyset, with
//! empty associated data, for which Tink sends no encryption context.
//!
//! Invariant: no error holds what was encrypted or decrypted. A keyset in the clear is wiped here; what the SDK held
//! of it in buffers of its own is not.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use masking::{EncryptedKeyset, Keyset, Pii};

use super::kms_error::KmsError;

const SCHEME: &str = "aws-kms://";
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(5);
/// As long as a start waits for the queue and the database.
const IN_ALL: Duration = Duration::from_secs(10);

/// A key at AWS KMS, by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappingKey {
    arn: String,
    region: String,
}

/// What was to name a key at AWS KMS does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID, or alias/NAME in place of key/ID")]
pub struct NoKey;

impl FromStr for WrappingKey {
    type Err = NoKey;

    fn from_str(uri: &str) -> Result<Self, NoKey> {
        let arn = uri.strip_prefix(SCHEME).unwrap_or_default();
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts[..] {
            ["arn", partition, "kms", region, account, resource]
                if partition.starts_with("aws")
                    && !region.is_empty()
                    && !account.is_empty()
                    && is_key(resource) =>
            {
                Ok(Self {
                    arn: arn.to_owned(),
                    region: region.to_owned(),
                })
            }
            _ => Err(NoKey),
        }
    }
}

fn is_key(resource: &str) -> bool {
    let name = resource
        .strip_prefix("key/")
        .or(resource.strip_prefix("alias/"));
    name.is_some_and(|name| !name.is_empty())
}

impl WrappingKey {
    /// Its name on the command line.
    pub fn uri(&self) -> String {
        format!("{SCHEME}{}", self.arn)
    }

    /// Asks KMS to decrypt a keyset.
    pub async fn open(&self, sealed: &EncryptedKeyset) -> Result<Keyset, KmsError> {
        let request = self.client().await.decrypt();
        let answer = request
            .key_id(&self.arn)
            .ciphertext_blob(Blob::new(sealed.ciphertext()))
            .send()
            .await
            .map_err(|error| KmsError::of_call("decrypt", self, &error))?;
        let plain = Pii::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        Keyset::from_binary(plain.expose()).map_err(|source| KmsError::unusable(self, source))
    }

    /// Asks KMS to encrypt a keyset.
    pub async fn seal(&self, keyset: &Keyset) -> Result<EncryptedKeyset, KmsError> {
        let plain = keyset.to_binary();
        KmsError::check_length(plain.expose().len())?;
        let request = self.client().await.encrypt();
        let answer = request
            .key_id(&self.arn)
            .plaintext(Blob::new(plain.expose().as_slice()))
            .send()
            .await
            .map_err(|error| KmsError::of_call("encrypt", self, &error))?;
        let ciphertext = answer.ciphertext_blob.map(Blob::into_inner);
        let ciphertext = ciphertext.ok_or_else(|| KmsError::without_ciphertext(self))?;
        Ok(EncryptedKeyset::from_ciphertext(ciphertext, keyset))
    }

    /// Credentials as every AWS tool finds them; the region is the key's, whatever the environment says.
    async fn client(&self) -> Client {
        let time_outs = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(IN_ALL)
            .build();
        // Pinned: another version may have other defaults.
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .retry_config(RetryConfig::standard())
            .timeout_config(time_outs);
        Client::new(&loader.load().await)
    }
}

impl fmt::Display for WrappingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the KMS key {}", self.arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn a_key_is_named_as_tink_names_it_and_brings_its_region() {
        let key: WrappingKey = format!("{SCHEME}{ARN}").parse().unwrap();
        assert_eq!((key.arn.as_str(), key.region.as_str()), (ARN, "eu-west-1"));
        for others in [
            "aws-kms://arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234",
            "aws-kms://arn:aws:kms:eu-west-1:111122223333:alias/etl/keys",
        ] {
            assert!(others.parse::<WrappingKey>().is_ok(), "{others}");
        }
    }

    #[test]
    fn what_names_no_key_is_refused() {
        for text in [
            "",
            ARN,
            "aws-kms://",
            "gcp-kms://projects/p",
            "aws-kms://1234abcd-12ab-34cd-56ef-1234567890ab",
            "aws-kms://arn:aws:sqs:eu-west-1:111122223333:key/1",
            "aws-kms://arn:aws:kms::111122223333:key/1",
            "aws-kms://arn:aws:kms:eu-west-1::key/1",
            "aws-kms://arn:aws:kms:eu-west-1:111122223333:key/",
            "aws-kms://arn:aws:kms:eu-west-1:111122223333",
        ] {
            assert!(text.parse::<WrappingKey>().is_err(), "{text}");
        }
    }
}
