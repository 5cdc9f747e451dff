//! What a run did.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Outcome, Route};

/// What a run of a job did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// How many blobs had each outcome.
    #[serde(with = "counts")]
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How many blobs were copied by each route.
    pub routes: BTreeMap<Route, u64>,
    /// The bytes that the service copied for this run.
    pub bytes: u64,
    /// The requests of this run, retries included.
    pub requests: u64,
    /// How many of them were retries.
    pub retries: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// The blobs that were not copied: the first 10,000 of them.
    pub failed: Vec<Failure>,
}

impl Report {
    /// The most failures that [`failed`](Self::failed) holds. All are counted, and all are events.
    pub const MOST_FAILURES: usize = 10_000;

    /// How many blobs had this outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }
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
mod counts {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Outcome;

    #[derive(Serialize, Deserialize)]
    struct Count {
        outcome: Outcome,
        blobs: u64,
    }

    pub(super) fn serialize<S: Serializer>(
        counts: &BTreeMap<Outcome, u64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(counts.iter().map(|(&outcome, &blobs)| Count { outcome, blobs }))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<BTreeMap<Outcome, u64>, D::Error> {
        let counts = Vec::<Count>::deserialize(from)?;
        Ok(counts.into_iter().map(|count| (count.outcome, count.blobs)).collect())
    }
}
