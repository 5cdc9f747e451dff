//! A job: from a container or prefix to another.

use std::sync::Arc;

use super::{
    Budget, Fingerprint, Overwrite, Receipts, Shard,
    check::CheckJob,
    plan::PlanJob,
    run::RunJob,
    task::{Settings, Shared},
};
use crate::{BlobContainerClient, BlobInclude, Result, jobs::feed::Listing};

/// A copy of a container, or of the blobs with a prefix, to another container, in the same account
/// or another.
///
/// [`plan`](Self::plan) tells what a run would do, [`run`](Self::run) does it, and
/// [`check`](Self::check) compares.
///
/// Running a job again is how it resumes: what is the same at the destination is left, pending
/// copies are followed to their end, and blobs that are copied in pieces go on from the pieces that
/// are there. Nothing about a job is stored anywhere else.
///
/// # What is the same
///
/// Type, length, content headers, metadata (names without regard to case) and, if they are kept,
/// index tags are equal; so is Content-MD5 where both have one; and the destination was modified
/// after the source by the service's own times. Within the same second, equal MD5 of both is needed
/// too. A blob whose last copy is pending, failed or was aborted is never the same.
///
/// # What is kept
///
/// Content, content headers and metadata; index tags and the tier unless the job leaves them out.
/// Leases, snapshots, versions and immutability policies are not. Not copied are archived blobs,
/// the destinations of incremental copies, markers `*.blobcopy`, and the stubs of directories.
///
/// # What is safe
///
/// Each copy is pinned to the ETag of its source and to the state of its destination in the
/// listing. Nothing is deleted unless [`delete_extra`](Self::delete_extra) or
/// [`move_sources`](Self::move_sources) is set.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::jobs::{CopyJob, Outcome};
///
/// let vhds = service.container_client("vhds");
/// let backups = service.container_client("backups");
/// let job = CopyJob::new(&vhds, &backups).destination_prefix("monday/");
/// println!("{}", job.plan().await?);
/// let report = job.run().await?;
/// assert_eq!(report.count(Outcome::Copied), 2);
/// assert!(report.failed.is_empty());
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is sent until it is planned, run or checked"]
pub struct CopyJob {
    from: BlobContainerClient,
    to: BlobContainerClient,
    destination_prefix: Option<String>,
    pub(crate) settings: Settings,
    pub(crate) concurrency: usize,
    pub(crate) create: bool,
    pub(crate) delete_extra: Option<u64>,
    budget: Option<Budget>,
    source_budget: Option<Budget>,
    shard: Option<Shard>,
    tell_not_kept: bool,
}

impl CopyJob {
    /// A copy of all blobs of one container to another, under the same names.
    pub fn new(from: &BlobContainerClient, to: &BlobContainerClient) -> Self {
        Self {
            from: from.clone(),
            to: to.clone(),
            destination_prefix: None,
            settings: Settings::default(),
            concurrency: 64,
            create: false,
            delete_extra: None,
            budget: None,
            source_budget: None,
            shard: None,
            tell_not_kept: true,
        }
    }

