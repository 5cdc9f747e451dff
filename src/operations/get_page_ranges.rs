//! Get Page Ranges: the ranges of a page blob, snapshot or version that hold data.

use std::{fmt, marker::PhantomData, mem};

use http::HeaderValue;
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    error::{Error, Result},
    models::{
        ByteRange, Conditions, ETag, LeaseId, PageRange, PageRangeItem, SnapshotId, page,
        page_ranges,
    },
    operations::{
        operation::{BadName, Call, Operation},
        paging::{Listed, Pager, PagerItem},
    },
    pipeline::{
        request::{Effect, Prepared, Settings, Target},
        response::Answer,
    },
    wire::{headers, http_date, redaction},
};

/// Ranges of a page blob, from [`get_page_ranges`](crate::PageBlobClient::get_page_ranges) or
/// [`get_page_ranges_diff`](crate::PageBlobClient::get_page_ranges_diff): the whole list, or one
/// page of it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageRanges<T> {
    /// The ranges, ascending and without overlap. Empty for a blob without data, and for a diff
    /// without changes. A page may be empty although more pages follow.
    pub ranges: Vec<T>,
    /// The blob's length in bytes.
    pub content_length: u64,
    /// The blob's ETag. `None` if the blob was written while the pages of the list were read: the
    /// ranges are then a mix of several states.
    pub etag: Option<ETag>,
    /// When the blob was last written.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The marker of the next page; `None` for the last page and for the whole list.
    #[serde(serialize_with = "redaction::serialize")]
    pub next_marker: Option<String>,
}

impl<T: fmt::Debug> fmt::Debug for PageRanges<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageRanges")
            .field("ranges", &self.ranges)
            .field("content_length", &self.content_length)
            .field("etag", &self.etag)
            .field("last_modified", &self.last_modified)
            .field("next_marker", &redaction::Shown(&self.next_marker))
            .finish()
    }
}

/// The request for one page of a list: of the ranges that hold data, or of those that changed since
/// an earlier snapshot.
///
/// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges)
/// (differences from version 2015-07-08)
pub(crate) struct GetPageRanges<T> {
    pub(super) previous: Option<Previous>,
    pub(super) range: Option<ByteRange>,
    pub(super) page_size: Option<u32>,
    pub(super) marker: Option<String>,
    pub(super) conditions: Conditions,
    pub(super) lease_id: Option<LeaseId>,
    ranges: PhantomData<fn() -> T>,
}

/// The earlier snapshot to compare with.
#[derive(Debug, Clone)]
pub(super) enum Previous {
    Snapshot(SnapshotId),
    /// The URL of a managed-disk snapshot, as a header value.
    Url(Result<HeaderValue, BadName>),
}

impl Settings for Previous {
    fn write(&self, request: Prepared) -> Prepared {
        match self {
            Self::Snapshot(id) => request.query("prevsnapshot", id.as_str()),
            Self::Url(url) => request.with(url.clone().map_err(Error::from), |request, url| {
                request.header(headers::PREVIOUS_SNAPSHOT_URL, url)
            }),
        }
    }
}

