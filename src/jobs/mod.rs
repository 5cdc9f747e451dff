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
//! | limit requests and bytes per second | [`Budget`] |
//!
//! A job is written with the methods of the clients alone, so everything it does a program could do
//! too.

mod fingerprint;
mod job_file;
mod outcome;
mod overwrite;
mod report;
mod route;
#[allow(dead_code, unused_imports, reason = "the run is built on it")]
mod routes;
mod shard;
mod task;

pub use self::{
    fingerprint::Fingerprint,
    job_file::JobFile,
    outcome::{Outcome, Skipped},
    overwrite::Overwrite,
    report::{Failure, Report},
    route::Route,
    shard::Shard,
};
pub use crate::pipeline::budget::Budget;