    /// Copies only the blobs whose names begin with `prefix`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.prefix = prefix.into();
        self
    }

    /// What stands at the destination in place of the [`prefix`](Self::prefix): by default the
    /// prefix itself.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::CopyJob;
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// CopyJob::new(&vhds, &backups).prefix("notes").destination_prefix("old/notes").run().await?;
    /// assert!(backups.blob_client("old/notes.txt").exists().await?);
    /// # Ok(()) });
    /// ```
    pub fn destination_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.destination_prefix = Some(prefix.into());
        self
    }

    /// What happens to blobs that exist at the destination: by default
    /// [`Overwrite::IfDifferent`].
    pub fn overwrite(mut self, overwrite: Overwrite) -> Self {
        self.settings.overwrite = overwrite;
        self
    }

    /// How many blobs are copied at a time, at least 1; by default 64.
    pub fn concurrency(mut self, blobs: usize) -> Self {
        self.concurrency = blobs.max(1);
        self
    }

    /// The budget of the destination's account, and of the source's if that is the same account.
    /// Share one between all jobs of an account. By default that of the clients, or one of the
    /// job's own.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{Budget, CopyJob};
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let budget = Budget::new().requests_per_second(2_000);
    /// let report = CopyJob::new(&vhds, &backups).budget(&budget).run().await?;
    /// assert_eq!(report.requests, budget.requests());
    /// # Ok(()) });
    /// ```
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// The budget of the source's account, if that is another one.
    pub fn source_budget(mut self, budget: &Budget) -> Self {
        self.source_budget = Some(budget.clone());
        self
    }

    /// Runs only a part of the job, which is one of several: see [`Shard`].
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{CopyJob, Outcome, Report, Shard};
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let job = CopyJob::new(&vhds, &backups);
    /// let first = job.clone().shard(Shard::new(0, 2)?).run().await?;
    /// let second = job.clone().shard(Shard::new(1, 2)?).run().await?;
    /// assert_eq!(Report::merge([first, second])?.count(Outcome::Copied), 2);
    /// # Ok(()) });
    /// ```
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = Some(shard);
        self
    }

    /// Whether a run creates the destination's container if it does not exist. By default that is
    /// an error.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Whether index tags are kept and compared, by default `true`. Reading them needs the
    /// permission `t` of a SAS, and so does writing them.
    pub fn tags(mut self, tags: bool) -> Self {
        self.settings.tags = tags;
        self
    }

    /// Whether a tier that was set on a blob is set on its copy, by default `true`. Where the
    /// destination does not have the tier, the blob is copied without it, and
    /// [`Finished::tier_not_kept`](super::Finished::tier_not_kept) says so.
    pub fn tier(mut self, tier: bool) -> Self {
        self.settings.tier = tier;
        self
    }

    /// Whether a page blob of another account is copied from a snapshot that is taken for this and
    /// deleted afterwards, by default `true`. Otherwise the copy is pinned to the blob's ETag, and
    /// fails when the blob is written meanwhile.
    pub fn snapshot_sources(mut self, snapshot: bool) -> Self {
        self.settings.snapshot_sources = snapshot;
        self
    }

    /// Whether snapshots, versions, soft-deleted blobs, immutability policies and legal holds of
    /// the source are counted in [`NotKept`](super::NotKept), by default `true`. They are listed
    /// for it, which takes longer where a container has many.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::CopyJob;
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// vhds.blob_client("notes.txt").create_snapshot().await?;
    /// let plan = CopyJob::new(&vhds, &backups).plan().await?;
    /// assert_eq!(plan.not_kept.to_string(), "1 snapshots");
    /// # Ok(()) });
    /// ```
    pub fn tell_not_kept(mut self, tell: bool) -> Self {
        self.tell_not_kept = tell;
        self
    }

    /// Deletes blobs that are at the destination alone, but none if they are more than `max`.
    ///
    /// They are deleted after all copies, each only if the service says that the source does not
    /// exist, and only if the blob is still as it was listed. What a job never overwrites is never
    /// deleted either. Not together with [`move_sources`](Self::move_sources), after which all that
    /// was moved would be extra.
    pub fn delete_extra(mut self, max: u64) -> Self {
        self.delete_extra = Some(max);
        self
    }

    /// Deletes each source once its copy is complete and proved.
    ///
    /// A copy within an account is proved by its success, with the ETags of both blobs unchanged; a
    /// copy from another account by the checksums of all its pieces; any other, such as one that an
    /// earlier run has begun, by [`verify`](super::verify). The source is deleted only if
    /// its ETag is still the one that was copied, and never if both blobs have one ETag: they are
    /// one blob under two names. A source with snapshots is kept, and counted as
    /// [`SourceKept`](super::Outcome::SourceKept).
    pub fn move_sources(mut self) -> Self {
        self.settings.moves = true;
        self.settings.proved = true;
        self
    }

    /// Whether each copy is compared with its source inside the service, by
    /// [`verify`](super::verify), before it counts as copied. Its
    /// [receipt](super::Finished::receipt) has the CRC-64 of the content then. By default not.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{CopyJob, Outcome};
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let report = CopyJob::new(&vhds, &backups).verify(true).run().await?;
    /// assert_eq!(report.count(Outcome::Copied), 2);
    /// # Ok(()) });
    /// ```
    pub fn verify(mut self, verify: bool) -> Self {
        self.settings.verify = verify;
        self
    }

    /// Whether blobs count as the same only if their content is: by [receipts](Self::receipts) of
    /// earlier runs where both blobs still have the ETags of the receipt, otherwise by
    /// [`verify`](super::verify). Nothing is downloaded. By default not.
    pub fn content(mut self, content: bool) -> Self {
        self.settings.content = content;
        self
    }

    /// What earlier runs have proved, for [`content`](Self::content).
    pub fn receipts(mut self, receipts: Receipts) -> Self {
        self.settings.receipts = Arc::new(receipts);
        self
    }

    /// The container of the scratch blobs that comparisons need, by default the destination's.
    pub fn scratch(mut self, container: &BlobContainerClient) -> Self {
        self.settings.scratch = Some(container.clone());
        self
    }

    /// The longest block blob of another account that is copied by one Put Blob From URL, in bytes:
    /// by default 256 MiB, at most 5000 MiB.
    pub fn largest_single(mut self, bytes: u64) -> Self {
        self.settings.single = bytes;
        self
    }

    /// The length of the pieces of longer blobs, in bytes: by default 64 MiB, and 8 MiB for blobs
    /// below 1 GiB; at most 4000 MiB.
    pub fn block_size(mut self, bytes: u64) -> Self {
        self.settings.block = Some(bytes);
        self
    }
}

/// # Doing it
impl CopyJob {
    /// What a run would do now: how many blobs, by which routes, with how many requests and bytes.
    /// Only reads.
    ///
    /// Awaiting it gives a [`Plan`](super::Plan).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{CopyJob, Route};
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let plan = CopyJob::new(&vhds, &backups).plan().await?;
    /// assert_eq!(plan.routes[&Route::ServiceCopy].blobs, 2);
    /// # Ok(()) });
    /// ```
    pub fn plan(&self) -> PlanJob {
        PlanJob::new(self.clone())
    }

