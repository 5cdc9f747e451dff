//! What the service says of a blob that was written.

use http::{HeaderMap, header};
use serde::Serialize;
use time::OffsetDateTime;

use super::{CopyId, ETag, VersionId, headers, http_date};

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
    /// The MD5 of what was written, in base64, where the service tells it.
    pub content_md5: Option<String>,
    /// The CRC-64 of what was written, in base64, where the service tells it.
    pub content_crc64: Option<String>,
    /// The SHA-256, in base64, of the customer's key that encrypts the content.
    pub encryption_key_sha256: Option<String>,
    /// The encryption scope.
    pub encryption_scope: Option<String>,
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

/// A block that was staged: not yet part of any blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StagedBlock {
    /// The MD5 of the block, in base64, where the service tells it.
    pub content_md5: Option<String>,
    /// The CRC-64 of the block, in base64 (from version 2019-02-02).
    pub content_crc64: Option<String>,
    /// The SHA-256, in base64, of the customer's key that encrypts the block.
    pub encryption_key_sha256: Option<String>,
    /// The encryption scope.
    pub encryption_scope: Option<String>,
}

/// A copy that was over with the answer to its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopiedBlob {
    /// Names the copy; the destination's properties tell of it.
    pub copy_id: CopyId,
    /// The destination's new ETag.
    pub etag: Option<ETag>,
    /// When the copy was made, with whole seconds.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The destination's new version, in accounts that keep versions.
    pub version_id: Option<VersionId>,
    /// The MD5 of the content, in base64, where that of the source was given.
    pub content_md5: Option<String>,
    /// The CRC-64 of the content, in base64 (from version 2019-02-02).
    pub content_crc64: Option<String>,
    /// The encryption scope.
    pub encryption_scope: Option<String>,
}

impl WrittenPages {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let WrittenBlob { etag, last_modified, .. } = WrittenBlob::from_headers(from);
        let number = text(from, &headers::BLOB_SEQUENCE_NUMBER);
        Self { etag, last_modified, sequence_number: number.and_then(|text| text.parse().ok()) }
    }
}

impl WrittenBlob {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let owned = |name: &http::HeaderName| text(from, name).map(str::to_owned);
        Self {
            etag: text(from, &header::ETAG).and_then(|etag| etag.parse().ok()),
            last_modified: text(from, &header::LAST_MODIFIED).and_then(http_date::parse),
            version_id: text(from, &headers::VERSION_ID).and_then(VersionId::from_service),
            content_md5: owned(&headers::CONTENT_MD5),
            content_crc64: owned(&headers::CONTENT_CRC64),
            encryption_key_sha256: owned(&headers::ENCRYPTION_KEY_SHA256),
            encryption_scope: owned(&headers::ENCRYPTION_SCOPE),
        }
    }
}

impl StagedBlock {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let WrittenBlob { content_md5, content_crc64, encryption_key_sha256, .. } =
            WrittenBlob::from_headers(from);
        let encryption_scope = text(from, &headers::ENCRYPTION_SCOPE).map(str::to_owned);
        Self { content_md5, content_crc64, encryption_key_sha256, encryption_scope }
    }
}

fn text<'a>(from: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    from.get(name)?.to_str().ok().filter(|text| !text.is_empty())
}
