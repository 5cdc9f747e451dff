//! The record of the last copy into a blob.

use time::OffsetDateTime;

/// The last copy into a blob, as its properties report it.
#[derive(Debug, Clone)]
pub(crate) struct CopyRecord {
    pub(crate) id: String,
    /// As it is returned, which may differ from what was sent.
    pub(crate) source: String,
    pub(crate) status: Status,
    pub(crate) copied: u64,
    pub(crate) total: u64,
    pub(crate) completed_on: Option<OffsetDateTime>,
    pub(crate) description: Option<String>,
    pub(crate) destination_snapshot: Option<String>,
}

/// The state of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Success,
    Aborted,
    Failed,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }
}
