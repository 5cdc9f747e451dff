//! An error response of the service.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;

use super::authentication::Evidence;
use crate::models::ErrorCode;

/// An error response of the service: its status, code and message and, for a copy, the source's own
/// status, code and message.
///
/// From the headers and body described under
/// [Status and error codes](https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The operation's name in the REST reference.
    pub operation: &'static str,
    /// The request's URL, redacted and without its query.
    pub url: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// The error code, from the `x-ms-error-code` header or else from the body.
    pub code: ErrorCode,
    /// The service's message, without its `RequestId` and `Time` lines. Empty for HEAD, whose
    /// responses have no body.
    pub message: String,
    /// The service's request id (`x-ms-request-id`): quote it to Azure support.
    pub request_id: Option<String>,
    /// The client request id (`x-ms-client-request-id`), the same on every attempt.
    pub client_request_id: Option<String>,
    /// The URL of a copy's source, redacted and without its query.
    pub source_url: Option<String>,
    /// The status of the source's response to the service.
    pub source_status: Option<StatusCode>,
    /// The error code of the source's response to the service.
    pub source_code: Option<ErrorCode>,
    /// The message of the source's response to the service.
    pub source_message: Option<String>,
    /// Every other element of the error body, redacted, such as `HeaderName` or
    /// `AuthenticationErrorDetail`.
    pub details: BTreeMap<String, String>,
    /// The number of attempts.
    pub attempts: u32,
    /// How long the service asks the client to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// Whether the service may have applied an attempt.
    pub(crate) ambiguous: bool,
    /// Whether the service itself responded, not a proxy or gateway.
    pub(crate) from_service: bool,
    /// What is known about why a request was not authenticated.
    pub(crate) evidence: Option<Box<Evidence>>,
}

impl ServiceError {
    /// Whether the response says that the service was busy or temporarily unavailable.
    pub(crate) fn is_transient(&self) -> bool {
        is_transient(self.status, Some(&self.code), self.source_code.as_ref())
            || self.has_busy_source()
    }

    /// Whether the source of a copy could not be read because it was busy.
    pub(crate) fn has_busy_source(&self) -> bool {
        let source = self.source_status.map(|status| status.as_u16());
        self.code == ErrorCode::CannotVerifyCopySource && matches!(source, Some(429 | 500 | 503))
    }

    /// Why a request was not authenticated, in the service's words.
    pub(super) fn authentication_detail(&self) -> Option<&str> {
        let named = |name: &str| self.details.get(name).map(String::as_str);
        named("AuthenticationErrorDetail").or_else(|| named("ExtendedErrorDetail"))
    }
}

impl std::error::Error for ServiceError {}

/// Whether a response is transient: by its status, or by one of the error codes that .NET's SDK
/// retries at any status.
pub(crate) fn is_transient(
    status: StatusCode,
    code: Option<&ErrorCode>,
    source_code: Option<&ErrorCode>,
) -> bool {
    let passing = |code: &ErrorCode| {
        use ErrorCode::{InternalError, OperationTimedOut, ServerBusy};
        matches!(code, InternalError | OperationTimedOut | ServerBusy)
    };
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
        || code.is_some_and(passing)
        || source_code.is_some_and(passing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_codes_are_transient_at_any_status() {
        let conflict = StatusCode::CONFLICT;
        for word in ["InternalError", "OperationTimedOut", "ServerBusy"] {
            let code = ErrorCode::from(word);
            assert!(is_transient(conflict, Some(&code), None), "{word}");
            assert!(is_transient(conflict, None, Some(&code)), "{word}");
        }
        assert!(!is_transient(conflict, Some(&ErrorCode::PendingCopyOperation), None));
    }

    #[test]
    fn only_the_six_statuses_are_transient() {
        let transient: Vec<u16> = (300..600)
            .filter(|status| {
                is_transient(StatusCode::from_u16(*status).expect("in range"), None, None)
            })
            .collect();
        assert_eq!(transient, [408, 429, 500, 502, 503, 504]);
    }
}
