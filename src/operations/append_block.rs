//! Append Block and Append Block From URL: adds a block to the end of an append blob.

use std::ops::RangeBounds;

use bytes::Bytes;
use http::HeaderValue;
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    error::{Error, Result},
    models::{BlobContentInfo, ByteRange, ContentCrc64, ContentMd5, ETag, ServiceVersion, since},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_access},
            checksum::{Checksum, with_content_crc64, with_content_md5},
            content::Content,
            copy_source::CopySource,
            url_source::{UrlSource, from_uri, with_source_crc64, with_source_customer_key},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Settings, Target},
        response::Answer,
    },
    wire::{headers, redaction},
};

/// The result of appending a block: where it is, and the state of the blob.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobAppendInfo {
    /// The offset of the appended block, in bytes.
    pub offset: Option<u64>,
    /// The number of committed blocks in the blob, at most 50,000.
    pub committed_block_count: Option<u32>,
    /// The blob's new ETag.
    pub etag: Option<ETag>,
    /// When the blob was last modified, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The MD5 of the appended block, if the service returns it.
    pub content_md5: Option<ContentMd5>,
    /// The CRC-64 of the appended block (from version 2019-02-02).
    pub content_crc64: Option<ContentCrc64>,
    /// Whether the service encrypted the block (from version 2015-12-11).
    pub is_server_encrypted: Option<bool>,
    /// The SHA-256, in base64, of the customer-provided key that encrypts the block (from version
    /// 2019-02-02).
    #[serde(serialize_with = "redaction::serialize_hash")]
    pub encryption_key_sha256: Option<String>,
    /// The encryption scope that encrypts the block (from version 2019-07-07).
    #[serde(serialize_with = "redaction::serialize")]
    pub encryption_scope: Option<String>,
}

redaction::debug_redacted!(BlobAppendInfo {
    offset,
    committed_block_count,
    etag,
    last_modified,
    content_md5,
    content_crc64,
    is_server_encrypted,
    encryption_key_sha256: hash,
    encryption_scope: text,
});

builder! {
    /// Appends a block to an append blob, at most 100 MiB (before version 2022-11-02: 4 MiB).
    ///
    /// Returned by [`AppendBlobClient::append_block`](crate::AppendBlobClient::append_block).
    ///
    /// A second attempt would append the block again, so this is retried only if the first attempt
    /// certainly appended nothing.
    ///
    /// [Append Block](https://learn.microsoft.com/rest/api/storageservices/append-block)
    /// (from version 2015-02-21)
    AppendBlock of Append -> BlobAppendInfo
}

#[derive(Debug, Clone)]
pub(crate) struct Append {
    content: Content,
    checksum: Checksum,
    place: Place,
    access: Access,
}

impl Append {
    pub(crate) fn new(content: Bytes) -> Self {
        Self {
            content: Content(content),
            checksum: Checksum::default(),
            place: Place::default(),
            access: Access::default(),
        }
    }
}

builder! {
    /// Appends the content of a URL, or a range of it, with the limits of [`AppendBlock`].
    ///
    /// Returned by
    /// [`AppendBlobClient::append_block_from_uri`](crate::AppendBlobClient::append_block_from_uri).
    ///
    /// A second attempt would append the block again, so this is retried only if the first attempt
    /// certainly appended nothing.
    ///
    /// [Append Block From URL](https://learn.microsoft.com/rest/api/storageservices/append-block-from-url)
    /// (from version 2018-11-09)
    AppendBlockFromUri of AppendFromUrl
}

#[derive(Debug, Clone)]
pub(crate) struct AppendFromUrl {
    source: UrlSource,
    range: Option<ByteRange>,
    place: Place,
    access: Access,
}

impl AppendFromUrl {
    pub(crate) fn new(source: CopySource) -> Self {
        Self {
            source: UrlSource::new(source),
            range: None,
            place: Place::default(),
            access: Access::default(),
        }
    }
}

impl AppendBlockFromUri {
    /// Appends only this range of the source. It needs an end: `0..4194304`.
    pub fn source_range(mut self, range: impl RangeBounds<u64>) -> Self {
        self.operation.range = Some(ByteRange::new(range));
        self
    }
}

/// Conditions on the length of the blob.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    length: Option<u64>,
    longest: Option<u64>,
}

impl Settings for Place {
    fn write(&self, request: Prepared) -> Prepared {
        request
            .header(headers::APPEND_POSITION, self.length.map(HeaderValue::from))
            .header(headers::APPEND_MAX_SIZE, self.longest.map(HeaderValue::from))
    }
}

macro_rules! with_place {
    ($builder:ident) => {
        impl $builder {
            /// Appends only if the blob is exactly this long, in bytes; otherwise the service
            /// answers 412 `AppendPositionConditionNotMet`.
            pub fn if_length(mut self, length: u64) -> Self {
                self.operation.place.length = Some(length);
                self
            }

            /// Appends only if the blob is at most this long afterwards, in bytes; otherwise the
            /// service answers 412 `MaxBlobSizeConditionNotMet`.
            pub fn max_length(mut self, length: u64) -> Self {
                self.operation.place.longest = Some(length);
                self
            }
        }
    };
}

