//! What goes wrong between here and SQS, sorted by what helps: wait, or ask a person, who is told what to mend.

use std::error::Error;

use aws_config::imds::client::error::TokenError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

/// Why a call to the queue failed. No text in here holds a body or a key.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no such queue where we looked.
    #[error("the queue does not exist: {0}")]
    NoSuchQueue(String),
    /// The identity may not do this.
    #[error("access denied: {0}")]
    Denied(String),
    /// No credentials were found, or they were not accepted.
    #[error("AWS credentials: {0}")]
    Credentials(String),
    /// Whoever hands out credentials did not do so this time: the metadata of a machine or container, SSO, a command.
    #[error("the AWS credentials cannot be had just now: {0}")]
    CredentialsUnavailable(String),
    /// The session token is past its time.
    #[error("the AWS credentials have expired: {0}")]
    Expired(String),
    /// This machine's clock is too far from AWS's.
    #[error("the clock of this machine differs from the queue's: {0}")]
    ClockSkew(String),
    /// Nothing answered, or not in time, or not whole.
    #[error("the queue cannot be reached: {0}")]
    Unreachable(String),
    /// Too many requests.
    #[error("the queue asks to slow down: {0}")]
    Throttled(String),
    /// SQS had an error of its own.
    #[error("the queue's server failed: {0}")]
    Server(String),
    /// The settings contradict each other or cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// Anything else that SQS refuses.
    #[error("the queue refuses the request: {0}")]
    Refused(String),
}

impl QueueError {
    /// The name of every class of error, for metrics.
    pub const CLASSES: [&'static str; 11] = [
        "no_such_queue",
        "denied",
        "credentials",
        "expired",
        "clock_skew",
        "unreachable",
        "throttled",
        "server",
        "configuration",
        "refused",
        "credentials_unavailable",
    ];

    /// Its place among [`CLASSES`](Self::CLASSES).
    pub(crate) fn class_index(&self) -> usize {
        match self {
            Self::NoSuchQueue(_) => 0,
            Self::Denied(_) => 1,
            Self::Credentials(_) => 2,
            Self::Expired(_) => 3,
            Self::ClockSkew(_) => 4,
            Self::Unreachable(_) => 5,
            Self::Throttled(_) => 6,
            Self::Server(_) => 7,
            Self::Configuration(_) => 8,
            Self::Refused(_) => 9,
            Self::CredentialsUnavailable(_) => 10,
        }
    }

    /// Which class of error it is, as one word.
    pub fn class(&self) -> &'static str {
        Self::CLASSES[self.class_index()]
    }

    /// Whether the same call may succeed later without anybody's help. Expired credentials may be renewed by
    /// whatever hands them out, and a clock be set right.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_)
                | Self::Throttled(_)
                | Self::Server(_)
                | Self::CredentialsUnavailable(_)
                | Self::Expired(_)
                | Self::ClockSkew(_)
        )
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoSuchQueue(_) => {
                "check --queue-name, --region and --endpoint-url, and the account of the credentials"
            }
            Self::Denied(_) => {
                "the identity needs sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility, sqs:GetQueueUrl and sqs:GetQueueAttributes on the queue, and sqs:SendMessage on its dead-letter queue"
            }
            Self::Credentials(_) => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is attached"
            }
            Self::CredentialsUnavailable(_) => {
                "check what hands them out: the role's metadata service, the SSO session (`aws sso login`), or the profile's credential_process"
            }
            Self::Expired(_) => "renew the session, for instance with `aws sso login`",
            Self::ClockSkew(_) => "set this machine's clock (NTP)",
            Self::Unreachable(_) => {
                "check --endpoint-url and --region, and that the network lets this machine reach it"
            }
            Self::Server(_) => "check --endpoint-url: is it an SQS server that answers there?",
            Self::Throttled(_) | Self::Configuration(_) | Self::Refused(_) => return None,
        })
    }
}

/// Sorts an SDK error; `what` names the call and the queue.
pub(crate) fn classify<E>(what: &str, error: &SdkError<E, HttpResponse>) -> QueueError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::TimeoutError(_) => QueueError::Unreachable(format!("{what}: no answer in time")),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(cause) => before_the_request(what, cause),
            None => before_the_request(what, error),
        },
        SdkError::ResponseError(_) => {
            QueueError::Unreachable(format!("{what}: the answer was cut short or garbled"))
        }
        SdkError::ServiceError(failure) => {
            let status = failure.raw().status().as_u16();
            let code = failure.err().code().unwrap_or_default();
            let message = failure.err().message().unwrap_or_default();
            service(what, code, message, status)
        }
        _ => before_the_request(what, error),
    }
}

/// Failures before a request was out: credentials are looked up there too.
fn before_the_request(what: &str, error: &(dyn Error + 'static)) -> QueueError {
    let said = chain(error);
    let causes = in_one_line(&said);
    let none = || QueueError::Credentials(format!("none could be loaded ({causes})"));
    let for_now = || QueueError::CredentialsUnavailable(causes.clone());
    match find::<CredentialsError>(error) {
        Some(
            CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_),
        ) => none(),
        Some(_) if is_forbidden(error) => none(),
        Some(_) => for_now(),
        // The SDK's own patience with whoever hands them out, in an error type that it keeps to itself.
        None if said.contains("identity resolver timed out") => for_now(),
        None if said.contains("credential") || said.contains("identity") => none(),
        None => QueueError::Unreachable(format!("{what}: {causes}")),
    }
}

