//! The service's refusal.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;

use super::authentication::Evidence;
use crate::models::ErrorCode;

/// The service's refusal: its status, code and message, and, for a copy, what the source answered.
///
/// From the headers and body described under
/// [Status and error codes](https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The operation, by its name in the REST reference.
    pub operation: &'static str,
    /// The URL that the request was sent to, without its query and redacted.
    pub url: String,
    /// The HTTP status.
    pub status: StatusCode,
    /// The error code, from the `x-ms-error-code` header or else from the body.
    pub code: ErrorCode,
    /// The service's explanation, without its `RequestId` and `Time` lines. Empty for HEAD, whose
    /// answers have no body.
    pub message: String,
    /// The service's id of the request: give it to Azure support.
    pub request_id: Option<String>,
    /// This crate's id of the request, the same on every attempt.
    pub client_request_id: Option<String>,
    /// The URL of a copy's source, without its query and redacted.
    pub source_url: Option<String>,
    /// The status with which the source of a copy answered the service.
    pub source_status: Option<StatusCode>,
    /// The error code with which the source of a copy answered the service.
    pub source_code: Option<ErrorCode>,
    /// The explanation with which the source of a copy answered the service.
    pub source_message: Option<String>,
    /// Every other element of the error's body, such as `HeaderName` or
    /// `AuthenticationErrorDetail`, redacted.
    pub details: BTreeMap<String, String>,
    /// How many times the operation was tried.
    pub attempts: u32,
    /// How long the service asks the client to wait (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// Whether an attempt may have been applied.
    pub(crate) ambiguous: bool,
    /// Whether the service itself answered, not something between it and the client.
    pub(crate) from_service: bool,
    /// What is known of why a request was not authenticated.
    pub(crate) evidence: Option<Box<Evidence>>,
}

impl ServiceError {
    /// Whether the answer says that the service was busy or out of order for a moment.
    pub(crate) fn is_transient(&self) -> bool {
        is_transient(self.status, Some(&self.code), self.source_code.as_ref())
    }

    /// Why a request was not authenticated, in the service's words.
    pub(super) fn authentication_detail(&self) -> Option<&str> {
        let named = |name: &str| self.details.get(name).map(String::as_str);
        named("AuthenticationErrorDetail").or_else(|| named("ExtendedErrorDetail"))
    }
}

impl std::error::Error for ServiceError {}

/// Whether a status, or one of the error codes that .NET's SDK retries at any status, is a passing
/// trouble.
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
