//! A page blob: a disk.

use std::{
    fmt,
    ops::{Deref, RangeBounds},
};

use bytes::Bytes;
use url::Url;

use super::{BlobClient, blob::blob_at, builder::ClientBuilder};
use crate::{
    auth::credential::Credential,
    copy::StartCopyIncremental,
    error::Result,
    models::{ByteRange, PageRange, PageRangeItem, SnapshotId, VersionId},
    operations::{
        clear_pages::{ClearPages, PutPageClear},
        create_page_blob::{CreatePageBlob, PutPageBlob},
        get_page_ranges_diff::DiffSize,
        paging::Pager,
        set_page_blob_properties::{
            Resize, SequenceNumberAction, SetNumber, SetSequenceNumber, SetSize,
        },
        settings::copy_source::CopySource,
        upload_pages::{PutPage, UploadPages},
        upload_pages_from_uri::{PutPageFromUrl, UploadPagesFromUri},
    },
    pipeline::budget::Budget,
};

/// A client for one page blob, or for a snapshot or version of one. It dereferences to
/// [`BlobClient`], so every method of that client works here too.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// let disk = service.container_client("vhds").page_blob_client("disk1.vhd");
/// disk.create(1 << 20).await?;
/// disk.upload_pages(0, vec![7; 512]).await?;
/// assert_eq!(disk.get_properties().await?.content_length, 1 << 20);
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct PageBlobClient(BlobClient);

/// # Making a client
impl PageBlobClient {
    pub(super) fn of(blob: BlobClient) -> Self {
        Self(blob)
    }

    /// The page blob at `url`; as [`BlobClient::new`].
    ///
    /// ```
    /// use blobcopy::{Credential, PageBlobClient};
    ///
    /// let url = "https://account.blob.core.windows.net/public/disk0.vhd".parse()?;
    /// let disk = PageBlobClient::new(url, Credential::anonymous())?;
    /// assert_eq!(disk.container_name(), "public");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(url: Url, credential: Credential) -> Result<Self> {
        Self::builder(url).credential(credential).build()
    }

    /// A builder of a client for the page blob at `url`; as [`BlobClient::builder`].
    ///
    /// ```
    /// use blobcopy::{ClientOptions, PageBlobClient};
    ///
    /// let url = "https://account.blob.core.windows.net/public/disk0.vhd".parse()?;
    /// let options = ClientOptions::new().application_id("nightly-backup");
    /// let blob = PageBlobClient::builder(url).options(options).build()?;
    /// assert_eq!(blob.name(), "disk0.vhd");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(url: Url) -> ClientBuilder<Self> {
        ClientBuilder::new(url, |parts| blob_at(parts).map(Self))
    }

    /// The same client, with calls that draw from `budget`; as [`BlobClient::with_budget`].
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().requests_per_second(1_000);
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// disk.with_budget(&budget).get_page_ranges().collect_all().await?;
    /// assert_eq!(budget.requests(), 1);
    /// # Ok(()) });
    /// ```
    pub fn with_budget(&self, budget: &Budget) -> Self {
        Self(self.0.with_budget(budget))
    }

    /// A client of one snapshot of this blob.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().await?.snapshot;
    /// let written = disk.with_snapshot(&taken).get_page_ranges().collect_all().await?;
    /// # let _ = written;
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WithSnapshot")]
    pub fn with_snapshot(&self, snapshot: impl Into<SnapshotId>) -> Self {
        Self(self.0.with_snapshot(snapshot))
    }

    /// A client of one version of this blob (from version 2019-12-12).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let version = "2026-01-01T00:00:00.1234567Z".parse::<blobcopy::VersionId>()?;
    /// assert_eq!(disk.with_version(&version).version_id(), Some(&version));
    /// # Ok(()) });
    /// ```
    #[doc(alias = "WithVersion")]
    pub fn with_version(&self, version: impl Into<VersionId>) -> Self {
        Self(self.0.with_version(version))
    }
}

