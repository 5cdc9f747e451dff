//! Deleting snapshots of a page blob that are at the destination of its mirror.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{RefusedDelete, Removed, chain_of, ending, plan::last_of_newest_generation, remove};
use crate::{
    Conditions, ETag, ErrorCode, PageBlobClient, SnapshotId,
    disks::{
        Chain, ChainSnapshot, DatedSnapshot, Keep, MirrorError, MirrorRoute, MirrorSource, Reason,
        SnapshotMirror, SourceSnapshot,
        chain::{Origin, copied},
        hop::is_changed,
        lineage::Lineage,
        lock::Lock,
        mirror_work::Mirroring,
        source::SourceKey,
    },
    transport::BoxFuture,
    wire::{clock, redaction::redact},
};

/// Deletes snapshots of a mirror's source that a policy does not keep: returned by
/// [`SnapshotMirror::prune_source`].
///
/// Awaiting it gives [`SourcePruneReport`].
#[must_use = "nothing is deleted until it is awaited"]
#[derive(Debug, Clone)]
pub struct PruneSource {
    mirror: SnapshotMirror,
    keep: Keep,
    max_delete: Option<u64>,
    absent: bool,
    take_lock: bool,
}

/// What a [`PruneSource`] would delete, and why the rest stays.
///
/// `Display` is a table with a line for each snapshot, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourcePrunePlan {
    /// The source's URL, without its query.
    pub source: String,
    /// The policy.
    pub keep: Keep,
    /// Every snapshot of the source, the oldest first.
    pub snapshots: Vec<PlannedSourcePrune>,
}

/// What a policy says of one snapshot of the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedSourcePrune {
    /// The snapshot.
    pub snapshot: SourceSnapshot,
    /// Whether it stays, and why.
    pub fate: SourceFate,
}

/// Whether a snapshot of the source stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SourceFate {
    /// The policy keeps it, for these reasons.
    Kept(Vec<Reason>),
    /// The destination equals it, or its newest snapshot does, so the next difference is taken from
    /// it.
    NextNeedsIt,
    /// It is later than the newest that was copied: it is still to be copied.
    NotCopiedYet,
    /// No snapshot of the destination equals it: it was deleted there, or never copied. See
    /// [`PruneSource::also_absent`].
    Absent,
    /// No rule keeps it: it is deleted.
    Goes,
}

/// What a [`PruneSource`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourcePruneReport {
    /// The source's URL, without its query.
    pub source: String,
    /// The snapshots that were deleted, the oldest first.
    pub deleted: Vec<SourceSnapshot>,
    /// Those that should go and stay since they, or their copies, were written or deleted
    /// meanwhile.
    pub changed: Vec<SourceSnapshot>,
    /// Those that should go and that the service keeps: see [`PruneReport::refused`].
    ///
    /// [`PruneReport::refused`]: crate::disks::PruneReport::refused
    #[serde(default)]
    pub refused: Vec<RefusedDelete>,
    /// The error that ended it after it had deleted something, if so: what follows is left.
    #[serde(default)]
    pub stopped: Option<String>,
    /// How many should go and were not tried, because of [`max_delete`](PruneSource::max_delete) or
    /// since it [stopped](Self::stopped).
    pub left: u64,
    /// How many stay.
    pub kept: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// The snapshots of a source with their ETags.
struct Listed {
    plan: SourcePrunePlan,
    etags: HashMap<String, ETag>,
    copies: HashMap<SourceKey, ChainSnapshot>,
}

impl PruneSource {
    pub(in crate::disks) fn new(mirror: &SnapshotMirror, keep: &Keep) -> Self {
        let (mirror, keep) = (mirror.clone(), keep.clone());
        Self { mirror, keep, max_delete: None, absent: false, take_lock: false }
    }

    /// Deletes at most so many snapshots, the oldest first. Without a limit by default.
    pub fn max_delete(mut self, snapshots: u64) -> Self {
        self.max_delete = Some(snapshots);
        self
    }

    /// Also deletes snapshots that the destination does not have, if they are older than the newest
    /// that was copied. After a [`prune`](SnapshotMirror::prune) these are the ones that it deleted
    /// there; a snapshot that never was copied is among them too.
    pub fn also_absent(mut self) -> Self {
        self.absent = true;
        self
    }

    /// Breaks the lock of a run that is known to be dead.
    pub fn take_lock(mut self) -> Self {
        self.take_lock = true;
        self
    }

    /// What it would delete now. Nothing is changed.
    ///
    /// # Errors
    ///
    /// As [`SnapshotMirror::prune_source`], except for the lock, which it does not take.
    pub async fn plan(&self) -> Result<SourcePrunePlan, MirrorError> {
        Ok(self.list().await?.plan)
    }

