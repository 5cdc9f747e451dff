//! What a run did.

use std::{collections::BTreeMap, fmt, iter, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Fingerprint, NotKept, Outcome, Route, Shard};
use crate::{Error, Result};

/// What a run of a job did.
///
/// Workers that each ran a [`Shard`] each have a report; [`merge`](Self::merge) makes one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The job.
    pub job: Option<Fingerprint>,
    /// The part of the job that was run, unless that was all of it.
    pub shard: Option<Shard>,
    /// How many blobs had each outcome.
    #[serde(with = "counts")]
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How many blobs were copied by each route.
    pub routes: BTreeMap<Route, u64>,
    /// The bytes that the service copied for this run.
    pub bytes: u64,
    /// The requests of this run, retries included. If others draw from the same
    /// [`Budget`](super::Budget) meanwhile, theirs are counted too.
    pub requests: u64,
    /// How many of them were retries.
    pub retries: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What the source has that was not copied.
    #[serde(default)]
    pub not_kept: NotKept,
    /// The memory that an index of names took, in bytes: 0 unless a listing was not ordered by
    /// UTF-16 code units, as in accounts with a hierarchical namespace.
    #[serde(default)]
    pub index_bytes: u64,
    /// How many blobs were not copied, deleted or moved as the job wants.
    #[serde(default)]
    pub failures: u64,
    /// Why: the first 10,000 of them.
    pub failed: Vec<Failure>,
}

impl Report {
    /// The most failures that [`failed`](Self::failed) holds. All are counted, and all are events.
    pub const MOST_FAILURES: usize = 10_000;

    /// How many blobs had this outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    /// One report of all shards of a job, in any order. Counts are added; the time is that of the
    /// shard that took longest.
    ///
    /// ```
    /// use blobcopy::jobs::Report;
    ///
    /// # let text = r#"{"job":{"source":"s","destination":"d","settings":"0"},"outcomes":[],
    /// #     "routes":{},"bytes":1,"requests":0,"retries":0,"elapsed":{"secs":0,"nanos":0},
    /// #     "failed":[],"shard":{"index":I,"count":2}}"#;
    /// # let first = &text.replace("I", "0");
    /// # let second = &text.replace("I", "1");
    /// // As the workers wrote them.
    /// let reports: [Report; 2] = [serde_json::from_str(first)?, serde_json::from_str(second)?];
    /// let report = Report::merge(reports.clone())?;
    /// assert_eq!(report.bytes, reports[0].bytes + reports[1].bytes);
    /// assert!(Report::merge([reports[0].clone()]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the reports are of different jobs, or cut in different ways; if a
    /// shard is missing, or there twice; or if there is no report.
    pub fn merge(reports: impl IntoIterator<Item = Report>) -> Result<Report> {
        let mut reports: Vec<Report> = reports.into_iter().collect();
        reports.sort_by_key(|report| report.shard.as_ref().map(Shard::index));
        let mut merged = check_set(&reports)?;
        for report in reports {
            // In full, so that no field is forgotten.
            let Report {
                job: _,
                shard: _,
                outcomes,
                routes,
                bytes,
                requests,
                retries,
                elapsed,
                not_kept,
                index_bytes,
                failures,
                failed,
            } = report;
            for (outcome, blobs) in outcomes {
                *merged.outcomes.entry(outcome).or_default() += blobs;
            }
            for (route, blobs) in routes {
                *merged.routes.entry(route).or_default() += blobs;
            }
            merged.bytes += bytes;
            merged.requests += requests;
            merged.retries += retries;
            merged.elapsed = merged.elapsed.max(elapsed);
            merged.not_kept += not_kept;
            merged.index_bytes = merged.index_bytes.max(index_bytes);
            merged.failures += failures;
            merged.failed.extend(failed);
            merged.failed.truncate(Self::MOST_FAILURES);
        }
        Ok(merged)
    }
}

/// Checks that the reports, in the order of their shards, are those of one whole job, and begins
/// their sum.
fn check_set(reports: &[Report]) -> Result<Report> {
    let refused =
        |value: &dyn fmt::Display, rule: &str| Err(Error::invalid("reports", value, rule));
    let Some(first) = reports.first() else {
        return refused(&"none", "must be one for each shard of a job");
    };
    let Some(job) = &first.job else {
        return refused(&"one without a job", "must each name the job");
    };
    let count = first.shard.as_ref().map_or(1, Shard::count);
    for report in reports {
        if let Some(other) = report.job.as_ref().filter(|other| *other != job) {
            return refused(other, &format!("is another job than {job}"));
        }
        if report.job.is_none() {
            return refused(&"one without a job", "must each name the job");
        }
        let its = report.shard.as_ref().map_or(1, Shard::count);
        if its != count {
            let rule =
                format!("is the number of shards of one report, and {count} that of another");
            return refused(&its, &rule);
        }
    }
    let index = |report: &Report| report.shard.as_ref().map_or(0, Shard::index);
    if let Some(pair) = reports.windows(2).find(|pair| index(&pair[0]) == index(&pair[1])) {
        return refused(&format!("{}/{count}", index(&pair[0])), "is a shard that is there twice");
    }
    if let Some(missing) = (0..count)
        .zip(reports.iter().map(Some).chain(iter::repeat(None)))
        .find_map(|(wanted, report)| (report.map(index) != Some(wanted)).then_some(wanted))
    {
        return refused(&format!("{missing}/{count}"), "is a shard that is missing");
    }
    let range = |report: &Report| report.shard.as_ref().and_then(Shard::range).cloned();
    let adjoin = |pair: &[Report]| match (range(&pair[0]), range(&pair[1])) {
        (None, None) => true,
        (Some(before), Some(after)) => before.before == after.from,
        _ => false,
    };
    if let Some(pair) = reports.windows(2).find(|pair| !adjoin(pair)) {
        let rule = "is a shard whose names do not end where those of the next one begin";
        return refused(&format!("{}/{count}", index(&pair[0])), rule);
    }
    Ok(Report { job: first.job.clone(), ..Report::default() })
}

/// Why a blob was not copied, deleted or moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The blob's name in the source container, redacted.
    pub name: String,
    /// The source's URL, without its query.
    pub source: String,
    /// The destination's URL, without its query.
    pub destination: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The service's code, if it refused a request.
    pub code: Option<String>,
    /// The message of the error.
    pub message: String,
    /// The service's id of the refused request.
    pub request_id: Option<String>,
    /// Whether another run may succeed. If none of the failures of a job can be mended, running it
    /// again is pointless.
    pub may_be_mended: bool,
}

/// Outcomes as a list of pairs: JSON knows no keys but text.
pub(super) mod counts {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Outcome;

    #[derive(Serialize, Deserialize)]
    struct Count {
        outcome: Outcome,
        blobs: u64,
    }

    pub(in crate::jobs) fn serialize<S: Serializer>(
        counts: &BTreeMap<Outcome, u64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(counts.iter().map(|(&outcome, &blobs)| Count { outcome, blobs }))
    }

    pub(in crate::jobs) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<BTreeMap<Outcome, u64>, D::Error> {
        let counts = Vec::<Count>::deserialize(from)?;
        Ok(counts.into_iter().map(|count| (count.outcome, count.blobs)).collect())
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
