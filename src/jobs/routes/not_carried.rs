//! Why a route did not carry a blob.

use http::StatusCode;

use crate::{Error, ErrorCode, ServiceError, SnapshotId, jobs::Skipped};

/// Why a route did not carry a blob, and the error that says so, if there is one.
#[derive(Debug)]
pub(crate) struct NotCarried {
    pub(crate) why: Why,
    pub(crate) error: Option<Box<Error>>,
    /// A snapshot of the source that was taken for the copy and could not be deleted.
    pub(crate) left_behind: Option<SnapshotId>,
}

/// What the run does next about a blob that was not carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The source no longer has the ETag of the listing: read it again and start over.
    SourceChanged,
    /// The source was deleted.
    SourceGone,
    /// The destination is not as the listing had it, or another run writes it: read it again and
    /// decide again.
    DestinationChanged,
    /// The blob cannot be copied, for a reason that lies in it.
    Skipped(Skipped),
    /// Anything else: the error says whether another attempt can help.
    Failed,
}

impl NotCarried {
    /// A reason for which there is no error.
    pub(crate) fn because(why: Why) -> Self {
        Self { why, error: None, left_behind: None }
    }

    /// The same, with a snapshot that is left behind, if there is one.
    pub(crate) fn beside(self, left_behind: Option<SnapshotId>) -> Self {
        Self { left_behind: left_behind.or(self.left_behind), ..self }
    }

    /// The reason behind an error of a request to the source.
    pub(crate) fn at_source(error: Error) -> Self {
        let why = match service(&error) {
            Some(refusal) if is_gone(refusal.status, Some(&refusal.code)) => Why::SourceGone,
            Some(refusal) if refusal.status == StatusCode::PRECONDITION_FAILED => {
                Why::SourceChanged
            }
            _ => Why::Failed,
        };
        Self { why, error: Some(Box::new(error)), left_behind: None }
    }

    /// The reason behind an error of a request to the destination, which may read the source.
    pub(crate) fn at_destination(error: Error) -> Self {
        let why = service(&error).map_or(Why::Failed, why);
        Self { why, error: Some(Box::new(error)), left_behind: None }
    }
}

impl From<Error> for NotCarried {
    fn from(error: Error) -> Self {
        Self::at_destination(error)
    }
}

fn service(error: &Error) -> Option<&ServiceError> {
    match error {
        Error::Service(refusal) => Some(refusal),
        _ => None,
    }
}

/// Whether the source or destination was refused, and for which reason. The codes of source
/// conditions differ between operations and service versions, the status does not.
fn why(refusal: &ServiceError) -> Why {
    use ErrorCode::*;
    let unmet = refusal.status == StatusCode::PRECONDITION_FAILED;
    match &refusal.code {
        CannotVerifyCopySource => {
            let status = refusal.source_status.unwrap_or(refusal.status);
            match status {
                StatusCode::PRECONDITION_FAILED | StatusCode::NOT_MODIFIED => Why::SourceChanged,
                status if is_gone(status, refusal.source_code.as_ref()) => Why::SourceGone,
                // The source is shorter than the range that was listed.
                StatusCode::RANGE_NOT_SATISFIABLE => Why::SourceChanged,
                _ => Why::Failed,
            }
        }
        SourceConditionNotMet => Why::SourceChanged,
        ConditionNotMet | TargetConditionNotMet | SequenceNumberConditionNotMet if unmet => {
            Why::DestinationChanged
        }
        // The destination was deleted, or its blocks were committed or discarded by another.
        BlobAlreadyExists | BlobNotFound | InvalidBlockList => Why::DestinationChanged,
        // Block ids of another length were staged.
        InvalidBlobOrBlock => Why::Skipped(Skipped::ForeignBlocks),
        InvalidBlobType => Why::Skipped(Skipped::OtherType),
        BlobArchived => Why::Skipped(Skipped::Archived),
        _ => Why::Failed,
    }
}

/// Whether the service itself says that a blob is not there. A 404 without its code may come from a
/// proxy.
fn is_gone(status: StatusCode, code: Option<&ErrorCode>) -> bool {
    use ErrorCode::{BlobNotFound, ContainerNotFound, ResourceNotFound};
    status == StatusCode::NOT_FOUND
        && matches!(code, Some(BlobNotFound | ContainerNotFound | ResourceNotFound))
}
