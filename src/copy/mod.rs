//! What the crate exists for: a copy's source, its start, its watch, and its end.

pub(crate) mod abort;
pub(crate) mod operation;
pub(crate) mod pace;
pub(crate) mod pending;
pub(crate) mod start;
mod start_once;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod wait;
mod watch;

pub use self::{
    abort::{AbortOutcome, AbortPendingCopy},
    operation::CopyFromUriOperation,
    pending::ResumePendingCopy,
    start::{StartCopyFromUri, StartCopyIncremental},
    token::CopyToken,
    wait::{ProgressStream, Wait},
};
