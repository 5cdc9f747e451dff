//! The work of a mirror: reads both sides, takes the lock, and makes the copies.

use std::{pin::pin, sync::Arc};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};

use super::{
    BrokenSeries, Chain, HopDone, ManagedSnapshots, MirrorError, MirrorEvent, MirrorReport,
    MirrorRoute, MirrorSource, MirrorWarning, SnapshotMirror, SourceSnapshot,
    hop::{self, Hop},
    lineage::Lineage,
    lock::Lock,
    lost_lineage,
    managed::Grants,
    mirror_ranges,
    mirror_run::Teller,
    mirror_survey::{Sides, Step, Survey},
    source::{Opened, not_a_page_blob, snapshots_of},
};
use crate::{
    BlobType, Error, ErrorCode, PageBlobClient,
    jobs::Budget,
    wire::{clock, redaction::redact},
};

type Result<T> = std::result::Result<T, MirrorError>;

/// How many differences are asked for at a time.
const SIZES_AT_ONCE: usize = 8;

/// Runs a mirror.
pub(crate) async fn run(mirror: SnapshotMirror, told: Teller) -> Result<MirrorReport> {
    let begun = clock::instant();
    let mirror = Mirroring::of(mirror)?;
    let lock = Box::pin(mirror.lock(&told)).await?;
    let done = Box::pin(mirror.work(&lock, &told)).await;
    // After a loss another run may hold it.
    if !matches!(done, Err(MirrorError::LockLost { .. })) {
        lock.release().await;
    }
    let Done { survey, hops, warnings } = done?;
    Ok(MirrorReport {
        destination: survey.destination,
        route: survey.route,
        present: survey.present,
        left: survey.left,
        bytes: hops.iter().map(|hop| hop.bytes).sum(),
        hops,
        requests: mirror.requests(),
        elapsed: clock::instant().duration_since(begun),
        warnings,
    })
}

/// A mirror whose clients draw from budgets of its own, which count its requests.
#[derive(Debug, Clone)]
pub(crate) struct Mirroring {
    pub(crate) mirror: SnapshotMirror,
    budgets: [Budget; 2],
}

/// What a run has done, and what it saw last.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) survey: Survey,
    pub(crate) hops: Vec<HopDone>,
    pub(crate) warnings: Vec<MirrorWarning>,
}

impl Mirroring {
    pub(crate) fn of(mut mirror: SnapshotMirror) -> Result<Self> {
        mirror.check()?;
        let given = mirror.settings.budget.clone();
        let container = mirror.destination.container_client();
        let account = given.clone().or_else(|| container.budget().cloned()).unwrap_or_default();
        let to = account.for_one_blob();
        mirror.destination = mirror.destination.with_budget(&to);
        let from = match &mut mirror.source {
            MirrorSource::PageBlob(source) => {
                let container = source.blob().container_client();
                let of_source = given.or_else(|| container.budget().cloned());
                let from = of_source.unwrap_or(account).for_one_blob();
                *source = super::PageBlobSnapshots::of(&source.blob().with_budget(&from));
                from
            }
            MirrorSource::Managed(source) => {
                let of_source = given.or_else(|| source.options.budget.clone());
                let from = of_source.unwrap_or_default().for_one_blob();
                source.options = source.options.clone().budget(from.clone());
                from
            }
        };
        Ok(Self { mirror, budgets: [from, to] })
    }

    fn requests(&self) -> u64 {
        self.budgets.iter().map(Budget::requests).sum()
    }

    async fn lock(&self, told: &Teller) -> Result<Lock> {
        let SnapshotMirror { destination, settings, .. } = &self.mirror;
        let tell = |wait| told.tell(MirrorEvent::Waiting(wait));
        let may_begin = || self.may_begin();
        Lock::take_for(destination, settings.take_lock, &settings.patience, may_begin, tell).await
    }

    /// Refuses what no run could mirror, before the marker is created beside it.
    async fn may_begin(&self) -> Result<()> {
        Box::pin(self.survey()).await.map(|_| ())
    }

