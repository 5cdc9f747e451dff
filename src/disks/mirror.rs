//! A mirror of a disk's snapshots.

use std::time::Duration;

use super::{
    Chain, Drill, Keep, MirrorError, MirrorPlan, MirrorRoute, MirrorSource, RunMirror,
    addresses::{check_destination, check_source},
    lock::{Lock, LockWait, Patience},
    mirror_work::Mirroring,
    reads::ReadNote,
};
use crate::{Error, PageBlobClient, jobs::Budget, wire::redaction::bare};

/// Keeps a destination's snapshots equal to a source's.
///
/// [`run`](Self::run) copies each source snapshot that is later than the newest at the destination,
/// oldest first, and moves only what differs from the one before. Snapshots that are older than the
/// newest copy stay out: neither route can go back.
///
/// # Routes
///
/// How it copies belongs to the destination blob, and is chosen at its first copy:
///
/// | | Incremental Copy Blob | changed ranges |
/// | --- | --- | --- |
/// | source | a page blob's snapshots | those, or a managed disk's |
/// | destination | can only be copied into; its snapshots can be read | a page blob, which others can write to between two runs |
/// | headers and metadata of each snapshot | copied | copied, as far as there is room |
/// | if the source snapshot that was copied last is gone | the series is broken | everything is copied |
/// | if the source was created anew | the series is broken | everything is copied |
///
/// # The destination
///
/// Nothing is stored but the blob, its snapshots and a small blob `<name>.blobcopy`, the marker
/// whose lease is the lock: one run at a time works on a destination. What each snapshot equals is
/// read from the service: from the source of its copy, or from its metadata. So a run can be
/// stopped or killed at any moment, and the next one goes on from there.
///
/// By changed ranges, a run also holds a lease of 60 seconds on the destination while it copies:
/// the service refuses writes of others with 412 `LeaseIdMissing`. What others write between two
/// runs, the next one puts right. A lease of somebody else stops a run before it changes anything.
/// If the lease is broken, the run stops with an error, and the next one looks at everything again.
///
/// A broken series goes on in a [new generation](Self::new_generation): another blob, `<name>.g2`
/// and so on, which is part of the same [`Chain`].
///
/// The client of the destination must be able to list its container.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::disks::SnapshotMirror;
///
/// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
/// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
/// let mirror = SnapshotMirror::new(&disk, &backup);
///
/// disk.create_snapshot().await?;
/// assert_eq!(mirror.run().await.unwrap().hops.len(), 1);
///
/// disk.upload_pages(4096, vec![1; 512]).await?;
/// let later = disk.create_snapshot().await?.snapshot;
/// let report = mirror.run().await.unwrap();
/// assert_eq!((report.hops.len(), report.bytes), (1, 512)); // only what differs
/// let newest = mirror.chain().await.unwrap().newest().cloned().unwrap();
/// assert_eq!(newest.equals, Some(later.to_string()));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
pub struct SnapshotMirror {
    pub(crate) source: MirrorSource,
    pub(crate) destination: PageBlobClient,
    pub(crate) settings: MirrorSettings,
}

/// The settings of a mirror.
#[derive(Debug, Clone)]
pub(crate) struct MirrorSettings {
    pub(crate) route: Option<MirrorRoute>,
    pub(crate) new_generation: bool,
    pub(crate) take_lock: bool,
    pub(crate) patience: Patience,
    pub(crate) in_flight: usize,
    pub(crate) budget: Option<Budget>,
    pub(crate) pruning: Option<Keep>,
    pub(crate) plan_sizes: bool,
}

