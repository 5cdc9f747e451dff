//! Get Page Ranges: which pages of a page blob, a snapshot or a version have been written.

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, future, stream};
use http::HeaderValue;
use serde::Serialize;
use time::OffsetDateTime;

use super::paging::{self, Trail};
use crate::{
    error::{Error, Result},
    models::{Conditions, ETag, LeaseId, PageRange, PageRangeItem, SnapshotId, page, page_ranges},
    operations::operation::{BadName, Call, Operation},
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, http_date, redaction, transport::BoxFuture},
};

/// The written pages of a page blob.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageRanges {
    /// Ascending, without overlap; empty for a blob of zeroes.
    pub ranges: Vec<PageRange>,
    /// The blob's length in bytes.
    pub content_length: u64,
    /// The blob's ETag. `None` where the blob was written while the list was read, page by page:
    /// then the ranges are of more than one state of it.
    pub etag: Option<ETag>,
    /// When the blob was last written.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
}

/// Lists the pages that have been written: made by
/// [`PageBlobClient::get_page_ranges`](crate::PageBlobClient::get_page_ranges).
///
/// Awaited, it asks for page after page of the list until it is whole; as a
/// [`stream`](GetPageRanges::stream), for the next page when the last one has been read.
///
/// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetPageRanges {
    list: ListPages,
}

impl GetPageRanges {
    pub(crate) fn new(call: Call) -> Self {
        Self { list: ListPages::new(call, None) }
    }

    /// The ranges one by one, in the order of their addresses.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let mut ranges = std::pin::pin!(disk.get_page_ranges().stream());
    /// while let Some(range) = ranges.try_next().await? {
    ///     println!("bytes {range}");
    /// }
    /// # Ok(()) });
    /// ```
    pub fn stream(self) -> impl Stream<Item = Result<PageRange>> + Send + 'static {
        let written = |item: PageRangeItem| (!item.is_clear()).then(|| item.range());
        self.list.items().try_filter_map(move |item| future::ready(Ok(written(item))))
    }
}

list_options!(GetPageRanges);

impl IntoFuture for GetPageRanges {
    type Output = Result<PageRanges>;
    type IntoFuture = BoxFuture<'static, Result<PageRanges>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (items, blob) = self.list.whole().await?;
            Ok(PageRanges {
                ranges: items.iter().filter(|item| !item.is_clear()).map(|i| i.range()).collect(),
                content_length: blob.content_length,
                etag: blob.etag,
                last_modified: blob.last_modified,
            })
        })
    }
}

/// The request for one page of a list of ranges: of all that hold data, or of those that differ
/// from an earlier snapshot's.
#[derive(Clone)]
pub(crate) struct ListPages {
    pub(super) call: Call,
    previous: Option<Previous>,
    pub(super) range: Option<(u64, u64)>,
    pub(super) page_size: Option<u32>,
    pub(super) conditions: Conditions,
    pub(super) lease_id: Option<LeaseId>,
    marker: Option<String>,
}

redaction::debug_redacted!(ListPages {
    call,
    previous,
    range,
    page_size,
    conditions,
    lease_id,
    marker: text,
});

/// The snapshot with which a blob is compared.
#[derive(Debug, Clone)]
pub(crate) enum Previous {
    Snapshot(SnapshotId),
    /// The URL of a managed disk's snapshot, as a header value.
    Url(Result<HeaderValue, BadName>),
}

/// What each page says of the blob itself.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) content_length: u64,
    pub(super) etag: Option<ETag>,
    pub(super) last_modified: Option<OffsetDateTime>,
}

impl ListPages {
    fn check_page_size(&self) -> Result<()> {
        match self.page_size {
            Some(size) if !(1..=10_000).contains(&size) => {
                Err(Error::invalid("page size", size, "must be 1 to 10000"))
            }
            _ => Ok(()),
        }
    }

    fn range_header(&self) -> Result<Option<String>> {
        let Some((offset, length)) = self.range else { return Ok(None) };
        page::check(offset, length)?;
        Ok(Some(page::header(offset, length)))
    }

    pub(super) fn new(call: Call, previous: Option<Previous>) -> Self {
        let conditions = Conditions::new();
        Self {
            call,
            previous,
            range: None,
            page_size: None,
            conditions,
            lease_id: None,
            marker: None,
        }
    }

    /// Every item, and what the last page says of the blob; its ETag if all pages agree on it.
    pub(super) async fn whole(mut self) -> Result<(Vec<PageRangeItem>, Listed)> {
        let (mut all, mut trail, mut agreed) = (Vec::new(), Trail::default(), None);
        loop {
            let (list, mut blob) = self.call.run(&self).await?;
            trail
                .follow(list.next_marker.as_deref())
                .map_err(|why| self.call.unexpected(Self::NAME, why))?;
            let agreed = agreed.get_or_insert_with(|| blob.etag.clone());
            if *agreed != blob.etag {
                *agreed = None;
            }
            blob.etag.clone_from(agreed);
            all.extend(list.items);
            self.marker = list.next_marker;
            if self.marker.is_none() {
                return Ok((all, blob));
            }
        }
    }