/// # Incremental copies
impl PageBlobClient {
    /// Starts an incremental copy: transfers the difference between `snapshot` of `source` and the
    /// source snapshot that was copied last, and keeps the result as a new snapshot of this blob.
    ///
    /// Awaiting it gives [`CopyFromUriOperation`](crate::CopyFromUriOperation).
    ///
    /// This blob must not exist yet, or must have been made by incremental copies of the same
    /// source: it stays tied to its first source. Snapshots must be copied in the order in which
    /// they were taken. The only operations on this blob are then reading its properties, further
    /// incremental copies, and deleting it; read the content from its snapshots. If `source` names
    /// a snapshot itself, `snapshot` replaces it.
    ///
    /// The response is always `pending`; a later poll returns the new snapshot. The progress counts
    /// the whole blob; for the bytes that the copy transferred, take the
    /// [`diff_size`](Self::diff_size) between the new snapshot and the one before.
    ///
    /// If the response to a start is lost, the client reads this blob's properties before it sends
    /// the start again. It adopts a copy of this snapshot that is pending, or that succeeded after
    /// the call began ([`was_adopted`](crate::CopyFromUriOperation::was_adopted)). If such a copy
    /// failed or was aborted, the call fails, and
    /// [`may_have_been_applied`](crate::Error::may_have_been_applied) is true: one start makes at
    /// most one incremental copy.
    ///
    /// [Incremental Copy Blob](https://learn.microsoft.com/rest/api/storageservices/incremental-copy-blob)
    /// (from version 2016-05-31)
    ///
    /// # Errors
    ///
    /// 409 `IncrementalCopyOfEarlierSnapshotNotAllowed` if this or a later snapshot has already
    /// been copied; 409 `IncrementalCopyBlobMismatch` for another source; 409
    /// `PendingCopyOperation` while a copy is pending; `CannotVerifyCopySource` if the service
    /// cannot read the source.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    ///
    /// let first = disk.create_snapshot().await?.snapshot;
    /// let before = backup.start_copy_incremental(&disk, &first).await?.wait().await?;
    ///
    /// disk.upload_pages(4096, vec![1; 512]).await?;
    /// let second = disk.create_snapshot().await?.snapshot;
    /// let done = backup.start_copy_incremental(&disk, &second).await?.wait().await?;
    ///
    /// let kept = backup.with_snapshot(done.destination_snapshot.unwrap());
    /// let moved = kept.diff_size(before.destination_snapshot.unwrap()).await?;
    /// assert_eq!(moved, 512); // only what differs
    /// assert_eq!(kept.download().range(4096..4100).await?.bytes().await?, &[1; 4][..]);
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "StartCopyIncremental",
        "incremental_copy",
        "Incremental Copy Blob",
        "IncrementalCopyBlob"
    ))]
    pub fn start_copy_incremental(
        &self,
        source: impl Into<CopySource>,
        snapshot: impl Into<SnapshotId>,
    ) -> StartCopyIncremental {
        StartCopyIncremental::new(&self.0.0, source.into(), snapshot.into())
    }
}

/// # Pages
impl PageBlobClient {
    /// Creates a blob of `size` bytes, filled with zeros. The size is a multiple of 512, at most 8
    /// TiB. Overwrites an existing blob.
    ///
    /// Awaiting it gives [`BlobContentInfo`](crate::BlobContentInfo).
    ///
    /// ```
    /// use blobcopy::{Conditions, ETag};
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk1.vhd");
    /// disk.create(64 << 20).conditions(Conditions::new().if_none_match(ETag::ANY)).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("create_page_blob", "Create", "Put Blob", "PutBlob"))]
    pub fn create(&self, size: u64) -> CreatePageBlob {
        CreatePageBlob::new(self.call(), PutPageBlob::new(size))
    }

