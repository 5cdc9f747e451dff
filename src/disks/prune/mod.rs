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
    /// The blobs of older generations that were deleted after their last snapshot.
    pub bases: Vec<String>,
    /// How many snapshots should go and stay because of [`max_delete`](Prune::max_delete): the next
    /// prune goes on.
    pub left: u64,
    /// How many snapshots the policy keeps, or cannot judge.
    pub kept: u64,
    /// How long it took.
    pub elapsed: Duration,
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
        let plan = PrunePlan::of(&chain, &self.keep)?;
        let goes: Vec<ChainSnapshot> = plan.goes().cloned().collect();
        let most = self.max_delete.and_then(|most| usize::try_from(most).ok());
        let now = most.unwrap_or(usize::MAX).min(goes.len());
        let mut report = PruneReport {
            destination: redact(self.destination.url()?.as_str()).into_owned(),
            deleted: Vec::new(),
            changed: Vec::new(),
            bases: Vec::new(),
            left: (goes.len() - now) as u64,
            kept: (plan.snapshots.len() - goes.len()) as u64,
            elapsed: Duration::ZERO,
        };
        for snapshot in &goes[..now] {
            lock.check()?;
            match remove(&snapshot.client(&self.destination), snapshot.etag.as_ref()).await? {
                Removed::Deleted => report.deleted.push(snapshot.clone()),
                Removed::Changed => report.changed.push(snapshot.clone()),
            }
        }
        if report.left == 0 && report.changed.is_empty() {
            for base in old_bases(&self.destination, &plan, &chain).await? {
                lock.check()?;
                // It has snapshots still if somebody took one: then the service refuses.
                let deleted = remove(&base.client, Some(&base.etag)).await?;
                if matches!(deleted, Removed::Deleted) {
                    report.bases.push(base.client.name().to_owned());
                }
            }
        }
        Ok(report)
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
        let Self { destination, deleted, changed, bases, left, kept, .. } = self;
        write!(f, "{destination}: {} snapshots deleted, {kept} kept", deleted.len())?;
        if !bases.is_empty() {
            write!(f, ", {} old generations deleted", bases.len())?;
        }
        if !changed.is_empty() {
            write!(f, ", {} changed meanwhile and left", changed.len())?;
        }
        match left {
            0 => Ok(()),
            left => write!(f, ", {left} left for the next prune"),
        }
    }
}
