//! Put Block From URL: makes an uncommitted block from a URL.

use std::ops::RangeBounds;

use super::stage_block::check_length;
use crate::{
    error::Result,
    models::{BlockId, BlockInfo, ByteRange, since},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_lease},
            copy_source::CopySource,
            encryption::{with_customer_key, with_encryption_scope},
            url_source::{UrlSource, from_uri, with_source_crc64, with_source_customer_key},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Makes a block from the content of a URL, or from a range of it.
    ///
    /// Returned by
    /// [`BlockBlobClient::stage_block_from_uri`](crate::BlockBlobClient::stage_block_from_uri).
    ///
    /// At most 4000 MiB (before version 2020-04-08: 100 MiB).
    ///
    /// [Put Block From URL](https://learn.microsoft.com/rest/api/storageservices/put-block-from-url)
    /// (from version 2018-03-28)
    StageBlockFromUri of PutBlockFromUrl
}

#[derive(Debug, Clone)]
pub(crate) struct PutBlockFromUrl {
    id: BlockId,
    source: UrlSource,
    range: Option<ByteRange>,
    access: Access,
}

impl PutBlockFromUrl {
    pub(crate) fn new(id: BlockId, source: CopySource) -> Self {
        Self { id, source: UrlSource::new(source), range: None, access: Access::default() }
    }
}

impl StageBlockFromUri {
    /// Reads only this range of the source. It needs an end: `0..4194304`.
    pub fn source_range(mut self, range: impl RangeBounds<u64>) -> Self {
        self.operation.range = Some(ByteRange::new(range));
        self
    }
}

with_lease!(StageBlockFromUri, operation.access);
with_customer_key!(StageBlockFromUri, operation.access.encryption);
with_encryption_scope!(StageBlockFromUri, operation.access.encryption);
with_source_crc64!(StageBlockFromUri);
with_source_customer_key!(StageBlockFromUri);
from_uri!(StageBlockFromUri -> BlockInfo);

impl Operation for PutBlockFromUrl {
    type Output = BlockInfo;

    const NAME: &'static str = "Put Block From URL";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let range = self.range.map(|range| range.header("source range")).transpose();
        let length = self.range.map(|range| range.len("source range")).transpose();
        to.put()
            .since(since::BLOCK_FROM_URL)
            .check(self.source.check_no_tags())
            .query("comp", "block")
            .query("blockid", self.id.to_base64().as_str())
            .try_text(headers::SOURCE_RANGE, "source range", range)
            .with(length, |request, length| {
                request.check(length.map_or(Ok(()), |length| check_length(to.version, length)))
            })
            .settings(&self.access)
            .settings(&self.source)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlockInfo> {
        Ok(BlockInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        models::{Conditions, CustomerProvidedKey},
        operations::offline::{self, sent},
    };

    fn stage(version: &str) -> StageBlockFromUri {
        let source = "https://example.com/a.iso".parse::<url::Url>().expect("a URL");
        let blob = offline::blob_at(version).block_blob_client();
        blob.stage_block_from_uri(BlockId::numbered(1), source)
    }

    #[tokio::test]
    async fn a_block_of_a_range_with_its_checksum() {
        let mut stage = stage("2026-04-06").source_range(512..1024).source_content_crc64([1; 8]);
        stage.operation.source.resolve(&stage.call).await.expect("a source");
        let request = stage.prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=block&blockid=MDAwMDAwMDAwMQ%3D%3D"));
        assert_eq!(request.headers["content-length"], "0");
        assert_eq!(request.headers["x-ms-copy-source"], "https://example.com/a.iso");
        assert_eq!(request.headers["x-ms-source-range"], "bytes=512-1023");
        assert_eq!(request.headers["x-ms-source-content-crc64"], "AQEBAQEBAQE=");
    }

    #[tokio::test]
    async fn each_setting_is_one_header() {
        let etag = "\"0x1\"".parse::<crate::ETag>().expect("an etag");
        let lease = "11111111-2222-3333-4444-555555555555";
        let key = || CustomerProvidedKey::new([7; 32]);
        let mut stage = stage("2026-04-06")
            .source_range(0..512)
            .source_authorization("TOKEN")
            .source_file_backup_intent()
            .source_conditions(Conditions::new().if_match(etag))
            .source_content_md5([1; 16])
            .source_customer_key(key())
            .encryption_scope("scope1")
            .lease_id(lease.parse::<crate::LeaseId>().expect("a guid"));
        stage.operation.source.resolve(&stage.call).await.expect("a source");
        let request = stage.prepared().expect("legal");
        assert!(!format!("{stage:?} {request:?}").contains("TOKEN"), "{request:?}");
        let expected = [
            ("content-length", "0"),
            ("x-ms-copy-source", "https://example.com/a.iso"),
            ("x-ms-copy-source-authorization", "Bearer TOKEN"),
            ("x-ms-encryption-scope", "scope1"),
            ("x-ms-file-request-intent", "backup"),
            ("x-ms-lease-id", lease),
            ("x-ms-source-content-md5", "AQEBAQEBAQEBAQEBAQEBAQ=="),
            ("x-ms-source-encryption-algorithm", "AES256"),
            ("x-ms-source-encryption-key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("x-ms-source-encryption-key-sha256", key().sha256()),
            ("x-ms-source-if-match", "\"0x1\""),
            ("x-ms-source-range", "bytes=0-511"),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let found =
            sent(&request.headers).into_iter().map(|(name, value)| (name, value.to_owned()));
        assert_eq!(found.collect::<Vec<_>>(), expected);

        stage.operation.access.encryption.scope = None;
        let stage = stage.customer_key(key());
        let request = stage.prepared().expect("legal");
        assert_eq!(request.headers["x-ms-encryption-algorithm"], "AES256");
        assert_eq!(request.headers["x-ms-encryption-key-sha256"], key().sha256());
    }

    #[test]
    fn what_the_service_would_refuse_is_refused() {
        let new = || stage("2026-04-06");
        for (stage, what, rule) in [
            (stage("2017-11-09"), "service version", "2018-03-28"),
            (new().source_range(5..5), "source range", "must hold a byte"),
            (new().source_range(0..(4000 << 20) + 1), "block length", "4000 MiB"),
            (stage("2018-11-09").source_range(0..(100 << 20) + 1), "block length", "100 MiB"),
            (stage("2018-11-09").source_content_crc64([1; 8]), "service version", "2019-02-02"),
            (
                new().source_content_crc64([1; 8]).source_content_md5([1; 16]),
                "source_content_crc64",
                "accepts one",
            ),
        ] {
            let error = stage.prepared().expect_err(rule).to_string();
            assert!(error.starts_with(what) && error.contains(rule), "{error}");
        }
    }
}
