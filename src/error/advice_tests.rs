use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use time::{OffsetDateTime, macros::datetime};

use super::*;
use crate::{
    error::{Evidence, ProofKind, Validity},
    pipeline::response::service_error,
};

const NOW: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

/// The error of an answer to `operation` with a code and more headers.
fn refused(
    operation: &'static str,
    status: u16,
    code: &str,
    more: &[(&str, &str)],
) -> ServiceError {
    let pair = |(name, value): &(&str, &str)| -> (HeaderName, HeaderValue) {
        (name.parse().expect("a name"), value.parse().expect("a value"))
    };
    let headers: HeaderMap = [("x-ms-error-code", code), ("x-ms-request-id", "r-1")]
        .iter()
        .chain(more)
        .map(pair)
        .collect();
    let status = StatusCode::from_u16(status).expect("a status");
    service_error(operation, status, &headers, b"")
}

/// The advice in the text of an error.
fn advice(error: &ServiceError) -> String {
    let text = error.to_string();
    let start = text.find(" [").map(|start| start + 2);
    start.map_or_else(String::new, |start| text[start..].split(']').next().unwrap().to_owned())
}

#[test]
fn each_code_has_the_advice_that_fits() {
    for (operation, status, code, expected) in [
        ("Copy Blob", 404, "BlobNotFound", "no such source"),
        ("Copy Blob From URL", 404, "BlobNotFound", "no such source"),
        ("Get Blob", 404, "BlobNotFound", ""),
        (
            "Incremental Copy Blob",
            409,
            "IncrementalCopyBlobMismatch",
            "was not made by incremental",
        ),
        (
            "Incremental Copy Blob",
            409,
            "IncrementalCopyBlobPreviousSnapshotDoesNotExist",
            "start a new one to a new blob",
        ),
        ("Copy Blob", 409, "CopySourceCannotBeIncrementalCopyBlob", "copy one of its snapshots"),
        ("Incremental Copy Blob", 409, "BlobOverwritten", "start a new series"),
        ("Get Page Ranges", 409, "BlobOverwritten", "list all of its page ranges"),
        ("Copy Blob", 409, "InvalidBlobType", "which a copy cannot change"),
        ("Get Page Ranges", 409, "InvalidBlobType", "only page blobs"),
        ("Put Page", 409, "InvalidBlobType", "get_properties() returns"),
        ("Get Page Ranges", 500, "OperationTimedOut", "in parts with range(..)"),
        ("Get Blob", 500, "OperationTimedOut", ""),
        ("Get Blob", 401, "NoAuthenticationInformation", "give the client a key, a SAS or a token"),
        ("Put Page", 403, "AuthorizationPermissionMismatch", "the SAS lacks the permission"),
        ("Put Page", 403, "AuthorizationFailure", "the account's firewall"),
        ("Copy Blob", 409, "PendingCopyOperation", "abort_pending_copy()"),
    ] {
        let advice = advice(&refused(operation, status, code, &[]));
        assert!(advice.contains(expected), "{operation} {code}: {advice}");
        assert_eq!(advice.is_empty(), expected.is_empty(), "{operation} {code}: {advice}");
    }
}

/// What the source of a copy answered, in headers of 2024-08-04 and later.
fn unverified(status: u16, source: Option<(&str, &str)>) -> ServiceError {
    let headers = source.map(|(status, code)| {
        [("x-ms-copy-source-status-code", status), ("x-ms-copy-source-error-code", code)]
    });
    let headers = headers.as_ref().map_or(&[][..], |headers| headers);
    refused("Copy Blob", status, "CannotVerifyCopySource", headers)
}

#[test]
fn the_advice_on_a_source_fits_what_the_source_answered() {
    for (status, source, expected) in [
        (401, Some(("401", "NoAuthenticationInformation")), "must be public, or"),
        (403, Some(("403", "AuthenticationFailed")), "still valid"),
        (403, Some(("403", "AuthorizationFailure")), "the firewall of the source's account"),
        (404, Some(("404", "ResourceNotFound")), "still valid"),
        (404, Some(("404", "BlobNotFound")), "no such source"),
        // Before 2024-08-04 nothing says what the source answered.
        (404, None, "check that its host and the blob exist"),
        (409, Some(("409", "PublicAccessNotPermitted")), "is not public"),
        (412, Some(("412", "ConditionNotMet")), "a condition on the source"),
        (304, Some(("304", "ConditionNotMet")), "a condition on the source"),
        (412, None, "a condition on the source"),
        (304, None, "a condition on the source"),
        (500, None, "check the name of its host"),
        (405, Some(("405", "MethodNotAllowed")), ""),
        (503, Some(("503", "ServerBusy")), ""),
    ] {
        let advice = advice(&unverified(status, source));
        assert!(advice.contains(expected), "{status} {source:?}: {advice}");
        assert_eq!(advice.is_empty(), expected.is_empty(), "{status} {source:?}: {advice}");
    }
}

#[test]
fn before_2024_a_firewall_is_known_by_the_message() {
    let mut error = unverified(403, None);
    error.message = "This request is not authorized to perform this operation.".to_owned();
    assert!(advice(&error).contains("the firewall of the source's account"), "{error}");
    error.message =
        "This request is not authorized to perform this operation using this permission."
            .to_owned();
    assert!(!advice(&error).contains("firewall"), "{error}");
}

#[test]
fn a_source_whose_sas_has_expired_is_said_to_have() {
    let expires_on = Some(NOW - time::Duration::HOUR);
    let evidence = Evidence {
        proof: ProofKind::SharedKey,
        sas: Validity::default(),
        source_sas: Validity { starts_on: None, expires_on },
        now: NOW,
        date: Some(NOW),
    };
    let mut error = unverified(403, Some(("403", "AuthenticationFailed")));
    error.evidence = Some(Box::new(evidence));
    let told = advice(&error);
    assert!(told.contains("the SAS of the source expired at 2026-01-01T11:00:00Z"), "{told}");
}

#[test]
fn the_advice_on_authentication_goes_with_the_services_own_reason() {
    let body = b"<Error><Code>AuthenticationFailed</Code><Message>No.</Message>\
        <AuthenticationErrorDetail>The MAC signature found in the HTTP request 'SECRET=' is not \
        the same as any\ncomputed signature.</AuthenticationErrorDetail></Error>";
    let status = StatusCode::FORBIDDEN;
    let mut error = service_error("Get Blob", status, &HeaderMap::new(), body);
    error.evidence = Some(Box::new(Evidence {
        proof: ProofKind::SharedKey,
        sas: Validity::default(),
        source_sas: Validity::default(),
        now: NOW,
        date: Some(NOW),
    }));
    let text = error.to_string();
    assert!(text.contains("'REDACTED' is not the same as any computed signature.)"), "{text}");
    assert!(text.contains("[the signature does not match, and the clock is right"), "{text}");
    error.details.insert("AuthenticationErrorDetail".to_owned(), "x ".repeat(5000));
    assert!(error.to_string().len() < 1200, "{}", error.to_string().len());
}
