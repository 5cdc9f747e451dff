//! Put Page: writes pages, in as many requests as needed.

use bytes::Bytes;
use http::header;

use crate::{
    error::Result,
    models::{ByteRange, PageInfo, page},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_access},
            checksum::{Checksum, with_content_crc64, with_content_md5},
            content::Content,
            pieces,
            sequence_number::{SequenceConditions, with_sequence_conditions},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, transport::BoxFuture},
};

builder! {
    /// Writes pages to a page blob at an offset.
    ///
    /// Returned by [`PageBlobClient::upload_pages`](crate::PageBlobClient::upload_pages).
    ///
    /// Offset and length are multiples of 512 bytes. One request writes at most 4 MiB; longer
    /// content is split into several requests, some of them in flight at a time. When one fails,
    /// others may have been applied.
    ///
    /// [Put Page](https://learn.microsoft.com/rest/api/storageservices/put-page)
    UploadPages of PutPage
}

#[derive(Debug, Clone)]
pub(crate) struct PutPage {
    offset: u64,
    content: Content,
    concurrency: usize,
    checksum: Checksum,
    sequence: SequenceConditions,
    access: Access,
}

impl PutPage {
    pub(crate) fn new(offset: u64, content: Bytes) -> Self {
        Self {
            offset,
            content: Content(content),
            concurrency: pieces::CONCURRENCY,
            checksum: Checksum::default(),
            sequence: SequenceConditions::default(),
            access: Access::default(),
        }
    }

    fn range(&self) -> ByteRange {
        let end = self.offset.saturating_add(self.content.len() as u64);
        ByteRange { start: self.offset, end: Some(end) }
    }

    fn check(&self) -> Result<()> {
        let length = self.content.len() as u64;
        page::written(self.range())?;
        let is_single = self.checksum.is_set() || !self.access.conditions.is_empty();
        pieces::check(length, is_single, self.concurrency)
    }

    /// The requests that together write the content.
    fn pieces(&self) -> impl Iterator<Item = Self> + Send + use<> {
        const PIECE: usize = pieces::PIECE as usize;
        let whole = self.clone();
        (0..whole.content.len()).step_by(PIECE).map(move |start| Self {
            offset: whole.offset + start as u64,
            content: Content(whole.content.slice(start..whole.content.len().min(start + PIECE))),
            ..whole.clone()
        })
    }
}

impl UploadPages {
    /// How many requests may be in flight at a time: 1 to 64, by default 4.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.operation.concurrency = requests;
        self
    }
}

with_access!(UploadPages, operation.access);
with_sequence_conditions!(UploadPages);
with_content_md5!(UploadPages);
with_content_crc64!(UploadPages);

impl IntoFuture for UploadPages {
    type Output = Result<PageInfo>;
    type IntoFuture = BoxFuture<'static, Result<PageInfo>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { call, operation } = self;
            operation.check()?;
            let pieces = operation.pieces().map(|piece| {
                let call = call.clone();
                async move { call.run(&piece).await }
            });
            pieces::write(pieces, operation.concurrency).await
        })
    }
}

/// One Put Page, of at most 4 MiB.
impl Operation for PutPage {
    type Output = PageInfo;

    const NAME: &'static str = "Put Page";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .query("comp", "page")
            .word(headers::PAGE_WRITE, "update")
            .word(header::CONTENT_TYPE, "application/octet-stream")
            .try_text(headers::RANGE, "range", self.range().header("page range"))
            .body(self.content.0.clone())
            .settings(&self.checksum)
            .settings(&self.sequence)
            .settings(&self.access)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}
