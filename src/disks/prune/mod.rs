//! Deleting snapshots of a destination by a policy.

mod plan;
mod source;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::{
    plan::{PlannedPrune, PruneFate, PrunePlan},
    source::{PlannedSourcePrune, PruneSource, SourceFate, SourcePrunePlan, SourcePruneReport},
};
use super::{
    Chain, ChainSnapshot, Keep, LockWait, MirrorError,
    lineage::Lineage,
    lock::{Lock, Patience},
    reads::Reads,
};
use crate::{
    Conditions, ETag, Error, ErrorCode, PageBlobClient,
    transport::BoxFuture,
    wire::{clock, redaction::redact},
};

/// Deletes the snapshots of a destination that a policy does not keep: returned by
/// [`DiskBackup::prune`](super::DiskBackup::prune) and
/// [`SnapshotMirror::prune`](super::SnapshotMirror::prune).
///
/// Awaiting it gives [`PruneReport`].
#[must_use = "nothing is deleted until it is awaited"]
#[derive(Debug, Clone)]
pub struct Prune {
    destination: PageBlobClient,
    keep: Keep,
    max_delete: Option<u64>,
    take_lock: bool,
    patience: Patience,
}

/// What a [`Prune`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PruneReport {
    /// The destination's URL, without its query.
    pub destination: String,
    /// The snapshots that were deleted, the oldest first.
    pub deleted: Vec<ChainSnapshot>,
    /// Those that should go and stay since they were written meanwhile: their ETag has changed.
    pub changed: Vec<ChainSnapshot>,
    /// Those that should go and stay while a restore or a drill reads them. The next prune deletes
    /// them.
    #[serde(default)]
    pub being_read: Vec<ChainSnapshot>,
    /// Those that should go and that the service keeps, such as by 409 `BlobImmutableDueToPolicy`.
    /// The rest was deleted nevertheless.
    #[serde(default)]
    pub refused: Vec<RefusedDelete>,
    /// The error that ended it after it had deleted something, if so: what follows is left.
    #[serde(default)]
    pub stopped: Option<String>,
    /// The blobs of older generations that were deleted after their last snapshot.
    pub bases: Vec<String>,
    /// How many snapshots should go and were not tried, because of
    /// [`max_delete`](Prune::max_delete) or since it [stopped](Self::stopped): the next prune goes
    /// on.
    pub left: u64,
    /// How many snapshots the policy keeps, or cannot judge.
    pub kept: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// What should be deleted, and the service keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefusedDelete {
    /// The snapshot, as `disk0.vhd@2026-01-01T00:00:00.1234567Z`, or the blob.
    pub name: String,
    /// The service's code.
    pub code: Option<String>,
    /// Why, in words.
    pub because: String,
}

impl Prune {
    pub(super) fn new(destination: &PageBlobClient, keep: &Keep) -> Self {
        let (destination, keep) = (destination.clone(), keep.clone());
        let patience = Patience::default();
        Self { destination, keep, max_delete: None, take_lock: false, patience }
    }

    /// Deletes at most so many snapshots, the oldest first. Without a limit by default.
    pub fn max_delete(mut self, snapshots: u64) -> Self {
        self.max_delete = Some(snapshots);
        self
    }

    /// Breaks the lock of a run that is known to be dead.
    pub fn take_lock(mut self) -> Self {
        self.take_lock = true;
        self
    }

    /// Waits while a run holds the lock, in place of ending as [`MirrorError::Busy`]: as
    /// [`SnapshotMirror::wait_for_lock`](super::SnapshotMirror::wait_for_lock).
    pub fn wait_for_lock(mut self) -> Self {
        self.patience = self.patience.endless();
        self
    }

    /// Waits at most so long: as
    /// [`SnapshotMirror::lock_timeout`](super::SnapshotMirror::lock_timeout).
    pub fn lock_timeout(mut self, limit: Duration) -> Self {
        self.patience = self.patience.at_most(limit);
        self
    }

