//! Operations around copies: snapshots, metadata, tags, tiers, leases.

use std::time::Duration;

use super::BlobClient;
use crate::{
    models::{AccessTier, LeaseId, Metadata, Tags},
    operations::{
        blob_tags::{GetBlobTags, GetTags, SetBlobTags, SetTags},
        create_snapshot::{CreateSnapshot, SnapshotBlob},
        lease::{
            Acquire, AcquireLease, Break, BreakLease, Change, ChangeLease, Release, ReleaseLease,
            Renew, RenewLease,
        },
        list_snapshots::BlobSnapshotItem,
        paging::Pager,
        set_metadata::{SetBlobMetadata, SetMetadata},
        set_properties::{SetBlobProperties, SetProperties},
        set_tier::{SetBlobTier, SetTier},
    },
};

/// # Snapshots, metadata, tags, tiers
impl BlobClient {
    /// Creates a read-only snapshot of the blob.
    ///
    /// Awaiting it gives [`BlobSnapshotInfo`](crate::BlobSnapshotInfo).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().metadata([("why", "nightly")]).await?;
    /// println!("snapshot {}", taken.snapshot);
    /// # Ok(()) });
    /// ```
    #[doc(alias("CreateSnapshot", "Snapshot Blob", "SnapshotBlob"))]
    pub fn create_snapshot(&self) -> CreateSnapshot {
        CreateSnapshot::new(self.call(), SnapshotBlob::default())
    }

    /// Lists the blob's snapshots, oldest first: a [`Pager`] of [`BlobSnapshotItem`]s, which
    /// convert to a [`SnapshotId`](crate::SnapshotId). For a blob that does not exist the list is
    /// empty.
    ///
    /// It lists the container's blobs with this name as the prefix, and stops at the next name. A
    /// SAS must be for the container and needs the permission `l`.
    ///
    /// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs)
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().await?;
    ///
    /// let snapshots = disk.list_snapshots().collect_all().await?;
    /// assert_eq!(snapshots[0].snapshot, taken.snapshot);
    /// let content = disk.with_snapshot(&snapshots[0]).download().await?.bytes().await?;
    /// # let _ = content;
    /// # Ok(()) });
    /// ```
    #[doc(alias("List Blobs", "BlobStates", "ListBlobs"))]
    pub fn list_snapshots(&self) -> Pager<BlobSnapshotItem> {
        Pager::snapshots(self.0.container_call(), self.name())
    }

    /// Replaces the blob's metadata; empty metadata removes all of it.
    ///
    /// Awaiting it gives [`BlobContentInfo`](crate::BlobContentInfo).
    ///
    /// [Set Blob Metadata](https://learn.microsoft.com/rest/api/storageservices/set-blob-metadata)
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// notes.set_metadata([("owner", "team a")]).await?;
    /// assert_eq!(notes.get_properties().await?.metadata.get("owner"), Some("team a"));
    /// # Ok(()) });
    /// ```
    #[doc(alias("SetMetadata", "set_blob_metadata", "Set Blob Metadata", "SetBlobMetadata"))]
    pub fn set_metadata(&self, metadata: impl Into<Metadata>) -> SetMetadata {
        SetMetadata::new(self.call(), SetBlobMetadata::new(metadata.into()))
    }

    /// Replaces the headers that are stored with the blob and returned with its content, such as
    /// `Content-Type`. Those that are not set are removed: without any, all are.
    ///
    /// Awaiting it gives [`BlobContentInfo`](crate::BlobContentInfo).
    ///
    /// Content, metadata, size and sequence number stay as they are.
    /// [`PageBlobClient::resize`](crate::PageBlobClient::resize) changes the size.
    ///
    /// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// notes.set_properties().content_type("text/plain").cache_control("no-cache").await?;
    /// let found = notes.get_properties().await?;
    /// assert_eq!(found.content_type.as_deref(), Some("text/plain"));
    /// assert_eq!(found.cache_control.as_deref(), Some("no-cache"));
    /// # Ok(()) });
    /// ```
    #[doc(alias("SetHttpHeaders", "set_http_headers", "Set Blob Properties", "SetProperties"))]
    pub fn set_properties(&self) -> SetProperties {
        SetProperties::new(self.call(), SetBlobProperties::default())
    }

    /// Reads the blob's index tags (from version 2019-12-12). A SAS needs the permission `t`.
    ///
    /// Awaiting it gives [`Tags`](crate::Tags).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// assert!(notes.get_tags().await?.is_empty());
    /// # Ok(()) });
    /// ```
    #[doc(alias("GetTags", "get_blob_tags", "Get Blob Tags", "GetBlobTags"))]
    pub fn get_tags(&self) -> GetTags {
        GetTags::new(self.call(), GetBlobTags::default())
    }

    /// Replaces the blob's index tags (from version 2019-12-12); empty tags remove all of them. The
    /// blob's ETag does not change. A SAS needs the permission `t`.
    ///
    /// Awaiting it gives `()`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// notes.set_tags([("stage", "done")]).await?;
    /// assert_eq!(notes.get_tags().await?.get("stage"), Some("done"));
    /// # Ok(()) });
    /// ```
    #[doc(alias("SetTags", "set_blob_tags", "Set Blob Tags", "SetBlobTags"))]
    pub fn set_tags(&self, tags: impl Into<Tags>) -> SetTags {
        SetTags::new(self.call(), SetBlobTags::new(tags.into()))
    }

