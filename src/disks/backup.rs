//! What a mirror has made, without its source: thinned out, restored, tried.

use super::{
    Chain, Keep, MirrorError, MirrorSource, Prune, PrunePlan, PruneSource, Restore, RestorePoint,
    SnapshotMirror, prune,
};
use crate::PageBlobClient;

/// The destination of a mirror, without its source.
#[derive(Debug, Clone)]
pub struct DiskBackup {
    pub(crate) destination: PageBlobClient,
}

impl DiskBackup {
    /// The backup in this page blob and its later generations.
    pub fn of(destination: &PageBlobClient) -> Self {
        Self { destination: destination.clone() }
    }

    /// Its snapshots.
    pub async fn chain(&self) -> Result<Chain, MirrorError> {
        Chain::read(&self.destination).await
    }

    /// What [`prune`](Self::prune) would delete, and why the rest stays. Nothing is changed, and no
    /// lock is taken.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a policy without rules, [`MirrorError::Refused`] if there is no
    /// destination or no mirror made it, and errors of listing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{DiskBackup, Keep, SnapshotMirror};
    ///
    /// # let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// # let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// # disk.create_snapshot().await?;
    /// # SnapshotMirror::new(&disk, &backup).run().await?;
    /// let plan = DiskBackup::of(&backup).plan_prune(&Keep::new().daily(7)).await?;
    /// println!("{plan}");
    /// assert_eq!(plan.goes().count(), 0);
    /// # Ok(()) });
    /// ```
    pub async fn plan_prune(&self, keep: &Keep) -> Result<PrunePlan, MirrorError> {
        prune::plan(&self.destination, keep).await
    }

    /// Deletes the snapshots that `keep` does not keep. The source is not touched.
    ///
    /// Awaiting it gives [`PruneReport`](super::PruneReport).
    ///
    /// A snapshot is judged by the time of the source snapshot that it equals, not by that of its
    /// copy. These always stay: the newest snapshot, the last one of the newest generation, and
    /// those of which nobody knows what they equal. The oldest are deleted first, one at a time,
    /// each only if it still has the ETag of the list. After the last snapshot of an older
    /// generation its blob is deleted too, since nothing can be read from it any more.
    ///
    /// A snapshot that a restore or a drill reads stays meanwhile, and is
    /// [reported](super::PruneReport::being_read). So are those that the service keeps, such as by
    /// an immutability policy: the rest is deleted nevertheless.
    ///
    /// It takes the lock of the mirror. If it is stopped, another prune goes on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a policy without rules; [`MirrorError::Refused`] if there is no
    /// destination or no mirror made it; [`MirrorError::Busy`] while a run is at work; errors of
    /// the service. After the first deletion an error is in
    /// [the report](super::PruneReport::stopped).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{DiskBackup, Keep, SnapshotMirror};
    ///
    /// # let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// # let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// # disk.create_snapshot().await?;
    /// # SnapshotMirror::new(&disk, &backup).run().await?;
    /// let keep = Keep::new().daily(7).weekly(4).monthly(12);
    /// let report = DiskBackup::of(&backup).prune(&keep).max_delete(100).await?;
    /// assert_eq!((report.deleted.len(), report.kept), (0, 1));
    /// # Ok(()) });
    /// ```
    pub fn prune(&self, keep: &Keep) -> Prune {
        Prune::new(&self.destination, keep)
    }

