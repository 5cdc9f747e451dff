//! The counts of a run.

use super::{Failure, Outcome, Report, event::Finished};

/// What a run has counted so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) report: Report,
    /// The blobs of the source that are done with, and their length.
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    /// Counts a blob of this length.
    pub(crate) fn count(&mut self, finished: &Finished, length: u64) {
        let report = &mut self.report;
        *report.outcomes.entry(finished.outcome).or_default() += 1;
        if let Some(route) = finished.route.filter(|_| is_copied(finished.outcome)) {
            *report.routes.entry(route).or_default() += 1;
        }
        report.bytes += finished.bytes;
        self.blobs += 1;
        self.bytes += length;
    }

    /// Counts a blob that is at the destination alone.
    pub(crate) fn count_extra(&mut self, outcome: Outcome) {
        *self.report.outcomes.entry(outcome).or_default() += 1;
    }

    pub(crate) fn fail(&mut self, failure: &Failure) {
        self.report.failures += 1;
        if self.report.failed.len() < Report::MOST_FAILURES {
            self.report.failed.push(failure.clone());
        }
    }

    /// Forgets what was said of blobs that will be listed again.
    pub(crate) fn forget_listed(&mut self) {
        self.report.outcomes.remove(&Outcome::Extra);
    }
}

fn is_copied(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Copied | Outcome::Adopted | Outcome::Moved | Outcome::SourceKept)
}

/// Whether this outcome is a failure of the job, which is told with its reason.
pub(crate) fn is_failure(outcome: Outcome) -> bool {
    use super::Skipped::{CustomerKey, ForeignBlocks, Name, OtherType, Overlap, PendingCopy};
    matches!(
        outcome,
        Outcome::Failed
            | Outcome::Changed
            | Outcome::Skipped(
                Name | Overlap | OtherType | ForeignBlocks | CustomerKey | PendingCopy
            )
    )
}
