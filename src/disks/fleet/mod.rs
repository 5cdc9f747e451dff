//! Many disks, each with a mirror of its own.

mod disk;
mod event;
mod feed;
mod plan;
mod report;
mod run;

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use self::feed::Origin;
pub use self::{
    event::{FleetEvent, LeftBlob},
    plan::{FleetPlan, PlanFleet, PlannedDisk},
    report::{FleetDisk, FleetFailure, FleetReport, FleetStep},
    run::{FleetEvents, RunFleet},
};
use super::{Keep, MirrorReceipts, SnapshotMirror};
use crate::{
    BlobContainerClient,
    jobs::{Budget, Shard},
};

/// Mirrors of many disks, run as one: a list of them, or all page blobs of a container that have
/// snapshots.
///
/// A disk that fails does not stop the others: the [report](FleetReport) says which failed, why,
/// and whether another run may mend it. All state lives in the service, as with one mirror, so
/// running a fleet again is how it goes on.
///
/// In memory are the chains of the disks at work, a page of the container's listing, and a line of
/// the report for each disk.
///
/// ```
/// use blobcopy::disks::MirrorFleet;
///
/// # blobcopy_simulator::example(async |service| {
/// let vhds = service.container_client("vhds");
/// let backups = service.container_client("backups");
/// vhds.page_blob_client("disk0.vhd").create_snapshot().await?;
///
/// let fleet = MirrorFleet::of_container(&vhds, "", &backups, "daily/");
/// println!("{}", fleet.plan().await?);
/// let report = fleet.run().await?;
/// assert!(report.is_ok(), "{report}");
/// assert_eq!((report.disks.len(), report.copied()), (1, 1));
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct MirrorFleet {
    pub(super) origin: Origin,
    pub(super) settings: FleetSettings,
}

/// The settings of a fleet.
#[derive(Clone)]
pub(super) struct FleetSettings {
    pub(super) concurrency: usize,
    pub(super) budget: Option<Budget>,
    pub(super) shard: Option<Shard>,
    pub(super) keep: Option<Keep>,
    pub(super) max_delete: Option<u64>,
    pub(super) verify: Option<Verified>,
    pub(super) receipts: Arc<MirrorReceipts>,
    pub(super) each: Option<Each>,
}

/// Which snapshots of a destination are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    /// Those that the run copied, and the newest.
    New,
    All,
}

pub(super) type Each = Arc<dyn Fn(SnapshotMirror) -> SnapshotMirror + Send + Sync>;

