//! List Blobs, for the snapshots of one blob.

use std::mem;

use serde::Serialize;

use crate::{
    error::Result,
    models::{BlobItem, BlobProperties, SnapshotId, Tags},
    operations::{
        create_snapshot::BlobSnapshotInfo,
        list_blobs::{BlobInclude, BlobPage, ListBlobs, ListQuery},
        operation::{Call, Operation},
        paging::{Listed, Pager, PagerItem},
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

/// A snapshot of a blob, as [`BlobClient::list_snapshots`](crate::BlobClient::list_snapshots)
/// lists it. It converts to its [`SnapshotId`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobSnapshotItem {
    /// The id of the snapshot.
    pub snapshot: SnapshotId,
    /// Its properties. The state of its copy, its metadata and more only if
    /// [included](Pager::include).
    pub properties: BlobProperties,
    /// Its tags, if included (from version 2019-12-12).
    pub tags: Tags,
    /// Whether it is soft-deleted (from version 2017-07-29).
    pub is_deleted: bool,
}

impl From<BlobSnapshotItem> for SnapshotId {
    fn from(item: BlobSnapshotItem) -> Self {
        item.snapshot
    }
}

impl From<&BlobSnapshotItem> for SnapshotId {
    fn from(item: &BlobSnapshotItem) -> Self {
        item.snapshot.clone()
    }
}

impl From<BlobSnapshotInfo> for SnapshotId {
    fn from(taken: BlobSnapshotInfo) -> Self {
        taken.snapshot
    }
}

impl From<&BlobSnapshotInfo> for SnapshotId {
    fn from(taken: &BlobSnapshotInfo) -> Self {
        taken.snapshot.clone()
    }
}

/// The request for one page of a list of blobs, with the name of the blob as the prefix.
///
/// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs)
#[derive(Debug, Clone)]
pub(crate) struct ListSnapshots {
    list: ListBlobs<BlobItem>,
}

/// Settings of [`BlobClient::list_snapshots`](crate::BlobClient::list_snapshots).
impl Pager<BlobSnapshotItem> {
    /// The snapshots of the blob `name`; `call` is about its container.
    pub(crate) fn snapshots(call: Call, name: &str) -> Self {
        let mut query = ListQuery { prefix: Some(name.to_owned()), ..ListQuery::default() };
        query.include.insert(BlobInclude::Snapshots);
        Self::new(call, ListSnapshots { list: ListBlobs::new(query) })
    }

    /// Continues at the `next_marker` of an earlier page.
    #[doc(alias = "continuation_token")]
    pub fn marker(mut self, marker: impl Into<String>) -> Self {
        self.pages.list.list.query.marker = Some(marker.into());
        self
    }

    /// The most blobs and snapshots that the service may return for one page: 1 to 5000, by default
    /// 5000. The page then holds only the snapshots of this blob.
    #[doc(alias = "maxresults")]
    pub fn page_size(mut self, entries: u32) -> Self {
        self.pages.list.list.query.page_size = Some(entries);
        self
    }

    /// Includes more about each snapshot. [`Deleted`](BlobInclude::Deleted) adds soft-deleted
    /// snapshots. Calls add up.
    pub fn include(mut self, include: impl IntoIterator<Item = BlobInclude>) -> Self {
        self.pages.list.list.query.include.extend(include);
        self
    }
}

impl PagerItem for BlobSnapshotItem {
    type Page = BlobPage<Self>;
    type All = Vec<Self>;
}

impl Listed for BlobSnapshotItem {
    type OnePage = BlobPage<Self>;
    type AllPages = Vec<Self>;
    type List = ListSnapshots;

    fn marker(list: &mut ListSnapshots) -> &mut Option<String> {
        &mut list.list.query.marker
    }

    fn next_marker(page: &BlobPage<Self>) -> Option<&str> {
        page.next_marker.as_deref()
    }

    fn items(page: &mut BlobPage<Self>) -> Vec<Self> {
        mem::take(&mut page.items)
    }

    fn all(items: Vec<Self>, _: BlobPage<Self>) -> Vec<Self> {
        items
    }
}

impl Operation for ListSnapshots {
    type Output = BlobPage<BlobSnapshotItem>;

    const NAME: &'static str = "List Blobs";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        self.list.request(to)
    }

    fn parse(&self, answer: Answer) -> Result<Self::Output> {
        let page = self.list.parse(answer)?;
        let name = self.list.query.prefix.as_deref();
        let is_ours = |item: &BlobItem| Some(item.name.as_str()) == name;
        // Names are in order, and ours is the first one with this prefix: after another name no
        // snapshot of ours follows.
        let is_last = page.items.iter().any(|item| !is_ours(item));
        let snapshot = |item: BlobItem| {
            Some(BlobSnapshotItem {
                snapshot: item.snapshot?,
                properties: item.properties,
                tags: item.tags,
                is_deleted: item.is_deleted,
            })
        };
        Ok(BlobPage {
            items: page.items.into_iter().filter(is_ours).filter_map(snapshot).collect(),
            next_marker: page.next_marker.filter(|_| !is_last),
            prefix: page.prefix,
            marker: page.marker,
            max_results: page.max_results,
            delimiter: page.delimiter,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::credential::Credential, clients::BlobContainerClient, error::Error,
        operations::offline,
    };

    fn pager() -> Pager<BlobSnapshotItem> {
        offline::blob().list_snapshots()
    }

    fn page(blobs: &'static str) -> BlobPage<BlobSnapshotItem> {
        pager().pages.list.parse(offline::answer(200, "", blobs)).expect("a page")
    }

    #[test]
    fn a_list_of_snapshots_is_a_list_of_blobs_of_the_container() {
        let mut pager = pager().page_size(7).marker("m").include([BlobInclude::Copy]);
        let request = pager.prepare().expect("legal");
        assert_eq!(request.url.path(), "/con");
        let query = "restype=container&comp=list&prefix=b&marker=m&maxresults=7\
                     &include=copy%2Csnapshots";
        assert_eq!(request.url.query(), Some(query));
        assert_eq!(BlobSnapshotItem::marker(&mut pager.pages.list).as_deref(), Some("m"));
    }

    #[test]
    fn only_snapshots_of_this_very_blob_are_listed() {
        let page = page(
            "<EnumerationResults><Blobs>\
             <Blob><Name>b</Name><Snapshot>2026-01-01T00:00:00.1234567Z</Snapshot></Blob>\
             <Blob><Name>b</Name></Blob>\
             <Blob><Name>b2</Name><Snapshot>2026-01-02T00:00:00.1234567Z</Snapshot></Blob>\
             </Blobs><NextMarker>more</NextMarker></EnumerationResults>",
        );
        let found: Vec<_> = page.items.iter().map(SnapshotId::from).collect();
        assert_eq!(found, ["2026-01-01T00:00:00.1234567Z"]);
        assert_eq!(page.next_marker, None);
    }

    #[test]
    fn a_page_without_other_blobs_leads_to_the_next() {
        for blobs in ["<Blobs/>", "<Blobs><Blob><Name>b</Name></Blob></Blobs>"] {
            let body = format!(
                "<EnumerationResults>{blobs}<NextMarker>more</NextMarker></EnumerationResults>"
            );
            let page = page(body.leak());
            assert_eq!(page.next_marker.as_deref(), Some("more"), "{blobs}");
        }
    }

    #[test]
    fn a_name_that_no_blob_can_have_is_refused() {
        let url = "https://acct.blob.core.windows.net/con".parse().expect("a URL");
        let con = BlobContainerClient::new(url, Credential::anonymous()).expect("a client");
        let error = con.blob_client("a\\b").list_snapshots().prepare().expect_err("a name");
        assert!(matches!(error, Error::InvalidInput { .. }), "{error}");
    }
}
