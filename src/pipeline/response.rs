//! Responses, and the errors in them: headers first, then the body.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode};
use url::Url;

use crate::{
    error::{Error, Evidence, Result, ServiceError},
    models::ErrorCode,
    wire::{
        error_body::ErrorBody,
        excerpt::{LONGEST_CODE, LONGEST_ID, shown},
        headers,
        transport::Body,
    },
};

/// A successful response, and what it responds to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// In memory, unless the operation streams it.
    pub(crate) body: Body,
    /// The name of the operation in the REST reference.
    pub(crate) operation: &'static str,
    /// The URL of the request.
    pub(crate) url: Arc<Url>,
    /// Whether the operation writes.
    pub(crate) changes: bool,
}

impl Answer {
    /// The text of a header; `None` if it is absent or empty.
    pub(crate) fn text(&self, name: &http::HeaderName) -> Option<&str> {
        text(&self.headers, name)
    }

    /// An error if this success did not come from the service but from a proxy.
    pub(crate) fn not_from_service(&self) -> Option<Error> {
        let why = "none of the service's headers: it came from a proxy or gateway";
        (!is_from_service(&self.headers)).then(|| self.unexpected(why))
    }

    /// The error for a success that breaks the documentation.
    pub(crate) fn unexpected(&self, why: impl fmt::Display) -> Error {
        Error::unexpected(self.operation, &self.url, self.changes, why)
    }

    /// The text of a required header.
    pub(crate) fn required(&self, name: &http::HeaderName) -> Result<&str> {
        self.text(name).ok_or_else(|| {
            let why = format_args!("status {} without {name}", self.status.as_u16());
            self.unexpected(why)
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|text| !text.is_empty())
}

/// Whether the response came from the service: all its responses have one of these headers.
/// Proxies, gateways and captive portals send responses of their own, which say nothing about a
/// blob.
pub(crate) fn is_from_service(answer: &HeaderMap) -> bool {
    [headers::REQUEST_ID, headers::VERSION, headers::ERROR_CODE, headers::BLOB_TYPE]
        .iter()
        .any(|name| answer.contains_key(name))
}

/// An error response, without its history.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) from_service: bool,
    code: ErrorCode,
    request_id: Option<String>,
    client_request_id: Option<String>,
    source_status: Option<StatusCode>,
    source_code: Option<ErrorCode>,
    body: ErrorBody,
}

/// The history of an error response: its operation and attempts.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) operation: &'static str,
    pub(crate) url: String,
    pub(crate) source_url: Option<String>,
    /// As sent; the id that the service returns takes precedence.
    pub(crate) client_request_id: String,
    pub(crate) attempts: u32,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) ambiguous: bool,
    pub(crate) evidence: Option<Box<Evidence>>,
}

impl Refusal {
    /// Reads an error response. Responses to HEAD have no body, so the code comes from the header
    /// if possible.
    pub(crate) fn of(status: StatusCode, from: &HeaderMap, mut body: ErrorBody) -> Self {
        let id = |name| text(from, &name).map(|text| shown(text, LONGEST_ID));
        let code_in = |name| text(from, &name).map(|text| shown(text, LONGEST_CODE));
        let from_service = is_from_service(from) || body.code.is_some();
        let code = match code_in(headers::ERROR_CODE).or(body.code.take()) {
            Some(code) => ErrorCode::from(code),
            // The only status that needs no code.
            None if status == StatusCode::NOT_MODIFIED => ErrorCode::ConditionNotMet,
            None => ErrorCode::Other(String::new()),
        };
        let source_status = text(from, &headers::COPY_SOURCE_STATUS_CODE);
        let source_status = source_status.and_then(|status| status.parse().ok());
        let source_code = code_in(headers::COPY_SOURCE_ERROR_CODE).or(body.source_code.take());
        Self {
            status,
            from_service,
            code,
            request_id: id(headers::REQUEST_ID),
            client_request_id: id(headers::CLIENT_REQUEST_ID),
            source_status: source_status
                .or(body.source_status)
                .and_then(|status| StatusCode::from_u16(status).ok()),
            source_code: source_code.map(ErrorCode::from),
            body,
        }
    }

