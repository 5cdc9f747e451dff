//! Header names of the Blob service, and the rules for their values.

use http::{HeaderName, HeaderValue};

use crate::error::{Error, Result};

macro_rules! header_names {
    ($($constant:ident = $name:literal,)+) => {
        $(pub(crate) const $constant: HeaderName = HeaderName::from_static($name);)+
    };
}

header_names! {
    ACCESS_TIER = "x-ms-access-tier",
    BLOB_CONTENT_LENGTH = "x-ms-blob-content-length",
    BLOB_SEQUENCE_NUMBER = "x-ms-blob-sequence-number",
    BLOB_TYPE = "x-ms-blob-type",
    CLIENT_REQUEST_ID = "x-ms-client-request-id",
    COPY_ACTION = "x-ms-copy-action",
    COPY_ID = "x-ms-copy-id",
    COPY_SOURCE = "x-ms-copy-source",
    COPY_SOURCE_ERROR_CODE = "x-ms-copy-source-error-code",
    COPY_SOURCE_STATUS_CODE = "x-ms-copy-source-status-code",
    COPY_STATUS = "x-ms-copy-status",
    DATE = "x-ms-date",
    DELETE_SNAPSHOTS = "x-ms-delete-snapshots",
    ERROR_CODE = "x-ms-error-code",
    IMMUTABILITY_POLICY_MODE = "x-ms-immutability-policy-mode",
    IMMUTABILITY_POLICY_UNTIL_DATE = "x-ms-immutability-policy-until-date",
    LEASE_ID = "x-ms-lease-id",
    LEGAL_HOLD = "x-ms-legal-hold",
    PAGE_WRITE = "x-ms-page-write",
    PREVIOUS_SNAPSHOT_URL = "x-ms-previous-snapshot-url",
    PUBLIC_ACCESS = "x-ms-blob-public-access",
    RANGE = "x-ms-range",
    REHYDRATE_PRIORITY = "x-ms-rehydrate-priority",
    REQUEST_ID = "x-ms-request-id",
    SEAL_BLOB = "x-ms-seal-blob",
    SNAPSHOT = "x-ms-snapshot",
    TAGS = "x-ms-tags",
    VERSION = "x-ms-version",
    VERSION_ID = "x-ms-version-id",
}

/// `text` as a header value; refuses what HTTP cannot carry unchanged.
pub(crate) fn value(what: &'static str, text: &str) -> Result<HeaderValue> {
    let carried = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if !carried {
        return Err(Error::invalid(what, text, "must be visible ASCII characters and spaces"));
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(Error::invalid(what, text, "must not begin or end with a space"));
    }
    HeaderValue::from_str(text)
        .map_err(|_| Error::invalid(what, text, "must be visible ASCII characters and spaces"))
}
