//! The routes of a job: each carries one blob to its destination.
//!
//! A route takes a [`Task`](super::task::Task) and gives [`Carried`](super::task::Carried), or says
//! in [`NotCarried`] why the blob is not there yet. What it needs to go on after a crash lies at the
//! destination: staged blocks, or pages and a [`Mark`](mark::Mark).

pub(crate) mod kept;
pub(crate) mod mark;
mod not_carried;

pub(crate) use self::not_carried::{NotCarried, Why};