    async fn list(&self) -> Result<Listed, MirrorError> {
        let blob = self.source()?;
        let chain = self.chain().await?;
        let listed = blob.list_snapshots().collect_all().await?;
        let (mut snapshots, mut etags) = (Vec::new(), HashMap::new());
        for item in listed.into_iter().filter(|item| !item.is_deleted) {
            let Some(time) = DatedSnapshot::from(&item.snapshot).time else { continue };
            let (id, length) = (item.snapshot.to_string(), Some(item.properties.content_length));
            etags.extend(item.properties.etag.map(|etag| (id.clone(), etag)));
            snapshots.push(SourceSnapshot { time, id, length });
        }
        snapshots.sort_by_cached_key(SourceSnapshot::key);
        let copy = |one: &ChainSnapshot| Some((one.key()?, one.clone()));
        let copies = chain.snapshots.iter().filter_map(copy).collect();
        let snapshots = fates(&chain, &copies, snapshots, &self.keep, self.absent)?;
        let source = redact(blob.url()?.as_str()).into_owned();
        let plan = SourcePrunePlan { source, keep: self.keep.clone(), snapshots };
        Ok(Listed { plan, etags, copies })
    }

    /// The chain, if it is of this source and has copies of it. What it does not hold must not be
    /// taken for copied.
    async fn chain(&self) -> Result<Chain, MirrorError> {
        let destination = &self.mirror.destination;
        let chain = chain_of(destination).await?;
        let mirroring = Mirroring::of(self.mirror.clone())?;
        let refused = |why: &str| Err(MirrorError::refused(destination.url()?, why));
        if mirroring.other_source(&chain).is_some() {
            return refused(
                "its copies come from another blob: no snapshot of this one is deleted",
            );
        }
        if chain.route == Some(MirrorRoute::Ranges) || chain.route.is_none() {
            let lineage = chain.base().and_then(|base| Lineage::read(&base.metadata));
            let Some(lineage) = lineage else {
                return refused("does not say of what it is a mirror: its metadata were changed");
            };
            let mut source = self.source()?.url()?;
            source.set_query(None);
            if !lineage.is_of(source.as_str()) {
                let why = format!("is a mirror of {}, not of this source", lineage.source);
                return refused(&why);
            }
        }
        // Of every generation, and of every snapshot: one that came here in another way proves
        // nothing.
        let this = Origin::named(self.source()?.url()?.as_str());
        let mut copies = chain.snapshots.iter().zip(&chain.origins);
        let is_copy = |one: &ChainSnapshot| one.equals.is_some();
        if copies.any(|(one, origin)| is_copy(one) && origin.as_ref() != Some(&this)) {
            return refused("has snapshots that are not known to be copies of this source");
        }
        if chain.newest().is_none() {
            return refused("has no copy of this source yet");
        }
        Ok(chain)
    }

    fn source(&self) -> Result<&PageBlobClient, MirrorError> {
        match &self.mirror.source {
            MirrorSource::PageBlob(source) => Ok(source.blob()),
            MirrorSource::Managed(_) => {
                let why = "snapshots of a managed disk are never deleted: delete them with Azure \
                           Resource Manager, but not the one that was copied last";
                Err(MirrorError::refused("prune_source", why))
            }
        }
    }

    async fn run(self) -> Result<SourcePruneReport, MirrorError> {
        let start = clock::instant();
        self.source()?;
        self.keep.apply([] as [SnapshotId; 0])?;
        // Taking the lock creates its marker: nothing is left beside what is no mirror's.
        self.chain().await?;
        let destination = &self.mirror.destination;
        let patience = &self.mirror.settings.patience;
        let lock = Lock::take(destination, self.take_lock, patience).await?;
        let pruned = self.delete(&lock).await;
        lock.release().await;
        pruned.map(|report| SourcePruneReport { elapsed: clock::instant() - start, ..report })
    }

    async fn delete(&self, lock: &Lock) -> Result<SourcePruneReport, MirrorError> {
        let Listed { plan, etags, copies } = self.list().await?;
        let blob = self.source()?;
        let (goes, kept): (Vec<_>, Vec<_>) =
            plan.snapshots.into_iter().partition(|one| !one.stays());
        let mut report = SourcePruneReport {
            source: plan.source,
            deleted: Vec::new(),
            changed: Vec::new(),
            refused: Vec::new(),
            stopped: None,
            left: goes.len() as u64,
            kept: kept.len() as u64,
            elapsed: Duration::ZERO,
        };
        for PlannedSourcePrune { snapshot, .. } in goes {
            if self.max_delete.is_some_and(|most| report.deleted.len() as u64 >= most) {
                break;
            }
            let removed = async {
                if !self.absent && !self.is_there(copies.get(&snapshot.key())).await? {
                    return Ok(Removed::Changed);
                }
                lock.check()?;
                let id: SnapshotId = snapshot.id.parse()?;
                Ok(remove(&blob.with_snapshot(&id), etags.get(&snapshot.id)).await?)
            };
            match removed.await {
                Ok(Removed::Deleted) => report.deleted.push(snapshot),
                Ok(Removed::Changed) => report.changed.push(snapshot),
                Ok(Removed::Refused(error)) => {
                    let name = format!("{}@{}", blob.name(), snapshot.id);
                    report.refused.push(RefusedDelete::of(&name, &error));
                }
                Err(error) if report.deleted.is_empty() => return Err(error),
                Err(error) => {
                    let error: MirrorError = error;
                    report.stopped = Some(error.to_string());
                    break;
                }
            }
            report.left -= 1;
        }
        Ok(report)
    }
}

