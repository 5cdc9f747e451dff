//! What the service says of a blob that was written.

use http::{HeaderMap, header};
use serde::Serialize;
use time::OffsetDateTime;

use super::{ETag, VersionId, headers, http_date};

/// The state in which a write left a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WrittenBlob {
    /// The blob's new ETag.
    pub etag: Option<ETag>,
    /// When the write was applied, with whole seconds.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The blob's new version, in accounts that keep versions.
    pub version_id: Option<VersionId>,
}

/// The state in which a write of pages left a page blob; where several requests wrote them, that
/// after the one that was answered last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WrittenPages {
    /// The blob's new ETag.
    pub etag: Option<ETag>,
    /// When the write was applied, with whole seconds.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The blob's sequence number.
    pub sequence_number: Option<u64>,
}

impl WrittenPages {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let WrittenBlob { etag, last_modified, .. } = WrittenBlob::from_headers(from);
        let number = from.get(headers::BLOB_SEQUENCE_NUMBER).and_then(|value| value.to_str().ok());
        Self { etag, last_modified, sequence_number: number.and_then(|text| text.parse().ok()) }
    }
}

impl WrittenBlob {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let text = |name: &http::HeaderName| from.get(name).and_then(|value| value.to_str().ok());
        Self {
            etag: text(&header::ETAG).and_then(|etag| etag.parse().ok()),
            last_modified: text(&header::LAST_MODIFIED).and_then(http_date::parse),
            version_id: text(&headers::VERSION_ID).and_then(VersionId::from_service),
        }
    }
}