impl<T> GetPageRanges<T> {
    fn check_page_size(&self) -> Result<()> {
        match self.page_size {
            Some(size) if !(1..=10_000).contains(&size) => {
                Err(Error::invalid("page size", size, "must be 1 to 10000"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn new(previous: Option<Previous>) -> Self {
        Self {
            previous,
            range: None,
            page_size: None,
            marker: None,
            conditions: Conditions::new(),
            lease_id: None,
            ranges: PhantomData,
        }
    }
}

impl<T> Clone for GetPageRanges<T> {
    fn clone(&self) -> Self {
        Self {
            previous: self.previous.clone(),
            range: self.range,
            page_size: self.page_size,
            marker: self.marker.clone(),
            conditions: self.conditions.clone(),
            lease_id: self.lease_id.clone(),
            ranges: PhantomData,
        }
    }
}

impl<T> fmt::Debug for GetPageRanges<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetPageRanges")
            .field("previous", &self.previous)
            .field("range", &self.range)
            .field("page_size", &self.page_size)
            .field("marker", &redaction::Shown(&self.marker))
            .field("conditions", &self.conditions)
            .field("lease_id", &self.lease_id)
            .finish()
    }
}

impl Pager<PageRange> {
    pub(crate) fn page_ranges(call: Call) -> Self {
        Self::new(call, GetPageRanges::new(None))
    }
}

/// An item of a list of ranges.
pub(crate) trait Ranged: Sized {
    /// The item for a range of the response; `None` if such a list does not show it.
    fn of(item: PageRangeItem) -> Option<Self>;
}

impl Ranged for PageRange {
    fn of(item: PageRangeItem) -> Option<Self> {
        (!item.is_clear()).then(|| item.range())
    }
}

impl Ranged for PageRangeItem {
    fn of(item: PageRangeItem) -> Option<Self> {
        Some(item)
    }
}

/// How a list of `$item` is read.
macro_rules! listed {
    ($item:ident) => {
        impl PagerItem for $item {
            type Page = PageRanges<Self>;
            type All = PageRanges<Self>;
        }

        impl Listed for $item {
            type OnePage = PageRanges<Self>;
            type AllPages = PageRanges<Self>;
            type List = GetPageRanges<Self>;

            fn marker(list: &mut Self::List) -> &mut Option<String> {
                &mut list.marker
            }

            fn next_marker(page: &PageRanges<Self>) -> Option<&str> {
                page.next_marker.as_deref()
            }

            fn items(page: &mut PageRanges<Self>) -> Vec<Self> {
                mem::take(&mut page.ranges)
            }

            fn after(page: &mut PageRanges<Self>, before: PageRanges<Self>) {
                page.etag.take_if(|etag| before.etag.as_ref() != Some(etag));
            }

            fn all(ranges: Vec<Self>, last: PageRanges<Self>) -> PageRanges<Self> {
                PageRanges { ranges, ..last }
            }
        }
    };
}

listed!(PageRange);
listed!(PageRangeItem);

impl<T: Ranged> Operation for GetPageRanges<T> {
    type Output = PageRanges<T>;

    const NAME: &'static str = "Get Page Ranges";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let size = self.page_size.map(|size| size.to_string());
        to.get()
            .query("comp", "pagelist")
            .settings(&self.previous)
            .check(self.check_page_size())
            .query("maxresults", size.as_deref())
            .query("marker", self.marker.as_deref())
            .try_text(headers::RANGE, "range", self.range.map(page::header).transpose())
            .settings(&self.conditions)
            .settings(&self.lease_id)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<PageRanges<T>> {
        let length = answer.required(&headers::BLOB_CONTENT_LENGTH)?;
        let content_length = length
            .parse()
            .map_err(|_| answer.unexpected(format_args!("the blob length is {length:?}")))?;
        let list =
            page_ranges::parse(answer.body.as_bytes()).map_err(|why| answer.unexpected(why))?;
        Ok(PageRanges {
            ranges: list.items.into_iter().filter_map(T::of).collect(),
            content_length,
            etag: answer.text(&http::header::ETAG).and_then(|etag| etag.parse().ok()),
            last_modified: answer.text(&http::header::LAST_MODIFIED).and_then(http_date::parse),
            next_marker: list.next_marker,
        })
    }
}

/// The settings of a list of ranges: `$list` is the path to it in a `$pager`.
macro_rules! range_settings {
    ($(#[$doc:meta])* $pager:ty, $($list:ident).+) => {
        $(#[$doc])*
        impl $pager {
            /// Lists only the ranges within this part of the blob: `0..4096`, or a
            /// [`PageRange`](crate::PageRange). Start and end are multiples of 512. The service can
            /// time out on a blob with very many ranges; list such a blob in parts.
            pub fn range(mut self, range: impl std::ops::RangeBounds<u64>) -> Self {
                self.$($list).+.range = Some(crate::models::ByteRange::new(range));
                self
            }

            /// The most ranges that one page may hold: 1 to 10,000. The reference does not say from
            /// which version on; the official SDKs use it from 2021-06-08.
            #[doc(alias = "maxresults")]
            pub fn page_size(mut self, ranges: u32) -> Self {
                self.$($list).+.page_size = Some(ranges);
                self
            }

            /// Conditions on the blob (`if_tags` from version 2019-12-12). If they are not met,
            /// the service answers 412, or 304 for a condition that the blob has changed.
            pub fn conditions(mut self, conditions: crate::models::Conditions) -> Self {
                self.$($list).+.conditions = conditions;
                self
            }

            /// The id of the blob's active lease. The service checks it.
            pub fn lease_id(mut self, id: impl Into<crate::models::LeaseId>) -> Self {
                self.$($list).+.lease_id = Some(id.into());
                self
            }
        }
    };
}
pub(super) use range_settings;

/// The marker of a list of ranges.
macro_rules! range_marker {
    ($pager:ty) => {
        impl $pager {
            /// Begins at the `next_marker` of an earlier page.
            #[doc(alias = "continuation_token")]
            pub fn marker(mut self, marker: impl Into<String>) -> Self {
                self.pages.list.marker = Some(marker.into());
                self
            }
        }
    };
}
pub(super) use range_marker;

range_settings! {
    /// Settings of [`PageBlobClient::get_page_ranges`](crate::PageBlobClient::get_page_ranges).
    Pager<PageRange>, pages.list
}
range_marker!(Pager<PageRange>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::PageBlobClient, operations::offline};

    fn disk() -> PageBlobClient {
        offline::blob().page_blob_client()
    }

    #[test]
    fn each_setting_is_one_parameter_or_header() {
        let list = disk().get_page_ranges().range(512..1536).page_size(10).marker("m 1");
        let request = list.prepare().expect("legal");
        assert_eq!(request.method, http::Method::GET);
        assert_eq!(request.url.query(), Some("comp=pagelist&maxresults=10&marker=m%201"));
        assert_eq!(request.headers["x-ms-range"], "bytes=512-1535");
    }

    #[test]
    fn a_page_of_the_list_must_tell_the_blobs_length() {
        let list = disk().get_page_ranges().pages.list;
        let body = "<PageList><PageRange><Start>0</Start><End>511</End></PageRange></PageList>";
        let headers = "ETag: \"0x1\"\nx-ms-blob-content-length: 1024";
        let page = list.parse(offline::answer(200, headers, body)).expect("complete");
        assert_eq!((page.ranges, page.content_length), (vec![PageRange::from(0..512)], 1024));
        assert_eq!(page.etag.expect("given").as_str(), "\"0x1\"");
        for (headers, body) in [("ETag: \"0x1\"", body), (headers, "<PageList>")] {
            let error = list.parse(offline::answer(200, headers, body)).expect_err("incomplete");
            assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error}");
        }
    }
}