    /// Calls a function when it begins to wait for the lock, and once a minute.
    pub fn on_lock_wait(mut self, tell: impl Fn(&LockWait) + Send + Sync + 'static) -> Self {
        self.patience = self.patience.telling(tell);
        self
    }

    pub(super) fn waiting(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    async fn run(self) -> Result<PruneReport, MirrorError> {
        let start = clock::instant();
        // A policy without rules is refused before the lock is taken.
        self.keep.apply([] as [crate::SnapshotId; 0])?;
        // Taking the lock creates its marker: nothing is left beside what is no mirror's.
        chain_of(&self.destination).await?;
        let lock = Lock::take(&self.destination, self.take_lock, &self.patience).await?;
        let pruned = self.delete(&lock).await;
        lock.release().await;
        pruned.map(|report| PruneReport { elapsed: clock::instant() - start, ..report })
    }

    async fn delete(&self, lock: &Lock) -> Result<PruneReport, MirrorError> {
        let chain = chain_of(&self.destination).await?;
        let mut plan = PrunePlan::of(&chain, &self.keep)?;
        let mut reads = Reads::list(&self.destination).await?;
        plan.spare(&reads);
        let mut report = PruneReport {
            destination: redact(self.destination.url()?.as_str()).into_owned(),
            deleted: Vec::new(),
            changed: Vec::new(),
            being_read: plan.being_read().cloned().collect(),
            refused: Vec::new(),
            stopped: None,
            bases: Vec::new(),
            left: plan.goes().count() as u64,
            kept: plan.snapshots.iter().filter(|one| one.is_kept()).count() as u64,
            elapsed: Duration::ZERO,
        };
        match Box::pin(self.delete_all(&plan, &chain, &mut reads, lock, &mut report)).await {
            Err(error) if !report.deleted.is_empty() => report.stopped = Some(error.to_string()),
            done => done?,
        }
        reads.clean().await;
        Ok(report)
    }

    async fn delete_all(
        &self,
        plan: &PrunePlan,
        chain: &Chain,
        reads: &mut Reads,
        lock: &Lock,
        report: &mut PruneReport,
    ) -> Result<(), MirrorError> {
        for snapshot in plan.goes() {
            if self.max_delete.is_some_and(|most| report.deleted.len() as u64 >= most) {
                break;
            }
            lock.check()?;
            reads.refresh().await?;
            if reads.holds(snapshot) {
                report.being_read.push(snapshot.clone());
                report.left -= 1;
                continue;
            }
            match remove(&snapshot.client(&self.destination), snapshot.etag.as_ref()).await? {
                Removed::Deleted => report.deleted.push(snapshot.clone()),
                Removed::Changed => report.changed.push(snapshot.clone()),
                Removed::Refused(error) => {
                    report.refused.push(RefusedDelete::of(&snapshot.to_string(), &error));
                }
            }
            report.left -= 1;
        }
        if report.left == 0 && report.changed.is_empty() {
            for base in old_bases(&self.destination, plan, chain).await? {
                lock.check()?;
                let name = base.client.name();
                // It has snapshots still if somebody took one: then the service refuses.
                match remove(&base.client, Some(&base.etag)).await? {
                    Removed::Deleted => report.bases.push(name.to_owned()),
                    Removed::Changed => {}
                    Removed::Refused(error) => {
                        report.refused.push(RefusedDelete::of(name, &error));
                    }
                }
            }
        }
        Ok(())
    }
}

impl RefusedDelete {
    fn of(name: &str, error: &Error) -> Self {
        Self {
            name: redact(name).into_owned(),
            code: error.code().map(ToString::to_string),
            because: error.to_string(),
        }
    }
}

/// The chain of a destination that a mirror has made.
async fn chain_of(destination: &PageBlobClient) -> Result<Chain, MirrorError> {
    let chain = Chain::read(destination).await?;
    let why = match (chain.base(), chain.newest()) {
        (None, None) => "does not exist: give the destination of a mirror",
        (Some(base), None) if base.route().is_none() => {
            "was not made by a mirror: give the destination of one"
        }
        _ => return Ok(chain),
    };
    Err(MirrorError::refused(destination.url()?, why))
}

/// Plans a prune of `destination`. Nothing is changed.
pub(super) async fn plan(
    destination: &PageBlobClient,
    keep: &Keep,
) -> Result<PrunePlan, MirrorError> {
    let chain = chain_of(destination).await?;
    let mut plan = PrunePlan::of(&chain, keep)?;
    plan.spare(&Reads::list(destination).await?);
    let bases = old_bases(destination, &plan, &chain).await?;
    plan.bases = bases.into_iter().map(|base| base.client.name().to_owned()).collect();
    Ok(plan)
}

struct OldBase {
    client: PageBlobClient,
    etag: ETag,
}

/// The blobs of older generations that no snapshot needs any more. They cannot be read, or hold
/// what the first snapshot of the next generation was copied over again: they are of no use.
async fn old_bases(
    destination: &PageBlobClient,
    plan: &PrunePlan,
    chain: &Chain,
) -> Result<Vec<OldBase>, MirrorError> {
    let mut bases = Vec::new();
    for generation in plan.emptied(chain.generation) {
        let name = Chain::name_of(destination.name(), generation);
        if chain.foreign.contains(&name) {
            continue;
        }
        let client = destination.container_client().page_blob_client(&name);
        let found = match client.get_properties().await {
            Ok(found) => found,
            Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => continue,
            Err(error) => return Err(error.into()),
        };
        let is_ours = found.is_incremental_copy || Lineage::is_on(&found.metadata);
        bases.extend(found.etag.filter(|_| is_ours).map(|etag| OldBase { client, etag }));
    }
    Ok(bases)
}

enum Removed {
    Deleted,
    Changed,
    /// The service keeps this one: another may go.
    Refused(Error),
}

/// Deletes a snapshot or blob that has this ETag. One that is gone counts as deleted.
async fn remove(blob: &PageBlobClient, etag: Option<&ETag>) -> Result<Removed, Error> {
    let same = Conditions::new().if_match(etag.unwrap_or(&ETag::ANY).clone());
    match blob.delete().conditions(same).await {
        Ok(()) => Ok(Removed::Deleted),
        Err(error) => match error.code() {
            Some(ErrorCode::BlobNotFound) => Ok(Removed::Deleted),
            Some(ErrorCode::ConditionNotMet | ErrorCode::TargetConditionNotMet)
            | Some(ErrorCode::SnapshotsPresent) => Ok(Removed::Changed),
            // Such as a legal hold, or a lease of somebody else.
            Some(_) if error.status().is_some_and(|it| it == 409 || it == 412) => {
                Ok(Removed::Refused(error))
            }
            _ => Err(error),
        },
    }
}

impl IntoFuture for Prune {
    type Output = Result<PruneReport, MirrorError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Display for PruneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, deleted, changed, being_read, refused, stopped, .. } = self;
        let Self { bases, left, kept, .. } = self;
        write!(f, "{destination}: {} snapshots deleted, {kept} kept", deleted.len())?;
        if !bases.is_empty() {
            write!(f, ", {} old generations deleted", bases.len())?;
        }
        if !changed.is_empty() {
            write!(f, ", {} changed meanwhile and left", changed.len())?;
        }
        if !being_read.is_empty() {
            write!(f, ", {} left while a restore reads them", being_read.len())?;
        }
        if *left > 0 {
            write!(f, ", {left} left for the next prune")?;
        }
        ending(f, refused, stopped.as_deref())
    }
}

/// What a prune could not delete.
fn ending(
    f: &mut fmt::Formatter<'_>,
    refused: &[RefusedDelete],
    stopped: Option<&str>,
) -> fmt::Result {
    if let Some(first) = refused.first() {
        write!(f, ", {} kept by the service: {first}", refused.len())?;
    }
    match stopped {
        Some(why) => write!(f, "; it stopped: {why}"),
        None => Ok(()),
    }
}

impl fmt::Display for RefusedDelete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.because)
    }
}
