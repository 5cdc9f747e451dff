//! What a run of a fleet would do.

use std::{fmt, future::poll_fn};

use serde::{Deserialize, Serialize};

use super::{
    super::{BrokenSeries, MirrorError, MirrorRoute, MirrorWarning, SnapshotMirror},
    FleetFailure, FleetStep, LeftBlob, MirrorFleet,
    feed::{Feed, Pool, Step, named},
};
use crate::{jobs::Budget, transport::BoxFuture};

/// What a run of a [`MirrorFleet`] would do now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetPlan {
    /// What it would do with each disk, in the order of the destinations' URLs.
    pub disks: Vec<PlannedDisk>,
    /// The page blobs of the container that it would leave.
    pub left: Vec<LeftBlob>,
}

/// What a run would do with one disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedDisk {
    /// The source: a URL without a query, or a disk's unique id.
    pub source: String,
    /// The destination's URL, without its query.
    pub destination: String,
    /// How it would be copied, and why so.
    pub route: Option<(MirrorRoute, String)>,
    /// The snapshots that the destination has.
    pub present: u64,
    /// The snapshots that would be copied.
    pub to_copy: u64,
    /// How many of them in full, and not only by a difference.
    pub whole: u64,
    /// The bytes that would be written, as far as they are known.
    pub bytes: u64,
    /// The snapshots whose bytes are not known before they are copied: see
    /// [`PlannedHop::bytes`](super::super::PlannedHop::bytes).
    pub of_unknown_size: u64,
    /// The bytes that would be cleared.
    pub cleared: u64,
    /// Why the series cannot go on; nothing is copied then.
    pub broken: Option<BrokenSeries>,
    /// What to look after.
    pub warnings: Vec<MirrorWarning>,
    /// Why it could not be planned.
    pub failure: Option<FleetFailure>,
}

impl FleetPlan {
    /// The snapshots that would be copied.
    pub fn to_copy(&self) -> u64 {
        self.disks.iter().map(|disk| disk.to_copy).sum()
    }

    /// The bytes that would be written, as far as they are known.
    pub fn bytes(&self) -> u64 {
        self.disks.iter().map(|disk| disk.bytes).sum()
    }

    /// Whether every disk can be mirrored.
    pub fn is_ok(&self) -> bool {
        self.disks.iter().all(|disk| disk.failure.is_none() && disk.broken.is_none())
    }
}

/// Plans a fleet: returned by [`MirrorFleet::plan`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct PlanFleet(MirrorFleet);

impl PlanFleet {
    pub(super) fn new(fleet: MirrorFleet) -> Self {
        Self(fleet)
    }

    async fn drive(self) -> Result<FleetPlan, MirrorError> {
        let Self(MirrorFleet { origin, settings }) = self;
        let budget = settings.budget.clone().unwrap_or_else(Budget::new);
        let mut pool = Pool::new(Feed::new(&origin, &settings, &budget)?, settings.concurrency);
        let mut plan = FleetPlan::default();
        while let Some(step) =
            poll_fn(|cx| pool.poll_step(cx, |disk| Box::pin(planned(disk)))).await
        {
            match step {
                Step::Done(disk) => plan.disks.push(disk),
                Step::Refused { source, destination, error } => {
                    let failure = Some(FleetFailure::new(FleetStep::Plan, &error));
                    let disk = PlannedDisk { source, destination, failure, ..Default::default() };
                    plan.disks.push(disk);
                }
                Step::Left(left) => plan.left.push(left),
                Step::Unlisted(error) => return Err(error.into()),
            }
        }
        plan.disks.sort_by(|one, other| one.destination.cmp(&other.destination));
        Ok(plan)
    }
}

impl IntoFuture for PlanFleet {
    type Output = Result<FleetPlan, MirrorError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.drive())
    }
}

/// The plan of one disk, without its chain.
async fn planned(mirror: SnapshotMirror) -> PlannedDisk {
    let [source, destination] = named(&mirror);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    match mirror.plan().await {
        Ok(plan) => PlannedDisk {
            source: plan.source.clone(),
            destination: plan.destination.clone(),
            present: count(plan.chain.snapshots.iter().filter(|one| one.equals.is_some()).count()),
            to_copy: count(plan.hops.len()),
            whole: count(plan.hops.iter().filter(|hop| hop.whole.is_some()).count()),
            bytes: plan.bytes(),
            of_unknown_size: count(plan.hops.iter().filter(|hop| hop.bytes.is_none()).count()),
            cleared: plan.hops.iter().map(|hop| hop.cleared).sum(),
            broken: plan.broken,
            warnings: plan.warnings,
            route: Some((plan.route, plan.because)),
            failure: None,
        },
        Err(error) => {
            let failure = Some(FleetFailure::new(FleetStep::Plan, &error));
            PlannedDisk { source, destination, failure, ..PlannedDisk::default() }
        }
    }
}

/// A line for each disk, and the sum.
impl fmt::Display for FleetPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for disk in &self.disks {
            writeln!(f, "{disk}")?;
        }
        for left in &self.left {
            writeln!(f, "{}: not mirrored: {}", left.source, left.because)?;
        }
        let disks = self.disks.len();
        write!(f, "{disks} disks, {} snapshots to copy, {} bytes", self.to_copy(), self.bytes())
    }
}

impl fmt::Display for PlannedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.destination)?;
        match (&self.failure, &self.broken) {
            (Some(failure), _) => write!(f, "{failure}")?,
            (None, Some(broken)) => write!(f, "the series is broken: {broken}")?,
            (None, None) => {
                write!(
                    f,
                    "{} snapshots there, {} to copy, {} bytes",
                    self.present, self.to_copy, self.bytes
                )?;
                if self.of_unknown_size > 0 {
                    write!(f, " and those of {} whose size is unknown", self.of_unknown_size)?;
                }
                if self.whole > 0 {
                    write!(f, ", {} in full", self.whole)?;
                }
            }
        }
        for warning in &self.warnings {
            write!(f, "; {warning}")?;
        }
        Ok(())
    }
}
