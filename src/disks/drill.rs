//! A restore to try it: the newest snapshot to a scratch blob, compared, and removed.

use std::{fmt, time::Duration};

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Chain, DiskBackup, MirrorError, Restore, RestoreEvent, RestorePoint, RestoreReport,
    mirror_run::Teller,
    restore::{OnEvent, Settings, with_settings},
};
use crate::{
    BlobContainerClient, BlobItem, ErrorCode, PageBlobClient, Result,
    transport::BoxFuture,
    wire::{clock, redaction::redact},
};

/// Tries a restore: returned by [`DiskBackup::drill`].
///
/// Awaiting it gives [`DrillReport`].
#[must_use = "nothing is sent until it is awaited"]
pub struct Drill<'a> {
    destination: PageBlobClient,
    point: RestorePoint,
    container: Option<BlobContainerClient>,
    settings: Settings,
    on_event: Option<OnEvent<'a>>,
}

/// What a [`Drill`] found.
#[must_use = "a drill that fails is reported here"]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DrillReport {
    /// The restore, which has the snapshot and the verdict.
    pub restore: RestoreReport,
    /// The recovery point: when the newest source snapshot at the destination was taken.
    #[serde(with = "time::serde::rfc3339::option")]
    pub recovery_point: Option<OffsetDateTime>,
    /// How long before the drill that was, by the service's clock: what was written to the disk
    /// since would be lost.
    pub age: Option<Duration>,
    /// The recovery time: how long the restore took, with its check.
    pub recovery_time: Duration,
    /// Why the scratch blob could not be removed, if so: see
    /// [`remove_drills`](DiskBackup::remove_drills).
    pub left: Option<String>,
}

impl Drill<'_> {
    /// The most characters that the name of a scratch blob has more than that of its destination.
    pub(super) const MORE: usize = ".blobcopy-drill-".len() + 32;
}

impl<'a> Drill<'a> {
    pub(super) fn new(destination: &PageBlobClient) -> Self {
        Self {
            destination: destination.clone(),
            point: RestorePoint::Newest,
            container: None,
            settings: Settings::default(),
            on_event: None,
        }
    }

    /// The container of the restored blob, by default the destination's. In another account it is
    /// copied by ranges.
    pub fn container(mut self, container: &BlobContainerClient) -> Self {
        self.container = Some(container.clone());
        self
    }

    /// Another snapshot than the newest.
    pub fn point(mut self, point: impl Into<RestorePoint>) -> Self {
        self.point = point.into();
        self
    }

    async fn run(mut self) -> Result<DrillReport, MirrorError> {
        let mut on_event = self.on_event.take().unwrap_or_else(|| Box::new(|_| {}));
        let told = Teller::default();
        let work = Box::pin(self.work(&told));
        told.during(work, |event| on_event(event)).await
    }

    async fn work(self, told: &Teller<RestoreEvent>) -> Result<DrillReport, MirrorError> {
        self.settings.check()?;
        let start = clock::instant();
        let chain = Chain::read(&self.destination).await?;
        let snapshot = self.point.find(&chain)?.clone();
        let recovery_point = snapshot.time;
        let container = self.container.unwrap_or_else(|| self.destination.container_client());
        let name = format!("{}{:032x}", prefix(&self.destination), fastrand::u128(..));
        let target = container.page_blob_client(&name);
        let litter = Litter(Some(target.clone()));
        let restore = Restore::new(&self.destination, self.point, &target);
        let restore = restore.telling(self.settings, told);
        let restored = restore.restore(snapshot, None).await;
        let recovery_time = clock::instant() - start;
        // The service's clock, by which the snapshots are dated too.
        let begun = match target.get_properties().await {
            Ok(found) => found.created_on.or(found.last_modified),
            Err(_) => None,
        };
        // The service gives whole seconds: what was taken in the same one is not older than that.
        let age = begun
            .zip(recovery_point)
            .map(|(begun, point)| (begun - point).try_into().unwrap_or_default());
        let left = litter.remove().await.err();
        let restore = restored?;
        Ok(DrillReport {
            restore,
            recovery_point,
            age,
            recovery_time,
            left: left.map(|error| error.to_string()),
        })
    }
}

with_settings!(Drill);

/// How the names of the blobs of drills begin.
fn prefix(destination: &PageBlobClient) -> String {
    format!("{}.blobcopy-drill-", destination.name())
}

/// The blob of a drill, which is removed in the background if the drill is dropped.
#[derive(Debug)]
struct Litter(Option<PageBlobClient>);

impl Litter {
    async fn remove(mut self) -> Result<()> {
        match &self.0 {
            Some(blob) => {
                let removed = remove(blob).await;
                self.0 = None;
                removed
            }
            None => Ok(()),
        }
    }
}

