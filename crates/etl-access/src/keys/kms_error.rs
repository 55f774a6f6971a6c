//! What a key at KMS did not do, sorted into what may pass by itself and what a person must mend.
//!
//! Invariant: no error holds what was encrypted or decrypted.

use std::error::Error;

use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use masking::KeysetError;

use super::kms::WrappingKey;

/// What KMS encrypts at most, in bytes.
const LARGEST: usize = 4096;

/// A key at KMS did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct KmsError {
    text: String,
    hint: Option<&'static str>,
    may_pass: bool,
    source: Option<KeysetError>,
}

impl KmsError {
    /// Whether it may pass by itself.
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    pub(super) fn of_call<E>(
        action: &str,
        key: &WrappingKey,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut why = match error {
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
        why.text = format!("failed to {action} with {key}: {}", why.text);
        why
    }

    pub(super) fn unusable(key: &WrappingKey, source: KeysetError) -> Self {
        Self {
            source: Some(source),
            ..mend(format!("what {key} decrypted is unusable"))
        }
    }

    pub(super) fn without_ciphertext(key: &WrappingKey) -> Self {
        wait(format!("{key} answered without a ciphertext"))
    }

    pub(super) fn check_length(bytes: usize) -> Result<(), Self> {
        if bytes <= LARGEST {
            return Ok(());
        }
        let text = format!("the keyset has {bytes} bytes, and KMS encrypts {LARGEST} at most");
        let hint =
            "destroy keys that are needed no more: `etl keyset destroy` drops their material";
        Err(mend(text).with_hint(hint))
    }

    fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// What a person must mend.
fn mend(text: String) -> KmsError {
    KmsError {
        text,
        hint: None,
        may_pass: false,
        source: None,
    }
}

/// What may pass by itself.
fn wait(text: String) -> KmsError {
    KmsError {
        may_pass: true,
        ..mend(text)
    }
}

/// Errors before a request was out: credentials are looked up there too.
fn no_request(causes: &str) -> KmsError {
    if causes.contains("credential") || causes.contains("identity") {
        // The first line names the cause, the others every place that was looked at.
        let cause = causes.lines().next().unwrap_or_default();
        let cause = cause.trim_start_matches("other: ").trim_end_matches(':');
        let text = format!("AWS credentials: none could be loaded ({cause})");
        mend(text).with_hint(CREDENTIALS)
    } else {
        unreachable(causes)
    }
}

fn unreachable(why: &str) -> KmsError {
    wait(format!("KMS cannot be reached: {why}")).with_hint(
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

fn refusal(code: &str, message: &str, status: u16) -> KmsError {
    if let Some((_, meaning, hint)) = REFUSALS.iter().find(|(start, ..)| code.starts_with(start)) {
        return mend(format!("{meaning} ({code})")).with_hint(hint);
    }
    let may_pass = status >= 500 || code.contains("Throttl") || code == "LimitExceededException";
    let text = format!("{code} {message} (HTTP status {status})");
    if may_pass {
        wait(text).with_hint("it may pass by itself: try again")
    } else {
        mend(text)
    }
}

/// An error with its causes, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_a_person_must_mend() {
        let usage = refusal(
            "AccessDeniedException",
            "User: arn:… is not authorized",
            400,
        );
        assert!(usage.hint.unwrap().contains("kms:Decrypt"), "{usage:?}");
        for (code, status, may_pass) in [
            ("AccessDeniedException", 400, false),
            ("KMSInvalidStateException", 400, false),
            ("ValidationException", 400, false),
            ("ThrottlingException", 400, true),
            ("KMSInternalException", 500, true),
            ("DependencyTimeoutException", 503, true),
        ] {
            assert_eq!(refusal(code, "", status).may_pass, may_pass, "{code}");
        }
    }

    #[test]
    fn a_keyset_that_kms_would_refuse_for_its_size_is_refused_with_what_helps() {
        assert!(KmsError::check_length(LARGEST).is_ok());
        let refused = KmsError::check_length(LARGEST + 1).unwrap_err();
        assert!(refused.to_string().contains("4097"), "{refused}");
        assert!(refused.hint().unwrap().contains("keyset destroy"));
    }
}
