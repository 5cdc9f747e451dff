//! Why a hop stops.

use super::super::MirrorError;
use crate::{Error, ErrorCode, PageBlobClient};

/// Why a hop stops on its way.
#[derive(Debug)]
pub(super) enum Torn {
    /// The service does not tell the difference between two snapshots: everything can be copied.
    DiffRefused(String),
    /// The next run goes on.
    Failed(MirrorError),
}

impl From<MirrorError> for Torn {
    fn from(error: MirrorError) -> Self {
        Self::Failed(error)
    }
}

impl From<Error> for Torn {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Whether the blob has changed since its ETag was seen.
pub(crate) fn is_changed(error: &Error) -> bool {
    use ErrorCode::{ConditionNotMet, TargetConditionNotMet};
    matches!(error.code(), Some(ConditionNotMet | TargetConditionNotMet))
}

/// The reason behind the error of a write of pages: another run may have raised the number.
pub(super) fn of_write(blob: &PageBlobClient, error: Error) -> Torn {
    match error.code() {
        Some(ErrorCode::SequenceNumberConditionNotMet) => taken_over(blob, error).into(),
        _ => error.into(),
    }
}

/// Another run writes to the blob.
pub(super) fn taken_over(blob: &PageBlobClient, cause: Error) -> MirrorError {
    let destination = match blob.url() {
        Ok(mut url) => {
            url.set_query(None);
            url.to_string()
        }
        Err(_) => blob.name().to_owned(),
    };
    MirrorError::LockLost { destination, cause }
}