impl Drop for Litter {
    fn drop(&mut self) {
        let Some(blob) = self.0.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = remove(&blob).await {
                    tracing::debug!(%error, "the blob of a drill is left");
                }
            });
        }
    }
}

/// Deletes the blob of a drill. A copy into it that is under way is aborted.
async fn remove(blob: &PageBlobClient) -> Result<()> {
    const TRIES: u32 = 5;
    for attempt in 1.. {
        match blob.delete().await {
            Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => break,
            Err(error)
                if error.code() == Some(&ErrorCode::PendingCopyOperation) && attempt < TRIES =>
            {
                blob.abort_pending_copy().await?;
            }
            deleted => return deleted,
        }
    }
    Ok(())
}

/// Removes what killed drills have left: returned by [`DiskBackup::remove_drills`].
///
/// Awaiting it gives the names of the blobs that were removed.
#[must_use = "nothing is removed until it is awaited"]
#[derive(Debug, Clone)]
pub struct RemoveDrills {
    destination: PageBlobClient,
    container: Option<BlobContainerClient>,
}

impl RemoveDrills {
    pub(super) fn new(destination: &PageBlobClient) -> Self {
        Self { destination: destination.clone(), container: None }
    }

    /// The container of the drills, by default the destination's.
    pub fn container(mut self, container: &BlobContainerClient) -> Self {
        self.container = Some(container.clone());
        self
    }

    async fn run(self) -> Result<Vec<String>, MirrorError> {
        let container = self.container.unwrap_or_else(|| self.destination.container_client());
        let prefix = prefix(&self.destination);
        let listed: Vec<BlobItem> = container.list_blobs().prefix(&prefix).try_collect().await?;
        let mut removed = Vec::new();
        for item in listed {
            let digits = item.name.strip_prefix(&prefix).unwrap_or_default();
            let is_ours = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if is_ours && item.snapshot.is_none() {
                remove(&container.blob_client_of(&item).page_blob_client()).await?;
                removed.push(item.name);
            }
        }
        Ok(removed)
    }
}

/// # Trying it
impl DiskBackup {
    /// Restores the newest snapshot to a scratch blob, compares it, and removes it.
    ///
    /// Awaiting it gives [`DrillReport`].
    ///
    /// The blob is named `<destination>.blobcopy-drill-` and 32 random digits. It is removed
    /// whatever happens, in the background if the future is dropped while the runtime runs. What a
    /// killed program leaves, [`remove_drills`](Self::remove_drills) removes.
    ///
    /// # Errors
    ///
    /// As [`restore`](Self::restore). That the blob could not be removed is in the report.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{DiskBackup, SnapshotMirror};
    ///
    /// # let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// # let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// # disk.create_snapshot().await?;
    /// # SnapshotMirror::new(&disk, &backup).run().await?;
    /// let report = DiskBackup::of(&backup).drill().await?;
    /// assert!(report.is_identical(), "{report}");
    /// println!("all but the last {:?} came back in {:?}", report.age, report.recovery_time);
    /// # Ok(()) });
    /// ```
    pub fn drill<'a>(&self) -> Drill<'a> {
        Drill::new(&self.destination)
    }

    /// Removes the scratch blobs of drills that were killed. One that is running fails then.
    ///
    /// Awaiting it gives the names of the blobs that were removed.
    ///
    /// # Errors
    ///
    /// The first error of a request; what was removed before stays removed.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::DiskBackup;
    ///
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// assert!(DiskBackup::of(&backup).remove_drills().await?.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn remove_drills(&self) -> RemoveDrills {
        RemoveDrills::new(&self.destination)
    }
}

impl DrillReport {
    /// Whether the restored disk equals the snapshot.
    pub fn is_identical(&self) -> bool {
        self.restore.is_identical()
    }
}

impl fmt::Debug for Drill<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, point, container, settings, .. } = self;
        f.debug_struct("Drill")
            .field("destination", destination)
            .field("point", point)
            .field("container", container)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Drill<'a> {
    type Output = Result<DrillReport, MirrorError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl IntoFuture for RemoveDrills {
    type Output = Result<Vec<String>, MirrorError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Display for DrillReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.restore)?;
        if let Some(point) = self.recovery_point {
            write!(f, "; recovery point {point}")?;
        }
        if let Some(age) = self.age {
            write!(f, ", {} s ago", age.as_secs())?;
        }
        write!(f, "; recovery time {:.1} s", self.recovery_time.as_secs_f64())?;
        match &self.left {
            Some(why) => write!(f, "; the scratch blob is left: {}", redact(why)),
            None => Ok(()),
        }
    }
}
