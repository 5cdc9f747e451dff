//! What a run of a fleet did.

use std::{fmt, iter, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    super::{MirrorError, MirrorRoute, MirrorWarning},
    LeftBlob,
};
use crate::{Error, Result, jobs::Shard, wire::redaction::redact};

/// What a run of a [`MirrorFleet`](super::MirrorFleet) did.
///
/// Workers that each ran a [`Shard`] each have a report; [`merge`](Self::merge) makes one of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetReport {
    /// Which fleet it was: a hash of its disks and of what was to be done with them, in 16
    /// hexadecimal digits.
    pub fleet: String,
    /// The part of the fleet that was run, unless that was all of it.
    pub shard: Option<Shard>,
    /// What became of each disk, in the order of the destinations' URLs.
    pub disks: Vec<FleetDisk>,
    /// How many page blobs of the container were left because they have no snapshots. Each was a
    /// [`FleetEvent::Left`](super::FleetEvent::Left).
    #[serde(default)]
    pub left: u64,
    /// Which these are, in the order of the listing.
    #[serde(default)]
    pub left_blobs: Vec<LeftBlob>,
    /// Why the container could not be listed to its end, if so: disks behind that point are not in
    /// the report.
    #[serde(default)]
    pub unlisted: Option<FleetFailure>,
    /// The requests of this run, retries included. If others draw from the same
    /// [`Budget`](crate::jobs::Budget) meanwhile, theirs are counted too.
    pub requests: u64,
    /// How many of them were retries.
    pub retries: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// What became of one disk of a fleet. Counts include what was done before a failure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetDisk {
    /// The source: a URL without a query, or a disk's unique id.
    pub source: String,
    /// The destination's URL, without its query.
    pub destination: String,
    /// How it was copied, if that is known.
    pub route: Option<MirrorRoute>,
    /// The snapshots that this run copied.
    pub copied: u64,
    /// The snapshots that the destination had before.
    pub present: u64,
    /// The bytes that this run wrote.
    pub bytes: u64,
    /// The bytes that this run cleared.
    pub cleared: u64,
    /// The snapshots that were found equal to the source's.
    #[serde(default)]
    pub verified: u64,
    /// The snapshots that retention removed.
    #[serde(default)]
    pub removed: u64,
    /// What to look after.
    pub warnings: Vec<MirrorWarning>,
    /// Why it is not as it should be; `None` if it is.
    pub failure: Option<FleetFailure>,
}

/// Why a disk of a fleet is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FleetFailure {
    /// What failed. The steps after it were not begun.
    pub step: FleetStep,
    /// The service's code, if it refused a request.
    pub code: Option<String>,
    /// The message of the error.
    pub message: String,
    /// The service's id of the refused request.
    pub request_id: Option<String>,
    /// Whether another run may succeed as it is. If none of the failures of a fleet can be mended,
    /// running it again is pointless.
    pub may_be_mended: bool,
}

/// A step of a fleet's run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FleetStep {
    /// The container is listed.
    List,
    /// What a run would do is found out.
    Plan,
    /// The disk's snapshots are copied.
    Mirror,
    /// The destination is compared with the source.
    Verify,
    /// The destination is thinned out.
    Prune,
}

impl FleetReport {
    /// How many disks are not as they should be.
    pub fn failed(&self) -> u64 {
        self.sum(|disk| u64::from(disk.failure.is_some()))
    }

    /// How many snapshots were copied.
    pub fn copied(&self) -> u64 {
        self.sum(|disk| disk.copied)
    }

    /// How many snapshots the destinations had before.
    pub fn present(&self) -> u64 {
        self.sum(|disk| disk.present)
    }

    /// How many snapshots retention removed.
    pub fn removed(&self) -> u64 {
        self.sum(|disk| disk.removed)
    }

    /// The bytes that were written.
    pub fn bytes(&self) -> u64 {
        self.sum(|disk| disk.bytes)
    }

    fn sum(&self, of: impl Fn(&FleetDisk) -> u64) -> u64 {
        self.disks.iter().map(of).sum()
    }

    /// Whether every disk is as it should be, and none is missing.
    pub fn is_ok(&self) -> bool {
        self.unlisted.is_none() && self.disks.iter().all(|disk| disk.failure.is_none())
    }

    /// Whether another run may mend any of what failed.
    pub fn may_be_mended(&self) -> bool {
        self.failures().any(|failure| failure.may_be_mended)
    }

    fn failures(&self) -> impl Iterator<Item = &FleetFailure> {
        self.disks.iter().filter_map(|disk| disk.failure.as_ref()).chain(&self.unlisted)
    }

