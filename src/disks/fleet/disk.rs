//! What a run does with one disk.

use std::sync::Arc;

use super::{
    super::{
        Keep, MirrorError, MirrorEvent, MirrorReceipts, MirrorSource, MirrorVerification,
        PageBlobSnapshots, SnapshotMirror, SnapshotOutcome,
    },
    FleetDisk, FleetEvent, FleetFailure, FleetSettings, FleetStep, Verified,
    run::Told,
};

/// What is done with every disk.
#[derive(Debug)]
pub(super) struct Policy {
    keep: Option<Keep>,
    max_delete: Option<u64>,
    verify: Option<Verified>,
    receipts: Arc<MirrorReceipts>,
}

impl Policy {
    pub(super) fn of(settings: &FleetSettings) -> Result<Self, MirrorError> {
        if let Some(keep) = &settings.keep {
            // A policy without rules is refused before anything is copied.
            keep.apply([] as [crate::SnapshotId; 0])?;
        }
        let &FleetSettings { max_delete, verify, .. } = settings;
        let (keep, receipts) = (settings.keep.clone(), Arc::clone(&settings.receipts));
        Ok(Self { keep, max_delete, verify, receipts })
    }
}

/// What became of a disk so far.
pub(super) struct Outcome {
    number: u64,
    disk: FleetDisk,
    told: Told,
}

impl Outcome {
    pub(super) fn new(number: u64, disk: FleetDisk, told: Told) -> Self {
        Self { number, disk, told }
    }

    /// Counts an event and passes it on.
    fn event(&mut self, event: &MirrorEvent) {
        let disk = &mut self.disk;
        match event {
            MirrorEvent::Planned(plan) => {
                disk.source.clone_from(&plan.source);
                disk.route = Some(plan.route);
                let there = plan.chain.snapshots.iter().filter(|one| one.equals.is_some());
                disk.present = there.count().try_into().unwrap_or(u64::MAX);
            }
            MirrorEvent::HopDone(done) => {
                disk.copied += 1;
                disk.bytes += done.bytes;
                disk.cleared += done.cleared;
            }
            MirrorEvent::Ended(report) => {
                disk.route = Some(report.route);
                disk.present = report.present;
                disk.warnings.clone_from(&report.warnings);
            }
            _ => {}
        }
        self.told.push(FleetEvent::Disk { disk: self.number, of: event.clone() });
    }
}

impl Outcome {
    /// Counts what a comparison has proved, and notes the first that is wrong.
    fn verified(&mut self, found: &MirrorVerification) {
        let disk = &mut self.disk;
        disk.warnings.extend(found.warnings.iter().cloned());
        for one in &found.snapshots {
            let may_be_mended = match &one.outcome {
                SnapshotOutcome::Identical(_) | SnapshotOutcome::AsInReceipt(_) => {
                    disk.verified += 1;
                    continue;
                }
                // Nobody can say.
                SnapshotOutcome::SourceGone | SnapshotOutcome::DestinationGone => continue,
                SnapshotOutcome::Changed(_) => true,
                _ => false,
            };
            let message = one.to_string();
            let failure = FleetFailure::found(FleetStep::Verify, &message, may_be_mended);
            disk.failure.get_or_insert(failure);
        }
    }
}

/// Mirrors a disk, then compares it and thins it out, as the policy says.
pub(super) async fn mirrored(
    mirror: SnapshotMirror,
    policy: Arc<Policy>,
    mut outcome: Outcome,
) -> FleetDisk {
    let mut step = FleetStep::Mirror;
    let done = Box::pin(steps(mirror, &policy, &mut outcome, &mut step)).await;
    let mut disk = outcome.disk;
    if let Err(error) = done {
        disk.failure = Some(FleetFailure::new(step, &error));
    }
    disk
}

/// Carries out one step after the other. What a comparison finds is no error, but ends it too.
async fn steps(
    mirror: SnapshotMirror,
    policy: &Policy,
    outcome: &mut Outcome,
    step: &mut FleetStep,
) -> Result<(), MirrorError> {
    let mut done = mirror.run().on_event(|event| outcome.event(event)).await;
    let prune = |mirror: &SnapshotMirror, keep: &Keep| {
        let prune = drawing(mirror.clone()).prune(keep);
        policy.max_delete.into_iter().fold(prune, super::super::Prune::max_delete)
    };
    if let (Err(MirrorError::TooManySnapshots { .. }), Some(keep)) = (&done, &policy.keep) {
        // What the policy does not keep makes room for what is to be copied.
        let removed = prune(&mirror, keep).await?.deleted.len();
        outcome.disk.removed += u64::try_from(removed).unwrap_or(u64::MAX);
        if removed > 0 {
            done = mirror.run().on_event(|event| outcome.event(event)).await;
        }
    }
    done?;
    let mirror = drawing(mirror);
    let disk = &outcome.disk;
    if let Some(which) = policy.verify.filter(|_| disk.copied + disk.present > 0) {
        *step = FleetStep::Verify;
        let mut verify = mirror.verify().in_flight(mirror.settings.in_flight.clamp(2, 64));
        if which == Verified::New {
            verify = verify.newest(usize::try_from(disk.copied.max(1)).unwrap_or(usize::MAX));
        }
        let found = verify.receipts(&policy.receipts).await?;
        outcome.verified(&found);
        let (disk, found) = (outcome.number, Box::new(found));
        outcome.told.push(FleetEvent::Verified { disk, found });
    }
    let disk = &mut outcome.disk;
    if let Some(keep) = policy.keep.as_ref().filter(|_| disk.failure.is_none()) {
        *step = FleetStep::Prune;
        let report = prune(&mirror, keep).await?;
        disk.removed += u64::try_from(report.deleted.len()).unwrap_or(u64::MAX);
        let refused = report.refused.first().map(ToString::to_string);
        if let Some(why) = report.stopped.or(refused) {
            disk.failure = Some(FleetFailure::found(FleetStep::Prune, &why, true));
        }
    }
    Ok(())
}

/// A mirror whose clients draw from its budget in what is done beside a run, too.
fn drawing(mut mirror: SnapshotMirror) -> SnapshotMirror {
    if let Some(budget) = &mirror.settings.budget {
        mirror.destination = mirror.destination.with_budget(budget);
        if let MirrorSource::PageBlob(source) = &mut mirror.source {
            *source = PageBlobSnapshots::of(&source.blob().with_budget(budget));
        }
    }
    mirror
}
