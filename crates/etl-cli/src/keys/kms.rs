//! The key at AWS KMS that encrypts key files, named and used as Tink does it: it encrypts the binary keyset, with
//! empty associated data, for which Tink sends no encryption context.
//!
//! Invariant: no error holds what was encrypted or decrypted. A keyset in the clear is wiped here; what the SDK held
//! of it in buffers of its own is not.

use std::error::Error;
use std::str::FromStr;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::Client;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use masking::{EncryptedKeyset, Keyset, Pii};

use crate::failure::Failure;

const SCHEME: &str = "aws-kms://";
/// What KMS encrypts at most, in bytes.
const LARGEST: usize = 4096;
const CONNECT: Duration = Duration::from_secs(3);
const ATTEMPT: Duration = Duration::from_secs(5);
/// As long as a start waits for the queue and the database.
const IN_ALL: Duration = Duration::from_secs(10);

/// A key at AWS KMS, by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrappingKey {
    arn: String,
    region: String,
}

impl FromStr for WrappingKey {
    type Err = String;

    fn from_str(uri: &str) -> Result<Self, String> {
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
            _ => Err(
                "expected aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID, or alias/NAME in place of key/ID"
                    .to_owned(),
            ),
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
    pub(crate) fn uri(&self) -> String {
        format!("{SCHEME}{}", self.arn)
    }

    /// Asks KMS to decrypt a keyset.
    pub(crate) async fn open(&self, sealed: &EncryptedKeyset) -> Result<Keyset, Failure> {
        let request = self.client().await.decrypt();
        let answer = request
            .key_id(&self.arn)
            .ciphertext_blob(Blob::new(sealed.ciphertext()))
            .send()
            .await
            .map_err(|error| self.failed("decrypt", &error))?;
        let plain = Pii::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        Keyset::from_binary(plain.expose())
            .map_err(|error| Failure::usage(format!("what {self} decrypted is unusable: {error}")))
    }

    /// Asks KMS to encrypt a keyset.
    pub(crate) async fn seal(&self, keyset: &Keyset) -> Result<EncryptedKeyset, Failure> {
        let plain = keyset.to_binary();
        check_length(plain.expose().len())?;
        let request = self.client().await.encrypt();
        let answer = request
            .key_id(&self.arn)
            .plaintext(Blob::new(plain.expose().as_slice()))
            .send()
            .await
            .map_err(|error| self.failed("encrypt", &error))?;
        let ciphertext = answer.ciphertext_blob.map(Blob::into_inner);
        let ciphertext = ciphertext
            .ok_or_else(|| Failure::gave_up(format!("{self} answered without a ciphertext")))?;
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

    fn failed<E>(&self, action: &str, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failure = match error {
            SdkError::ServiceError(answer) => {
                let (code, message) = (answer.err().code(), answer.err().message());
                refusal(
                    code.unwrap_or_default(),
                    message.unwrap_or_default(),
                    answer.raw().status().as_u16(),
                )
            }
            SdkError::TimeoutError(_) => unreachable("no answer in time"),
            SdkError::DispatchFailure(failure) => {
                let cause = failure.as_connector_error();
                no_request(&cause.map_or_else(|| chain(error), |cause| chain(cause)))
            }
            other => no_request(&chain(other)),
        };
        failure.within(&format!("failed to {action} with {self}"))
    }
}

impl std::fmt::Display for WrappingKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the KMS key {}", self.arn)
    }
}

fn check_length(bytes: usize) -> Result<(), Failure> {
    if bytes <= LARGEST {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the keyset has {bytes} bytes, and KMS encrypts {LARGEST} at most"
    ))
    .hint("destroy keys that are needed no more: `etl keyset destroy` drops their material"))
}

/// Errors before a request was out: credentials are looked up there too.
fn no_request(causes: &str) -> Failure {
    if causes.contains("credential") || causes.contains("identity") {
        // The first line names the cause, the others every place that was looked at.
        let cause = causes.lines().next().unwrap_or_default();
        let cause = cause.trim_start_matches("other: ").trim_end_matches(':');
        Failure::usage(format!("AWS credentials: none could be loaded ({cause})")).hint(CREDENTIALS)
    } else {
        unreachable(causes)
    }
}

fn unreachable(why: &str) -> Failure {
    Failure::gave_up(format!("KMS cannot be reached: {why}")).hint(
        "check that the network lets this machine reach KMS in the key's region; AWS_ENDPOINT_URL_KMS names another address",
    )
}

const CREDENTIALS: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is attached";

/// What KMS says, by the beginning of its code: what it means, and what to do about it.
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>.
const REFUSALS: [(&str, &str, &str); 10] = [
    (
        "NotFound",
        "the key does not exist",
        "check --keyset-kek: region, account and id",
    ),
    (
        "IncorrectKey",
        "the keyset is encrypted with another key",
        "check --keyset-kek",
    ),
    (
        "InvalidCiphertext",
        "the file was altered, or not encrypted by this key with empty associated data",
        "take it from a copy, or check --keyset-kek",
    ),
    ("Disabled", "the key is disabled", "enable it in KMS"),
    (
        "KMSInvalidState",
        "the key cannot be used in its present state",
        "enable it in KMS; if it is to be deleted, cancel that",
    ),
    (
        "InvalidKeyUsage",
        "the key does not encrypt and decrypt",
        "--keyset-kek takes a symmetric key for encryption and decryption",
    ),
    (
        "AccessDenied",
        "access denied",
        "the identity needs kms:Decrypt on the key, and kms:Encrypt to make or change a key file",
    ),
    (
        "ExpiredToken",
        "the AWS credentials have expired",
        "renew the session, for instance with `aws sso login`",
    ),
    (
        "UnrecognizedClient",
        "the AWS credentials are not accepted",
        CREDENTIALS,
    ),
    (
        "InvalidSignature",
        "the AWS credentials are not accepted",
        CREDENTIALS,
    ),
];

fn refusal(code: &str, message: &str, status: u16) -> Failure {
    if let Some((_, meaning, hint)) = REFUSALS.iter().find(|(start, ..)| code.starts_with(start)) {
        return Failure::usage(format!("{meaning} ({code})")).hint(*hint);
    }
    let may_pass = status >= 500 || code.contains("Throttl") || code == "LimitExceededException";
    let text = format!("{code} {message} (HTTP status {status})");
    if may_pass {
        Failure::gave_up(text).hint("it may pass by itself: try again")
    } else {
        Failure::usage(text)
    }
}

/// An error with its causes, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = anyhow::Chain::new(error).map(ToString::to_string).collect();
    texts.join(": ")
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

    #[test]
    fn what_may_pass_is_told_from_what_a_person_must_mend() {
        let usage = refusal(
            "AccessDeniedException",
            "User: arn:… is not authorized",
            400,
        );
        assert!(usage.to_string().contains("kms:Decrypt"), "{usage}");
        for (code, status, exit) in [
            ("AccessDeniedException", 400, 2),
            ("KMSInvalidStateException", 400, 2),
            ("ValidationException", 400, 2),
            ("ThrottlingException", 400, 1),
            ("KMSInternalException", 500, 1),
            ("DependencyTimeoutException", 503, 1),
        ] {
            assert_eq!(refusal(code, "", status).code(), exit, "{code}");
        }
    }

    #[test]
    fn a_keyset_that_kms_would_refuse_for_its_size_is_refused_with_what_helps() {
        assert!(check_length(LARGEST).is_ok());
        let refused = check_length(LARGEST + 1).unwrap_err().to_string();
        assert!(
            refused.contains("4097") && refused.contains("keyset destroy"),
            "{refused}"
        );
    }
}