    /// The error, with its history.
    pub(crate) fn after(self, history: History) -> ServiceError {
        ServiceError {
            operation: history.operation,
            url: history.url,
            status: self.status,
            code: self.code,
            message: self.body.message,
            request_id: self.request_id,
            client_request_id: self.client_request_id.or(Some(history.client_request_id)),
            source_url: history.source_url,
            source_status: self.source_status,
            source_code: self.source_code,
            source_message: self.body.source_message,
            details: self.body.details,
            attempts: history.attempts,
            retry_after: history.retry_after,
            ambiguous: history.ambiguous,
            from_service: self.from_service,
            evidence: history.evidence,
        }
    }
}

/// The error of a first attempt at an operation on `https://acct.blob.core.windows.net/con/b` with
/// this response.
#[cfg(test)]
pub(crate) fn service_error(
    operation: &'static str,
    status: StatusCode,
    from: &HeaderMap,
    body: &[u8],
) -> ServiceError {
    let body = crate::wire::error_body::parse(body);
    Refusal::of(status, from, body).after(History {
        operation,
        url: "https://acct.blob.core.windows.net/con/b".to_owned(),
        source_url: None,
        client_request_id: "c-0".to_owned(),
        attempts: 1,
        retry_after: None,
        ambiguous: false,
        evidence: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().expect("a name"), value.parse().expect("a value"))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn the_header_names_the_code_before_the_body() {
        let from = headers(&[
            ("x-ms-error-code", "BlobNotFound"),
            ("x-ms-request-id", "r-1"),
            ("x-ms-client-request-id", "c-1"),
        ]);
        let body = b"<Error><Code>Other</Code><Message>Gone.</Message></Error>";
        let error = service_error("Get Blob", StatusCode::NOT_FOUND, &from, body);
        assert_eq!(error.code, ErrorCode::BlobNotFound);
        assert_eq!(
            error.to_string(),
            "Get Blob https://acct.blob.core.windows.net/con/b: 404 BlobNotFound: Gone. (request id r-1)"
        );
        assert_eq!(error.client_request_id.as_deref(), Some("c-1"));
    }

    #[test]
    fn a_head_error_has_its_code_in_the_header_only() {
        let from = headers(&[("x-ms-error-code", "ContainerNotFound")]);
        let error = service_error("Get Blob Properties", StatusCode::NOT_FOUND, &from, b"");
        assert_eq!(error.code, ErrorCode::ContainerNotFound);
        assert_eq!(error.message, "");
    }

    #[test]
    fn without_header_the_body_names_the_code_behind_a_byte_order_mark() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Error><Code>ServerBusy\
                    </Code>\
                    <Message>Busy.\nRequestId:1\nTime:2026-01-01T00:00:00Z</Message></Error>";
        let error = service_error(
            "Op",
            StatusCode::SERVICE_UNAVAILABLE,
            &HeaderMap::new(),
            body.as_bytes(),
        );
        assert_eq!((error.code, error.message.as_str()), (ErrorCode::ServerBusy, "Busy."));
    }

    #[test]
    fn an_answer_without_a_code_is_shown_in_its_statuss_words() {
        for (status, expected) in [(400, ": 400 Bad Request"), (499, ": 499 without a code")] {
            let status = StatusCode::from_u16(status).expect("a status");
            let from = headers(&[("x-ms-version", "2026-06-06")]);
            let error = service_error("Op", status, &from, b"");
            assert_eq!(error.code.as_str(), "");
            assert!(error.to_string().ends_with(expected), "{error}");
        }
    }

    #[test]
    fn what_the_source_answered_is_shown_first() {
        let from = headers(&[
            ("x-ms-error-code", "CannotVerifyCopySource"),
            ("x-ms-copy-source-status-code", "403"),
            ("x-ms-copy-source-error-code", "AuthorizationPermissionMismatch"),
        ]);
        let body = b"<Error><Code>CannotVerifyCopySource</Code>\
            <Message>Could not verify the copy source within the specified time.</Message>\
            <CopySourceStatusCode>403</CopySourceStatusCode>\
            <CopySourceErrorCode>AuthorizationPermissionMismatch</CopySourceErrorCode>\
            <CopySourceErrorMessage>No read permission.</CopySourceErrorMessage></Error>";
        let error = service_error("Copy Blob", StatusCode::FORBIDDEN, &from, body).to_string();
        let inner = error.find("the source answered 403 AuthorizationPermissionMismatch (No read");
        let outer = error.find("Could not verify");
        assert!(inner.is_some() && inner < outer, "{error}");
        assert!(
            error.contains("public, or its URL must carry a SAS with read permission"),
            "{error}"
        );

        let from = headers(&[("x-ms-error-code", "CannotVerifyCopySource")]);
        let error = service_error("Copy Blob", StatusCode::FORBIDDEN, &from, body);
        assert_eq!(error.source_status, Some(StatusCode::FORBIDDEN));
        assert_eq!(error.source_code, Some(ErrorCode::AuthorizationPermissionMismatch));
    }

    #[test]
    fn a_source_that_is_not_there_is_said_to_be_so_and_once() {
        let from = headers(&[
            ("x-ms-error-code", "CannotVerifyCopySource"),
            ("x-ms-copy-source-status-code", "404"),
            ("x-ms-copy-source-error-code", "BlobNotFound"),
        ]);
        let body = b"<Error><Code>CannotVerifyCopySource</Code><Message>No such blob.</Message>\
            <CopySourceErrorMessage>No such blob.</CopySourceErrorMessage></Error>";
        let error = service_error("Copy Blob", StatusCode::NOT_FOUND, &from, body).to_string();
        assert_eq!(error.matches("No such blob.").count(), 1, "{error}");
        assert!(error.contains("there is no such source") && !error.contains("SAS"), "{error}");
        // A caller without access gets another error.
        let from = headers(&[
            ("x-ms-error-code", "CannotVerifyCopySource"),
            ("x-ms-copy-source-error-code", "ResourceNotFound"),
        ]);
        let error = service_error("Copy Blob", StatusCode::NOT_FOUND, &from, b"").to_string();
        assert!(error.contains("must carry a SAS"), "{error}");
    }

    #[test]
    fn a_signature_in_the_answer_is_not_shown() {
        let body = b"<Error><Code>AuthenticationFailed</Code><Message>No.</Message>\
            <AuthenticationErrorDetail>The MAC signature found in the HTTP request 'SECRET=' is \
            not the same as any computed signature. Server used following string to sign: \
            'PUT x-ms-copy-source:https://a/b?sig=SECRET&amp;x'.</AuthenticationErrorDetail></Error>";
        let error = service_error("Copy Blob", StatusCode::FORBIDDEN, &HeaderMap::new(), body);
        let detail = &error.details["AuthenticationErrorDetail"];
        assert!(detail.contains("'REDACTED'") && detail.contains("sig=REDACTED"), "{detail}");
        assert!(!format!("{error:?} {error}").contains("SECRET"));
    }

    #[test]
    fn no_header_makes_an_error_large() {
        let long: &'static str = Box::leak("x".repeat(100_000).into_boxed_str());
        let from = headers(&[
            ("x-ms-error-code", long),
            ("x-ms-request-id", long),
            ("x-ms-client-request-id", long),
            ("x-ms-copy-source-error-code", long),
        ]);
        let error = service_error("Op", StatusCode::CONFLICT, &from, b"");
        assert_eq!(error.code.as_str().len(), 128);
        assert_eq!(error.request_id.map(|id| id.len()), Some(1024));
        assert_eq!(error.client_request_id.map(|id| id.len()), Some(1024));
        assert_eq!(error.source_code.map(|code| code.as_str().len()), Some(128));
    }

    #[test]
    fn a_page_from_a_proxy_is_an_error_without_code_and_known_as_such() {
        let body = b"<html><body>Bad gateway</body></html>";
        let error = service_error("Op", StatusCode::BAD_GATEWAY, &HeaderMap::new(), body);
        assert_eq!(error.code, ErrorCode::Other(String::new()));
        assert!(error.is_transient() && !error.from_service);
    }

    #[test]
    fn an_answer_is_the_services_own_by_any_header_of_its_own_or_its_body() {
        let own = |pairs: &[(&'static str, &'static str)], body: &[u8]| {
            service_error("Op", StatusCode::NOT_FOUND, &headers(pairs), body).from_service
        };
        assert!(own(&[("x-ms-request-id", "r-1")], b""));
        assert!(own(&[("x-ms-version", "2026-06-06")], b""));
        assert!(own(&[("x-ms-error-code", "BlobNotFound")], b""));
        assert!(own(&[], b"<Error><Code>BlobNotFound</Code></Error>"));
        assert!(!own(&[("server", "nginx"), ("content-type", "text/html")], b"<html/>"));
    }
}
