//! A mirror of a disk's snapshots.

use super::{
    Chain, Keep, MirrorError, MirrorPlan, MirrorRoute, MirrorSource, RunMirror, lock::Lock,
    mirror_work::Mirroring,
};
use crate::{Error, PageBlobClient, jobs::Budget};

/// Keeps a destination's snapshots equal to a source's.
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
    pub(crate) wait: bool,
    pub(crate) in_flight: usize,
    pub(crate) budget: Option<Budget>,
    pub(crate) pruning: Option<Keep>,
}

impl SnapshotMirror {
    /// A mirror from the snapshots of `source` to the page blob `destination`.
    pub fn new(source: impl Into<MirrorSource>, destination: &PageBlobClient) -> Self {
        Self {
            source: source.into(),
            destination: destination.clone(),
            settings: MirrorSettings {
                route: None,
                new_generation: false,
                take_lock: false,
                wait: false,
                in_flight: 16,
                budget: None,
                pruning: None,
            },
        }
    }

    /// The route of the first copy. By default Incremental Copy Blob where it can be. A destination
    /// that exists keeps its route: asking for the other is refused.
    pub fn route(mut self, route: MirrorRoute) -> Self {
        self.settings.route = Some(route);
        self
    }

    /// If the series of incremental copies is broken, goes on in a new blob, `<name>.g2`, then
    /// `<name>.g3` and so on.
    pub fn new_generation(mut self) -> Self {
        self.settings.new_generation = true;
        self
    }

    /// Lets [`run`](Self::run) break the lock of a run that is known to be dead.
    ///
    /// It is for runs alone, and not for a [`prune`](Self::prune), [`prune_source`] or
    /// [`verify`](Self::verify) of this mirror: until they begin, another run may lawfully have
    /// taken the lock. [`Prune::take_lock`] and [`PruneSource::take_lock`] are for them.
    ///
    /// [`prune_source`]: Self::prune_source
    /// [`Prune::take_lock`]: super::Prune::take_lock
    /// [`PruneSource::take_lock`]: super::PruneSource::take_lock
    pub fn take_lock(mut self) -> Self {
        self.settings.take_lock = true;
        self
    }

    /// Waits while another run holds the lock, in place of ending as [`MirrorError::Busy`].
    pub fn wait_for_lock(mut self) -> Self {
        self.settings.wait = true;
        self
    }

    /// How many requests are in flight at a time, by default 16.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests;
        self
    }

    /// The budget that all requests draw from.
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.settings.budget = Some(budget.clone());
        self
    }

    /// What is at the destination.
    pub async fn chain(&self) -> Result<Chain, MirrorError> {
        Chain::read(&self.destination).await
    }

    /// What a run would do now. Nothing is changed.
    pub async fn plan(&self) -> Result<MirrorPlan, MirrorError> {
        let mirroring = Mirroring::of(self.clone())?;
        Box::pin(mirroring.plan()).await
    }

    /// Copies what the destination lacks, oldest first. Awaiting it gives
    /// [`MirrorReport`](super::MirrorReport); [`events`](RunMirror::events) is a stream that says
    /// how far it has come.
    ///
    /// If nothing is to be copied it sends four requests: it takes the lock, lists both sides and
    /// releases the lock. The first run creates the lock's marker, with two more.
    ///
    /// # Errors
    ///
    /// [`Busy`](MirrorError::Busy) while another run holds the lock;
    /// [`SeriesBroken`](MirrorError::SeriesBroken) when all that could still be copied is, and a
    /// new generation is needed for the rest; [`LockLost`](MirrorError::LockLost);
    /// [`Refused`](MirrorError::Refused); otherwise the error of a request.
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

    /// The retention policy by which the source's snapshots are deleted, by
    /// `prune_source` or by others: [`plan`](Self::plan) and [`run`](Self::run) warn if it would
    /// delete the snapshot that the next increment needs. Nothing is deleted here.
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
        if name.encode_utf16().count() + Lock::SUFFIX.len() > LONGEST_NAME {
            let why = format!("is too long: with `{}` it must have at most 1024", Lock::SUFFIX);
            return Err(MirrorError::refused(name, format!("{why} characters")));
        }
        let MirrorSource::PageBlob(source) = &self.source else { return Ok(()) };
        let from = source.blob();
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

/// Whether a name is that of a marker or of a later generation.
fn is_reserved(name: &str) -> bool {
    let is_generation = |(_, number): (&str, &str)| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    name.ends_with(Lock::SUFFIX) || name.rsplit_once(".g").is_some_and(is_generation)
}
