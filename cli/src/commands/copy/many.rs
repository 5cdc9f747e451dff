//! `blobcopy copy -r SOURCE/ DEST/`: all blobs of a container or folder.

use blobcopy::jobs::{CopyJob, JobFile, Outcome, Plan, Report};
use serde::Serialize;

use super::{
    Copy,
    ended::{Counted, Left, text},
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
    output::{Format, Printer},
    receipts,
};

/// What to do about one blob.
const ONE: &str = "one blob is copied without -r";

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
        Places::new(named, &args.account, &args.source_account, &args.calls, printer, ONE).await?;
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
        return match plan(&job, flags, printer).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(places.about(failure).await),
        };
    }
    let (source, dest) = (places.source.shown(), places.dest.shown());
    let mut what = format!("Copy the blobs of {source} to {dest}");
    if flags.moves {
        what.push_str(", and delete each source that is copied");
    }
    if let Some(most) = flags.max_delete {
        what.push_str(&format!(", and delete at most {most} that only {dest} has"));
    }
    if !args.changes.allows(printer, &what).await? {
        return Ok(());
    }
    let mut follow = Follow::new(printer, flags.report.as_deref())?;
    session.interrupt.goes_on(Onward::again("the copies that are under way go on"));
    let unread = follow.unread();
    let running = job.run().on_event(|event| follow.event(event)).into_future();
    let ended = tokio::select! {
        biased;
        ended = running => ended.map_err(Failure::from),
        () = unread.notified() => Err(Failure::Unread),
    };
    let written = follow.ended();
    let report = match ended {
        Ok(report) => report,
        Err(failure) => {
            return Err(places.about(failure).await);
        }
    };
    // As JSON lines, the report was the last event.
    let shown = match printer.format() {
        Format::Jsonl => Ok(()),
        _ => printer.record(&report, || text(&report)),
    };
    for unsaid in [written, shown].into_iter().filter_map(std::result::Result::err) {
        // What is left is told even if nobody reads the report.
        if !matches!(unsaid, Failure::ClosedPipe) {
            return Err(unsaid);
        }
    }
    judged(&report, follow.left, flags)
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

/// What the run leaves, and whether another one may mend it.
fn judged(report: &Report, left: Left, flags: &JobArgs) -> Result {
    let extra = report.count(Outcome::Extra);
    if flags.delete && extra > 0 && left.mendable == 0 {
        let (extra, is) = (Counted(extra, "blob"), if extra == 1 { "is" } else { "are" });
        return Err(Failure::new(
            Exit::Hopeless,
            format!(
                "{extra} {is} only at the destination, more than --max-delete allows: none was \
                 deleted"
            ),
            "look at them with `blobcopy check`, and allow as many if they are to go",
        ));
    }
    left.judged(report)
}
