//! `blobcopy copy -r SOURCE/ DEST/`: all blobs of a container or folder.

use blobcopy::jobs::{CopyJob, JobFile, Outcome, Plan, Report};
use serde::Serialize;

use super::{
    Copy,
    follow::{Follow, shown},
    job_args::{JobArgs, Places},
    shard,
};
use crate::{
    Session,
    exit::Exit,
    failure::{Failure, Result},
    input,
    interrupt::Onward,
    output::{Format, Printer, pairs},
    receipts,
};

pub(super) async fn run(args: Copy, session: &Session) -> Result {
    let (printer, flags) = (&session.printer, &args.job);
    let file = match &flags.job {
        Some(path) => Some(read_job_file(path).await?),
        None => None,
    };
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let shard = match flags.plan && flags.shard.is_none() {
        true => None,
        false => shard::chosen(flags.shard.as_deref(), file.as_ref(), variable)?,
    };
    let named = (args.source.as_str(), args.dest.as_str());
    let places =
        Places::new(named, &args.account, &args.source_account, &args.calls, printer).await?;
    let mut job = flags.job(&places);
    job = match (&file, shard) {
        (Some(file), Some(shard)) => job.part_of(file, shard.index())?,
        (_, Some(shard)) => job.shard(shard),
        (_, None) => job,
    };
    if let Some(path) = &flags.receipts {
        job = job.receipts(receipts::read(path).await?);
    }
    if flags.plan {
        return plan(&job, flags, printer).await;
    }
    let (source, dest) = (places.source.shown(), places.dest.shown());
    let verb = if flags.moves { "Move" } else { "Copy" };
    if !args.changes.allows(printer, &format!("{verb} the blobs of {source} to {dest}")).await? {
        return Ok(());
    }
    let mut follow = Follow::new(printer, flags.report.as_deref())?;
    session.interrupt.goes_on(Onward::again("the copies that are under way go on"));
    let ended = job.run().on_event(|event| follow.event(event)).await;
    let written = follow.ended();
    let report = ended.map_err(Failure::from)?;
    written?;
    // As JSON lines, the report was the last event.
    if printer.format() != Format::Jsonl {
        printer.record(&report, || text(&report))?;
    }
    judged(&report, follow.mendable, follow.hopeless, flags)
}

async fn read_job_file(path: &str) -> Result<JobFile> {
    let text = input::text(path).await?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(
            format!("{path} is not a job file: {error}"),
            "write one with blobcopy copy -r SOURCE DEST --plan --shards N",
        )
    })
}

/// What a plan adds to its fields.
#[derive(Serialize)]
struct Planned<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    requests: u64,
    bytes: u64,
    /// The least time at the limits of the flags.
    seconds: u64,
}

async fn plan(job: &CopyJob, flags: &JobArgs, printer: &Printer) -> Result {
    let requests = flags.requests_per_second.unwrap_or(20_000);
    let bytes = flags.bytes_per_second.unwrap_or(u64::MAX);
    let told = |plan: &Plan| {
        let time = plan.time(u64::from(requests), bytes);
        format!("{plan}\nat least {} at {requests} requests a second", shown(time))
    };
    if let Some(shards) = flags.shards {
        let file = job.cut(shards).await?;
        let text = serde_json::to_string_pretty(&file).expect("names are text");
        return printer.write(&text);
    }
    let plan = job.plan().await?;
    let seconds = plan.time(u64::from(requests), bytes).as_secs();
    let (requests, bytes) = (plan.requests(), plan.bytes());
    printer.record(&Planned { plan: &plan, requests, bytes, seconds }, || told(&plan))
}

/// The report for people.
fn text(report: &Report) -> String {
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

/// What the run leaves, and whether another one may mend it.
fn judged(report: &Report, mendable: u64, hopeless: u64, flags: &JobArgs) -> Result {
    let extra = report.count(Outcome::Extra);
    if flags.delete && extra > 0 && mendable == 0 {
        return Err(Failure::new(
            Exit::Hopeless,
            format!(
                "{extra} blobs are only at the destination, more than --max-delete allows: none \
                 was deleted"
            ),
            "look at them with `blobcopy check`, and allow as many if they are to go",
        ));
    }
    let (left, exit, advice) = match (mendable, hopeless) {
        (0, 0) => return Ok(()),
        (0, left) => (left, Exit::Hopeless, "mend what the failures name: another run cannot"),
        (some, more) => {
            (some + more, Exit::Unfinished, "run the same command again: what is done stays done")
        }
    };
    let blobs = if left == 1 { "blob was" } else { "blobs were" };
    Err(Failure::new(exit, format!("{left} {blobs} not copied"), advice))
}
