//! Copies: starting them, watching them, and learning how they ended.

// This order is the order of the methods on the page of `CopyFromUriOperation`.
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
