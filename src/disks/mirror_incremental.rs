//! A mirror's copies by Incremental Copy Blob.

use super::{
    BrokenSeries, Chain, ChainSnapshot, HopDone, MirrorError, MirrorEvent, SourceSnapshot,
    lock::Lock,
    mirror_run::Teller,
    mirror_survey::{Step, Survey, of_another},
    mirror_work::{Done, Mirroring, is_recreated},
};
use crate::{CopyFromUriOperation, CopyId, CopyState, Error, ErrorCode, SnapshotId};

type Result<T> = std::result::Result<T, MirrorError>;

/// How often in a row somebody else's copies may change what is left to do.
const CHANGES: u32 = 10;

/// How many snapshots in a row may be left out since the service refuses them.
const MOST_REFUSED: usize = 100;

/// What became of a step.
#[derive(Debug)]
enum Went {
    Done(Box<HopDone>),
    /// Somebody else has copied, or is copying: both sides must be listed again.
    Changed(Error),
    /// The source snapshot may be gone since it was listed.
    Gone(Error),
    /// The base was copied from a later snapshot, or from this one: by somebody else just now, or
    /// its snapshot was deleted.
    Earlier(Error),
}

impl Mirroring {
    /// Makes the copies of `survey`, oldest first.
    ///
    /// It is safe without the lock: the service accepts one copy at a time, each later than the one
    /// before, and a pending one is adopted or waited for.
    pub(crate) async fn copy_incrementally(
        &self,
        mut survey: Survey,
        lock: &Lock,
        told: &Teller,
    ) -> Result<Done> {
        let (mut hops, mut warnings) = (Vec::new(), Vec::new());
        let mut changes = 0;
        // The snapshots that the service refuses, and how many they were at the last copy.
        let (mut refused, mut last_refused) = (Vec::new(), 0);
        'listed: loop {
            let mut pending = self.settle_pending(&mut survey, &refused).await?;
            Box::pin(self.size(&mut survey)).await?;
            told.tell(MirrorEvent::Planned(Box::new(survey.plan())));
            for warning in &survey.warnings {
                if !warnings.contains(warning) {
                    told.tell(MirrorEvent::Warning(warning.clone()));
                    warnings.push(warning.clone());
                }
            }
            told.all_read().await;
            for (place, step) in survey.steps.iter().enumerate() {
                lock.check()?;
                let event = MirrorEvent::HopStarted { hop: place, snapshot: step.to.clone() };
                told.tell(event);
                match Box::pin(self.step(place, step, pending.take(), told)).await? {
                    Went::Done(done) => {
                        changes = 0;
                        last_refused = refused.len();
                        told.tell(MirrorEvent::HopDone(done.clone()));
                        told.all_read().await;
                        hops.push(*done);
                    }
                    Went::Earlier(error) if refused.len() >= last_refused + MOST_REFUSED => {
                        return Err(error.into());
                    }
                    Went::Earlier(error) => {
                        tracing::debug!(%error, "the snapshot is left out, unless it is there now");
                        refused.push(step.to.clone());
                        survey = self.survey().await?;
                        continue 'listed;
                    }
                    Went::Gone(error) => {
                        let wanted = step.to.clone();
                        survey = self.survey().await?;
                        if survey.steps.iter().any(|step| step.to == wanted) {
                            return Err(error.into());
                        }
                        tracing::debug!(%error, "the snapshot was deleted at the source");
                        continue 'listed;
                    }
                    Went::Changed(error) if changes >= CHANGES => {
                        let why = "others copy into it all the time";
                        let destination = &survey.destination;
                        return Err(MirrorError::kept_changing(destination, why, Some(error)));
                    }
                    Went::Changed(error) => {
                        tracing::debug!(%error, "somebody else copies into the destination");
                        changes += 1;
                        survey = self.survey().await?;
                        continue 'listed;
                    }
                }
            }
            break;
        }
        match survey.broken {
            Some(reason) => Err(self.broken(reason)),
            None => {
                survey.count_without(&hops);
                Ok(Done { survey, hops, warnings })
            }
        }
    }

    /// Looks at the copy that is pending into the base. Returns its id if it is of the first step's
    /// snapshot; otherwise waits for it and lists both sides again.
    async fn settle_pending(
        &self,
        survey: &mut Survey,
        refused: &[SourceSnapshot],
    ) -> Result<Option<CopyId>> {
        loop {
            survey.leave(refused);
            let Some(pending) = survey.chain.base().and_then(|base| base.pending()) else {
                return Ok(None);
            };
            let Some(step) = survey.steps.first() else { return Ok(None) };
            if step.generation != survey.chain.generation {
                // The next copy goes to another blob.
                return Ok(None);
            }
            if self.is_of(step, pending) {
                return Ok(Some(pending.copy_id.clone()));
            }
            let mut copy = self.base(survey.chain.generation).resume_copy(&pending.copy_id);
            match copy.wait().await {
                // How it ended is the other's concern.
                Err(error) if !is_an_end(&error) => return Err(error.into()),
                _ => *survey = self.survey().await?,
            }
        }
    }

    fn is_of(&self, step: &Step, copy: &CopyState) -> bool {
        let Ok(id) = step.to.id.parse::<SnapshotId>() else { return false };
        self.page_blob().is_some_and(|blob| blob.with_snapshot(id).is_source_of(copy))
    }

    async fn step(
        &self,
        place: usize,
        step: &Step,
        pending: Option<CopyId>,
        told: &Teller,
    ) -> Result<Went> {
        let base = self.base(step.generation);
        let resumed = pending.is_some();
        let copy = match pending {
            Some(id) => base.resume_copy(id),
            None => match self.start(step).await {
                Ok(copy) => copy,
                Err(error) => return self.refused(step.generation, error),
            },
        };
        let adopted = resumed || copy.was_adopted();
        match self.watch(place, step, copy, adopted, told).await {
            Err(MirrorError::Call(error @ Error::CopyFailed { .. })) => Ok(Went::Gone(error)),
            watched => watched.map(Went::Done),
        }
    }

    async fn start(&self, step: &Step) -> crate::Result<CopyFromUriOperation> {
        let Some(source) = self.page_blob() else {
            return Err(Error::invalid("source", &step.to.id, "is not a page blob's snapshot"));
        };
        let id: SnapshotId = step.to.id.parse()?;
        self.base(step.generation).start_copy_incremental(source, id).await
    }

    /// What the refusal of a start means.
    fn refused(&self, generation: u32, error: Error) -> Result<Went> {
        use ErrorCode as Code;
        if is_recreated(&error) {
            return Err(self.broken(BrokenSeries::SourceRecreated));
        }
        match error.code() {
            Some(Code::PendingCopyOperation) => Ok(Went::Changed(error)),
            Some(Code::IncrementalCopyOfEarlierSnapshotNotAllowed) => Ok(Went::Earlier(error)),
            Some(Code::IncrementalCopyBlobMismatch) => {
                let url = self.mirror.destination.url();
                let name = || self.mirror.destination.name().to_owned();
                Err(of_another(&url.map_or_else(|_| name(), String::from), "another blob"))
            }
            Some(Code::IncrementalCopyBlobPreviousSnapshotDoesNotExist) => {
                Err(self.broken(BrokenSeries::LastSnapshotGone))
            }
            _ if error.status().is_some_and(|status| status == 404) => Ok(Went::Gone(error)),
            _ => {
                let blob = self.base(generation);
                Err(MirrorError::of_snapshot(blob.name(), error))
            }
        }
    }

    /// Waits for the copy of a step.
    async fn watch(
        &self,
        place: usize,
        step: &Step,
        mut copy: CopyFromUriOperation,
        resumed: bool,
        told: &Teller,
    ) -> Result<Box<HopDone>> {
        let tell = |state: &CopyState| {
            if let Some(progress) = state.progress {
                let (written, fraction) = (progress.copied, progress.fraction());
                told.progress(MirrorEvent::HopProgress { hop: place, written, fraction });
            }
        };
        let ended = copy.wait().on_progress(tell).await?;
        let destination = match ended.destination_snapshot {
            Some(snapshot) => ChainSnapshot {
                blob: self.base(step.generation).name().to_owned(),
                generation: step.generation,
                snapshot,
                equals: Some(step.to.id.clone()),
                time: Some(step.to.time),
                length: step.to.length.unwrap_or_default(),
                etag: None,
            },
            None => self.find(step).await?,
        };
        Ok(Box::new(HopDone {
            source: step.to.clone(),
            destination,
            bytes: step.bytes.unwrap_or_default(),
            cleared: 0,
            whole: step.from.is_none(),
            resumed,
            copy_id: Some(ended.copy_id),
        }))
    }

    /// The snapshot that a copy has made, if the service did not name it.
    async fn find(&self, step: &Step) -> Result<ChainSnapshot> {
        let chain = Box::pin(Chain::read(&self.mirror.destination)).await?;
        let found = chain.find(&step.to.id, step.to.time).cloned();
        found.ok_or_else(|| {
            let why = "its copy succeeded, but the destination does not list its snapshot yet: run \
                       the mirror again";
            MirrorError::not_now(&step.to, why)
        })
    }

    fn broken(&self, reason: BrokenSeries) -> MirrorError {
        let url = self.mirror.destination.url();
        let url = url.map_or_else(|_| self.mirror.destination.name().to_owned(), String::from);
        let destination = crate::wire::redaction::redact(&url).into_owned();
        MirrorError::SeriesBroken { destination, reason }
    }
}

/// Whether a copy has ended, or is no longer there.
fn is_an_end(error: &Error) -> bool {
    matches!(
        error,
        Error::CopyFailed { .. }
            | Error::CopyAborted { .. }
            | Error::CopySuperseded { .. }
            | Error::CopyDestinationGone { .. }
            | Error::NoCopyProperties { .. }
    )
}