impl MirrorFleet {
    /// The fleet of these mirrors.
    ///
    /// Each keeps its own settings. No two may have the same destination.
    ///
    /// ```
    /// use blobcopy::disks::{MirrorFleet, SnapshotMirror};
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let list = "vhds/disk0.vhd backups/database.vhd\n";
    /// let blob = |path: &str| {
    ///     let (container, name) = path.split_once('/')?;
    ///     Some(service.container_client(container).page_blob_client(name))
    /// };
    /// let mirrors = list.lines().filter_map(|line| {
    ///     let (source, destination) = line.split_once(' ')?;
    ///     Some(SnapshotMirror::new(&blob(source)?, &blob(destination)?))
    /// });
    /// let report = MirrorFleet::new(mirrors).run().await?;
    /// assert_eq!(report.disks.len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn new(mirrors: impl IntoIterator<Item = SnapshotMirror>) -> Self {
        Self::of(Origin::List(mirrors.into_iter().collect()))
    }

    /// All page blobs of a container whose names begin with `prefix` and that have snapshots.
    ///
    /// Each is mirrored to the blob of `destination` whose name has `destination_prefix` in place
    /// of `prefix`. What a mirror made is no source: destinations, their later generations, and
    /// markers. A page blob without snapshots is left, and [reported](FleetReport::left).
    ///
    /// A name that ends like that of a later generation (`.g2`) or of a marker (`.blobcopy`) cannot
    /// be mirrored under it: such a disk counts as failed. Give it another name in a
    /// [list](Self::new).
    pub fn of_container(
        source: &BlobContainerClient,
        prefix: &str,
        destination: &BlobContainerClient,
        destination_prefix: &str,
    ) -> Self {
        Self::of(Origin::Container {
            source: source.clone(),
            prefix: prefix.to_owned(),
            destination: destination.clone(),
            destination_prefix: destination_prefix.to_owned(),
        })
    }

    fn of(origin: Origin) -> Self {
        Self {
            origin,
            settings: FleetSettings {
                concurrency: 8,
                budget: None,
                shard: None,
                keep: None,
                max_delete: None,
                verify: None,
                receipts: Arc::default(),
                each: None,
            },
        }
    }

    /// How many disks are mirrored at a time, by default 8; 0 counts as 1. How many requests are in
    /// flight for each of them is a setting of its mirror.
    #[must_use]
    pub fn concurrency(mut self, disks: usize) -> Self {
        self.settings.concurrency = disks.max(1);
        self
    }

    /// The budget that the requests of all disks draw from. By default the fleet has one of its
    /// own, and a mirror that has a budget, or whose clients have one, keeps it.
    #[must_use]
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.settings.budget = Some(budget.clone());
        self
    }

    /// Only the disks that belong to this part, by the name of the destination blob.
    ///
    /// Each worker has the same fleet and a part of it; [`FleetReport::merge`] adds their reports
    /// up.
    #[must_use]
    pub fn part_of(mut self, shard: Shard) -> Self {
        self.settings.shard = Some(shard);
        self
    }

    /// Thins out the snapshots of each destination by this policy, after its disk was mirrored
    /// without an error. See [`DiskBackup::prune`](super::DiskBackup::prune).
    #[must_use]
    pub fn keep(mut self, keep: &Keep) -> Self {
        self.settings.keep = Some(keep.clone());
        self
    }

    /// The most snapshots that [`keep`](Self::keep) removes of one disk in a run, the oldest first.
    /// Without a limit by default.
    #[must_use]
    pub fn max_delete(mut self, snapshots: u64) -> Self {
        self.settings.max_delete = Some(snapshots);
        self
    }

    /// Compares the snapshots that the run copied of a disk, and its newest in any case, with the
    /// source's, before the destination is thinned out. What differs is a failure of that disk, and
    /// nothing is removed of it then. See [`SnapshotMirror::verify`].
    #[must_use]
    pub fn verify(mut self) -> Self {
        self.settings.verify = Some(Verified::New);
        self
    }

    /// The same for every snapshot of each destination: its cost grows with the chains.
    #[must_use]
    pub fn verify_all(mut self) -> Self {
        self.settings.verify = Some(Verified::All);
        self
    }

    /// Receipts of earlier verifications: see
    /// [`VerifyMirror::receipts`](super::VerifyMirror::receipts). New ones are in
    /// [`FleetEvent::Verified`].
    ///
    /// ```
    /// use blobcopy::disks::{FleetEvent, MirrorFleet, MirrorReceipt, MirrorReceipts};
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let (vhds, backups) = (service.container_client("vhds"), service.container_client("backups"));
    /// # vhds.page_blob_client("disk0.vhd").create_snapshot().await?;
    /// let mut receipts: Vec<MirrorReceipt> = Vec::new();
    /// let fleet = MirrorFleet::of_container(&vhds, "", &backups, "").verify_all();
    /// let report = fleet.receipts(&MirrorReceipts::new()).run().on_event(|event| {
    ///     if let FleetEvent::Verified { found, .. } = event {
    ///         receipts.extend_from_slice(found.receipts());
    ///     }
    /// });
    /// assert!(report.await?.is_ok());
    /// assert_eq!(receipts.len(), 1);
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn receipts(mut self, receipts: &MirrorReceipts) -> Self {
        self.settings.receipts = Arc::new(receipts.clone());
        self
    }

    /// Settings for each mirror, which a function changes as it likes.
    ///
    /// ```
    /// use blobcopy::disks::{MirrorFleet, MirrorRoute};
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let (vhds, backups) = (service.container_client("vhds"), service.container_client("backups"));
    /// # vhds.page_blob_client("disk0.vhd").create_snapshot().await?;
    /// let fleet = MirrorFleet::of_container(&vhds, "", &backups, "")
    ///     .each(|mirror| mirror.route(MirrorRoute::Ranges).in_flight(4));
    /// let report = fleet.run().await?;
    /// assert_eq!(report.disks[0].route, Some(MirrorRoute::Ranges));
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn each(
        mut self,
        settings: impl Fn(SnapshotMirror) -> SnapshotMirror + Send + Sync + 'static,
    ) -> Self {
        self.settings.each = Some(Arc::new(settings));
        self
    }

    /// Says what a run would do. Nothing is changed.
    pub fn plan(&self) -> PlanFleet {
        PlanFleet::new(self.clone())
    }

    /// Mirrors the disks: await it for the [report](FleetReport), or read its
    /// [events](RunFleet::events).
    ///
    /// Dropping it stops everything; the next run goes on.
    pub fn run(&self) -> RunFleet<'static> {
        RunFleet::new(self.clone())
    }

    /// Which fleet this is, for reports that belong together: a hash of its disks and of what is
    /// done with them.
    pub(super) fn fingerprint(&self) -> String {
        let mut lines = self.origin.lines();
        lines.sort();
        let settings = &self.settings;
        let keep = settings.keep.as_ref().map(Keep::to_string).unwrap_or_default();
        lines.push(format!("keep {keep} of at most {:?}", settings.max_delete));
        lines.push(format!("verify {:?}", settings.verify));
        let mut hash = Sha256::new();
        for line in lines {
            // With lengths, so that no two fleets are one text.
            hash.update(format!("{} {line}\n", line.len()));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for MirrorFleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        f.debug_struct("MirrorFleet")
            .field("origin", &self.origin)
            .field("concurrency", &settings.concurrency)
            .field("budget", &settings.budget)
            .field("shard", &settings.shard)
            .field("keep", &settings.keep)
            .field("max_delete", &settings.max_delete)
            .field("verify", &settings.verify)
            .finish_non_exhaustive()
    }
}
