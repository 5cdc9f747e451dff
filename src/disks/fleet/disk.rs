//! What a run does with one disk.

use super::{
    super::{MirrorError, MirrorEvent, SnapshotMirror},
    FleetDisk, FleetEvent, FleetFailure, FleetStep,
    run::Told,
};

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

    fn failed(mut self, step: FleetStep, error: &MirrorError) -> FleetDisk {
        self.disk.failure = Some(FleetFailure::new(step, error));
        self.disk
    }
}

/// Mirrors a disk.
pub(super) async fn mirrored(mirror: SnapshotMirror, mut outcome: Outcome) -> FleetDisk {
    if let Err(error) = mirror.run().on_event(|event| outcome.event(event)).await {
        return outcome.failed(FleetStep::Mirror, &error);
    }
    outcome.disk
}
