//! `blobcopy report FILE…`: one report of all shards of a job.

use std::collections::BTreeMap;

use blobcopy::jobs::{Fingerprint, Report, Shard};
use clap::Args;
use serde_json::Value;

use super::copy::ended::{Left, text};
use crate::{
    Session,
    failure::{Failure, Result},
    input,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy report shard-*.jsonl
  blobcopy report shard-0.jsonl shard-1.jsonl --output json

It ends with 1 if another run may copy what is left, and with 42 if none can.";

/// Adds the reports of all shards of a job, and says what is left
///
/// A shard that is missing is an error. Where a file has several reports of one shard, the last of
/// them counts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reports {
    /// Files of copy --report, or of what copy wrote with --output json or jsonl; - is standard
    /// input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

impl Reports {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let mut reports = Vec::new();
        for path in &self.files {
            reports.extend(in_file(path, &input::text(path).await?)?);
        }
        let report = Report::merge(reports).map_err(|error| {
            Failure::usage(
                error.to_string(),
                "give the reports of all shards of one job, each once; run what is missing",
            )
        })?;
        session.printer.record(&report, || text(&report))?;
        Left::of(&report).judged(&report)
    }
}

/// The reports of a file: of each job and shard the last one.
fn in_file(path: &str, text: &str) -> Result<Vec<Report>> {
    let wrong = |why: &str| {
        Failure::usage(
            format!("{path} has no report: {why}"),
            "give a file that `blobcopy copy -r --report` wrote",
        )
    };
    let mut last = BTreeMap::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|error| wrong(&error.to_string()))?;
        let Some(report) = report_in(value) else { continue };
        let report: Report =
            serde_json::from_value(report).map_err(|error| wrong(&error.to_string()))?;
        let job = report.job.as_ref().map(Fingerprint::to_string);
        last.insert((job, report.shard.as_ref().map(Shard::to_string)), report);
    }
    match last.is_empty() {
        true => Err(wrong("its run has not ended, or it is another file")),
        false => Ok(last.into_values().collect()),
    }
}

/// The report in a line of `--report`, an event, or a document of its own.
fn report_in(mut value: Value) -> Option<Value> {
    match value.get_mut("report") {
        Some(report) => Some(report.take()),
        None => value.get("outcomes").is_some().then_some(value),
    }
}
