//! Put Page From URL: writes pages from a URL.

use crate::{
    error::Result,
    models::{ByteRange, PageInfo, page, since},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_access},
            copy_source::CopySource,
            pieces,
            sequence_number::{SequenceConditions, with_sequence_conditions},
            url_source::{
                UrlSource, from_uri_settings, with_source_crc64, with_source_customer_key,
            },
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, transport::BoxFuture},
};

builder! {
    /// Writes pages from a range of a URL.
    ///
    /// Returned by
    /// [`PageBlobClient::upload_pages_from_uri`](crate::PageBlobClient::upload_pages_from_uri).
    ///
    /// One request writes at most 4 MiB; a longer range is split into several requests, some of
    /// them in flight at a time. When one fails, others may have been applied.
    ///
    /// [Put Page From URL](https://learn.microsoft.com/rest/api/storageservices/put-page-from-url)
    /// (from version 2018-11-09)
    UploadPagesFromUri of PutPageFromUrl
}

#[derive(Debug, Clone)]
pub(crate) struct PutPageFromUrl {
    source: UrlSource,
    source_range: ByteRange,
    offset: u64,
    concurrency: usize,
    sequence: SequenceConditions,
    access: Access,
}

impl PutPageFromUrl {
    pub(crate) fn new(source: CopySource, source_range: ByteRange, offset: u64) -> Self {
        Self {
            source: UrlSource::new(source),
            source_range,
            offset,
            concurrency: pieces::CONCURRENCY,
            sequence: SequenceConditions::default(),
            access: Access::default(),
        }
    }

    fn length(&self) -> Result<u64> {
        self.source_range.len("source range")
    }

    /// The range to write.
    fn range(&self) -> Result<ByteRange> {
        let end = self.offset.saturating_add(self.length()?);
        Ok(ByteRange { start: self.offset, end: Some(end) })
    }

    fn check(&self) -> Result<()> {
        self.source_range.header("source range")?;
        page::written(self.range()?)?;
        let is_single = self.source.checksum.is_set() || !self.access.conditions.is_empty();
        pieces::check(self.length()?, is_single, self.concurrency)
    }

    /// The requests that together write the range.
    fn pieces(&self) -> impl Iterator<Item = Self> + Send + use<> {
        const PIECE: u64 = pieces::PIECE as u64;
        let whole = self.clone();
        let ByteRange { start, end } = whole.source_range;
        let end = end.unwrap_or(start);
        let count = end.saturating_sub(start).div_ceil(PIECE);
        (0..count).map(move |piece| {
            let start = start + piece * PIECE;
            let source_range = ByteRange::new(start..end.min(start.saturating_add(PIECE)));
            Self { source_range, offset: whole.offset + piece * PIECE, ..whole.clone() }
        })
    }
}

impl UploadPagesFromUri {
    /// How many requests may be in flight at a time: 1 to 64, by default 4.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.operation.concurrency = requests;
        self
    }
}

with_access!(UploadPagesFromUri, operation.access);
with_sequence_conditions!(UploadPagesFromUri);
with_source_crc64!(UploadPagesFromUri);
with_source_customer_key!(UploadPagesFromUri);
from_uri_settings!(UploadPagesFromUri);

impl IntoFuture for UploadPagesFromUri {
    type Output = Result<PageInfo>;
    type IntoFuture = BoxFuture<'static, Result<PageInfo>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { call, mut operation } = self;
            operation.check()?;
            // Refuses a bad request before it requests a key or token for the source.
            if operation.source.may_request() {
                call.prepare(&operation)?;
            }
            // Most writes are one piece: without the queue of pieces they cost the client less.
            if (1..=u64::from(pieces::PIECE)).contains(&operation.length()?) {
                operation.source.resolve(&call).await?;
                return operation.source.judged(call.run(&operation).await);
            }
            // A long copy outlives a token, so each piece gets a current one.
            let pieces = operation.pieces().map(|mut piece| {
                let call = call.clone();
                async move {
                    piece.source.resolve(&call).await?;
                    piece.source.judged(call.run(&piece).await)
                }
            });
            pieces::write(pieces, operation.concurrency).await
        })
    }
}

/// One piece, of at most 4 MiB.
impl Operation for PutPageFromUrl {
    type Output = PageInfo;

    const NAME: &'static str = "Put Page From URL";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let range = self.range().and_then(|range| range.header("page range"));
        to.put()
            .since(since::PAGES_FROM_URL)
            .check(self.source.check_no_tags())
            .query("comp", "page")
            .word(headers::PAGE_WRITE, "update")
            .try_text(
                headers::SOURCE_RANGE,
                "source range",
                self.source_range.header("source range"),
            )
            .try_text(headers::RANGE, "range", range)
            .settings(&self.sequence)
            .settings(&self.access)
            .settings(&self.source)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeBounds;

    use super::*;
    use crate::{
        models::{Conditions, CustomerProvidedKey},
        operations::offline::{self, sent},
    };

    fn upload(range: impl RangeBounds<u64>, offset: u64) -> UploadPagesFromUri {
        let source = "https://example.com/disk.vhd".parse::<url::Url>().expect("a URL");
        offline::blob().page_blob_client().upload_pages_from_uri(source, range, offset)
    }