    /// Does the work while the lock is held.
    async fn work(&self, lock: &Lock, told: &Teller) -> Result<Done> {
        let MirrorSource::Managed(source) = &self.mirror.source else {
            return held(lock, self.copy_all(None, lock, told)).await;
        };
        let grants = Grants::begin(source.clone(), lock.notes()).await?;
        let mut done = held(lock, self.copy_all(Some(&grants), lock, told)).await;
        if matches!(done, Err(MirrorError::LockLost { .. })) {
            return done;
        }
        for warning in grants.end().await {
            told.tell(MirrorEvent::Warning(warning.clone()));
            if let Ok(done) = &mut done {
                done.warnings.push(warning);
            }
        }
        done
    }

    async fn copy_all(
        &self,
        grants: Option<&Arc<Grants>>,
        lock: &Lock,
        told: &Teller,
    ) -> Result<Done> {
        let survey = self.survey().await?;
        match survey.route {
            MirrorRoute::Incremental => Box::pin(self.copy_incrementally(survey, lock, told)).await,
            MirrorRoute::Ranges => {
                Box::pin(mirror_ranges::copy(self, survey, grants, lock, told)).await
            }
        }
    }

    /// The page blob whose snapshots are copied, if it is one.
    pub(crate) fn page_blob(&self) -> Option<&PageBlobClient> {
        match &self.mirror.source {
            MirrorSource::PageBlob(source) => Some(source.blob()),
            MirrorSource::Managed(_) => None,
        }
    }

    /// The blob of a generation.
    pub(crate) fn base(&self, generation: u32) -> PageBlobClient {
        let destination = &self.mirror.destination;
        let name = Chain::name_of(destination.name(), generation);
        destination.container_client().page_blob_client(&name)
    }

