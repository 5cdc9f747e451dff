//! Comparing source and destination.

use std::{fmt, future::poll_fn, sync::Arc, task::Poll};

use futures_util::{StreamExt, stream::FuturesUnordered};

use serde::{Deserialize, Serialize};

use super::{
    CopyJob, Difference, Receipts, Verdict, content,
    decide::{skipped, untouchable},
    join::{Join, Joined},
    same,
    task::{Shared, Task},
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
    /// Why the content cannot be compared, if that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The difference and the name: `length differs: a/b.txt`. A reason follows in parentheses.
impl fmt::Display for DifferenceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.difference, self.name)?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
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

    /// Whether the content is compared too: see [`CopyJob::content`].
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::CopyJob;
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let job = CopyJob::new(&vhds, &backups);
    /// job.run().await?;
    /// assert!(job.check().content(true).await?.is_same());
    /// # Ok(()) });
    /// ```
    pub fn content(mut self, content: bool) -> Self {
        self.job = self.job.content(content);
        self
    }

    /// What earlier runs have proved: see [`CopyJob::receipts`].
    pub fn receipts(mut self, receipts: Receipts) -> Self {
        self.job = self.job.receipts(receipts);
        self
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
        let mut comparing = FuturesUnordered::new();
        let mut all_listed = false;
        let mut report = CheckReport::default();
        loop {
            let step = poll_fn(|cx| -> Poll<Result<Option<Found>>> {
                join.poll_ahead(cx)?;
                if let Poll::Ready(Some(found)) = comparing.poll_next_unpin(cx) {
                    return Poll::Ready(Ok(Some(Found::Compared(found))));
                }
                if !all_listed
                    && comparing.len() < self.job.concurrency
                    && let Poll::Ready(pair) = join.poll_next(cx)?
                {
                    return Poll::Ready(Ok(Some(pair.map_or(Found::AllListed, Found::Pair))));
                }
                match all_listed && comparing.is_empty() {
                    true => Poll::Ready(Ok(None)),
                    false => Poll::Pending,
                }
            });
            let step = step.await?;
            let line = match step {
                None => return Ok(report),
                Some(Found::AllListed) => {
                    all_listed = true;
                    continue;
                }
                Some(Found::Pair(Joined::Reordered)) => {
                    comparing.clear();
                    report = CheckReport::default();
                    continue;
                }
                Some(Found::Compared(line)) => line,
                Some(Found::Pair(pair)) => match compare(&shared, pair) {
                    Comparison::None => {
                        report.not_compared += 1;
                        continue;
                    }
                    Comparison::Done(line) => line,
                    Comparison::Content(task) => {
                        comparing.push(Box::pin(content_line(task)));
                        continue;
                    }
                },
            };
            let Some(line) = line else {
                report.same += 1;
                continue;
            };
            report.different += 1;
            if let Some(tell) = &mut self.on_difference {
                tell(&line);
            }
            if report.differences.len() < CheckReport::MOST_DIFFERENCES {
                report.differences.push(line);
            }
        }
    }
}

enum Found {
    Pair(Joined),
    AllListed,
    Compared(Option<DifferenceLine>),
}

/// What the listings say of a pair.
enum Comparison {
    /// A job does not copy it.
    None,
    Done(Option<DifferenceLine>),
    /// It is the content that counts.
    Content(Task),
}

fn compare(shared: &Arc<Shared>, pair: Joined) -> Comparison {
    let (item, existing) = match pair {
        Joined::Source(item, existing) => (item, existing),
        Joined::Extra(item) if untouchable(&item).is_some() => return Comparison::None,
        Joined::Extra(item) => return Comparison::Done(line(&item.name, Difference::Extra)),
        Joined::Reordered => return Comparison::None,
    };
    // A destination whose copy has not ended is no reason to leave it out: it is a difference.
    if skipped(&item).or_else(|| existing.as_deref().and_then(untouchable)).is_some() {
        return Comparison::None;
    }
    let (task, _) = shared.consider(item, existing);
    let Some(existing) = &task.existing else {
        return Comparison::Done(line(&task.item.name, Difference::Missing));
    };
    match same::difference(&task.item, existing, task.kept()) {
        // Where the content is compared, the dates do not matter.
        None | Some(Difference::NotAfter) if shared.settings.content => {
            match content::has_receipt(&task) {
                true => Comparison::Done(None),
                false => Comparison::Content(task),
            }
        }
        None => Comparison::Done(None),
        Some(difference) => Comparison::Done(line(&task.item.name, difference)),
    }
}

/// Compares the content of a blob and its copy inside the service. What fails for one blob says
/// nothing of the others, so it is the reason of a line.
async fn content_line(task: Task) -> Option<DifferenceLine> {
    let name = &task.item.name;
    let reason = match content::verdict(&task, None).await {
        Ok(Verdict::Identical(_)) => return None,
        Ok(Verdict::Different(_)) => return line(name, Difference::Content),
        Ok(Verdict::SourceGone) => return line(name, Difference::Extra),
        Ok(Verdict::DestinationGone) => return line(name, Difference::Missing),
        Ok(verdict) => verdict.to_string(),
        Err(error) => error.to_string(),
    };
    let line = line(name, Difference::Unverifiable);
    line.map(|line| DifferenceLine { reason: Some(reason), ..line })
}

fn line(name: &str, difference: Difference) -> Option<DifferenceLine> {
    Some(DifferenceLine { name: redact(name).into_owned(), difference, reason: None })
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
