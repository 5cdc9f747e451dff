//! The results of writes.

use http::{HeaderMap, header};
use serde::Serialize;
use time::OffsetDateTime;

use super::{ContentCrc64, ContentMd5, CopyId, ETag, VersionId};
use crate::wire::{headers, http_date, redaction};

/// The state of a blob after a write.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobContentInfo {
    /// The blob's new ETag.
    pub etag: Option<ETag>,
    /// When the blob was last modified, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The blob's new version id, in accounts with blob versioning.
    pub version_id: Option<VersionId>,
    /// The MD5 of the written content, if the service returns it.
    pub content_md5: Option<ContentMd5>,
    /// The CRC-64 of the written content, if the service returns it.
    pub content_crc64: Option<ContentCrc64>,
    /// Whether the service encrypted the written content (from version 2015-12-11).
    pub is_server_encrypted: Option<bool>,
    /// The SHA-256, in base64, of the customer-provided key that encrypts the content (from version
    /// 2019-02-02).
    #[serde(serialize_with = "redaction::serialize_hash")]
    pub encryption_key_sha256: Option<String>,
    /// The encryption scope (from version 2019-07-07).
    #[serde(serialize_with = "redaction::serialize")]
    pub encryption_scope: Option<String>,
}

redaction::debug_redacted!(BlobContentInfo {
    etag,
    last_modified,
    version_id,
    content_md5,
    content_crc64,
    is_server_encrypted,
    encryption_key_sha256: hash,
    encryption_scope: text,
});

/// The state of a page blob after a write. If several requests wrote the pages, a value is present
/// only if it holds for all of them.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageInfo {
    /// The blob's new ETag. `None` if several requests wrote the pages at the same time: it is not
    /// known which was applied last.
    pub etag: Option<ETag>,
    /// When the blob was last modified, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The blob's sequence number.
    pub sequence_number: Option<u64>,
    /// The MD5 of the pages, if the service returns it. `None` if several requests wrote the pages:
    /// each returns only its own.
    pub content_md5: Option<ContentMd5>,
    /// The CRC-64 of the pages, if the service returns it (from version 2019-02-02). `None` if
    /// several requests wrote the pages.
    pub content_crc64: Option<ContentCrc64>,
    /// Whether the service encrypted the pages (from version 2015-12-11).
    pub is_server_encrypted: Option<bool>,
    /// The SHA-256, in base64, of the customer-provided key that encrypts the pages (from version
    /// 2019-02-02).
    #[serde(serialize_with = "redaction::serialize_hash")]
    pub encryption_key_sha256: Option<String>,
    /// The encryption scope (from version 2019-07-07).
    #[serde(serialize_with = "redaction::serialize")]
    pub encryption_scope: Option<String>,
}

redaction::debug_redacted!(PageInfo {
    etag,
    last_modified,
    sequence_number,
    content_md5,
    content_crc64,
    is_server_encrypted,
    encryption_key_sha256: hash,
    encryption_scope: text,
});

/// An uncommitted block that was uploaded.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlockInfo {
    /// The MD5 of the block, if the service returns it.
    pub content_md5: Option<ContentMd5>,
    /// The CRC-64 of the block (from version 2019-02-02).
    pub content_crc64: Option<ContentCrc64>,
    /// Whether the service encrypted the block (from version 2015-12-11).
    pub is_server_encrypted: Option<bool>,
    /// The SHA-256, in base64, of the customer-provided key that encrypts the block (from version
    /// 2019-02-02).
    #[serde(serialize_with = "redaction::serialize_hash")]
    pub encryption_key_sha256: Option<String>,
    /// The encryption scope (from version 2019-07-07).
    #[serde(serialize_with = "redaction::serialize")]
    pub encryption_scope: Option<String>,
}

redaction::debug_redacted!(BlockInfo {
    content_md5,
    content_crc64,
    is_server_encrypted,
    encryption_key_sha256: hash,
    encryption_scope: text,
});

/// The result of a synchronous copy.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobCopyInfo {
    /// The copy's id, which the destination's properties also have. `None` before version
    /// 2012-02-12.
    pub copy_id: Option<CopyId>,
    /// The destination's new ETag.
    pub etag: Option<ETag>,
    /// When the destination was last modified, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The destination's new version id, in accounts with blob versioning.
    pub version_id: Option<VersionId>,
    /// The MD5 of the content, if the request had the MD5 of the source.
    pub content_md5: Option<ContentMd5>,
    /// The CRC-64 of the content (from version 2019-02-02).
    pub content_crc64: Option<ContentCrc64>,
    /// Whether the service encrypted the written content (from version 2015-12-11).
    pub is_server_encrypted: Option<bool>,
    /// The encryption scope, if the request named one (from version 2020-12-06).
    #[serde(serialize_with = "redaction::serialize")]
    pub encryption_scope: Option<String>,
}

redaction::debug_redacted!(BlobCopyInfo {
    copy_id,
    etag,
    last_modified,
    version_id,
    content_md5,
    content_crc64,
    is_server_encrypted,
    encryption_scope: text,
});

