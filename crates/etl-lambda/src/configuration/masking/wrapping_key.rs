//! The key at AWS KMS that encrypts a key file, named as Tink and `etl --keyset-kek` name it; what either encrypted opens
//! here. Only decrypts, with empty associated data.

use std::fmt;
use std::str::FromStr;

use anyhow::anyhow;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use masking::{EncryptedKeyset, Keyset, Pii};

/// A key at AWS KMS, by its ARN.
#[derive(Debug, Clone)]
pub(super) struct WrappingKey {
    arn: String,
    region: String,
}

impl FromStr for WrappingKey {
    type Err = anyhow::Error;

    fn from_str(uri: &str) -> anyhow::Result<Self> {
        let arn = uri.strip_prefix("aws-kms://").unwrap_or_default();
        let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
        let region = region
            .ok_or_else(|| anyhow!("expected aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID"))?;
        Ok(Self {
            arn: arn.to_owned(),
            region: region.to_owned(),
        })
    }
}

impl WrappingKey {
    /// Asks KMS to decrypt a keyset; what it answers is wiped here.
    pub(super) async fn open(&self, sealed: &EncryptedKeyset) -> anyhow::Result<Keyset> {
        // Pinned: another version may have other defaults. The region is the key's, whatever the function's is.
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()));
        let client = aws_sdk_kms::Client::new(&loader.load().await);
        let answer = client
            .decrypt()
            .key_id(&self.arn)
            .ciphertext_blob(Blob::new(sealed.ciphertext()))
            .send()
            .await
            .map_err(|error| {
                anyhow!("failed to decrypt the keyset with {self}: {}", why(&error))
            })?;
        let plain = Pii::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        Ok(Keyset::from_binary(plain.expose())?)
    }
}

/// The service's own code and words, where it answered.
fn why<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match (error, error.code(), error.message()) {
        (_, Some(code), message) => format!("{code} {}", message.unwrap_or_default()),
        (SdkError::TimeoutError(_), ..) => "no answer in time".to_owned(),
        _ => "KMS cannot be reached, or there are no credentials".to_owned(),
    }
}

impl fmt::Display for WrappingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the KMS key {}", self.arn)
    }
}
