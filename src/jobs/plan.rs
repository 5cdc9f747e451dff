//! What a run would do.

use std::{collections::BTreeMap, fmt, future::poll_fn, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    CopyJob, NotKept, Outcome, Route,
    decide::{Decision, untouchable},
    join::{Join, Joined},
    report::counts,
    routes::{self, NotCarried},
    task::Task,
};
use crate::{Result, transport::BoxFuture};

/// What a run of a job would do now.
///
/// Without faults, a run sends the [`requests`](Self::requests) of its plan. Beside them, and
/// counted by none, are polls of copies that do not end at once, retries, and pages of listings
/// that the service cuts short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The blobs of the source.
    pub blobs: u64,
    /// Their length in bytes.
    pub bytes_listed: u64,
    /// How many blobs are left as they are, for each reason.
    #[serde(with = "counts")]
    pub left: BTreeMap<Outcome, u64>,
    /// What is copied, by route.
    pub routes: BTreeMap<Route, Planned>,
    /// Copies, and blobs that seem to be the same, whose content is compared. What a comparison
    /// takes is counted nowhere here: it depends on what it finds.
    #[serde(default)]
    pub comparisons: u64,
    /// Blobs at the destination alone that would be deleted.
    pub deletions: u64,
    /// What the source has that is not copied.
    #[serde(default)]
    pub not_kept: NotKept,
    /// The requests that list source and destination.
    pub list_requests: u64,
    /// Requests for containers and sources: creating the destination's container, and for a move
    /// one to check each copy and one to delete its source; for a deletion one that looks for the
    /// source.
    pub other_requests: u64,
    /// Whether the destination's container does not exist.
    pub is_container_missing: bool,
    /// The memory of the index of names, in bytes, if the listings are not ordered by UTF-16 code
    /// units.
    pub index_bytes: u64,
}

/// What one route carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Planned {
    /// The blobs.
    pub blobs: u64,
    /// Their requests.
    pub requests: u64,
    /// The bytes that the service copies.
    pub bytes: u64,
}

impl Plan {
    /// All requests of a run.
    pub fn requests(&self) -> u64 {
        let copies: u64 = self.routes.values().map(|route| route.requests).sum();
        self.list_requests + copies + self.other_requests + self.deletions
    }

    /// All bytes that the service copies.
    pub fn bytes(&self) -> u64 {
        self.routes.values().map(|route| route.bytes).sum()
    }

    /// The blobs that would be copied.
    pub fn copies(&self) -> u64 {
        self.routes.values().map(|route| route.blobs).sum()
    }

    /// The least time that it takes within these limits.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::CopyJob;
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let plan = CopyJob::new(&vhds, &backups).plan().await?;
    /// println!("{:?}", plan.time(2_000, 100 << 20));
    /// # Ok(()) });
    /// ```
    #[allow(clippy::cast_precision_loss)]
    pub fn time(&self, requests_per_second: u64, bytes_per_second: u64) -> Duration {
        let seconds = |amount: u64, rate: u64| amount as f64 / rate.max(1) as f64;
        let requests = seconds(self.requests(), requests_per_second);
        let longest = requests.max(seconds(self.bytes(), bytes_per_second));
        Duration::try_from_secs_f64(longest).unwrap_or(Duration::MAX)
    }
}

/// A line for each route and each reason, and the sums.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} blobs, {} bytes", self.blobs, self.bytes_listed)?;
        for (route, planned) in &self.routes {
            let Planned { blobs, requests, bytes } = planned;
            writeln!(f, "{blobs} to copy by {route}: {requests} requests, {bytes} bytes")?;
        }
        for (outcome, blobs) in &self.left {
            writeln!(f, "{blobs} {outcome}")?;
        }
        if self.comparisons > 0 {
            writeln!(f, "{} to compare by content", self.comparisons)?;
        }
        if self.deletions > 0 {
            writeln!(f, "{} to delete", self.deletions)?;
        }
        if self.not_kept != NotKept::default() {
            writeln!(f, "not kept: {}", self.not_kept)?;
        }
        if self.is_container_missing {
            writeln!(f, "the destination's container does not exist yet")?;
        }
        if self.index_bytes > 0 {
            writeln!(f, "{} bytes of memory for an index of names", self.index_bytes)?;
        }
        write!(f, "{} requests, {} bytes in all", self.requests(), self.bytes())
    }
}

/// Plans a job: returned by [`CopyJob::plan`].
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug)]
pub struct PlanJob {
    job: CopyJob,
}

impl PlanJob {
    pub(crate) fn new(job: CopyJob) -> Self {
        Self { job }
    }

    async fn run(self) -> Result<Plan> {
        let shared = Arc::new(self.job.shared());
        self.job.check_safety(&shared)?;
        let (source, destination) = self.job.listings(&shared, self.job.create);
        let mut join = Join::new(source, destination);
        let mut plan = Plan::default();
        let mut extra = 0;
        while let Some(pair) = poll_fn(|cx| {
            join.poll_ahead(cx)?;
            join.poll_next(cx)
        })
        .await?
        {
            match pair {
                Joined::Source(item, existing) => {
                    let (task, decision) = shared.consider(item, existing);
                    plan.add(&task, decision).await?;
                }
                Joined::Extra(item) => match untouchable(&item) {
                    Some(why) => plan.leave(Outcome::Skipped(why)),
                    None => extra += 1,
                },
                Joined::Reordered => {
                    plan = Plan::default();
                    extra = 0;
                }
            }
        }
        plan.not_kept = join.source().not_kept;
        plan.index_bytes = join.index_bytes();
        plan.is_container_missing = join.destination().is_missing;
        // A container that is missing answers the first page too.
        plan.list_requests = join.source().list_requests() + join.destination().list_requests();
        let creates = plan.is_container_missing && plan.copies() > 0;
        plan.other_requests += u64::from(creates);
        match self.job.delete_extra {
            Some(max) if extra <= max => {
                plan.deletions = extra;
                plan.other_requests += extra;
            }
            _ if extra > 0 => *plan.left.entry(Outcome::Extra).or_default() += extra,
            _ => {}
        }
        Ok(plan)
    }
}

impl Plan {
    async fn add(&mut self, task: &Task, decision: Decision) -> Result<()> {
        self.blobs += 1;
        self.bytes_listed += task.item.properties.content_length;
        let settings = &task.shared.settings;
        let moves = settings.moves;
        match decision {
            Decision::Leave(outcome) => {
                self.leave(outcome);
                return Ok(());
            }
            Decision::Compare => {
                self.comparisons += 1;
                return Ok(());
            }
            Decision::Copy => self.comparisons += u64::from(settings.verify),
        }
        let cost = match routes::cost(task).await {
            Ok(cost) => cost,
            Err(NotCarried { error: Some(error), .. }) => return Err(*error),
            Err(NotCarried { .. }) => return Ok(()),
        };
        let planned = self.routes.entry(task.route).or_default();
        planned.blobs += 1;
        planned.requests += cost.requests;
        planned.bytes += cost.bytes;
        self.other_requests += if moves { 2 } else { 0 };
        Ok(())
    }

    fn leave(&mut self, outcome: Outcome) {
        *self.left.entry(outcome).or_default() += 1;
    }
}

impl IntoFuture for PlanJob {
    type Output = Result<Plan>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
