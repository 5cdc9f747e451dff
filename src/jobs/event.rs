//! What a run tells while it works.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{Failure, Outcome, Receipt, Report, Route};
use crate::{AccessTier, SnapshotId};

/// Something that happened in a run of a [`CopyJob`](super::CopyJob).
///
/// Names are those of the source, relative to no prefix, and redacted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum JobEvent {
    /// A page of a listing has come.
    Listed {
        /// The blobs of the source that are known so far.
        blobs: u64,
        /// Their bytes.
        bytes: u64,
        /// Whether these are all.
        is_complete: bool,
    },
    /// The copy of a blob begins.
    Started {
        /// The blob's name.
        name: String,
        /// How it is copied.
        route: Route,
        /// Its length.
        bytes: u64,
    },
    /// A blob is done with, in whatever way.
    Finished(Finished),
    /// A blob was not copied, deleted or moved. Its `Finished` has come before.
    Failed(Failure),
    /// How far the run has come; at most ten times a second.
    Progress(Progress),
    /// The run has ended; the last event.
    Ended(Box<Report>),
}

/// What became of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finished {
    /// The blob's name; of a blob at the destination alone, its name there.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How it was copied, if it was.
    pub route: Option<Route>,
    /// The bytes that the service copied for it in this run.
    pub bytes: u64,
    /// Names of metadata whose case or value the route could not keep.
    pub changed_metadata: Vec<String>,
    /// The source's tier, if the destination does not have it, such as `P30` in a standard account:
    /// its copy has the default tier there.
    pub tier_not_kept: Option<AccessTier>,
    /// What proves the copy, if it was copied and both ETags are known.
    pub receipt: Option<Box<Receipt>>,
    /// A snapshot of the source that was taken for the copy and could not be deleted.
    pub left_behind: Option<SnapshotId>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// The blobs that are done with.
    pub blobs: u64,
    /// The blobs of the source that are known so far. The listing runs ahead of the copies by a
    /// page or two.
    pub of_blobs: u64,
    /// The length of the blobs that are done with.
    pub bytes: u64,
    /// The length of the blobs that are known so far.
    pub of_bytes: u64,
    /// How much of the work is done, from 0 to 1. Until the listing is complete, of what is known
    /// so far, or of the [plan](super::RunJob::planned).
    pub fraction: f64,
    /// The time that is left at the speed so far; `None` until the whole is known.
    pub time_left: Option<Duration>,
}

/// The work of copying 8 MiB counts as much as that of a blob.
const BYTES_OF_A_BLOB: f64 = (8 << 20) as f64;

impl Progress {
    /// The progress after `elapsed`; the whole is known if `is_complete`.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn new(
        (blobs, bytes): (u64, u64),
        (of_blobs, of_bytes): (u64, u64),
        is_complete: bool,
        elapsed: Duration,
    ) -> Self {
        let work = |blobs: u64, bytes: u64| blobs as f64 + bytes as f64 / BYTES_OF_A_BLOB;
        let (done, all) = (work(blobs, bytes), work(of_blobs, of_bytes));
        let fraction =
            if all > 0.0 { (done / all).clamp(0.0, 1.0) } else { f64::from(is_complete) };
        let left = (is_complete && fraction > 0.0)
            .then(|| elapsed.as_secs_f64() * (1.0 - fraction) / fraction);
        let time_left = left.and_then(|left| Duration::try_from_secs_f64(left).ok());
        Self { blobs, of_blobs, bytes, of_bytes, fraction, time_left }
    }
}

impl fmt::Display for Progress {
    /// Such as `37 % of 1200 blobs, 95 s left`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} % of {} blobs", (100.0 * self.fraction).floor(), self.of_blobs)?;
        match self.time_left {
            Some(left) => write!(f, ", {} s left", left.as_secs_f64().ceil()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_one_number_with_a_time_left() {
        let elapsed = Duration::from_secs(30);
        let progress = Progress::new((25, 0), (100, 0), true, elapsed);
        assert_eq!(progress.to_string(), "25 % of 100 blobs, 90 s left");
        let unknown = Progress::new((25, 0), (100, 0), false, elapsed);
        assert_eq!(unknown.to_string(), "25 % of 100 blobs");
        let large = Progress::new((1, 0), (2, 64 << 20), true, elapsed);
        assert!(large.fraction < 0.11, "{large:?}");
        let none = Progress::new((0, 0), (0, 0), true, Duration::ZERO);
        assert_eq!((none.fraction, none.time_left), (1.0, Some(Duration::ZERO)));
    }
}