    /// Moves the blob to another tier (from version 2017-04-17; snapshots and versions from
    /// 2019-12-12). Moving it out of the archive tier takes hours.
    ///
    /// Awaiting it gives [`TierChange`](crate::TierChange).
    ///
    /// # Errors
    ///
    /// 409 `BlobBeingRehydrated` for a blob that is being rehydrated; 400 `InvalidBlobTier`.
    ///
    /// ```
    /// use blobcopy::{AccessTier, TierChange};
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// assert_eq!(notes.set_tier(AccessTier::Cool).await?, TierChange::Done);
    /// # Ok(()) });
    /// ```
    #[doc(alias("SetAccessTier", "set_standard_blob_tier", "Set Blob Tier", "SetBlobTier"))]
    pub fn set_tier(&self, tier: AccessTier) -> SetTier {
        SetTier::new(self.call(), SetBlobTier::new(tier))
    }
}

/// # Leases
impl BlobClient {
    /// Acquires a lease of 15 to 60 seconds (before version 2012-02-12: 60). Until it ends, writing
    /// or deleting the blob requires the lease id. [`guard`](AcquireLease::guard) returns a lease
    /// that renews itself.
    ///
    /// Awaiting it gives [`BlobLease`](crate::BlobLease).
    ///
    /// # Errors
    ///
    /// 409 `LeaseAlreadyPresent`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").block_blob_client("notes.txt");
    /// let leased = notes.acquire_lease(Duration::from_secs(15)).await?;
    /// notes.upload("changed").lease_id(leased.lease_id).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("Acquire", "BlobLeaseClient", "Lease Blob", "LeaseBlob"))]
    pub fn acquire_lease(&self, duration: Duration) -> AcquireLease {
        AcquireLease::new(self.call(), Acquire::new(Some(duration)))
    }

    /// Acquires an infinite lease, which lasts until it is released or broken (from version
    /// 2012-02-12). A copy into a leased blob needs this kind.
    ///
    /// Awaiting it gives [`BlobLease`](crate::BlobLease).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").block_blob_client("notes.txt");
    /// backup.upload("").await?;
    /// let lease = backup.acquire_infinite_lease().await?.lease_id;
    /// let mut copy = backup.start_copy_from_uri(&notes).lease_id(lease.clone()).await?;
    /// copy.wait().await?;
    /// backup.release_lease(&lease).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("Lease Blob", "InfiniteLeaseDuration", "LeaseBlob"))]
    pub fn acquire_infinite_lease(&self) -> AcquireLease {
        AcquireLease::new(self.call(), Acquire::new(None))
    }

    /// Renews a lease for its original duration. An expired lease can be renewed too, unless the
    /// blob was modified or leased again since.
    ///
    /// Awaiting it gives [`BlobLease`](crate::BlobLease).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let lease = notes.acquire_lease(Duration::from_secs(15)).await?.lease_id;
    /// notes.renew_lease(&lease).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("Renew", "Lease Blob", "LeaseBlob"))]
    pub fn renew_lease(&self, id: impl Into<LeaseId>) -> RenewLease {
        RenewLease::new(self.call(), Renew::new(id.into()))
    }

    /// Changes the id of an active lease, for example to hand the lease to another client (from
    /// version 2012-02-12).
    ///
    /// Awaiting it gives [`BlobLease`](crate::BlobLease).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let lease = notes.acquire_infinite_lease().await?.lease_id;
    /// let theirs: blobcopy::LeaseId = "11111111-2222-3333-4444-555555555555".parse()?;
    /// notes.change_lease(&lease, theirs).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("Change", "Lease Blob", "LeaseBlob"))]
    pub fn change_lease(
        &self,
        id: impl Into<LeaseId>,
        proposed_id: impl Into<LeaseId>,
    ) -> ChangeLease {
        ChangeLease::new(self.call(), Change::new(id.into(), proposed_id.into()))
    }

    /// Releases a lease. A new one can be acquired at once.
    ///
    /// Awaiting it gives `()`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let lease = notes.acquire_infinite_lease().await?.lease_id;
    /// notes.release_lease(&lease).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("Release", "Lease Blob", "LeaseBlob"))]
    pub fn release_lease(&self, id: impl Into<LeaseId>) -> ReleaseLease {
        ReleaseLease::new(self.call(), Release::new(id.into()))
    }

    /// Breaks the blob's lease; its id is not needed.
    ///
    /// Awaiting it gives the time until the lease is broken (a [`Duration`]).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// notes.acquire_infinite_lease().await?;
    /// assert_eq!(notes.break_lease().period(Duration::ZERO).await?, Duration::ZERO);
    /// # Ok(()) });
    /// ```
    #[doc(alias("Break", "Lease Blob", "LeaseBlob"))]
    pub fn break_lease(&self) -> BreakLease {
        BreakLease::new(self.call(), Break::default())
    }
}