    /// The items one by one; a page is asked for when the one before it has been read.
    pub(super) fn items(self) -> impl Stream<Item = Result<PageRangeItem>> + Send + 'static {
        stream::try_unfold(Some((self, Trail::default())), async |next: Option<(Self, Trail)>| {
            let Some((mut next, mut trail)) = next else { return Ok(None) };
            let (list, _) = next.call.run(&next).await?;
            trail
                .follow(list.next_marker.as_deref())
                .map_err(|why| next.call.unexpected(Self::NAME, why))?;
            next.marker = list.next_marker;
            let next = next.marker.is_some().then_some((next, trail));
            Ok::<_, Error>(Some((stream::iter(list.items.into_iter().map(Ok)), next)))
        })
        .try_flatten()
        .boxed()
    }
}

impl Operation for ListPages {
    type Output = (page_ranges::PageList, Listed);

    const NAME: &'static str = "Get Page Ranges";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let size = self.page_size.map(|size| size.to_string());
        let request = to.get().query("comp", "pagelist");
        let request = match &self.previous {
            None => request,
            Some(Previous::Snapshot(id)) => request.query("prevsnapshot", id.as_str()),
            Some(Previous::Url(url)) => request
                .with(url.clone().map_err(Error::from), |request, url| {
                    request.header(headers::PREVIOUS_SNAPSHOT_URL, url)
                }),
        };
        request
            .check(self.check_page_size())
            .query("maxresults", size.as_deref())
            .query("marker", self.marker.as_deref())
            .with(self.range_header(), |request, range| {
                request.text(headers::RANGE, "range", range.as_deref())
            })
            .settings(&self.conditions)
            .settings(&self.lease_id)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<Self::Output> {
        let length = answer.required(&headers::BLOB_CONTENT_LENGTH)?;
        let content_length = length
            .parse()
            .map_err(|_| answer.unexpected(format_args!("the blob length is {length:?}")))?;
        let list =
            page_ranges::parse(answer.body.as_bytes()).map_err(|why| answer.unexpected(why))?;
        let sent = self.marker.as_deref();
        paging::check_next(sent, list.next_marker.as_deref())
            .map_err(|why| answer.unexpected(why))?;
        let etag = answer.text(&http::header::ETAG).and_then(|etag| etag.parse().ok());
        let date = answer.text(&http::header::LAST_MODIFIED).and_then(http_date::parse);
        Ok((list, Listed { content_length, etag, last_modified: date }))
    }
}

/// What can be set for a list of ranges, whole or of differences.
macro_rules! list_options {
    ($builder:ident) => {
        impl $builder {
            /// Looks only at this part of the blob: an offset and a length, multiples of 512 bytes.
            /// The service may time out on a blob of very many ranges; parts of it are the remedy.
            pub fn range(mut self, offset: u64, length: u64) -> Self {
                self.list.range = Some((offset, length));
                self
            }

            /// How many ranges the service may put into one answer: 1 to 10,000. Which version
            /// brought it is not documented; the official SDKs have it since 2021-06-08.
            pub fn page_size(mut self, ranges: u32) -> Self {
                self.list.page_size = Some(ranges);
                self
            }

            /// Conditions on the blob (`if_tags` from version 2019-12-12). Not met: 412, or 304 for
            /// a read that asks for a change.
            pub fn conditions(mut self, conditions: crate::models::Conditions) -> Self {
                self.list.conditions = conditions;
                self
            }

            /// The id of the blob's active lease, which is then checked.
            pub fn lease_id(mut self, id: crate::models::LeaseId) -> Self {
                self.list.lease_id = Some(id);
                self
            }

            /// The time that the service may take for each page of the list, in whole seconds.
            pub fn server_timeout(mut self, limit: std::time::Duration) -> Self {
                self.list.call.options.server_timeout = Some(limit);
                self
            }

            /// An id for the requests, which the service logs and echoes (from version 2019-02-02):
            /// 1 to 1024 visible ASCII characters.
            pub fn client_request_id(mut self, id: &str) -> Self {
                self.list.call.options.client_request_id = Some(id.to_owned());
                self
            }
        }
    };
}
pub(super) use list_options;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::PageBlobClient, operations::offline};

    fn disk() -> PageBlobClient {
        offline::blob().page_blob_client()
    }

    #[test]
    fn each_setting_is_one_parameter_or_header() {
        let mut list = disk().get_page_ranges().range(512, 1024).page_size(10).list;
        list.marker = Some("m 1".into());
        let request = list.call.prepare(&list).expect("legal");
        assert_eq!(request.method, http::Method::GET);
        assert_eq!(request.url.query(), Some("comp=pagelist&maxresults=10&marker=m%201"));
        assert_eq!(request.headers["x-ms-range"], "bytes=512-1535");
    }

    #[test]
    fn a_page_of_the_list_must_tell_the_blobs_length() {
        let list = disk().get_page_ranges().list;
        let body = "<PageList><PageRange><Start>0</Start><End>511</End></PageRange></PageList>";
        let headers = "ETag: \"0x1\"\nx-ms-blob-content-length: 1024";
        let (page, blob) = list.parse(offline::answer(200, headers, body)).expect("complete");
        assert_eq!((page.items.len(), blob.content_length), (1, 1024));
        assert_eq!(blob.etag.expect("given").as_str(), "\"0x1\"");
        for (headers, body) in [("ETag: \"0x1\"", body), (headers, "<PageList>")] {
            let error = list.parse(offline::answer(200, headers, body)).expect_err("incomplete");
            assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error}");
        }
    }
}
