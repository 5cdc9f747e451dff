//! What the crate exists for: a copy's source, its start, its watch, and its end.

// In the order in which the page of `CopyFromUriOperation` shows their methods.
pub(crate) mod operation;

pub(crate) mod wait;

pub(crate) mod abort;
pub(crate) mod pace;
pub(crate) mod pending;
pub(crate) mod start;
mod start_once;
pub(crate) mod status;
pub(crate) mod token;
mod watch;

pub use self::{
    abort::{AbortOutcome, AbortPendingCopy},
    operation::CopyFromUriOperation,
    pending::ResumePendingCopy,
    start::{StartCopyFromUri, StartCopyIncremental},
    token::CopyToken,
    wait::{ProgressStream, Wait},
};
