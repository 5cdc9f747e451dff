//! What is listed through the library: blobs, snapshots, ranges of pages. All calls that list are
//! here.

use blobcopy::{
    BlobClient, BlobContainerClient, BlobInclude, BlobItem, BlobSnapshotItem, Conditions,
    CopyState, PageBlobClient, PageRangeItem, SnapshotId,
};
use futures_util::TryStreamExt;

use crate::{
    args::CallArgs,
    failure::{Failure, Result},
    limits::Limited,
};

/// One snapshot of a blob.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) snapshot: SnapshotId,
    pub(crate) size: u64,
    pub(crate) copy: Option<CopyState>,
}

/// The blobs whose names begin with `prefix`, with their copies.
pub(crate) async fn blobs(
    container: &BlobContainerClient,
    prefix: &str,
    calls: &CallArgs,
) -> Result<Vec<BlobItem>> {
    let list = container.list_blobs().prefix(prefix).include([BlobInclude::Copy]).limited(calls);
    let found: std::result::Result<Vec<_>, _> = list.try_collect().await;
    found.map_err(|error| about(error.into(), container))
}

/// The snapshots of one blob, oldest first.
pub(crate) async fn snapshots(blob: &BlobClient, calls: &CallArgs) -> Result<Vec<Listed>> {
    let list = blob.list_snapshots().include([BlobInclude::Copy]).limited(calls);
    let listed = |item: BlobSnapshotItem| Listed {
        snapshot: item.snapshot,
        size: item.properties.content_length,
        copy: item.properties.copy,
    };
    let found: std::result::Result<Vec<_>, _> = list.map_ok(listed).try_collect().await;
    let mut found = match (found, blob.url()) {
        (Ok(found), _) => found,
        (Err(error), Ok(url)) => return Err(Failure::from(error).at(&url)),
        (Err(error), Err(_)) => return Err(error.into()),
    };
    found.sort_by(|a, b| a.snapshot.as_str().cmp(b.snapshot.as_str()));
    Ok(found)
}

/// The ranges of a page blob that hold data, as offsets and lengths.
pub(crate) async fn ranges(
    blob: &PageBlobClient,
    conditions: Conditions,
    calls: &CallArgs,
) -> Result<Vec<(u64, u64)>> {
    let ranges = blob.get_page_ranges().conditions(conditions).limited(calls);
    Ok(ranges.map_ok(|range| (range.start, range.len())).try_collect().await?)
}

/// What differs from an earlier snapshot: offset, length, and whether it was cleared.
pub(crate) async fn changes(
    blob: &PageBlobClient,
    previous: &SnapshotId,
    calls: &CallArgs,
) -> Result<Vec<(u64, u64, bool)>> {
    let diff = blob.get_page_ranges_diff(previous.clone()).limited(calls);
    let change = |item: PageRangeItem| (item.range().start, item.range().len(), item.is_clear());
    Ok(diff.map_ok(change).try_collect().await?)
}

fn about(failure: Failure, container: &BlobContainerClient) -> Failure {
    match container.url() {
        Ok(url) => failure.at(&url),
        Err(_) => failure,
    }
}
