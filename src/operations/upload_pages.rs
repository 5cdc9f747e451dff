//! Put Page: writes pages, as many requests as it takes.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use url::Url;

use crate::{
    error::Result,
    models::{Conditions, LeaseId, PageInfo, page},
    operations::{
        operation::{Call, Operation, call_options},
        settings::{
            blob::{with_conditions, with_lease, write_lease},
            checksum::{self, Checksum, with_content_crc64, with_content_md5},
            content::Content,
            encryption::{Encryption, with_customer_key, with_encryption_scope},
            pieces,
            sequence_number::{SequenceConditions, with_sequence_conditions},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::{headers, transport::BoxFuture},
};

/// Writes pages at an offset: made by
/// [`PageBlobClient::upload_pages`](crate::PageBlobClient::upload_pages).
///
/// Offset and length are multiples of 512 bytes. What is longer than 4 MiB, the most that one
/// request may hold, is cut into pieces, several of which are on their way at a time; when one
/// fails, others may have been written.
///
/// [Put Page](https://learn.microsoft.com/rest/api/storageservices/put-page)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct UploadPages {
    call: Call,
    offset: u64,
    content: Content,
    concurrency: usize,
    checksum: Checksum,
    encryption: Encryption,
    sequence: SequenceConditions,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl UploadPages {
    pub(crate) fn new(call: Call, offset: u64, content: Bytes) -> Self {
        Self {
            call,
            offset,
            content: Content(content),
            concurrency: pieces::CONCURRENCY,
            checksum: Checksum::default(),
            encryption: Encryption::default(),
            sequence: SequenceConditions::default(),
            conditions: Conditions::new(),
            lease_id: None,
        }
    }

    /// How many requests may be on their way at a time: 1 to 64, by default 4.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    fn check(&self) -> Result<()> {
        let length = self.content.len() as u64;
        page::check_write(self.offset, length)?;
        let is_single = self.checksum.is_set() || !self.conditions.is_empty();
        pieces::check(length, is_single, self.concurrency)
    }

    /// The requests that together write the whole: each of them a part of it.
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

call_options!(UploadPages);
with_conditions!(UploadPages);
with_sequence_conditions!(UploadPages);
with_lease!(UploadPages);
with_content_md5!(UploadPages);
with_content_crc64!(UploadPages);
with_customer_key!(UploadPages);
with_encryption_scope!(UploadPages);

impl IntoFuture for UploadPages {
    type Output = Result<PageInfo>;
    type IntoFuture = BoxFuture<'static, Result<PageInfo>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.check()?;
            let pieces = self.pieces().map(|piece| async move { piece.call.run(&piece).await });
            pieces::write(pieces, self.concurrency).await
        })
    }
}

/// One Put Page, of at most 4 MiB.
impl Operation for UploadPages {
    type Output = PageInfo;

    const NAME: &'static str = "Put Page";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.conditions.check_write("conditions")?;
        let range = page::header(self.offset, self.content.len() as u64);
        let mut request = Prepared::new(Method::PUT, url)
            .query("comp", "page")
            .header(headers::PAGE_WRITE, HeaderValue::from_static("update"))
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .text(headers::RANGE, "range", &range)?
            .body(self.content.0.clone());
        request = self.checksum.write(&self.call, request, &checksum::CONTENT)?;
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.sequence.write(request)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<PageInfo> {
        Ok(PageInfo::from_headers(&answer.headers))
    }
}
