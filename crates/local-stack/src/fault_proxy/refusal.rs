//! Errors in the form that AWS sends them: the type in the body, and the code of the older query protocol, which SDKs
//! prefer, in a header.

use super::rule::Fault;

/// The whole answer in place of the work; none for a fault that is not an answer.
pub(crate) fn answer(fault: Fault) -> Option<Vec<u8>> {
    let (status, kind, code, message) = match fault {
        Fault::InternalError => (
            "500 Internal Server Error",
            "com.amazon.coral.service#InternalFailure",
            "InternalFailure;Receiver",
            "The request processing has failed because of an unknown error, exception or failure.",
        ),
        Fault::Unavailable => (
            "503 Service Unavailable",
            "com.amazon.coral.service#ServiceUnavailableException",
            "ServiceUnavailable;Receiver",
            "The request has failed due to a temporary failure of the server.",
        ),
        Fault::Throttled => (
            "400 Bad Request",
            "com.amazonaws.sqs#RequestThrottled",
            "RequestThrottled;Sender",
            "Request is throttled.",
        ),
        Fault::ExpiredToken => (
            "403 Forbidden",
            "com.amazon.coral.service#ExpiredTokenException",
            "ExpiredToken;Sender",
            "The security token included in the request is expired",
        ),
        Fault::Denied => (
            "403 Forbidden",
            "com.amazon.coral.service#AccessDeniedException",
            "AccessDenied;Sender",
            "User is not authorized to perform this action because no identity-based policy allows it",
        ),
        Fault::UnknownKey => (
            "403 Forbidden",
            "com.amazon.coral.service#UnrecognizedClientException",
            "InvalidClientTokenId;Sender",
            "The security token included in the request is invalid.",
        ),
        Fault::OldSignature => (
            "403 Forbidden",
            "com.amazon.coral.service#InvalidSignatureException",
            "SignatureDoesNotMatch;Sender",
            "Signature expired: 19941106T084937Z is now earlier than 20260101T000000Z",
        ),
        _ => return None,
    };
    let body = format!(r#"{{"__type":"{kind}","message":"{message}"}}"#);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-query-error: {code}\r\n\
         x-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Some((head + &body).into_bytes())
}