    /// Lists both sides: two requests, if the lists are short.
    pub(crate) async fn survey(&self) -> Result<Survey> {
        let SnapshotMirror { source, destination, settings } = &self.mirror;
        let (mut incomplete, mut left, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let (id, snapshots, chain) = match source {
            MirrorSource::PageBlob(source) => {
                let mut id = source.blob().url()?;
                id.set_query(None);
                let snapshots = Box::pin(snapshots_of(source.blob())).await?;
                if snapshots.is_empty() {
                    self.expect_source().await?;
                }
                let chain = Box::pin(Chain::read(destination)).await?;
                (redact(id.as_str()).into_owned(), snapshots, chain)
            }
            MirrorSource::Managed(source) => {
                let chain = Box::pin(Chain::read(destination)).await?;
                let known = known_disk(&chain);
                let found = Box::pin(Grants::list(source, known.as_deref())).await?;
                (incomplete, left, others) = (found.incomplete, found.left, found.others);
                (found.id, found.snapshots, chain)
            }
        };
        let found = match chain.base().filter(|base| base.is_lost) {
            Some(_) => {
                let base = self.base(chain.generation);
                let seen = base.get_properties().await?;
                Box::pin(lost_lineage::find(&base, &seen, &id)).await?
            }
            None => None,
        };
        let mut survey = Survey::of(Sides {
            other: self.other_source(&chain),
            found,
            source: id,
            is_managed: matches!(source, MirrorSource::Managed(_)),
            snapshots,
            incomplete,
            destination: redact(destination.url()?.as_str()).into_owned(),
            chain,
            route: settings.route,
            new_generation: settings.new_generation,
            pruning: settings.pruning.as_ref(),
        })?;
        let others = others.iter().map(|disk| redact(disk).into_owned());
        survey.warnings.extend(others.map(|disk| MirrorWarning::OtherDisk { disk }));
        survey.left.extend(left);
        survey.left.sort_by_cached_key(|left| left.snapshot.key());
        Ok(survey)
    }

    /// The other blob that the last copy into an incremental base came from, if it was another.
    pub(crate) fn other_source(&self, chain: &Chain) -> Option<String> {
        let base = chain.base().filter(|base| base.is_incremental)?;
        let (blob, copy) = (self.page_blob()?, base.copy.as_ref()?);
        let source = copy.source.as_ref()?;
        let is_of = match source.snapshot() {
            Some(snapshot) => blob.with_snapshot(snapshot).is_source_of(copy),
            None => blob.is_source_of(copy),
        };
        let url = source.expose().split('?').next().unwrap_or_default();
        (!is_of).then(|| redact(url).into_owned())
    }

    /// Refuses a page blob that is not there: a name that is misspelt, or a disk that was deleted.
    /// One that is there may have no snapshots yet.
    async fn expect_source(&self) -> Result<()> {
        let Some(blob) = self.page_blob() else { return Ok(()) };
        match blob.get_properties().await {
            Err(error) if error.code() == Some(&ErrorCode::ContainerNotFound) => Err(error.into()),
            Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => {
                let mut url = blob.url()?;
                url.set_query(None);
                let why = "does not exist, and has no snapshots: is it the right name?";
                Err(MirrorError::refused(url, why))
            }
            Ok(found) if found.blob_type.as_ref().is_some_and(|it| *it != BlobType::PageBlob) => {
                Err(not_a_page_blob(blob)?)
            }
            // What else is wrong is said by the requests that read it.
            _ => Ok(()),
        }
    }

    /// Learns what each incremental step moves, and whether the series breaks on the way.
    pub(crate) async fn size(&self, survey: &mut Survey) -> Result<()> {
        let Some(blob) = self.page_blob() else { return Ok(()) };
        let asked: Vec<_> =
            survey.steps.iter().map(|step| size(blob.clone(), step.clone())).collect();
        let sizes: Vec<_> = stream::iter(asked).buffered(SIZES_AT_ONCE).collect().await;
        for (place, size) in sizes.into_iter().enumerate() {
            if place >= survey.steps.len() {
                break;
            }
            let mut size = size?;
            if let Size::Recreated = size {
                let reason = BrokenSeries::SourceRecreated;
                survey.break_at(place, reason, self.mirror.settings.new_generation);
                let Some(step) = survey.steps.get(place) else { break };
                size = self::size(blob.clone(), step.clone()).await?;
            }
            if let (Size::Of(bytes), Some(step)) = (size, survey.steps.get_mut(place)) {
                step.bytes = bytes;
            }
        }
        Ok(())
    }

    /// The plan, with the bytes of each hop as far as they can be learnt.
    pub(crate) async fn plan(&self) -> Result<super::MirrorPlan> {
        let mut survey = self.survey().await?;
        match (survey.route, &self.mirror.source) {
            (MirrorRoute::Incremental, _) => Box::pin(self.size(&mut survey)).await?,
            (MirrorRoute::Ranges, MirrorSource::Managed(source)) => {
                Box::pin(self.size_managed(source, &mut survey)).await?;
            }
            (MirrorRoute::Ranges, _) => Box::pin(self.size_ranges(&mut survey, None)).await?,
        }
        Ok(survey.plan())
    }

    /// Learns what each step from a managed disk moves, if access to its snapshots is there, or may
    /// be granted for that.
    async fn size_managed(&self, source: &ManagedSnapshots, survey: &mut Survey) -> Result<()> {
        if !source.access.grants_access() {
            let grants = Grants::of_others(source.clone());
            return self.size_ranges(survey, Some(&grants)).await;
        }
        let SnapshotMirror { destination, settings, .. } = &self.mirror;
        if !settings.plan_sizes || survey.steps.is_empty() {
            return Ok(());
        }
        // Grants are noted under the lock, as those of a run.
        let lock = Lock::take(destination, false, &settings.patience).await?;
        let sized = match Grants::begin(source.clone(), lock.notes()).await {
            Ok(grants) => {
                let sized = held(&lock, self.size_ranges(survey, Some(&grants))).await;
                if !matches!(sized, Err(MirrorError::LockLost { .. })) {
                    survey.warnings.extend(grants.end().await);
                }
                sized
            }
            Err(error) => Err(error),
        };
        if !matches!(sized, Err(MirrorError::LockLost { .. })) {
            lock.release().await;
        }
        sized
    }

    /// Learns what each step by ranges moves. The snapshots of a managed disk are read by `grants`:
    /// without them nothing is learnt of it.
    pub(crate) async fn size_ranges(
        &self,
        survey: &mut Survey,
        grants: Option<&Arc<Grants>>,
    ) -> Result<()> {
        let open = |snapshot: &SourceSnapshot| -> Result<Option<Opened>> {
            Ok(match self.page_blob() {
                Some(blob) => Some(Opened::of_blob(blob, snapshot)?),
                None => grants.map(|grants| Opened::granted(Arc::clone(grants), snapshot)),
            })
        };
        for (place, step) in survey.steps.iter_mut().enumerate() {
            if let Some(blob) = self.page_blob().filter(|_| place > 0) {
                // The destination is not yet what the hop begins with: the source alone decides.
                match size(blob.clone(), step.clone()).await? {
                    Size::Of(bytes) => step.bytes = bytes,
                    Size::Recreated => {
                        step.whole = Some("the source was created anew".to_owned());
                        let all = Step { from: None, ..step.clone() };
                        if let Size::Of(bytes) = size(blob.clone(), all).await? {
                            step.bytes = bytes;
                        }
                    }
                }
                continue;
            }
            let Some(to) = open(&step.to)? else { return Ok(()) };
            let from = step.from.as_ref().map(open).transpose()?.flatten();
            let hop = Hop {
                destination: self.base(step.generation),
                source: survey.source.clone(),
                from: from.clone(),
                to,
                last: None,
                in_flight: self.mirror.settings.in_flight,
                progress: Default::default(),
                lock: None,
                hold: std::sync::Arc::new(hop::Hold::new()?),
            };
            let cost = Box::pin(hop::cost(&hop)).await;
            // The later one is where the next step begins.
            if let Some(from) = from {
                from.close().await;
            }
            let cost = match cost {
                Ok(cost) => cost,
                // The figure is for people alone: the copy shows what is really wrong.
                Err(MirrorError::Call(error)) if error.status().is_some() => continue,
                Err(error) => return Err(error),
            };
            step.bytes = Some(cost.written);
            step.cleared = cost.cleared;
            step.whole = step.whole.take().or(cost.whole);
            if cost.mended > 0 {
                let bytes = cost.mended;
                survey.warnings.push(MirrorWarning::DestinationWritten { bytes });
            }
        }
        Ok(())
    }
}

/// The unique id of the managed disk that the destination is the mirror of, if it says so.
pub(crate) fn known_disk(chain: &Chain) -> Option<String> {
    Lineage::source_in(&chain.base()?.metadata)
}

/// Does `work` until the lock is lost.
pub(crate) async fn held<T>(lock: &Lock, work: impl Future<Output = Result<T>>) -> Result<T> {
    match select(pin!(lock.lost()), pin!(work)).await {
        Either::Left((lost, _)) => Err(lost),
        Either::Right((done, _)) => done,
    }
}

/// What an incremental copy would move.
#[derive(Debug)]
enum Size {
    /// So many bytes, if the service says so in time.
    Of(Option<u64>),
    /// The source was created anew after the earlier snapshot.
    Recreated,
}

async fn size(blob: PageBlobClient, step: Step) -> Result<Size> {
    let to = blob.with_snapshot(step.to.id.parse::<crate::SnapshotId>()?);
    let asked = match &step.from {
        Some(from) => to.diff_size(from.id.parse::<crate::SnapshotId>()?).await,
        None => stored(&to).await,
    };
    match asked {
        Ok(bytes) => Ok(Size::Of(Some(bytes))),
        Err(error) if is_recreated(&error) && step.from.is_some() => Ok(Size::Recreated),
        // The figure is for people alone: the copy shows what is really wrong.
        Err(error) if error.status().is_some() => Ok(Size::Of(None)),
        Err(error) => Err(error.into()),
    }
}

/// The bytes of a snapshot that are stored.
async fn stored(snapshot: &PageBlobClient) -> crate::Result<u64> {
    let mut ranges = snapshot.get_page_ranges();
    let mut bytes = 0_u64;
    while let Some(range) = ranges.next().await {
        bytes = bytes.saturating_add(range?.len());
    }
    Ok(bytes)
}

/// Whether the service says that the source was created anew.
pub(crate) fn is_recreated(error: &Error) -> bool {
    let code = error.code();
    matches!(code, Some(ErrorCode::BlobOverwritten | ErrorCode::BlobGenerationMismatch))
}
