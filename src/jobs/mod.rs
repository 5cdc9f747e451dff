//! Many copies: a container or prefix copied to another, watched, and proved.
//!
//! All state lives in the service: there is no plan file and no journal. A job that stopped is
//! resumed by running it again; what is already there is not copied again.
//!
//! | to do this | use |
//! | --- | --- |
//! | copy a container or prefix, or see what that would take | [`CopyJob`] |
//! | choose what happens to blobs that exist | [`Overwrite`] |
//! | run a job on several machines | [`Shard`], [`JobFile`] and [`Report::merge`] |
//! | follow many copies to their ends | [`CopyWatch`] |
//! | limit requests and bytes per second | [`Budget`] |
//! | follow a run | [`JobEvent`], [`Progress`] |
//! | see what a run did | [`Report`] |
//! | compare two blobs without downloading them | [`verify`](verify()) |
//! | remove what an interrupted comparison left | [`remove_scratch`] |
//! | keep what proves a copy | [`Receipt`], [`Receipts`] |
//!
//! A job is written with the methods of the clients alone, so everything it does a program could do
//! too.
//!
//! # Spans, events and counters
//!
//! A run reports to [`tracing`](https://docs.rs/tracing), with the target `blobcopy::jobs`. No field
//! holds a secret.
//!
//! | span or event | level | fields |
//! | --- | --- | --- |
//! | span `copy_job` | info | `source`, `destination`, `shard` |
//! | span `copy_blob`, within it | debug | `blob`, `route`, `length` |
//! | event `blob finished` | debug | `blob`, `outcome`, `bytes` |
//! | event `blob failed` | warn | `blob`, `outcome`, `code`, `request_id`, `error` |
//! | event `job ended` | info | `blobs`, `failed`, `bytes`, `requests`, `retries`, `elapsed` |
//!
//! The requests of a blob report within its span, with the target `blobcopy::pipeline::send`:
//! `answered` (debug; `operation`, `method`, `url`, `attempt`, `status`, `request_id`) and `trying
//! again` (debug; `operation`, `wait`, `error`).
//!
//! [`Progress`] counts the blobs and bytes of a run that are done, and [`Budget::requests`],
//! [`Budget::retries`], [`Budget::throttled`] and [`Budget::bytes`] can be read at any time.

mod attempt;
mod check;
mod content;
mod copy_job;
mod cut;
mod decide;
mod engine;
mod event;
mod extra;
mod feed;
mod fingerprint;
mod index;
mod job_file;
mod join;
mod moved;
mod not_kept;
mod order;
mod outcome;
mod overwrite;
mod patience;
mod plan;
mod receipt;
mod report;
mod route;
mod routes;
mod run;
mod safety;
mod same;
mod shard;
mod stopwatch;
mod tally;
mod task;
mod trace;
mod verify;
mod watch;

pub(crate) use self::verify::{RangeList, Union, WholeCrc64, crc64_of};
pub use self::{
    check::{CheckJob, CheckReport, DifferenceLine},
    copy_job::CopyJob,
    cut::CutJob,
    event::{Finished, JobEvent, Progress},
    fingerprint::Fingerprint,
    job_file::JobFile,
    not_kept::NotKept,
    outcome::{Outcome, Skipped},
    overwrite::Overwrite,
    plan::{Plan, PlanJob, Planned},
    receipt::{Proof, ProvenRange, RangeChecksum, Receipt, Receipts},
    report::{Failure, Report},
    route::Route,
    run::{JobEvents, RunJob},
    same::Difference,
    shard::Shard,
    verify::{
        Differences, IdenticalContent, ScratchLeft, Side, Unverifiable, UnverifiableReason,
        Verdict, Verified, Verify, remove_scratch, verify,
    },
    watch::{CopyWatch, WatchEvent, WatchEvents, WatchRound, WatchSummary, WatchedCopy},
};
pub use crate::pipeline::budget::Budget;