impl SnapshotMirror {
    /// A mirror from the snapshots of `source` to the page blob `destination`. Sends nothing.
    ///
    /// The source is a client of a page blob, [`PageBlobSnapshots`](super::PageBlobSnapshots) or
    /// [`ManagedSnapshots`](super::ManagedSnapshots). The destination's name has at most 976
    /// characters, and does not end in `.blobcopy` or `.g` and a number. Its URL has at most 1,500
    /// bytes: a restore sends it with a snapshot and a SAS, and the service takes 2 KiB.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let mirror = SnapshotMirror::new(&disk, &backup);
    /// assert!(mirror.chain().await.unwrap().snapshots.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn new(source: impl Into<MirrorSource>, destination: &PageBlobClient) -> Self {
        Self {
            source: source.into(),
            destination: destination.clone(),
            settings: MirrorSettings {
                route: None,
                new_generation: false,
                take_lock: false,
                patience: Patience::default(),
                in_flight: 16,
                budget: None,
                pruning: None,
                plan_sizes: false,
            },
        }
    }

    /// The route of the first copy. By default Incremental Copy Blob where it can be. A destination
    /// that exists keeps its route: the other one is refused.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{MirrorRoute, SnapshotMirror};
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// disk.create_snapshot().await?;
    /// let mirror = SnapshotMirror::new(&disk, &backup).route(MirrorRoute::Ranges);
    /// mirror.run().await.unwrap();
    /// backup.clear_pages(0..512).await?; // it stays writable
    /// # Ok(()) });
    /// ```
    pub fn route(mut self, route: MirrorRoute) -> Self {
        self.settings.route = Some(route);
        self
    }

    /// If the series of incremental copies is broken, goes on in a new blob, `<name>.g2`, then
    /// `<name>.g3` and so on. Its first copy is a full one. Without a broken series this changes
    /// nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{BrokenSeries, MirrorError, SnapshotMirror};
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let mirror = SnapshotMirror::new(&disk, &backup);
    /// let first = disk.create_snapshot().await?.snapshot;
    /// mirror.run().await.unwrap();
    /// disk.with_snapshot(&first).delete().await?;
    /// disk.create_snapshot().await?;
    /// let Err(MirrorError::SeriesBroken { reason, .. }) = mirror.run().await else { panic!() };
    /// assert_eq!(reason, BrokenSeries::LastSnapshotGone);
    /// let report = mirror.new_generation().run().await.unwrap();
    /// assert_eq!(report.hops[0].destination.blob, "disk0.vhd.g2");
    /// # Ok(()) });
    /// ```
    pub fn new_generation(mut self) -> Self {
        self.settings.new_generation = true;
        self
    }

    /// Lets [`run`](Self::run) break the lock of a run that is known to be dead. A run that is
    /// alive after all stops with [`MirrorError::LockLost`] when it next renews its lease, within
    /// 20 seconds.
    ///
    /// Without this, the lock of a dead run is free 60 seconds after its last renewal.
    ///
    /// It is for runs alone, and not for a [`prune`](Self::prune), [`prune_source`] or
    /// [`verify`](Self::verify) of this mirror: until they begin, another run may lawfully have
    /// taken the lock. [`Prune::take_lock`] and [`PruneSource::take_lock`] are for them.
    ///
    /// [`prune_source`]: Self::prune_source
    /// [`Prune::take_lock`]: super::Prune::take_lock
    /// [`PruneSource::take_lock`]: super::PruneSource::take_lock
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// SnapshotMirror::new(&disk, &backup).take_lock().run().await.unwrap();
    /// # Ok(()) });
    /// ```
    pub fn take_lock(mut self) -> Self {
        self.settings.take_lock = true;
        self
    }

    /// Waits while another run holds the lock, in place of ending as [`MirrorError::Busy`]. It
    /// looks every 5 seconds, without a limit: see [`lock_timeout`](Self::lock_timeout).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// SnapshotMirror::new(&disk, &backup).wait_for_lock().run().await.unwrap();
    /// # Ok(()) });
    /// ```
    pub fn wait_for_lock(mut self) -> Self {
        self.settings.patience = self.settings.patience.endless();
        self
    }

    /// Waits at most so long while another run holds the lock; then it ends as
    /// [`MirrorError::Busy`]. It looks every 5 seconds, and once more at the end.
    ///
    /// A run in a schedule should have a limit: behind one that hangs and renews its lease, it
    /// would wait for ever.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use std::time::Duration;
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let mirror = SnapshotMirror::new(&disk, &backup).lock_timeout(Duration::from_secs(600));
    /// mirror.run().await.unwrap();
    /// # Ok(()) });
    /// ```
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.settings.patience = self.settings.patience.at_most(limit);
        self
    }

    /// Calls a function when [`prune`](Self::prune), [`prune_source`](Self::prune_source) or
    /// [`verify`](Self::verify) of this mirror begins to wait for the lock, and once a minute. A
    /// [`run`](Self::run) tells it by [`MirrorEvent::Waiting`](super::MirrorEvent::Waiting).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{Keep, SnapshotMirror};
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// # disk.create_snapshot().await?;
    /// let mirror = SnapshotMirror::new(&disk, &backup).wait_for_lock();
    /// mirror.run().await?;
    /// mirror.on_lock_wait(|wait| eprintln!("{wait}")).prune(&Keep::new().daily(7)).await?;
    /// # Ok(()) });
    /// ```
    pub fn on_lock_wait(mut self, tell: impl Fn(&LockWait) + Send + Sync + 'static) -> Self {
        self.settings.patience = self.settings.patience.telling(tell);
        self
    }

    /// How many requests of the route by changed ranges are in flight at a time, by default 16. It
    /// must be at least 1.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// SnapshotMirror::new(&disk, &backup).in_flight(64).run().await.unwrap();
    /// # Ok(()) });
    /// ```
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests;
        self
    }

    /// The budget that all requests draw from, those to the source too. Each disk gets a [budget of
    /// one blob](Budget::for_one_blob) of it. By default, the clients' own budgets.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().requests_per_second(1_000);
    /// let report = SnapshotMirror::new(&disk, &backup).budget(&budget).run().await.unwrap();
    /// assert_eq!(budget.requests(), report.requests);
    /// # Ok(()) });
    /// ```
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.settings.budget = Some(budget.clone());
        self
    }

    /// What is at the destination: one request, or two if the container has many names that begin
    /// like the destination's, for each 5,000 blobs and snapshots.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let chain = SnapshotMirror::new(&disk, &backup).chain().await.unwrap();
    /// assert_eq!((chain.generation, chain.snapshots.len()), (0, 0));
    /// # Ok(()) });
    /// ```
    pub async fn chain(&self) -> Result<Chain, MirrorError> {
        Chain::read(&self.destination).await
    }

    /// Lets [`plan`](Self::plan) learn what each hop from a managed disk would move. For that it
    /// takes the lock, is granted access to the snapshots as a run is, notes that in the marker
    /// blob, and gives the access back. Without this a plan is granted nothing, and does not know
    /// those sizes. For other sources it changes nothing.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let plan = SnapshotMirror::new(&disk, &backup).plan_sizes().plan().await.unwrap();
    /// assert_eq!(plan.known_bytes(), Some(0)); // there are no snapshots yet
    /// # Ok(()) });
    /// ```
    pub fn plan_sizes(mut self) -> Self {
        self.settings.plan_sizes = true;
        self
    }

    /// What a run would do now. Nothing is changed, and the lock is not needed, but with
    /// [`plan_sizes`](Self::plan_sizes).
    ///
    /// It lists both sides, and asks the source for the size of each difference. For those of a
    /// managed disk access is needed: a [`DiskSnapshotList`](super::DiskSnapshotList) has it.
    ///
    /// # Errors
    ///
    /// [`Refused`](MirrorError::Refused) if source and destination do not go together; with
    /// [`plan_sizes`](Self::plan_sizes), [`Busy`](MirrorError::Busy) while another run holds the
    /// lock, and [`NotNow`](MirrorError::NotNow) if no access can be granted now; otherwise the
    /// error of a request. A broken series is no error here: see
    /// [`MirrorPlan::broken`].
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// disk.create_snapshot().await?;
    /// let plan = SnapshotMirror::new(&disk, &backup).plan().await.unwrap();
    /// println!("{plan}");
    /// assert_eq!((plan.hops.len(), plan.generation), (1, 1));
    /// # Ok(()) });
    /// ```
    pub async fn plan(&self) -> Result<MirrorPlan, MirrorError> {
        let mirroring = Mirroring::of(self.clone())?;
        Box::pin(mirroring.plan()).await
    }

    /// Copies what the destination lacks, oldest first. Awaiting it gives
    /// [`MirrorReport`](super::MirrorReport); [`events`](RunMirror::events) is a stream that says
    /// how far it has come.
    ///
    /// If nothing is to be copied it sends four requests: it takes the lock, lists both sides and
    /// releases the lock. The first run creates the lock's marker, with four more: it lists both
    /// sides before that, so that no marker is left beside what cannot be mirrored. By changed
    /// ranges, a run that copies sends two for the lease on the destination, and one to renew it
    /// every 20 seconds.
    ///
    /// # Errors
    ///
    /// [`Busy`](MirrorError::Busy) while another run holds the lock;
    /// [`SeriesBroken`](MirrorError::SeriesBroken) when all that could still be copied is, and a
    /// new generation is needed for the rest; [`LockLost`](MirrorError::LockLost);
    /// [`NotNow`](MirrorError::NotNow), such as while somebody else holds a lease on the
    /// destination; [`Refused`](MirrorError::Refused), such as for a source that does not exist, or
    /// a destination that is the mirror of another; otherwise the error of a request.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// disk.create_snapshot().await?;
    /// let report = SnapshotMirror::new(&disk, &backup).run().await.unwrap();
    /// assert_eq!(report.hops.len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn run<'a>(&self) -> RunMirror<'a> {
        RunMirror::new(self.clone())
    }

    /// The retention policy by which somebody deletes the source's snapshots:
    /// [`plan`](Self::plan) and [`run`](Self::run) warn if it would delete the one that the next
    /// increment needs. Nothing is deleted here.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{Keep, MirrorWarning, SnapshotMirror};
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let mirror = SnapshotMirror::new(&disk, &backup).pruning_source(&Keep::new().last(1));
    /// let snapshot = disk.create_snapshot().await?.snapshot.to_string();
    /// mirror.run().await.unwrap();
    /// disk.create_snapshot().await?;
    /// let warning = MirrorWarning::AboutToBePruned { snapshot };
    /// assert_eq!(mirror.plan().await.unwrap().warnings, [warning]);
    /// # Ok(()) });
    /// ```
    pub fn pruning_source(mut self, keep: &Keep) -> Self {
        self.settings.pruning = Some(keep.clone());
        self
    }

    /// Refuses what cannot work, before anything is sent.
    pub(crate) fn check(&self) -> Result<(), MirrorError> {
        if self.settings.in_flight == 0 {
            return Err(Error::invalid("in flight", "0", "must be at least 1").into());
        }
        let (to, name) = (&self.destination, self.destination.name());
        if to.snapshot().is_some() || to.version_id().is_some() {
            let why = "is a snapshot or version, which cannot be a destination";
            return Err(MirrorError::refused(to.url()?, why));
        }
        if is_reserved(name) {
            let why = "ends like the blobs that a mirror keeps beside its destination: choose \
                       another name";
            return Err(MirrorError::refused(name, why));
        }
        // A backup that could not be restored, or tried, is none.
        let (characters, url) = (name.encode_utf16().count(), bare(to.url()?).as_str().len());
        if characters + MORE > LONGEST_NAME {
            let most = LONGEST_NAME - MORE;
            let why = format!("is too long: it must have at most {most} characters, since drills");
            return Err(MirrorError::refused(name, format!("{why} put names of their own to it")));
        }
        if url > LONGEST_URL {
            let why =
                format!("its URL has {url} bytes and must have at most {LONGEST_URL}, since a");
            let why = format!("{why} restore sends it with a snapshot and a SAS");
            return Err(MirrorError::refused(name, why));
        }
        check_destination(to)?;
        let MirrorSource::PageBlob(source) = &self.source else { return Ok(()) };
        let from = source.blob();
        check_source(from)?;
        if from.snapshot().is_some() || from.version_id().is_some() {
            let why = "is a snapshot or version: give the blob, of which all snapshots are copied";
            return Err(MirrorError::refused(from.url()?, why));
        }
        let (from_url, to_url) = (from.url()?, to.url()?);
        let is_beside = is_reserved(from.name())
            && from.name().starts_with(name)
            && from.container_client().url()? == to.container_client().url()?;
        if from_url == to_url || is_beside {
            let why = "is the destination, or one of the blobs that a mirror keeps beside it";
            return Err(MirrorError::refused(from_url, why));
        }
        Ok(())
    }
}

/// The most characters of a blob's name.
const LONGEST_NAME: usize = 1024;

/// The most characters that are put to the name of a destination.
const MORE: usize = Drill::MORE;

/// The most bytes of a destination's URL, so that with a snapshot and a SAS it has 2 KiB.
const LONGEST_URL: usize = 1500;

const _: () = assert!(MORE >= ReadNote::MORE && MORE >= Lock::SUFFIX.len());

/// Whether a name is that of a marker or of a later generation.
fn is_reserved(name: &str) -> bool {
    let is_generation = |(_, number): (&str, &str)| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    name.ends_with(Lock::SUFFIX) || name.rsplit_once(".g").is_some_and(is_generation)
}