/// Where the SDK looked for credentials it lists, a line a place; what it did not find is news, that it did not is none.
fn in_one_line(causes: &str) -> String {
    let listed = causes.split_once("Attempted:");
    let lines = listed.map_or(causes, |(_, places)| places).lines();
    let place = |line: &str| {
        line.trim()
            .replace(": the credential provider was not enabled", "")
    };
    let places: Vec<String> = lines.map(place).filter(|place| !place.is_empty()).collect();
    places.join("; ")
}

/// A machine's metadata service that is switched off says so, and a machine without a role may stand behind a proxy.
fn is_forbidden(error: &(dyn Error + 'static)) -> bool {
    let refusal = find::<SdkError<TokenError, HttpResponse>>(error);
    let answer = refusal.and_then(SdkError::raw_response);
    answer.is_some_and(|answer| answer.status().as_u16() == 403)
}

/// The cause of this type among an error's causes.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(found) = this.downcast_ref() {
            return Some(found);
        }
        cause = this.source();
    }
    None
}

/// Sorts what SQS says by its code, of the JSON protocol or of the older query protocol.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>.
fn service(what: &str, code: &str, message: &str, status: u16) -> QueueError {
    let text = match (code, message) {
        ("", "") => format!("{what}: HTTP status {status}"),
        (code, "") => format!("{what}: {code}"),
        (code, message) => format!("{what}: {code}: {message}"),
    };
    let is = |codes: &[&str]| codes.iter().any(|known| code.contains(known));
    if is(NO_SUCH_QUEUE) {
        QueueError::NoSuchQueue(what.to_owned())
    } else if is(&["ExpiredToken"]) {
        QueueError::Expired(text)
    } else if is(CLOCK) || OFF_CLOCK.iter().any(|words| message.contains(words)) {
        QueueError::ClockSkew(text)
    } else if is(DENIED) {
        QueueError::Denied(text)
    } else if is(CREDENTIALS) {
        QueueError::Credentials(text)
    } else if is(&["InvalidAddress"]) {
        QueueError::Configuration(format!(
            "the queue's URL belongs to another region or server than the one that was asked: {text}"
        ))
    } else if is(THROTTLED) || status == 429 {
        QueueError::Throttled(text)
    } else if status >= 500 {
        QueueError::Server(text)
    } else if code.is_empty() {
        QueueError::Configuration(format!(
            "what answers does not answer as SQS does, check --endpoint-url: {text}"
        ))
    } else {
        QueueError::Refused(text)
    }
}

const NO_SUCH_QUEUE: &[&str] = &["NonExistentQueue", "QueueDoesNotExist"];
const CLOCK: &[&str] = &["RequestExpired", "RequestTimeTooSkewed"];
/// What is said of a signature whose time is off, one way or the other; the code is that of any bad signature.
const OFF_CLOCK: &[&str] = &["Signature expired", "Signature not yet current"];
const DENIED: &[&str] = &[
    "AccessDenied",
    "AuthorizationError",
    "NotAuthorized",
    "OptInRequired",
];
const CREDENTIALS: &[&str] = &[
    "InvalidClientTokenId",
    "UnrecognizedClient",
    "SignatureDoesNotMatch",
    "InvalidSignature",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "InvalidSecurity",
    "InvalidAccessKeyId",
];
const THROTTLED: &[&str] = &[
    "Throttl",
    "OverLimit",
    "TooManyRequests",
    "RequestLimitExceeded",
    "SlowDown",
];

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A metadata service that failed for a moment ended a run with "bad configuration".
    #[test]
    fn credentials_that_there_are_none_of_differ_from_those_that_cannot_be_had_just_now() {
        let of = |error: CredentialsError| before_the_request("receive from q", &error);
        for permanent in [
            CredentialsError::not_loaded("no providers in chain"),
            CredentialsError::invalid_configuration("profile loop"),
        ] {
            assert!(matches!(of(permanent), QueueError::Credentials(_)));
        }
        for passing in [
            CredentialsError::provider_error("503 from the metadata service"),
            CredentialsError::unhandled("connection refused"),
            CredentialsError::provider_timed_out(Duration::from_secs(5)),
        ] {
            let error = of(passing);
            assert!(matches!(error, QueueError::CredentialsUnavailable(_)));
            assert!(error.is_transient() && error.hint().is_some());
        }
    }

    #[test]
    fn the_places_that_had_no_credentials_stand_on_one_line() {
        let error = CredentialsError::not_loaded(
            "no credentials found in chain. Attempted:\n  Environment: the credential provider was not enabled: \
             environment variable not set\n  Profile: the credential provider was not enabled",
        );
        assert_eq!(
            before_the_request("receive from q", &error).to_string(),
            "AWS credentials: none could be loaded (Environment: environment variable not set; Profile)"
        );
    }

    #[test]
    fn service_errors_are_sorted_by_what_helps() {
        let sorted = |code, message, status| service("receive from q", code, message, status);
        assert!(matches!(
            sorted("AWS.SimpleQueueService.NonExistentQueue", "", 400),
            QueueError::NoSuchQueue(_)
        ));
        assert!(matches!(
            sorted("ExpiredToken", "token expired", 403),
            QueueError::Expired(_)
        ));
        assert!(matches!(
            sorted("SignatureDoesNotMatch", "Signature expired: …", 403),
            QueueError::ClockSkew(_)
        ));
        assert!(matches!(
            sorted("SignatureDoesNotMatch", "check your key", 403),
            QueueError::Credentials(_)
        ));
        assert!(matches!(
            sorted("AccessDeniedException", "", 400),
            QueueError::Denied(_)
        ));
        assert!(matches!(
            sorted("ThrottlingException", "", 400),
            QueueError::Throttled(_)
        ));
        assert!(matches!(sorted("", "", 503), QueueError::Server(_)));
        assert!(matches!(
            sorted("InvalidParameterValue", "", 400),
            QueueError::Refused(_)
        ));
    }
}
