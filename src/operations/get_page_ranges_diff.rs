//! Get Page Ranges with an earlier snapshot: the ranges that were written or cleared since.

use std::time::Duration;

use futures_util::TryStreamExt;
use http::HeaderValue;
use url::Url;

use crate::{
    error::Result,
    models::{PageRange, PageRangeItem, SnapshotId, address},
    operations::{
        get_page_ranges::{GetPageRanges, PageRanges, Previous, range_marker, range_settings},
        operation::{BadName, Call},
        paging::Pager,
    },
    wire::{headers, transport::BoxFuture},
};

impl PageRanges<PageRangeItem> {
    /// The ranges that were written since the earlier snapshot.
    pub fn changed(&self) -> impl Iterator<Item = PageRange> {
        self.ranges.iter().filter(|item| !item.is_clear()).map(PageRangeItem::range)
    }

    /// The ranges that were cleared since the earlier snapshot. They read as zeros.
    pub fn cleared(&self) -> impl Iterator<Item = PageRange> {
        self.ranges.iter().filter(|item| item.is_clear()).map(PageRangeItem::range)
    }
}

impl Pager<PageRangeItem> {
    pub(crate) fn page_ranges_diff(call: Call, previous: SnapshotId) -> Self {
        Self::new(call, GetPageRanges::new(Some(Previous::Snapshot(previous))))
    }

    pub(crate) fn managed_disk_page_ranges_diff(call: Call, previous: &Url) -> Self {
        Self::new(call, GetPageRanges::new(Some(Previous::Url(snapshot_url(previous)))))
    }
}

range_settings! {
    /// Settings of
    /// [`PageBlobClient::get_page_ranges_diff`](crate::PageBlobClient::get_page_ranges_diff).
    Pager<PageRangeItem>, pages.list
}
range_marker!(Pager<PageRangeItem>);

/// The URL of a snapshot as a header value, byte for byte, since it may hold a SAS. The URL of a
/// managed-disk snapshot need not have `snapshot=`, so only the service checks what it names.
fn snapshot_url(url: &Url) -> Result<HeaderValue, BadName> {
    let what = "previous snapshot URL";
    address::check(what, url).map_err(BadName::from)?;
    let mut value = headers::value(url.as_str()).map_err(|why| why.at(what, url))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sums up the bytes that were written since an earlier snapshot; cleared ranges count as 0.
///
/// Returned by [`PageBlobClient::diff_size`](crate::PageBlobClient::diff_size).
///
/// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges)
/// (differences from version 2015-07-08)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct DiffSize {
    diff: Pager<PageRangeItem>,
}

impl DiffSize {
    pub(crate) fn new(call: Call, previous: SnapshotId) -> Self {
        Self { diff: Pager::page_ranges_diff(call, previous) }
    }
}

range_settings!(DiffSize, diff.pages.list);

impl DiffSize {
    /// The server timeout for each page of the list, in whole seconds. See
    /// [`Pager::server_timeout`].
    pub fn server_timeout(self, limit: Duration) -> Self {
        Self { diff: self.diff.server_timeout(limit) }
    }

    /// The client request id of all requests: 1 to 1024 visible ASCII characters. The service logs
    /// it, and returns it from version 2019-02-02. By default a new GUID.
    pub fn client_request_id(self, id: impl Into<String>) -> Self {
        Self { diff: self.diff.client_request_id(id) }
    }
}

impl IntoFuture for DiffSize {
    type Output = Result<u64>;
    type IntoFuture = BoxFuture<'static, Result<u64>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.diff.try_fold(0, async |sum: u64, item| {
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
        let diff = disk().with_snapshot(later).get_page_ranges_diff(snapshot()).range(0..512);
        let request = diff.prepare().expect("legal");
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
        let request = diff.prepare().expect("legal");
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
            let request = diff.prepare().expect("legal");
            assert_eq!(request.headers["x-ms-previous-snapshot-url"], url);
        }
    }

    #[test]
    fn a_url_that_cannot_be_sent_is_refused() {
        for url in ["ftp://a/b?snapshot=x", "https://u:SECRET@a.blob.core.windows.net/c/b"] {
            let diff = disk().get_managed_disk_page_ranges_diff(&url.parse().expect("a URL"));
            let error = diff.prepare().expect_err(url).to_string();
            assert!(error.starts_with("previous snapshot URL: ") && error.contains("must"));
            assert!(!error.contains("SECRET"), "{error}");
        }
    }

    #[test]
    fn versions_that_know_no_differences_are_refused() {
        let url = format!("https://md.blob.core.windows.net/c/b?snapshot={SNAPSHOT}");
        let disk = |version| offline::blob_at(version).page_blob_client();
        for (list, since) in [
            (disk("2015-04-05").get_page_ranges_diff(snapshot()), "2015-07-08"),
            (disk("2015-04-05").diff_size(snapshot()).diff, "2015-07-08"),
            (
                disk("2019-02-02").get_managed_disk_page_ranges_diff(&url.parse().expect("a URL")),
                "2019-07-07",
            ),
        ] {
            let error = list.prepare().expect_err("too old").to_string();
            assert!(error.starts_with("service version: ") && error.contains(since), "{error}");
        }
    }
}
