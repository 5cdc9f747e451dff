//! How a job ended: its report for people, and what the process says and ends with.

use std::fmt;

use blobcopy::jobs::{Outcome, Report, Skipped};

use super::follow::shown;
use crate::{
    exit::Exit,
    failure::{Failure, Result},
    output::pairs,
};

/// The report for people.
pub(crate) fn text(report: &Report) -> String {
    let number = |number: u64| number.to_string();
    let mut lines = Vec::new();
    if let Some(job) = &report.job {
        lines.push(("source".to_owned(), job.source.clone()));
        lines.push(("destination".to_owned(), job.destination.clone()));
    }
    if let Some(shard) = &report.shard {
        lines.push(("shard".to_owned(), shard.to_string()));
    }
    for (outcome, &blobs) in &report.outcomes {
        lines.push((outcome.to_string(), number(blobs)));
    }
    let not_kept = report.not_kept.iter();
    lines.extend(not_kept.map(|(what, count)| (format!("{what}, not copied"), number(count))));
    if report.index_bytes > 0 {
        lines.push(("bytes of memory for names".to_owned(), number(report.index_bytes)));
    }
    lines.push(("bytes".to_owned(), number(report.bytes)));
    lines.push(("requests".to_owned(), number(report.requests)));
    lines.push(("time".to_owned(), shown(report.elapsed)));
    pairs(lines.iter().map(|(name, value)| (name.as_str(), value.clone())))
}

/// What a run leaves, and whether another one may mend it.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Left {
    /// Failures that another run may mend.
    pub(crate) mendable: u64,
    /// Failures that it cannot.
    pub(crate) hopeless: u64,
}

impl Left {
    /// What the report of an earlier run says. Of failures that it does not hold nothing more is
    /// known: another run may mend them.
    pub(crate) fn of(report: &Report) -> Self {
        let hopeless = report.failed.iter().filter(|failed| !failed.may_be_mended);
        let hopeless = u64::try_from(hopeless.count()).unwrap_or(u64::MAX);
        Self { mendable: report.failures.saturating_sub(hopeless), hopeless }
    }

    /// The failure of a command whose job left something.
    pub(crate) fn judged(self, report: &Report) -> Result {
        // No failures of the job, and not copied all the same.
        let archived = report.count(Outcome::Skipped(Skipped::Archived));
        let left = Counted(self.mendable + self.hopeless + archived, "blob");
        let were = if left.0 == 1 { "was" } else { "were" };
        let (exit, what, advice) = match (self.mendable, self.hopeless) {
            (0, 0) if archived == 0 => return Ok(()),
            (0, 0) => (
                Exit::Hopeless,
                format!("{left} {were} not copied: archived"),
                "rehydrate them (set their tier to Hot, Cool or Cold), and run the command again",
            ),
            (0, _) => (
                Exit::Hopeless,
                format!("{left} {were} not copied"),
                "mend what the failures name: another run cannot",
            ),
            _ => (
                Exit::Unfinished,
                format!("{left} {were} not copied"),
                "run the same command again: what is done stays done",
            ),
        };
        Err(Failure::new(exit, what, advice))
    }
}

/// A number of things, in words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, what) = self;
        match (count, what.strip_suffix('y')) {
            (1, _) => write!(f, "1 {what}"),
            (_, Some(stem)) => write!(f, "{count} {stem}ies"),
            (_, None) => write!(f, "{count} {what}s"),
        }
    }
}
