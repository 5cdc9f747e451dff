//! Starting copies, and their settings.

use time::OffsetDateTime;

use super::{
    operation::CopyFromUriOperation,
    start_once::{Kind, start},
};
use crate::{
    error::{Error, Result},
    models::{
        AccessTier, Conditions, CopySourceUrl, ImmutabilityPolicyMode, LeaseId, Metadata,
        RehydratePriority, SnapshotId, Tags, since,
    },
    operations::{
        blob_ref::BlobRef,
        copy_blob::CopyBlob,
        incremental_copy_blob::IncrementalCopyBlob,
        operation::{Call, call_options},
        settings::{access::with_conditions, copy_source::CopySource},
    },
    wire::transport::BoxFuture,
};

/// Starts an incremental copy of a page blob's snapshot: returned by
/// [`PageBlobClient::start_copy_incremental`](crate::PageBlobClient::start_copy_incremental).
///
/// The service accepts no lease, tier, tags, metadata or source conditions here.
///
/// [Incremental Copy Blob](https://learn.microsoft.com/rest/api/storageservices/incremental-copy-blob)
/// (from version 2016-05-31)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct StartCopyIncremental {
    call: Call,
    blob: BlobRef,
    source: CopySource,
    snapshot: SnapshotId,
    conditions: Conditions,
}

impl StartCopyIncremental {
    pub(crate) fn new(blob: &BlobRef, source: CopySource, snapshot: SnapshotId) -> Self {
        let (call, blob, conditions) = (blob.call(), blob.clone(), Conditions::new());
        Self { call, blob, source, snapshot, conditions }
    }
}

call_options!(StartCopyIncremental);
with_conditions!(StartCopyIncremental);

impl IntoFuture for StartCopyIncremental {
    type Output = Result<CopyFromUriOperation>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { call, blob, source, snapshot, conditions } = self;
        Box::pin(async move {
            check(&blob)?;
            call.since(since::INCREMENTAL_COPY)?;
            let from = source.resolve_snapshot(&snapshot).await?;
            let operation = IncrementalCopyBlob { source: Some(from.clone()), conditions };
            let started = start(&call, &operation, &from, Kind::Incremental).await;
            let started = source.judged(&from, started)?;
            let operation = CopyFromUriOperation::incremental(blob, started.state);
            Ok(operation.adopted(started.adopted).of_snapshot(Some(snapshot)))
        })
    }
}

/// Starts an ordinary copy: returned by
/// [`BlobClient::start_copy_from_uri`](crate::BlobClient::start_copy_from_uri).
///
/// Fails with `InvalidInput` for a service version before 2012-02-12, in which every copy is
/// synchronous: use [`copy_from_uri`](crate::BlobClient::copy_from_uri).
///
/// [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob)
/// (asynchronous from version 2012-02-12)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct StartCopyFromUri {
    call: Call,
    blob: BlobRef,
    source: CopySource,
    copy: CopyBlob,
}

impl StartCopyFromUri {
    pub(crate) fn new(blob: &BlobRef, source: CopySource) -> Self {
        Self { call: blob.call(), blob: blob.clone(), source, copy: CopyBlob::default() }
    }

    /// The destination's metadata. By default the source's metadata is copied; if you set any, none
    /// of the source's is.
    pub fn metadata(mut self, metadata: impl Into<Metadata>) -> Self {
        self.copy.blob.metadata = metadata.into();
        self
    }

    /// The destination's index tags (from version 2019-12-12). The source's tags are never copied.
    pub fn tags(mut self, tags: impl Into<Tags>) -> Self {
        self.copy.blob.tags = tags.into();
        self
    }