    /// Restores a snapshot to a page blob that can be written.
    ///
    /// Awaiting it gives [`RestoreReport`](super::RestoreReport).
    ///
    /// Within the account Copy Blob copies it; into another account, the ranges that hold data are
    /// copied by Put Page From URL. Then the target is compared with the snapshot inside the
    /// service. The target gets the headers and metadata of the disk, without those of the mirror.
    ///
    /// A target that exists is refused unless [`overwrite`](Restore::overwrite) is set, or unless
    /// it equals the snapshot in content, metadata and length: then nothing is written. The blobs
    /// of a mirror are refused always: the destination with its generations and its lock, the
    /// source as far as it is known, and every other mirror's destination.
    ///
    /// Meanwhile an empty blob beside the destination keeps [prunes](Self::prune) from deleting the
    /// snapshot: `<name>.blobcopy-read-` and 16 random digits, with a lease of 60 seconds that is
    /// renewed. If the credential may only read there, the restore goes on without it, and
    /// [says so](super::RestoreReport::kept_from_prunes): stop scheduled prunes before.
    ///
    /// Until the end the target has metadata that name the snapshot, beginning with
    /// `blobcopy_restore`. If the restore is stopped, run it again: it finds them and goes on. A
    /// target that differs from the snapshot keeps them.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] for a target that exists or must not be written, and if there is no
    /// such snapshot; errors of the service. That the target differs is no error: see
    /// [`RestoreReport::verdict`](super::RestoreReport::verdict).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{DiskBackup, RestorePoint, SnapshotMirror};
    ///
    /// # let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// # let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// # disk.create_snapshot().await?;
    /// # SnapshotMirror::new(&disk, &backup).run().await?;
    /// let target = service.container_client("vhds").page_blob_client("restored.vhd");
    /// let backup = DiskBackup::of(&backup);
    /// let report = backup.restore(RestorePoint::Newest, &target).await?;
    /// assert!(report.is_identical(), "{report}");
    /// target.upload_pages(0, vec![1; 512]).await?;
    /// # Ok(()) });
    /// ```
    pub fn restore<'a>(
        &self,
        point: impl Into<RestorePoint>,
        target: &PageBlobClient,
    ) -> Restore<'a> {
        Restore::new(&self.destination, point.into(), target)
    }
}

/// # Restoring
impl SnapshotMirror {
    /// The destination alone: to restore without the source.
    pub fn backup(&self) -> DiskBackup {
        DiskBackup::of(&self.destination)
    }

    /// Restores a snapshot of the destination: as [`DiskBackup::restore`]. The source is refused as
    /// the target, whatever its address.
    pub fn restore<'a>(
        &self,
        point: impl Into<RestorePoint>,
        target: &PageBlobClient,
    ) -> Restore<'a> {
        let source = match &self.source {
            MirrorSource::PageBlob(source) => Some(source.blob()),
            MirrorSource::Managed(_) => None,
        };
        self.backup().restore(point, target).sparing(source)
    }

    /// Tries a restore of the newest snapshot: as [`DiskBackup::drill`].
    pub fn drill<'a>(&self) -> super::Drill<'a> {
        self.backup().drill()
    }
}

/// # Retention
impl SnapshotMirror {
    /// What [`prune`](Self::prune) would delete: as [`DiskBackup::plan_prune`].
    pub async fn plan_prune(&self, keep: &Keep) -> Result<PrunePlan, MirrorError> {
        prune::plan(&self.destination, keep).await
    }

    /// Deletes the snapshots of the destination that `keep` does not keep: as
    /// [`DiskBackup::prune`]. It waits for the lock if this mirror does, and breaks it only if
    /// [`Prune::take_lock`] is set.
    pub fn prune(&self, keep: &Keep) -> Prune {
        Prune::new(&self.destination, keep).waiting(self.settings.patience.clone())
    }

    /// Deletes snapshots of the source that `keep` does not keep. The destination is not touched.
    ///
    /// Awaiting it gives [`SourcePruneReport`](super::SourcePruneReport);
    /// [`PruneSource::plan`] says before what it would delete.
    ///
    /// These always stay: the snapshot that the destination or its newest snapshot equals, since
    /// the next difference is taken from it; all later ones, which are still to be copied; and
    /// those that the destination does not have, unless [`PruneSource::also_absent`]. It takes the
    /// lock of the mirror, and looks at each copy just before it deletes the original.
    ///
    /// Only this mirror's destination is looked at. If the disk has another mirror, whose next
    /// difference may need a snapshot that this one does not, do not use it.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] for a managed disk, whose snapshots are never deleted, and if the
    /// destination is not the mirror of this source, has no copy of it, or has snapshots of another
    /// one in any generation; otherwise as
    /// [`DiskBackup::prune`].
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{Keep, SnapshotMirror};
    ///
    /// # let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// # let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// # disk.create_snapshot().await?;
    /// # SnapshotMirror::new(&disk, &backup).run().await?;
    /// let mirror = SnapshotMirror::new(&disk, &backup);
    /// let keep = Keep::new().last(3);
    /// println!("{}", mirror.prune_source(&keep).plan().await?);
    /// assert_eq!(mirror.prune_source(&keep).await?.deleted, []);
    /// # Ok(()) });
    /// ```
    pub fn prune_source(&self, keep: &Keep) -> PruneSource {
        PruneSource::new(self, keep)
    }
}
