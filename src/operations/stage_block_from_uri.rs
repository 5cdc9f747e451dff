//! Put Block From URL: a block made of what a URL gives.

use std::ops::Range;

use http::Method;
use url::Url;

use super::stage_block::check_length;
use crate::{
    error::{Error, Result},
    models::{BlockId, BlockInfo, LeaseId, ServiceVersion},
    operations::{
        operation::{Call, Operation, call_options},
        settings::{
            blob::{with_lease, write_lease},
            copy_source::CopySource,
            encryption::{Encryption, with_customer_key, with_encryption_scope},
            url_source::{UrlSource, from_uri, with_source_crc64, with_source_customer_key},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Makes a block of what a URL gives, or of a part of it: made by
/// [`BlockBlobClient::stage_block_from_uri`](crate::BlockBlobClient::stage_block_from_uri).
///
/// At most 4000 MiB (from version 2020-04-08), else 100 MiB.
///
/// [Put Block From URL](https://learn.microsoft.com/rest/api/storageservices/put-block-from-url)
/// (from version 2018-03-28)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct StageBlockFromUri {
    call: Call,
    id: BlockId,
    source: UrlSource,
    range: Option<Range<u64>>,
    encryption: Encryption,
    lease_id: Option<LeaseId>,
}

impl StageBlockFromUri {
    pub(crate) fn new(call: Call, id: BlockId, source: CopySource) -> Self {
        let (source, encryption) = (UrlSource::new(source), Encryption::default());
        Self { call, id, source, range: None, encryption, lease_id: None }
    }

    /// Only these bytes of the source, instead of all: `0..4194304`.
    pub fn source_range(mut self, range: Range<u64>) -> Self {
        self.range = Some(range);
        self
    }
}

/// The value of `x-ms-source-range`; refuses a range without a byte.
pub(super) fn source_range(range: &Range<u64>) -> Result<String> {
    if range.is_empty() {
        let value = format!("{}..{}", range.start, range.end);
        return Err(Error::invalid("source range", value, "must hold a byte"));
    }
    Ok(format!("bytes={}-{}", range.start, range.end - 1))
}

call_options!(StageBlockFromUri);
with_lease!(StageBlockFromUri);
with_customer_key!(StageBlockFromUri);
with_encryption_scope!(StageBlockFromUri);
with_source_crc64!(StageBlockFromUri);
with_source_customer_key!(StageBlockFromUri);
from_uri!(StageBlockFromUri -> BlockInfo);

impl Operation for StageBlockFromUri {
    type Output = BlockInfo;

    const NAME: &'static str = "Put Block From URL";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.call.since(ServiceVersion::FROM_URL, "a block made from a URL")?;
        self.source.check_no_tags()?;
        let mut request = Prepared::new(Method::PUT, url)
            .query("comp", "block")
            .query("blockid", &self.id.to_base64());
        if let Some(range) = &self.range {
            let text = source_range(range)?;
            check_length(&self.call, range.end - range.start)?;
            request = request.text(headers::SOURCE_RANGE, "source range", &text)?;
        }
        let request = self.encryption.write(&self.call, request)?;
        let request = self.source.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
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
        let source = "https://example.com/a.iso".parse::<Url>().expect("a URL");
        let blob = offline::blob_at(version).block_blob_client();
        blob.stage_block_from_uri(BlockId::numbered(1), source)
    }

    #[tokio::test]
    async fn a_block_of_a_range_with_its_checksum() {
        let mut stage = stage("2026-04-06").source_range(512..1024).source_content_crc64([1; 8]);
        stage.source.resolve(&stage.call).await.expect("a source");
        let request = stage.call.prepare(&stage).expect("legal");
        assert_eq!(request.url.query(), Some("comp=block&blockid=MDAwMDAwMDAwMQ%3D%3D"));
        assert_eq!(request.headers["content-length"], "0");
        assert_eq!(request.headers["x-ms-copy-source"], "https://example.com/a.iso");
        assert_eq!(request.headers["x-ms-source-range"], "bytes=512-1023");
        assert_eq!(request.headers["x-ms-source-content-crc64"], "AQEBAQEBAQE=");
    }

    #[tokio::test]
    async fn each_setting_is_one_header() {
        let etag = "\"0x1\"".parse().expect("an etag");
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
            .lease_id(lease.parse().expect("a guid"));
        stage.source.resolve(&stage.call).await.expect("a source");
        let request = stage.call.prepare(&stage).expect("legal");
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

        stage.encryption.scope = None;
        let stage = stage.customer_key(key());
        let request = stage.call.prepare(&stage).expect("legal");
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
                "one of the two",
            ),
        ] {
            let error = stage.call.prepare(&stage).expect_err(rule).to_string();
            assert!(error.starts_with(what) && error.contains(rule), "{error}");
        }
    }
}