    /// Copies what is missing or different.
    ///
    /// Awaiting it gives a [`Report`](super::Report). Dropping it stops the run; the service goes
    /// on with the copies that it has begun.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the destination lies inside the source, or settings contradict each other
    /// or are out of range; otherwise the error of a listing. What fails for one blob is in the
    /// report.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{CopyJob, JobEvent};
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let mut names = Vec::new();
    /// let report = CopyJob::new(&vhds, &backups)
    ///     .run()
    ///     .on_event(|event| match event {
    ///         JobEvent::Finished(blob) => names.push(blob.name.clone()),
    ///         JobEvent::Progress(progress) => println!("{progress}"),
    ///         _ => {}
    ///     })
    ///     .await?;
    /// assert_eq!(report.bytes, (1 << 20) + 10);
    /// assert_eq!(names.len(), 2);
    /// # Ok(()) });
    /// ```
    pub fn run<'a>(&self) -> RunJob<'a> {
        RunJob::new(self.clone())
    }

    /// Compares source and destination, and only reads.
    ///
    /// Awaiting it gives a [`CheckReport`](super::CheckReport), with one line for each difference.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{CopyJob, Difference};
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let report = CopyJob::new(&vhds, &backups).check().await?;
    /// assert!(!report.is_same());
    /// assert_eq!(report.differences[0].difference, Difference::Missing);
    /// println!("{}", report.differences[0]); // missing at the destination: disk0.vhd
    /// # Ok(()) });
    /// ```
    pub fn check<'a>(&self) -> CheckJob<'a> {
        CheckJob::new(self.clone())
    }
}

/// # What its parts share
impl CopyJob {
    /// What the tasks of a run share.
    pub(crate) fn shared(&self) -> Shared {
        let prefix = self.settings.prefix.clone();
        let destination_prefix = self.destination_prefix.clone().unwrap_or(prefix);
        let settings = Settings { destination_prefix, ..self.settings.clone() };
        let with = |container: &BlobContainerClient, given: Option<&Budget>| match given {
            Some(budget) => container.with_budget(budget),
            None if container.budget().is_some() => container.clone(),
            None => container.with_budget(&Budget::new()),
        };
        let to = with(&self.to, self.budget.as_ref());
        let same_account = self.from.is_same_account(&to);
        let of_source = match same_account {
            true => to.budget(),
            false => self.source_budget.as_ref(),
        };
        Shared { from: with(&self.from, of_source), to, settings }
    }

    /// The part of the job that is run.
    pub(crate) fn part(&self) -> Option<&Shard> {
        self.shard.as_ref()
    }

    /// The job, without its part and without how fast it runs.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        let shared = self.shared();
        let Settings {
            prefix,
            destination_prefix,
            tags,
            tier,
            snapshot_sources,
            single,
            block,
            in_flight: _,
            proved: _,
            overwrite,
            content,
            moves,
            verify,
            scratch: _,
            receipts: _,
        } = shared.settings;
        let settings = [
            ("prefix", prefix),
            ("destination_prefix", destination_prefix),
            ("tags", tags.to_string()),
            ("tier", tier.to_string()),
            ("snapshot_sources", snapshot_sources.to_string()),
            ("single", single.to_string()),
            ("block", format!("{block:?}")),
            ("overwrite", format!("{overwrite:?}")),
            ("content", content.to_string()),
            ("moves", moves.to_string()),
            ("verify", verify.to_string()),
            ("delete_extra", format!("{:?}", self.delete_extra)),
        ];
        let (from, to) = (self.from.url()?.to_string(), self.to.url()?.to_string());
        Ok(Fingerprint::new(from, to, settings))
    }

    /// The two listings. What is included is what is compared or told.
    pub(crate) fn listings(&self, shared: &Shared, may_be_missing: bool) -> (Listing, Listing) {
        let tags = self.settings.tags.then_some(BlobInclude::Tags);
        // Without the copies a listing does not tell the destinations of incremental copies.
        let both = || [BlobInclude::Metadata, BlobInclude::Copy].into_iter().chain(tags);
        let told = [
            BlobInclude::Snapshots,
            BlobInclude::Versions,
            BlobInclude::Deleted,
            BlobInclude::ImmutabilityPolicy,
            BlobInclude::LegalHold,
        ];
        let source = Listing {
            container: shared.from.clone(),
            prefix: shared.settings.prefix.clone(),
            include: both().collect(),
            told: if self.tell_not_kept { told.to_vec() } else { Vec::new() },
            may_be_missing: false,
            shard: self.shard.clone(),
            to_source: None,
        };
        let destination = Listing {
            container: shared.to.clone(),
            prefix: shared.settings.destination_prefix.clone(),
            include: both().collect(),
            told: Vec::new(),
            may_be_missing,
            shard: self.shard.clone(),
            to_source: Some(shared.settings.prefix.clone()),
        };
        (source, destination)
    }
}