    /// The destination's tier (premium page blobs from version 2017-04-17, block blobs from
    /// 2018-11-09; `Cold` from 2021-12-02, `Smart` from 2026-06-06). Required if the source is
    /// archived, and then an online tier.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::AccessTier;
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// backup.start_copy_from_uri(&notes).tier(AccessTier::Cool).await?.wait().await?;
    /// assert_eq!(backup.get_properties().await?.access_tier, Some(AccessTier::Cool));
    /// # Ok(()) });
    /// ```
    #[doc(alias("AccessTier", "standard_blob_tier"))]
    pub fn tier(mut self, tier: AccessTier) -> Self {
        self.copy.blob.tier = Some(tier);
        self
    }

    /// The priority for rehydrating an archived source (from version 2019-02-02).
    pub fn rehydrate_priority(mut self, priority: RehydratePriority) -> Self {
        self.copy.rehydrate_priority = Some(priority);
        self
    }

    /// Whether to seal the destination, for append blobs (from version 2019-12-12).
    #[doc(alias("ShouldSealDestination", "seal_destination_blob"))]
    pub fn seal(mut self, seal: bool) -> Self {
        self.copy.seal = Some(seal);
        self
    }

    /// Protects the destination from changes and deletion until a date (from version 2020-06-12).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::ImmutabilityPolicyMode;
    /// use time::{Duration, OffsetDateTime};
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let until = OffsetDateTime::now_utc() + Duration::days(30);
    /// let start = backup
    ///     .start_copy_from_uri(&notes)
    ///     .immutability_policy(until, ImmutabilityPolicyMode::Unlocked);
    /// # // The simulator has no policies, and says so.
    /// # assert_eq!(start.await.unwrap_err().status().unwrap().as_u16(), 501);
    /// # Ok(()) });
    /// ```
    pub fn immutability_policy(
        mut self,
        until: OffsetDateTime,
        mode: ImmutabilityPolicyMode,
    ) -> Self {
        self.copy.blob.immutability_policy = Some((until, mode));
        self
    }

    /// Protects the destination from changes and deletion until the legal hold is removed (from
    /// version 2020-06-12).
    pub fn legal_hold(mut self, hold: bool) -> Self {
        self.copy.blob.legal_hold = Some(hold);
        self
    }

    /// Conditions on the source. If they are not met: 412 `SourceConditionNotMet`.
    pub fn source_conditions(mut self, conditions: Conditions) -> Self {
        self.copy.source_conditions = conditions;
        self
    }

    /// Conditions on the destination. If they are not met: 412, or 409 `BlobAlreadyExists` if the
    /// destination must not exist.
    pub fn conditions(mut self, conditions: Conditions) -> Self {
        self.copy.blob.access.conditions = conditions;
        self
    }

    /// The id of the destination's lease, which must be infinite.
    pub fn lease_id(mut self, id: impl Into<LeaseId>) -> Self {
        self.copy.blob.access.lease_id = Some(id.into());
        self
    }
}

call_options!(StartCopyFromUri);

impl IntoFuture for StartCopyFromUri {
    type Output = Result<CopyFromUriOperation>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { call, blob, source, mut copy } = self;
        Box::pin(async move {
            check(&blob)?;
            call.since(since::BACKGROUND_COPY)?;
            let from = source.resolve(&blob).await?;
            copy.source = Some(from.clone());
            let started = start(&call, &copy, &from, Kind::Ordinary).await;
            let started = source.judged(&from, started)?;
            let snapshot = from.to_str().ok().and_then(|url| CopySourceUrl::new(url).snapshot());
            let lease_id = copy.blob.access.lease_id;
            let operation = CopyFromUriOperation::ordinary(blob, started.state, lease_id);
            Ok(operation.adopted(started.adopted).of_snapshot(snapshot))
        })
    }
}

/// Rejects snapshots and versions, which cannot be the destination of a copy.
fn check(blob: &BlobRef) -> Result<()> {
    if blob.snapshot().is_some() || blob.version_id().is_some() {
        let rule = "is a snapshot or version, which cannot be the destination of a copy";
        return Err(Error::invalid("destination", blob.url()?, rule));
    }
    Ok(())
}