    async fn sent_by(mut upload: UploadPagesFromUri) -> Prepared {
        upload.operation.source.resolve(&upload.call).await.expect("a source");
        upload.prepared().expect("legal")
    }

    #[tokio::test]
    async fn each_setting_is_one_header() {
        let etag = || "\"0x1\"".parse::<crate::ETag>().expect("an etag");
        let lease = "11111111-2222-3333-4444-555555555555";
        let upload = upload(512..1536, 1024)
            .source_authorization("TOKEN")
            .source_file_backup_intent()
            .source_conditions(Conditions::new().if_none_match(etag()))
            .source_content_crc64([1; 8])
            .source_customer_key(CustomerProvidedKey::new([7; 32]))
            .if_sequence_number_at_most(7)
            .if_sequence_number_less_than(8)
            .if_sequence_number_equal(6)
            .conditions(Conditions::new().if_match(etag()).if_tags("\"a\" = 'b'"))
            .lease_id(lease.parse::<crate::LeaseId>().expect("a guid"));
        let request = sent_by(upload.clone().encryption_scope("scope1")).await;
        assert_eq!((&request.method, request.url.query()), (&http::Method::PUT, Some("comp=page")));
        assert!(!format!("{upload:?} {request:?}").contains("TOKEN"), "{request:?}");
        let expected = [
            ("content-length", "0"),
            ("if-match", "\"0x1\""),
            ("x-ms-copy-source", "https://example.com/disk.vhd"),
            ("x-ms-copy-source-authorization", "Bearer TOKEN"),
            ("x-ms-encryption-scope", "scope1"),
            ("x-ms-file-request-intent", "backup"),
            ("x-ms-if-sequence-number-eq", "6"),
            ("x-ms-if-sequence-number-le", "7"),
            ("x-ms-if-sequence-number-lt", "8"),
            ("x-ms-if-tags", "\"a\" = 'b'"),
            ("x-ms-lease-id", lease),
            ("x-ms-page-write", "update"),
            ("x-ms-range", "bytes=1024-2047"),
            ("x-ms-source-content-crc64", "AQEBAQEBAQE="),
            ("x-ms-source-encryption-algorithm", "AES256"),
            ("x-ms-source-encryption-key", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("x-ms-source-encryption-key-sha256", "S7Bvjk46dxXSAdVz0KpCN2LlXavWGiwCJ4+lbMbSlOA="),
            ("x-ms-source-if-none-match", "\"0x1\""),
            ("x-ms-source-range", "bytes=512-1535"),
        ];
        assert_eq!(sent(&request.headers), expected);

        let request = sent_by(upload.customer_key(CustomerProvidedKey::new([7; 32]))).await;
        assert_eq!(request.headers["x-ms-encryption-algorithm"], "AES256");
        for name in ["x-ms-encryption-key", "x-ms-encryption-key-sha256"] {
            let of_source = name.replace("x-ms-", "x-ms-source-");
            assert_eq!(request.headers[name], request.headers[of_source], "{name}");
        }
    }

    #[test]
    fn what_is_long_is_cut_into_pieces_of_4_mib() {
        let mib = 1 << 20;
        let upload = upload(100..100 + 9 * mib, 512);
        let ranges: Vec<_> = upload
            .operation
            .pieces()
            .map(|piece| {
                let request = upload.call.prepare(&piece).expect("legal");
                let text = |name: &str| request.headers[name].to_str().expect("text").to_owned();
                assert_eq!(text("x-ms-page-write"), "update");
                (text("x-ms-source-range"), text("x-ms-range"))
            })
            .collect();
        let expected = [
            ("bytes=100-4194403", "bytes=512-4194815"),
            ("bytes=4194404-8388707", "bytes=4194816-8389119"),
            ("bytes=8388708-9437283", "bytes=8389120-9437695"),
        ];
        assert_eq!(ranges, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn a_source_near_the_last_of_all_numbers_is_cut_too() {
        let start = u64::MAX - (5 << 20);
        let upload = upload(start..u64::MAX, 0);
        let ranges: Vec<_> = upload.operation.pieces().map(|piece| piece.source_range).collect();
        let between = start + (4 << 20);
        assert_eq!(ranges, [start..between, between..u64::MAX].map(ByteRange::new));
    }

    #[test]
    fn what_the_service_would_refuse_is_refused() {
        let long = || upload(0..8 << 20, 0);
        let once = || Conditions::new().if_match(crate::models::ETag::ANY);
        for (upload, what, rule) in [
            (upload(5..5, 0), "source range", "must hold a byte"),
            (upload(512.., 0), "source range", "must have an end"),
            (upload(0..511, 0), "page range length", "multiple of 512"),
            (upload(0..512, 1), "page offset", "multiple of 512"),
            (upload(0..512, u64::MAX - 511), "page range", "must end within"),
            (upload(0..u64::MAX - 511, 0), "page range", "must end within 8 TiB"),
            (upload(0..512, 0).concurrency(65), "concurrency", "1 to 64"),
            (long().conditions(once()), "page content", "at most 4 MiB with conditions"),
            (long().source_content_md5([1; 16]), "page content", "or a checksum"),
        ] {
            let error = upload.operation.check().expect_err(rule).to_string();
            assert!(error.starts_with(what) && error.contains(rule), "{error}");
        }
        assert!(long().operation.check().is_ok());
    }
}