fn check_length(version: ServiceVersion, length: u64) -> Result<()> {
    let (longest, rule) = match since::APPENDS_OF_100_MIB.is_known_to(version) {
        true => (100, "1 byte to 100 MiB"),
        false => (4, "1 byte to 4 MiB"),
    };
    if (1..=longest << 20).contains(&length) {
        return Ok(());
    }
    let rule = format!("must be {rule} at service version {version}");
    Err(Error::invalid("block length", length, &rule))
}

fn appended(answer: &Answer) -> BlobAppendInfo {
    let written = BlobContentInfo::from_headers(&answer.headers);
    let count = answer.text(&headers::COMMITTED_BLOCK_COUNT);
    BlobAppendInfo {
        offset: answer.text(&headers::APPEND_OFFSET).and_then(|text| text.parse().ok()),
        committed_block_count: count.and_then(|text| text.parse().ok()),
        etag: written.etag,
        last_modified: written.last_modified,
        content_md5: written.content_md5,
        content_crc64: written.content_crc64,
        is_server_encrypted: written.is_server_encrypted,
        encryption_key_sha256: written.encryption_key_sha256,
        encryption_scope: written.encryption_scope,
    }
}

with_place!(AppendBlock);
with_access!(AppendBlock, operation.access);
with_content_md5!(AppendBlock);
with_content_crc64!(AppendBlock);

impl Operation for Append {
    type Output = BlobAppendInfo;

    const NAME: &'static str = "Append Block";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .check(check_length(to.version, self.content.len() as u64))
            .query("comp", "appendblock")
            .body(self.content.0.clone())
            .settings(&self.checksum)
            .settings(&self.place)
            .settings(&self.access)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobAppendInfo> {
        Ok(appended(&answer))
    }
}

with_place!(AppendBlockFromUri);
with_access!(AppendBlockFromUri, operation.access);
with_source_crc64!(AppendBlockFromUri);
with_source_customer_key!(AppendBlockFromUri);
from_uri!(AppendBlockFromUri -> BlobAppendInfo);

impl Operation for AppendFromUrl {
    type Output = BlobAppendInfo;

    const NAME: &'static str = "Append Block From URL";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let range = self.range.map(|range| range.header("source range")).transpose();
        let length = self.range.map(|range| range.len("source range")).transpose();
        to.put()
            .since(since::APPEND_FROM_URL)
            .check(self.source.check_no_tags())
            .query("comp", "appendblock")
            .try_text(headers::SOURCE_RANGE, "source range", range)
            .with(length, |request, length| {
                request.check(length.map_or(Ok(()), |length| check_length(to.version, length)))
            })
            .settings(&self.place)
            .settings(&self.access)
            .settings(&self.source)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobAppendInfo> {
        Ok(appended(&answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::AppendBlobClient, operations::offline};

    fn log(version: &str) -> AppendBlobClient {
        offline::blob_at(version).append_blob_client()
    }

    #[tokio::test]
    async fn each_setting_is_one_header() {
        let source = "https://example.com/log".parse::<url::Url>().expect("a URL");
        let mut append = log("2026-04-06")
            .append_block_from_uri(source)
            .source_range(0..5)
            .source_authorization("TOKEN")
            .if_length(7)
            .max_length(12);
        append.operation.source.resolve(&append.call).await.expect("a source");
        let request = append.prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=appendblock"));
        for (name, value) in [
            ("content-length", "0"),
            ("x-ms-blob-condition-appendpos", "7"),
            ("x-ms-blob-condition-maxsize", "12"),
            ("x-ms-copy-source", "https://example.com/log"),
            ("x-ms-copy-source-authorization", "Bearer TOKEN"),
            ("x-ms-source-range", "bytes=0-4"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        let append = log("2026-04-06").append_block("hello");
        let request = append.prepared().expect("legal");
        assert_eq!(&request.body[..], b"hello");
    }

    #[test]
    fn the_answer_tells_where_it_was_appended() {
        let headers = "x-ms-blob-append-offset: 7\nx-ms-blob-committed-block-count: 2\n\
                       x-ms-request-server-encrypted: true\nx-ms-encryption-key-sha256: c2hh\n\
                       x-ms-encryption-scope: scope1";
        let append = log("2026-04-06").append_block("hello");
        let appended =
            append.operation.parse(offline::answer(201, headers, "")).expect("an answer");
        assert_eq!((appended.offset, appended.committed_block_count), (Some(7), Some(2)));
        assert_eq!(appended.is_server_encrypted, Some(true));
        assert_eq!(appended.encryption_key_sha256.as_deref(), Some("c2hh"));
        assert_eq!(appended.encryption_scope.as_deref(), Some("scope1"));
    }

    #[test]
    fn what_the_service_would_refuse_is_refused() {
        for (version, content, rule) in [
            ("2022-11-02", 0, "1 byte to 100 MiB"),
            ("2022-11-02", (100 << 20) + 1, "1 byte to 100 MiB"),
            ("2021-12-02", (4 << 20) + 1, "1 byte to 4 MiB"),
            ("2014-02-14", 1, "2015-02-21 or later"),
        ] {
            let append = log(version).append_block(vec![0; content]);
            let error = append.prepared().expect_err(rule).to_string();
            assert!(error.contains(rule), "{error}");
        }
    }
}