impl PruneSource {
    /// Whether the copy is there still: a lifecycle rule, or somebody, may have deleted it since it
    /// was listed.
    async fn is_there(&self, copy: Option<&ChainSnapshot>) -> Result<bool, MirrorError> {
        let Some(copy) = copy else { return Ok(false) };
        let same = Conditions::new().if_match(copy.etag.clone().unwrap_or(ETag::ANY));
        let asked = copy.client(&self.mirror.destination).get_properties().conditions(same);
        match asked.await {
            Ok(_) => Ok(true),
            Err(error) => match error.code() {
                Some(ErrorCode::BlobNotFound) => Ok(false),
                _ if is_changed(&error) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }
}

/// The source snapshots that the destination equals, or may equal soon: a difference is taken from
/// one of them.
fn needed(chain: &Chain) -> HashSet<SourceKey> {
    let newest = [chain.newest(), last_of_newest_generation(chain)];
    let mut needed: HashSet<_> = newest.into_iter().flatten().filter_map(|one| one.key()).collect();
    let Some(base) = chain.base() else { return needed };
    let last = base.copy.as_ref().and_then(copied);
    needed.extend(last.and_then(|(id, time)| Some(SourceKey::of(&id, time?))));
    if let Some(lineage) = Lineage::read(&base.metadata) {
        let points = lineage.equals.into_iter().chain(lineage.hop.map(|hop| hop.to));
        needed.extend(points.map(|point| SourceKey::of(&point.id, point.time)));
    }
    needed
}

/// What a policy says of snapshots of the source, given the chain at the destination and its
/// copies.
fn fates(
    chain: &Chain,
    copies: &HashMap<SourceKey, ChainSnapshot>,
    snapshots: Vec<SourceSnapshot>,
    keep: &Keep,
    also_absent: bool,
) -> Result<Vec<PlannedSourcePrune>, MirrorError> {
    let place = |at: usize| SnapshotId::from_service(&format!("{at:020}"));
    let dated = snapshots
        .iter()
        .enumerate()
        .filter_map(|(at, one)| Some(DatedSnapshot { snapshot: place(at)?, time: Some(one.time) }));
    let mut reasons = vec![None; snapshots.len()];
    for kept in keep.apply(dated)? {
        let at: Option<usize> = kept.snapshot.as_str().parse().ok();
        if let Some(reason) = at.and_then(|at| reasons.get_mut(at)) {
            *reason = Some(kept.reasons);
        }
    }
    let newest = chain.newest().and_then(ChainSnapshot::key);
    let needed = needed(chain);
    let fate = |snapshot: &SourceSnapshot, reasons: Option<Vec<Reason>>| {
        let key = snapshot.key();
        match reasons {
            _ if needed.contains(&key) => SourceFate::NextNeedsIt,
            _ if newest.as_ref().is_none_or(|newest| key > *newest) => SourceFate::NotCopiedYet,
            // One that was not judged stays.
            None => SourceFate::Kept(vec![Reason::UnknownTime]),
            Some(reasons) if !reasons.is_empty() => SourceFate::Kept(reasons),
            Some(_) if !also_absent && !copies.contains_key(&key) => SourceFate::Absent,
            Some(_) => SourceFate::Goes,
        }
    };
    let fates = snapshots.into_iter().zip(reasons).map(|(snapshot, reasons)| {
        let fate = fate(&snapshot, reasons);
        PlannedSourcePrune { snapshot, fate }
    });
    Ok(fates.collect())
}

impl PlannedSourcePrune {
    /// Whether it stays.
    pub fn stays(&self) -> bool {
        self.fate != SourceFate::Goes
    }
}

impl IntoFuture for PruneSource {
    type Output = Result<SourcePruneReport, MirrorError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Display for SourceFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(reasons) => {
                let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
                f.write_str(&reasons.join(", "))
            }
            Self::NextNeedsIt => f.write_str("the next difference is taken from it"),
            Self::NotCopiedYet => f.write_str("not copied yet"),
            Self::Absent => f.write_str("the destination does not have it"),
            Self::Goes => Ok(()),
        }
    }
}

impl fmt::Display for PlannedSourcePrune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = if self.stays() { "keep" } else { "remove" };
        f.write_str(format!("{action:<6} {:<28}  {}", self.snapshot.id, self.fate).trim_end())
    }
}

impl fmt::Display for SourcePrunePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.snapshots {
            writeln!(f, "{one}")?;
        }
        let goes = self.snapshots.iter().filter(|one| !one.stays()).count();
        write!(f, "{}: {goes} of {} snapshots go", self.keep, self.snapshots.len())
    }
}

impl fmt::Display for SourcePruneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, deleted, changed, refused, stopped, left, kept, .. } = self;
        write!(f, "{source}: {} snapshots deleted, {kept} kept", deleted.len())?;
        if !changed.is_empty() {
            write!(f, ", {} changed meanwhile and left", changed.len())?;
        }
        if *left > 0 {
            write!(f, ", {left} left for the next prune")?;
        }
        ending(f, refused, stopped.as_deref())
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