impl PageInfo {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let written = BlobContentInfo::from_headers(from);
        let number = text(from, &headers::BLOB_SEQUENCE_NUMBER);
        Self {
            etag: written.etag,
            last_modified: written.last_modified,
            sequence_number: number.and_then(|text| text.parse().ok()),
            content_md5: written.content_md5,
            content_crc64: written.content_crc64,
            is_server_encrypted: written.is_server_encrypted,
            encryption_key_sha256: written.encryption_key_sha256,
            encryption_scope: written.encryption_scope,
        }
    }

    /// Merges this response with those before it for a write by several requests; `is_last` if this
    /// request is known to have been applied last.
    pub(crate) fn together_with(self, before: Self, is_last: bool) -> Self {
        fn same<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.filter(|one| other.as_ref() == Some(one))
        }
        Self {
            etag: self.etag.filter(|_| is_last),
            last_modified: self.last_modified.max(before.last_modified),
            sequence_number: match is_last {
                true => self.sequence_number,
                false => same(self.sequence_number, before.sequence_number),
            },
            content_md5: None,
            content_crc64: None,
            is_server_encrypted: same(self.is_server_encrypted, before.is_server_encrypted),
            encryption_key_sha256: same(self.encryption_key_sha256, before.encryption_key_sha256),
            encryption_scope: same(self.encryption_scope, before.encryption_scope),
        }
    }
}

impl BlobContentInfo {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let owned = |name: &http::HeaderName| text(from, name).map(str::to_owned);
        Self {
            etag: text(from, &header::ETAG).and_then(|etag| etag.parse().ok()),
            last_modified: text(from, &header::LAST_MODIFIED).and_then(http_date::parse),
            version_id: text(from, &headers::VERSION_ID).and_then(VersionId::from_service),
            content_md5: text(from, &headers::CONTENT_MD5).and_then(|md5| md5.parse().ok()),
            content_crc64: text(from, &headers::CONTENT_CRC64).and_then(|crc| crc.parse().ok()),
            is_server_encrypted: text(from, &headers::REQUEST_SERVER_ENCRYPTED)
                .and_then(|text| text.parse().ok()),
            encryption_key_sha256: owned(&headers::ENCRYPTION_KEY_SHA256),
            encryption_scope: owned(&headers::ENCRYPTION_SCOPE),
        }
    }
}

impl BlockInfo {
    pub(crate) fn from_headers(from: &HeaderMap) -> Self {
        let written = BlobContentInfo::from_headers(from);
        Self {
            content_md5: written.content_md5,
            content_crc64: written.content_crc64,
            is_server_encrypted: written.is_server_encrypted,
            encryption_key_sha256: written.encryption_key_sha256,
            encryption_scope: written.encryption_scope,
        }
    }
}

fn text<'a>(from: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    from.get(name)?.to_str().ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers() -> HeaderMap {
        [
            (header::ETAG, "\"0x1\""),
            (headers::BLOB_SEQUENCE_NUMBER, "7"),
            (headers::CONTENT_MD5, "AQEBAQEBAQEBAQEBAQEBAQ=="),
            (headers::CONTENT_CRC64, "AQEBAQEBAQE="),
            (headers::REQUEST_SERVER_ENCRYPTED, "true"),
            (headers::ENCRYPTION_KEY_SHA256, "c2hh"),
            (headers::ENCRYPTION_SCOPE, "scope1"),
        ]
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .into_iter()
        .collect()
    }

    #[test]
    fn every_answer_to_a_write_tells_how_it_is_encrypted() {
        let text = |text: &str| Some(text.to_owned());
        let (key, scope) = (text("c2hh"), text("scope1"));
        let blob = BlobContentInfo::from_headers(&headers());
        assert_eq!(
            (blob.is_server_encrypted, blob.encryption_key_sha256),
            (Some(true), key.clone())
        );
        let block = BlockInfo::from_headers(&headers());
        assert_eq!(
            (block.is_server_encrypted, block.encryption_scope),
            (Some(true), scope.clone())
        );
        let expected = PageInfo {
            etag: "\"0x1\"".parse().ok(),
            last_modified: None,
            sequence_number: Some(7),
            content_md5: Some([1; 16].into()),
            content_crc64: Some([1; 8].into()),
            is_server_encrypted: Some(true),
            encryption_key_sha256: key,
            encryption_scope: scope,
        };
        assert_eq!(PageInfo::from_headers(&headers()), expected);
        let none = PageInfo::from_headers(&HeaderMap::new());
        assert_eq!(none, PageInfo::default());
    }

    #[test]
    fn a_checksum_that_is_none_is_absent() {
        let headers =
            [(headers::CONTENT_MD5, "bWQ1"), (headers::CONTENT_CRC64, "AQEBAQEBAQEBAQEBAQEBAQ==")];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let written = BlobContentInfo::from_headers(&headers.into_iter().collect());
        assert_eq!((written.content_md5, written.content_crc64), (None, None));
    }
}