    /// One report of all shards of a fleet, in any order. Counts are added; the time is that of the
    /// shard that took longest.
    ///
    /// ```
    /// use blobcopy::disks::FleetReport;
    ///
    /// # let text = r#"{"fleet":"00","shard":{"index":I,"count":2},"disks":[],"requests":7,
    /// #     "retries":0,"elapsed":{"secs":0,"nanos":0}}"#;
    /// # let first = &text.replace("I", "0");
    /// # let second = &text.replace("I", "1");
    /// // As the workers wrote them.
    /// let first: FleetReport = serde_json::from_str(first)?;
    /// let second: FleetReport = serde_json::from_str(second)?;
    /// assert!(FleetReport::merge([first.clone()]).is_err());
    /// assert_eq!(FleetReport::merge([first, second])?.requests, 14);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the reports are of different fleets, or cut in different ways; if
    /// a shard is missing, or there twice; or if there is no report.
    pub fn merge(reports: impl IntoIterator<Item = FleetReport>) -> Result<FleetReport> {
        let mut reports: Vec<FleetReport> = reports.into_iter().collect();
        reports.sort_by_key(index);
        check_set(&reports)?;
        let mut merged = FleetReport::default();
        for report in reports {
            // In full, so that no field is forgotten.
            let FleetReport { fleet, shard: _, disks, left, left_blobs, .. } = report;
            let FleetReport { unlisted, requests, retries, elapsed, .. } = report;
            merged.fleet = fleet;
            merged.disks.extend(disks);
            merged.left += left;
            merged.left_blobs.extend(left_blobs);
            merged.unlisted = merged.unlisted.or(unlisted);
            merged.requests += requests;
            merged.retries += retries;
            merged.elapsed = merged.elapsed.max(elapsed);
        }
        merged.sort();
        Ok(merged)
    }

    /// Puts the disks into their order.
    pub(super) fn sort(&mut self) {
        self.disks.sort_by(|one, other| one.destination.cmp(&other.destination));
    }
}

fn index(report: &FleetReport) -> u32 {
    report.shard.as_ref().map_or(0, Shard::index)
}

/// Checks that the reports, in the order of their shards, are those of one whole fleet.
fn check_set(reports: &[FleetReport]) -> Result<()> {
    let refused =
        |value: &dyn fmt::Display, rule: &str| Err(Error::invalid("reports", value, rule));
    let Some(first) = reports.first() else {
        return refused(&"none", "must be one for each shard of a fleet");
    };
    let count = |report: &FleetReport| report.shard.as_ref().map_or(1, Shard::count);
    let all = count(first);
    for report in reports {
        if report.fleet != first.fleet {
            return refused(&report.fleet, &format!("is another fleet than {}", first.fleet));
        }
        if count(report) != all {
            let rule = format!("is the number of shards of one report, and {all} that of another");
            return refused(&count(report), &rule);
        }
    }
    if let Some(pair) = reports.windows(2).find(|pair| index(&pair[0]) == index(&pair[1])) {
        return refused(&format!("{}/{all}", index(&pair[0])), "is a shard that is there twice");
    }
    let there = reports.iter().map(|report| Some(index(report))).chain(iter::repeat(None));
    match (0..all).zip(there).find(|&(wanted, there)| there != Some(wanted)) {
        Some((wanted, _)) => refused(&format!("{wanted}/{all}"), "is a shard that is missing"),
        None => Ok(()),
    }
}

impl FleetFailure {
    /// The failure of a step.
    pub(super) fn new(step: FleetStep, error: &MirrorError) -> Self {
        let call = error.as_call();
        let request_id = match call {
            Some(Error::Service(refusal)) => refusal.request_id.clone(),
            _ => None,
        };
        let may_be_mended = match error {
            // Whoever mends it may be at work already.
            MirrorError::Call(error) => !matches!(error, Error::InvalidInput { .. }),
            error => error.is_passing(),
        };
        Self {
            step,
            code: call.and_then(Error::code).map(ToString::to_string),
            message: error.to_string(),
            request_id,
            may_be_mended,
        }
    }

    /// A step that found what must not be.
    pub(super) fn found(step: FleetStep, message: &str, may_be_mended: bool) -> Self {
        let message = redact(message).into_owned();
        Self { step, code: None, message, request_id: None, may_be_mended }
    }
}

/// The sums, and a line for each disk that failed.
impl fmt::Display for FleetReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} disks, {} failed: {} snapshots copied, {} there before, {} removed; {} bytes, {} \
             requests",
            self.disks.len(),
            self.failed(),
            self.copied(),
            self.present(),
            self.removed(),
            self.bytes(),
            self.requests
        )?;
        for disk in &self.disks {
            if let Some(failure) = &disk.failure {
                write!(f, "\n{}: {failure}", disk.destination)?;
            }
        }
        if let Some(failure) = &self.unlisted {
            write!(f, "\nnot all disks are listed: {failure}")?;
        }
        Ok(())
    }
}

impl fmt::Display for FleetFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.may_be_mended {
            f.write_str(" (another run alone does not mend this)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
