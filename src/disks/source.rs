//! Where the snapshots of a mirror come from.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{DatedSnapshot, ManagedSnapshots, MirrorError, managed::Grants};
use crate::{
    BlobInclude, BlobType, CopySource, PageBlobClient, PageRange, PageRangeItem, Pager, SnapshotId,
};

/// A snapshot of the source of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceSnapshot {
    /// When it was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// Its id: of a page blob, the snapshot id; of a managed disk, what its list calls it.
    pub id: String,
    /// The length of the blob that it is, in bytes, if it is known: of a managed disk with the
    /// footer of 512 bytes.
    pub length: Option<u64>,
}

impl SourceSnapshot {
    /// Whether both are the same snapshot: a managed snapshot that was made again under its name is
    /// another one. Ids are compared without case: Resource Manager writes one in several ways.
    pub(crate) fn is(&self, id: &str, time: OffsetDateTime) -> bool {
        self.time == time && self.id.eq_ignore_ascii_case(id)
    }

    pub(crate) fn key(&self) -> SourceKey {
        SourceKey::of(&self.id, self.time)
    }
}

/// What tells the snapshots of one source apart, and puts them in order: the time, and the id
/// without case. Snapshots of a managed disk may have the same time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SourceKey {
    pub(crate) time: OffsetDateTime,
    id: String,
}

impl SourceKey {
    pub(crate) fn of(id: &str, time: OffsetDateTime) -> Self {
        Self { time, id: id.to_ascii_lowercase() }
    }
}

impl fmt::Display for SourceSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// The snapshots of a page blob, as the source of a mirror.
#[derive(Debug, Clone)]
pub struct PageBlobSnapshots {
    blob: PageBlobClient,
}

impl PageBlobSnapshots {
    /// The snapshots of this blob. Its client must be able to list them, and to read pages.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{PageBlobSnapshots, SnapshotMirror};
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let source = PageBlobSnapshots::of(&disk); // the same as `&disk`
    /// SnapshotMirror::new(source, &backup).run().await.unwrap();
    /// # Ok(()) });
    /// ```
    pub fn of(blob: &PageBlobClient) -> Self {
        Self { blob: blob.clone() }
    }

    /// The blob.
    pub(crate) fn blob(&self) -> &PageBlobClient {
        &self.blob
    }
}

/// The source of a mirror: [`PageBlobSnapshots`] or [`ManagedSnapshots`].
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one for each mirror, and it is not moved")]
#[non_exhaustive]
pub enum MirrorSource {
    /// Snapshots of a page blob.
    PageBlob(PageBlobSnapshots),
    /// Incremental snapshots of a managed disk.
    Managed(ManagedSnapshots),
}

impl From<PageBlobSnapshots> for MirrorSource {
    fn from(source: PageBlobSnapshots) -> Self {
        Self::PageBlob(source)
    }
}

impl From<&PageBlobClient> for MirrorSource {
    fn from(blob: &PageBlobClient) -> Self {
        Self::PageBlob(PageBlobSnapshots::of(blob))
    }
}

impl From<ManagedSnapshots> for MirrorSource {
    fn from(source: ManagedSnapshots) -> Self {
        Self::Managed(source)
    }
}

/// A source snapshot that can be read, until it is closed.
///
/// Of a managed disk it stands for a grant, which is renewed where needed and given back by
/// [`close`](Self::close).
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) snapshot: SourceSnapshot,
    access: Access,
}

#[derive(Debug, Clone)]
enum Access {
    Blob(PageBlobClient),
    Granted(Arc<Grants>),
}

impl Opened {
    /// A snapshot of a page blob.
    pub(crate) fn of_blob(blob: &PageBlobClient, snapshot: &SourceSnapshot) -> crate::Result<Self> {
        let id: SnapshotId = snapshot.id.parse()?;
        let access = Access::Blob(blob.with_snapshot(id));
        Ok(Self { snapshot: snapshot.clone(), access })
    }

    /// A snapshot that `grants` has been asked for.
    pub(crate) fn granted(grants: Arc<Grants>, snapshot: &SourceSnapshot) -> Self {
        Self { snapshot: snapshot.clone(), access: Access::Granted(grants) }
    }

    /// The client to read it with now: ask again for each request or batch of requests, since the
    /// URL of a managed disk changes when its grant is renewed.
    pub(crate) async fn blob(&self) -> Result<PageBlobClient, MirrorError> {
        match &self.access {
            Access::Blob(blob) => Ok(blob.clone()),
            Access::Granted(grants) => grants.client(&self.snapshot).await,
        }
    }

    /// The source of a copy now.
    pub(crate) async fn copy_source(&self) -> Result<CopySource, MirrorError> {
        Ok(CopySource::from(&self.blob().await?))
    }

    /// What changed in `range` since `earlier`.
    pub(crate) async fn changes_since(
        &self,
        earlier: &Self,
        range: PageRange,
    ) -> Result<Pager<PageRangeItem>, MirrorError> {
        let blob = self.blob().await?;
        let diff = match &earlier.access {
            Access::Blob(_) => {
                let earlier: SnapshotId = earlier.snapshot.id.parse()?;
                blob.get_page_ranges_diff(earlier)
            }
            Access::Granted(grants) => {
                let earlier = grants.url(&earlier.snapshot).await?;
                blob.get_managed_disk_page_ranges_diff(&earlier)
            }
        };
        Ok(diff.range(range.start..range.end))
    }

    /// After a request with [`blob`](Self::blob) failed: whether another try with a new client may
    /// succeed, since the access had expired or was revoked and has been granted again.
    pub(crate) async fn mend(&self, error: &crate::Error) -> Result<bool, MirrorError> {
        match &self.access {
            Access::Blob(_) => Ok(false),
            Access::Granted(grants) => grants.mend(&self.snapshot, error).await,
        }
    }

    /// Gives the access back. Errors are noted for the next run, not raised.
    pub(crate) async fn close(self) {
        if let Access::Granted(grants) = &self.access {
            grants.give_back(&self.snapshot).await;
        }
    }
}

/// The refusal of a source of another type.
pub(crate) fn not_a_page_blob(blob: &PageBlobClient) -> crate::Result<MirrorError> {
    let mut url = blob.url()?;
    url.set_query(None);
    Ok(MirrorError::refused(url, "is no page blob: a mirror copies the snapshots of page blobs"))
}

/// The snapshots of a page blob, oldest first, without soft-deleted ones.
pub(crate) async fn snapshots_of(
    blob: &PageBlobClient,
) -> Result<Vec<SourceSnapshot>, MirrorError> {
    let listed = blob.list_snapshots().include([BlobInclude::Copy]).collect_all().await?;
    let mut found = Vec::new();
    for item in listed.into_iter().filter(|item| !item.is_deleted) {
        if item.properties.blob_type.is_some_and(|found| found != BlobType::PageBlob) {
            return Err(not_a_page_blob(blob)?);
        }
        let Some(time) = DatedSnapshot::from(&item.snapshot).time else { continue };
        let length = Some(item.properties.content_length);
        found.push(SourceSnapshot { time, id: item.snapshot.to_string(), length });
    }
    found.sort_by_cached_key(SourceSnapshot::key);
    Ok(found)
}
