//! Header names of the Blob service, and the rules for their values.

use http::{HeaderName, HeaderValue};

use super::malformed::Malformed;

macro_rules! header_names {
    ($($constant:ident = $name:literal,)+) => {
        $(pub(crate) const $constant: HeaderName = HeaderName::from_static($name);)+
    };
}

header_names! {
    ACCESS_TIER = "x-ms-access-tier",
    APPEND_MAX_SIZE = "x-ms-blob-condition-maxsize",
    APPEND_OFFSET = "x-ms-blob-append-offset",
    APPEND_POSITION = "x-ms-blob-condition-appendpos",
    BLOB_CACHE_CONTROL = "x-ms-blob-cache-control",
    BLOB_CONTENT_DISPOSITION = "x-ms-blob-content-disposition",
    BLOB_CONTENT_ENCODING = "x-ms-blob-content-encoding",
    BLOB_CONTENT_LANGUAGE = "x-ms-blob-content-language",
    BLOB_CONTENT_LENGTH = "x-ms-blob-content-length",
    BLOB_CONTENT_MD5 = "x-ms-blob-content-md5",
    BLOB_CONTENT_TYPE = "x-ms-blob-content-type",
    BLOB_SEQUENCE_NUMBER = "x-ms-blob-sequence-number",
    BLOB_TYPE = "x-ms-blob-type",
    CLIENT_REQUEST_ID = "x-ms-client-request-id",
    COMMITTED_BLOCK_COUNT = "x-ms-blob-committed-block-count",
    CONTENT_CRC64 = "x-ms-content-crc64",
    CONTENT_MD5 = "content-md5",
    COPY_ACTION = "x-ms-copy-action",
    COPY_ID = "x-ms-copy-id",
    COPY_SOURCE = "x-ms-copy-source",
    COPY_SOURCE_AUTHORIZATION = "x-ms-copy-source-authorization",
    COPY_SOURCE_BLOB_PROPERTIES = "x-ms-copy-source-blob-properties",
    COPY_SOURCE_ERROR_CODE = "x-ms-copy-source-error-code",
    COPY_SOURCE_STATUS_CODE = "x-ms-copy-source-status-code",
    COPY_SOURCE_TAG_OPTION = "x-ms-copy-source-tag-option",
    COPY_STATUS = "x-ms-copy-status",
    DATE = "x-ms-date",
    DELETE_SNAPSHOTS = "x-ms-delete-snapshots",
    ENCRYPTION_KEY_SHA256 = "x-ms-encryption-key-sha256",
    ENCRYPTION_SCOPE = "x-ms-encryption-scope",
    ERROR_CODE = "x-ms-error-code",
    FILE_REQUEST_INTENT = "x-ms-file-request-intent",
    IF_TAGS = "x-ms-if-tags",
    IMMUTABILITY_POLICY_MODE = "x-ms-immutability-policy-mode",
    IMMUTABILITY_POLICY_UNTIL_DATE = "x-ms-immutability-policy-until-date",
    LEASE_ACTION = "x-ms-lease-action",
    LEASE_BREAK_PERIOD = "x-ms-lease-break-period",
    LEASE_DURATION = "x-ms-lease-duration",
    LEASE_ID = "x-ms-lease-id",
    LEASE_TIME = "x-ms-lease-time",
    LEGAL_HOLD = "x-ms-legal-hold",
    PAGE_WRITE = "x-ms-page-write",
    PREVIOUS_SNAPSHOT_URL = "x-ms-previous-snapshot-url",
    PROPOSED_LEASE_ID = "x-ms-proposed-lease-id",
    PUBLIC_ACCESS = "x-ms-blob-public-access",
    RANGE = "x-ms-range",
    REHYDRATE_PRIORITY = "x-ms-rehydrate-priority",
    REQUEST_ID = "x-ms-request-id",
    REQUEST_SERVER_ENCRYPTED = "x-ms-request-server-encrypted",
    REQUIRES_SYNC = "x-ms-requires-sync",
    SEAL_BLOB = "x-ms-seal-blob",
    SEQUENCE_NUMBER_ACTION = "x-ms-sequence-number-action",
    SNAPSHOT = "x-ms-snapshot",
    SOURCE_LEASE_ID = "x-ms-source-lease-id",
    SOURCE_CONTENT_CRC64 = "x-ms-source-content-crc64",
    SOURCE_CONTENT_MD5 = "x-ms-source-content-md5",
    SOURCE_RANGE = "x-ms-source-range",
    TAGS = "x-ms-tags",
    VERSION = "x-ms-version",
    VERSION_ID = "x-ms-version-id",
}

/// `text` as a header value. Refuses text that HTTP cannot carry unchanged.
pub(crate) fn value(text: &str) -> Result<HeaderValue, Malformed> {
    const CARRIED: &str = "must be visible ASCII characters and spaces";
    if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(Malformed::new(CARRIED));
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(Malformed::new("must not begin or end with a space"));
    }
    HeaderValue::from_str(text).map_err(|_| Malformed::new(CARRIED))
}

/// `true` or `false` as a header value.
pub(crate) fn flag(value: bool) -> HeaderValue {
    HeaderValue::from_static(if value { "true" } else { "false" })
}
