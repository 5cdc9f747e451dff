//! Get Page Ranges with an earlier snapshot: which pages have changed since, and how.

use futures_core::Stream;
use futures_util::TryStreamExt;
use http::HeaderValue;
use serde::Serialize;
use time::OffsetDateTime;
use url::Url;

use super::get_page_ranges::{ListPages, Previous, list_options};
use crate::{
    error::Result,
    models::{ETag, PageRange, PageRangeItem, SnapshotId, address},
    operations::operation::{BadName, Call},
    wire::{headers, transport::BoxFuture},
};

/// How a page blob differs from an earlier snapshot of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PageRangesDiff {
    /// What was written and what was cleared since, ascending and without overlap; empty when
    /// nothing was.
    pub items: Vec<PageRangeItem>,
    /// The blob's length in bytes.
    pub content_length: u64,
    /// The blob's ETag. `None` where the blob was written while the list was read, page by page:
    /// then the ranges are of more than one state of it.
    pub etag: Option<ETag>,
    /// When the blob was last written.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
}

impl PageRangesDiff {
    /// The ranges that were written since.
    pub fn changed(&self) -> impl Iterator<Item = PageRange> {
        self.items.iter().filter(|item| !item.is_clear()).map(PageRangeItem::range)
    }

    /// The ranges that were cleared since, and read as zeroes.
    pub fn cleared(&self) -> impl Iterator<Item = PageRange> {
        self.items.iter().filter(|item| item.is_clear()).map(PageRangeItem::range)
    }
}

/// Lists what has changed since an earlier snapshot: made by
/// [`PageBlobClient::get_page_ranges_diff`](crate::PageBlobClient::get_page_ranges_diff) and
/// [`PageBlobClient::get_managed_disk_page_ranges_diff`](crate::PageBlobClient::get_managed_disk_page_ranges_diff).
///
/// Awaited, it asks for page after page of the list until it is whole; as a
/// [`stream`](GetPageRangesDiff::stream), for the next page when the last one has been read.
///
/// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges)
/// (differences from version 2015-07-08)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetPageRangesDiff {
    list: ListPages,
}

impl GetPageRangesDiff {
    pub(crate) fn new(call: Call, previous: SnapshotId) -> Self {
        Self { list: ListPages::new(call, Some(Previous::Snapshot(previous))) }
    }

    pub(crate) fn from_url(call: Call, previous: &Url) -> Self {
        Self { list: ListPages::new(call, Some(Previous::Url(snapshot_url(previous)))) }
    }

    /// What differs, one by one, in the order of the addresses.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let before = disk.create_snapshot().await?.snapshot;
    /// disk.clear_pages(0, 512).await?;
    ///
    /// let mut items = std::pin::pin!(disk.get_page_ranges_diff(&before).stream());
    /// while let Some(item) = items.try_next().await? {
    ///     println!("{} {}", item.range(), if item.is_clear() { "cleared" } else { "changed" });
    /// }
    /// # Ok(()) });
    /// ```
    pub fn stream(self) -> impl Stream<Item = Result<PageRangeItem>> + Send + 'static {
        self.list.items()
    }
}

list_options!(GetPageRangesDiff);

impl IntoFuture for GetPageRangesDiff {
    type Output = Result<PageRangesDiff>;
    type IntoFuture = BoxFuture<'static, Result<PageRangesDiff>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (items, blob) = self.list.whole().await?;
            Ok(PageRangesDiff {
                items,
                content_length: blob.content_length,
                etag: blob.etag,
                last_modified: blob.last_modified,
            })
        })
    }
}

/// The URL of a snapshot as a header value, byte for byte: it may hold a SAS. A managed disk's need
/// not say `snapshot=`, so the service judges what it names.
fn snapshot_url(url: &Url) -> Result<HeaderValue, BadName> {
    let what = "previous snapshot URL";
    address::check(what, url).map_err(BadName::from)?;
    let mut value = headers::value(url.as_str()).map_err(|why| why.at(what, url))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Adds up what has changed since an earlier snapshot: made by
/// [`PageBlobClient::diff_size`](crate::PageBlobClient::diff_size).
///
/// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges)
/// (differences from version 2015-07-08)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct DiffSize {
    list: ListPages,
}

