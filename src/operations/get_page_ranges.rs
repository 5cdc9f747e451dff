//! Get Page Ranges: which pages of a page blob, a snapshot or a version have been written.

use http::Method;
use serde::Serialize;
use time::OffsetDateTime;
use url::Url;

use super::{Call, Operation, call_options, with_conditions, with_lease, write_lease};
use crate::{
    error::{Error, Result},
    models::{Conditions, ETag, LeaseId, PageRange, headers, http_date, page, page_ranges},
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
        transport::BoxFuture,
    },
};

/// The written pages of a page blob.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageRanges {
    /// Ascending, without overlap; empty for a blob of zeroes.
    pub ranges: Vec<PageRange>,
    /// The blob's length in bytes.
    pub content_length: u64,
    /// The blob's ETag.
    pub etag: Option<ETag>,
    /// When the blob was last written.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
}

/// Lists the pages that have been written: made by
/// [`PageBlobClient::page_ranges`](crate::PageBlobClient::page_ranges).
///
/// Asks for page after page of the list until it is whole.
///
/// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetPageRanges {
    call: Call,
    range: Option<(u64, u64)>,
    page_size: Option<u32>,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
    marker: Option<String>,
}

impl GetPageRanges {
    pub(crate) fn new(call: Call) -> Self {
        let conditions = Conditions::new();
        Self { call, range: None, page_size: None, conditions, lease_id: None, marker: None }
    }

    /// Looks only at this part of the blob: an offset and a length, multiples of 512 bytes.
    pub fn range(mut self, offset: u64, length: u64) -> Self {
        self.range = Some((offset, length));
        self
    }

    /// How many ranges the service may put into one answer: 1 to 10,000.
    pub fn page_size(mut self, ranges: u32) -> Self {
        self.page_size = Some(ranges);
        self
    }
}

call_options!(GetPageRanges);
with_conditions!(GetPageRanges);
with_lease!(GetPageRanges);

impl IntoFuture for GetPageRanges {
    type Output = Result<PageRanges>;
    type IntoFuture = BoxFuture<'static, Result<PageRanges>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut all = PageRanges::default();
            loop {
                let (page, marker) = self.call.run(&self).await?;
                let ranges = std::mem::take(&mut all.ranges);
                all = page;
                all.ranges.splice(0..0, ranges);
                if marker.is_none() {
                    return Ok(all);
                }
                self.marker = marker;
            }
        })
    }
}

impl Operation for GetPageRanges {
    type Output = (PageRanges, Option<String>);

    const NAME: &'static str = "Get Page Ranges";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        let mut request = Prepared::new(Method::GET, url).query("comp", "pagelist");
        if let Some(size) = self.page_size {
            if !(1..=10_000).contains(&size) {
                return Err(Error::invalid("page size", size, "must be 1 to 10000"));
            }
            request = request.query("maxresults", &size.to_string());
        }
        if let Some(marker) = &self.marker {
            request = request.query("marker", marker);
        }
        if let Some((offset, length)) = self.range {
            page::check(offset, length)?;
            request = request.text(headers::RANGE, "range", &page::header(offset, length))?;
        }
        self.conditions.write("conditions", &mut request.headers)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<(PageRanges, Option<String>)> {
        let length = answer.required(&headers::BLOB_CONTENT_LENGTH)?;
        let content_length = length.parse().map_err(|_| {
            Error::unexpected(Self::NAME, format_args!("the blob length is {length:?}"))
        })?;
        let list = page_ranges::parse(answer.body.as_bytes())
            .map_err(|why| Error::unexpected(Self::NAME, why))?;
        let ranges = PageRanges {
            ranges: list.pages().collect(),
            content_length,
            etag: answer.text(&http::header::ETAG).and_then(|etag| etag.parse().ok()),
            last_modified: answer.text(&http::header::LAST_MODIFIED).and_then(http_date::parse),
        };
        Ok((ranges, list.next_marker))
    }
}
