//! Comparing source and destination.

use std::{fmt, future::poll_fn, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    CopyJob, Difference,
    decide::{skipped, untouchable},
    join::{Join, Joined},
    same,
};
use crate::{Result, transport::BoxFuture, wire::redaction::redact};

/// How source and destination compare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// How many blobs are the same.
    pub same: u64,
    /// How many differ, are missing or are extra.
    pub different: u64,
    /// How many were not compared, because a job does not copy them: archived blobs, destinations
    /// of incremental copies, markers, stubs of directories.
    pub not_compared: u64,
    /// One line for each difference: the first 10,000.
    pub differences: Vec<DifferenceLine>,
}

/// A blob that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DifferenceLine {
    /// The blob's name at the source, redacted; of an extra blob, its name at the destination.
    pub name: String,
    /// How it differs.
    pub difference: Difference,
}

/// The difference and the name: `length differs: a/b.txt`.
impl fmt::Display for DifferenceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.difference, self.name)
    }
}

impl CheckReport {
    /// The most lines that [`differences`](Self::differences) holds. All are counted, and given to
    /// [`on_difference`](CheckJob::on_difference).
    pub const MOST_DIFFERENCES: usize = 10_000;

    /// Whether there is no difference.
    pub fn is_same(&self) -> bool {
        self.different == 0
    }
}

/// Compares: returned by [`CopyJob::check`].
#[must_use = "nothing is sent until it is awaited"]
pub struct CheckJob<'a> {
    job: CopyJob,
    on_difference: Option<OnDifference<'a>>,
}

type OnDifference<'a> = Box<dyn FnMut(&DifferenceLine) + Send + 'a>;

impl<'a> CheckJob<'a> {
    pub(crate) fn new(job: CopyJob) -> Self {
        Self { job, on_difference: None }
    }

    /// Calls a function with each difference as it is found.
    ///
    /// If a listing turns out not to be ordered by UTF-16 code units, all is compared again, and
    /// what was found before can come again or not.
    pub fn on_difference(mut self, tell: impl FnMut(&DifferenceLine) + Send + 'a) -> Self {
        self.on_difference = Some(Box::new(tell));
        self
    }

    async fn run(mut self) -> Result<CheckReport> {
        let shared = Arc::new(self.job.shared());
        let (source, destination) = self.job.listings(&shared, true);
        let mut join = Join::new(source, destination);
        let mut report = CheckReport::default();
        while let Some(pair) = poll_fn(|cx| {
            join.poll_ahead(cx)?;
            join.poll_next(cx)
        })
        .await?
        {
            let (name, difference) = match pair {
                Joined::Reordered => {
                    report = CheckReport::default();
                    continue;
                }
                Joined::Extra(item) if untouchable(&item).is_some() => {
                    report.not_compared += 1;
                    continue;
                }
                Joined::Extra(item) => (item.name, Difference::Extra),
                Joined::Source(item, existing) => {
                    let is_skipped = |item| skipped(item).is_some();
                    if is_skipped(&item) || existing.as_deref().is_some_and(is_skipped) {
                        report.not_compared += 1;
                        continue;
                    }
                    let (task, _) = shared.consider(item, existing);
                    let difference = match &task.existing {
                        None => Some(Difference::Missing),
                        Some(existing) => same::difference(&task.item, existing, task.kept()),
                    };
                    let Some(difference) = difference else {
                        report.same += 1;
                        continue;
                    };
                    (task.item.name, difference)
                }
            };
            report.different += 1;
            let line = DifferenceLine { name: redact(&name).into_owned(), difference };
            if let Some(tell) = &mut self.on_difference {
                tell(&line);
            }
            if report.differences.len() < CheckReport::MOST_DIFFERENCES {
                report.differences.push(line);
            }
        }
        Ok(report)
    }
}

impl<'a> IntoFuture for CheckJob<'a> {
    type Output = Result<CheckReport>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for CheckJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckJob").field("job", &self.job).finish_non_exhaustive()
    }
}