    /// Writes pages at `offset`. The offset and the length are multiples of 512 bytes; content over
    /// 4 MiB is sent in several requests.
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk1.vhd");
    /// disk.create(16 << 20).await?;
    /// disk.upload_pages(0, vec![7; 16 << 20]).concurrency(2).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("UploadPages", "upload_page", "Put Page", "PutPage"))]
    pub fn upload_pages(&self, offset: u64, content: impl Into<Bytes>) -> UploadPages {
        UploadPages::new(self.call(), PutPage::new(offset, content.into()))
    }

    /// Writes pages at `offset` from the bytes `source_range` of a URL. The offset and the length
    /// are multiples of 512 bytes; a range over 4 MiB is sent in several requests.
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    ///
    /// The source must be authorized, even within the same account; a [`CopySource`] made from a
    /// client does that.
    ///
    /// [Put Page From URL](https://learn.microsoft.com/rest/api/storageservices/put-page-from-url)
    /// (from version 2018-11-09)
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let other = service.container_client("vhds").page_blob_client("disk1.vhd");
    /// other.create(1 << 20).await?;
    /// other.upload_pages_from_uri(&disk, 0..4096, 8192).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "UploadPagesFromUri",
        "upload_pages_from_url",
        "Put Page From URL",
        "PutPageFromURL"
    ))]
    pub fn upload_pages_from_uri(
        &self,
        source: impl Into<CopySource>,
        source_range: impl RangeBounds<u64>,
        offset: u64,
    ) -> UploadPagesFromUri {
        UploadPagesFromUri::new(
            self.call(),
            PutPageFromUrl::new(source.into(), ByteRange::new(source_range), offset),
        )
    }

    /// Clears `range`, whose start and end are multiples of 512: it then reads as zeros and takes
    /// no space. You can pass a [`PageRange`].
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    ///
    /// [Put Page](https://learn.microsoft.com/rest/api/storageservices/put-page)
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// disk.clear_pages(512..1536).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("ClearPages", "clear_page", "Put Page", "PutPage"))]
    pub fn clear_pages(&self, range: impl RangeBounds<u64>) -> ClearPages {
        ClearPages::new(self.call(), PutPageClear::new(ByteRange::new(range)))
    }

    /// Changes the blob's size, a multiple of 512 bytes, at most 8 TiB. A larger blob is filled up
    /// with zeros; a smaller one loses the pages beyond its new end.
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// disk.resize(2 << 20).await?;
    /// assert_eq!(disk.get_properties().await?.content_length, 2 << 20);
    /// # Ok(()) });
    /// ```
    #[doc(alias("Resize", "resize_blob", "Set Blob Properties", "SetBlobProperties"))]
    pub fn resize(&self, size: u64) -> Resize {
        Resize::new(self.call(), SetSize::new(size))
    }

    /// Changes the blob's sequence number. Writes of pages can be conditional on it.
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    ///
    /// ```
    /// use blobcopy::SequenceNumberAction;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// disk.set_sequence_number(SequenceNumberAction::Update(7)).await?;
    /// disk.upload_pages(0, vec![1; 512]).if_sequence_number_equal(7).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("UpdateSequenceNumber", "Set Blob Properties", "SetBlobProperties"))]
    pub fn set_sequence_number(&self, action: SequenceNumberAction) -> SetSequenceNumber {
        SetSequenceNumber::new(self.call(), SetNumber::new(action))
    }
}

/// # Page ranges and their differences
impl PageBlobClient {
    /// Lists the ranges that hold data, which were written and not cleared: a [`Pager`] of
    /// [`PageRange`]s. Its [`collect_all`](Pager::collect_all) returns
    /// [`PageRanges`](crate::PageRanges).
    ///
    /// [Get Page Ranges](https://learn.microsoft.com/rest/api/storageservices/get-page-ranges)
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk1.vhd");
    /// disk.create(1 << 20).await?;
    /// disk.upload_pages(512, vec![7; 1024]).await?;
    ///
    /// let written = disk.get_page_ranges().collect_all().await?;
    /// assert_eq!(written.ranges.len(), 1);
    /// assert_eq!((written.ranges[0].start, written.ranges[0].end), (512, 1536));
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetAllPageRanges", "list_page_ranges", "Get Page Ranges", "GetPageRanges"))]
    pub fn get_page_ranges(&self) -> Pager<PageRange> {
        Pager::page_ranges(self.call())
    }