impl DiffSize {
    pub(crate) fn new(call: Call, previous: SnapshotId) -> Self {
        Self { list: ListPages::new(call, Some(Previous::Snapshot(previous))) }
    }
}

list_options!(DiffSize);

impl IntoFuture for DiffSize {
    type Output = Result<u64>;
    type IntoFuture = BoxFuture<'static, Result<u64>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.list.items().try_fold(0, async |sum: u64, item| {
            let moved = if item.is_clear() { 0 } else { item.range().len() };
            Ok(sum.saturating_add(moved))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::PageBlobClient, operations::offline};

    const SNAPSHOT: &str = "2026-01-01T00:00:00.1234567Z";

    fn snapshot() -> SnapshotId {
        SNAPSHOT.parse().expect("a snapshot")
    }

    fn disk() -> PageBlobClient {
        offline::blob().page_blob_client()
    }

    #[test]
    fn the_earlier_snapshot_is_a_parameter() {
        let later = "2026-02-01T00:00:00.1234567Z".parse::<SnapshotId>().expect("a snapshot");
        let list = disk().with_snapshot(later).get_page_ranges_diff(snapshot()).range(0, 512).list;
        let request = list.call.prepare(&list).expect("legal");
        let query = "snapshot=2026-02-01T00%3A00%3A00.1234567Z&comp=pagelist\
                     &prevsnapshot=2026-01-01T00%3A00%3A00.1234567Z";
        assert_eq!(request.url.query(), Some(query));
        assert_eq!(request.headers["x-ms-range"], "bytes=0-511");
    }

    #[test]
    fn a_managed_disks_snapshot_is_named_by_its_url() {
        let url = format!("https://md.blob.core.windows.net/c/b?snapshot={SNAPSHOT}&sig=SECRET");
        let url = url.parse().expect("a URL");
        let diff = disk().get_managed_disk_page_ranges_diff(&url);
        let request = diff.list.call.prepare(&diff.list).expect("legal");
        assert_eq!(request.url.query(), Some("comp=pagelist"));
        let header = &request.headers["x-ms-previous-snapshot-url"];
        assert!(header.is_sensitive());
        assert_eq!(header, url.as_str());
        assert!(!format!("{diff:?} {request:?}").contains("SECRET"));
    }

    #[test]
    fn what_a_grant_of_access_gives_is_sent_byte_for_byte() {
        let host = "https://md-abc.z01.blob.storage.azure.net/x/abcd";
        for query in [
            "sv=2014-02-14&sr=b&sk=key1&sig=a%2Bb%3D",
            "sv=2018-03-28&sr=bs&si=1&sig=x&snapshot=2026-01-01T00:00:00.1234567Z",
        ] {
            let url = format!("{host}?{query}");
            let diff = disk().get_managed_disk_page_ranges_diff(&url.parse().expect("a URL"));
            let request = diff.list.call.prepare(&diff.list).expect("legal");
            assert_eq!(request.headers["x-ms-previous-snapshot-url"], url);
        }
    }

    #[test]
    fn a_url_that_cannot_be_sent_is_refused() {
        for url in ["ftp://a/b?snapshot=x", "https://u:SECRET@a.blob.core.windows.net/c/b"] {
            let diff = disk().get_managed_disk_page_ranges_diff(&url.parse().expect("a URL"));
            let error = diff.list.call.prepare(&diff.list).expect_err(url).to_string();
            assert!(error.starts_with("previous snapshot URL: ") && error.contains("must"));
            assert!(!error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn versions_that_know_no_differences_are_refused() {
        let url = format!("https://md.blob.core.windows.net/c/b?snapshot={SNAPSHOT}");
        let disk = |version| offline::blob_at(version).page_blob_client();
        for (list, since) in [
            (disk("2015-04-05").get_page_ranges_diff(snapshot()).list, "2015-07-08"),
            (disk("2015-04-05").diff_size(snapshot()).list, "2015-07-08"),
            (
                disk("2019-02-02")
                    .get_managed_disk_page_ranges_diff(&url.parse().expect("a URL"))
                    .list,
                "2019-07-07",
            ),
        ] {
            let error = list.call.prepare(&list).expect_err("too old").to_string();
            assert!(error.starts_with("service version: ") && error.contains(since), "{error}");
        }
    }
}
