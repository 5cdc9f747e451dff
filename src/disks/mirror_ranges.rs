//! A mirror's copies by changed ranges.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
};

use super::{
    ChainSnapshot, HopDone, MirrorError, MirrorEvent, MirrorSource, MirrorWarning, SourceSnapshot,
    hop::{self, Hold, Hop, HopProgress, Sealed},
    lock::Lock,
    managed::Grants,
    mirror_run::{PROGRESS_GAP, Teller},
    mirror_survey::Survey,
    mirror_work::{Done, Mirroring},
    source::Opened,
};
use crate::wire::clock;

type Result<T> = std::result::Result<T, MirrorError>;

/// Makes the copies of `survey`, oldest first. What is open at the end, the grants give back.
pub(crate) async fn copy(
    mirror: &Mirroring,
    mut survey: Survey,
    grants: Option<&Arc<Grants>>,
    lock: &Lock,
    told: &Teller,
) -> Result<Done> {
    let open = |snapshot: &SourceSnapshot| match (mirror.page_blob(), grants) {
        (Some(blob), _) => Ok(Opened::of_blob(blob, snapshot)?),
        (None, Some(grants)) => Ok(Opened::granted(Arc::clone(grants), snapshot)),
        (None, None) => Err(MirrorError::refused(snapshot, "cannot be read without access")),
    };
    // Access that a run is granted is for the copies alone.
    let there = match &mirror.mirror.source {
        MirrorSource::Managed(source) if source.access.grants_access() => None,
        _ => grants,
    };
    let mut warnings: Vec<MirrorWarning> = Vec::new();
    let mut hops: Vec<HopDone> = Vec::new();
    // All hops have the same base. After an error the lease runs out: the next run then knows
    // whether somebody has written to the base.
    let hold = Arc::new(Hold::new()?);
    'listed: loop {
        Box::pin(mirror.size_ranges(&mut survey, there)).await?;
        told.tell(MirrorEvent::Planned(Box::new(survey.plan())));
        for warning in &survey.warnings {
            if !warnings.contains(warning) {
                told.tell(MirrorEvent::Warning(warning.clone()));
                warnings.push(warning.clone());
            }
        }
        told.all_read().await;
        let mut last = None;
        for (place, step) in survey.steps.iter().enumerate() {
            lock.check()?;
            told.tell(MirrorEvent::HopStarted { hop: place, snapshot: step.to.clone() });
            let from = step.from.as_ref().map(open).transpose()?;
            let hop = Hop {
                destination: mirror.base(step.generation),
                source: survey.source.clone(),
                from: from.clone(),
                to: open(&step.to)?,
                last: last.take().filter(|_| from.is_some()),
                in_flight: mirror.mirror.settings.in_flight,
                progress: Arc::default(),
                lock: Some(lock.held()),
                hold: Arc::clone(&hold),
            };
            let sealed = match carry(hop, place, told).await {
                Ok(sealed) => sealed,
                Err(error) if may_be_gone(&error) => {
                    let (from, to) = (step.from.clone(), step.to.clone());
                    survey = Box::pin(mirror.survey()).await?;
                    let first = survey.steps.first();
                    if first.is_some_and(|first| (&first.from, &first.to) == (&from, &to)) {
                        return Err(error);
                    }
                    tracing::debug!(%error, "a snapshot was deleted at the source");
                    continue 'listed;
                }
                Err(error) => return Err(error),
            };
            last = Some(sealed.copy_of(&step.to));
            // The later one is where the next hop begins.
            if let Some(from) = from {
                from.close().await;
            }
            if !sealed.left.is_empty() {
                let (snapshot, names) = (step.to.id.clone(), sealed.left);
                let warning = MirrorWarning::MetadataLeft { snapshot, names };
                told.tell(MirrorEvent::Warning(warning.clone()));
                warnings.push(warning);
            }
            let base = mirror.base(step.generation);
            let done = HopDone {
                source: step.to.clone(),
                destination: ChainSnapshot {
                    blob: base.name().to_owned(),
                    generation: step.generation,
                    snapshot: sealed.snapshot,
                    equals: Some(step.to.id.clone()),
                    time: Some(step.to.time),
                    length: sealed.length,
                    etag: None,
                },
                bytes: sealed.written,
                cleared: sealed.cleared,
                whole: sealed.whole,
                resumed: sealed.resumed,
                copy_id: None,
            };
            told.tell(MirrorEvent::HopDone(Box::new(done.clone())));
            told.all_read().await;
            hops.push(done);
        }
        break;
    }
    hold.release().await;
    survey.count_without(&hops);
    Ok(Done { survey, hops, warnings })
}

/// Whether a hop fails perhaps since a snapshot of the source was deleted meanwhile.
fn may_be_gone(error: &MirrorError) -> bool {
    match error {
        MirrorError::NotNow { .. } => true,
        MirrorError::Call(error) => error.status().is_some_and(|status| status == 404),
        _ => false,
    }
}

/// Carries out a hop, and tells how far it has come.
async fn carry(hop: Hop, place: usize, told: &Teller) -> Result<Sealed> {
    let progress = Arc::clone(&hop.progress);
    let work = Box::pin(hop::carry(hop));
    watched(&progress, work, || told.progress(event(place, &progress))).await
}

/// Does `work`, and calls `tell` when it has come further, ten times a second at most.
pub(crate) async fn watched<T>(
    progress: &HopProgress,
    work: impl Future<Output = T>,
    tell: impl Fn(),
) -> T {
    let mut work = pin!(work);
    let mut tick = Box::pin(clock::sleep(PROGRESS_GAP));
    let mut last = (0, 0);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        while tick.as_mut().poll(cx).is_ready() {
            tick = Box::pin(clock::sleep(PROGRESS_GAP));
            let now = (load(&progress.at), load(&progress.written));
            if now != last {
                last = now;
                tell();
            }
        }
        Poll::Pending
    })
    .await
}

fn load(number: &std::sync::atomic::AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

fn event(hop: usize, progress: &HopProgress) -> MirrorEvent {
    let (written, fraction) = come_to(progress);
    MirrorEvent::HopProgress { hop, written, fraction }
}

/// The bytes that were written, and how much is done, from 0 to 1.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn come_to(progress: &HopProgress) -> (u64, f64) {
    let (at, of) = (load(&progress.at), load(&progress.of));
    let fraction = if of == 0 { 0.0 } else { (at as f64 / of as f64).min(1.0) };
    (load(&progress.written), fraction)
}