    /// Lists the ranges that were written or cleared since the snapshot `previous` of this blob.
    /// With a client of a later snapshot, lists the changes between the two snapshots.
    ///
    /// From version 2015-07-08.
    ///
    /// # Errors
    ///
    /// 409 `PreviousSnapshotNotFound`; 400 `PreviousSnapshotCannotBeNewer`; 409 `BlobOverwritten`
    /// if the blob was overwritten since that snapshot.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let before = disk.create_snapshot().await?.snapshot;
    /// disk.upload_pages(1024, vec![7; 512]).await?;
    /// disk.clear_pages(4096..4608).await?;
    ///
    /// let diff = disk.get_page_ranges_diff(&before).collect_all().await?;
    /// assert_eq!(diff.changed().next().unwrap().to_string(), "1024..1536");
    /// assert_eq!(diff.cleared().next().unwrap().to_string(), "4096..4608");
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "GetAllPageRangesDiff",
        "previous_snapshot",
        "prevsnapshot",
        "Get Page Ranges",
        "GetPageRangesDiff",
        "GetPageRanges"
    ))]
    pub fn get_page_ranges_diff(&self, previous: impl Into<SnapshotId>) -> Pager<PageRangeItem> {
        Pager::page_ranges_diff(self.call(), previous.into())
    }

    /// Like [`get_page_ranges_diff`](Self::get_page_ranges_diff), for managed-disk snapshots, where
    /// the earlier snapshot may belong to another blob. `previous` is the URL that granting access
    /// to that snapshot returned. It is sent unchanged, with its SAS, and with or without
    /// `snapshot=`.
    ///
    /// From version 2019-07-07. An account without managed disks answers 400
    /// `UnsupportedHeaderForNonManagedDisksAccount`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let earlier = disk.create_snapshot().await?.snapshot;
    ///
    /// // The account of this example has no managed disks.
    /// let earlier = disk.with_snapshot(&earlier).url()?;
    /// let diff = disk.get_managed_disk_page_ranges_diff(&earlier).collect_all().await;
    /// let error = diff.unwrap_err();
    /// let code = error.code().expect("a refusal").as_str();
    /// assert_eq!(code, "UnsupportedHeaderForNonManagedDisksAccount");
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetManagedDiskPageRangesDiff", "get_page_range_diff_for_managed_disk"))]
    pub fn get_managed_disk_page_ranges_diff(&self, previous: &Url) -> Pager<PageRangeItem> {
        Pager::managed_disk_page_ranges_diff(self.call(), previous)
    }

    /// How many bytes were written since the snapshot `previous`. If `previous` was copied last,
    /// this is what the next incremental copy transfers. Cleared ranges count as 0.
    ///
    /// Awaiting it gives a number of bytes (`u64`).
    ///
    /// From version 2015-07-08.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let first = disk.create_snapshot().await?.snapshot;
    /// backup.start_copy_incremental(&disk, &first).await?.wait().await?;
    ///
    /// disk.upload_pages(8192, vec![7; 1024]).await?;
    /// assert_eq!(disk.diff_size(&first).await?, 1024);
    /// # Ok(()) });
    /// ```
    #[doc(alias("Get Page Ranges", "GetPageRangesDiff", "GetPageRanges"))]
    pub fn diff_size(&self, previous: impl Into<SnapshotId>) -> DiffSize {
        DiffSize::new(self.call(), previous.into())
    }
}

impl Deref for PageBlobClient {
    type Target = BlobClient;

    fn deref(&self) -> &BlobClient {
        &self.0
    }
}

impl fmt::Debug for PageBlobClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page{:?}", self.0)
    }
}
