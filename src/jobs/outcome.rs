//! What became of one blob of a job.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What became of one blob of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// Copied by this run.
    Copied,
    /// A copy that an earlier run had started, followed to its success.
    Adopted,
    /// The destination already was the same.
    Same,
    /// The destination exists, and [`Overwrite`](super::Overwrite) leaves it as it is.
    Kept,
    /// The copy is proved and the source deleted.
    Moved,
    /// The copy is proved, but the source was not deleted: it has snapshots, it was modified after
    /// the copy, or source and destination are one blob.
    SourceKept,
    /// At the destination only, and left there.
    Extra,
    /// At the destination only, and deleted.
    Deleted,
    /// Not copied, for a reason that lies in the blob.
    Skipped(Skipped),
    /// The source was modified again and again: it was taken anew three times.
    Changed,
    /// The source was deleted during the run.
    Vanished,
    /// The copy failed; a [`Failure`](super::Failure) says why.
    Failed,
}

/// Why a job does not copy a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Skipped {
    /// The source is in the archive tier and must be rehydrated first.
    Archived,
    /// The destination of incremental copies: mirrors of disks copy these.
    IncrementalCopy,
    /// A marker blob `*.blobcopy`, which a mirror of a disk uses.
    Marker,
    /// The stub of a directory, in accounts with a hierarchical namespace.
    Directory,
    /// A name that cannot be used at the destination.
    Name,
    /// Its name at the destination is one of the source's: both are in one container, and the copy
    /// would overwrite a blob that the job copies too.
    Overlap,
    /// Another type than the blob that exists at the destination.
    OtherType,
    /// The destination has uncommitted blocks of another tool, which cannot be removed.
    ForeignBlocks,
    /// The source is the destination of a copy that is still pending, so its content is not there
    /// yet.
    PendingCopy,
    /// Encrypted with a key of the customer's, which the job does not have.
    CustomerKey,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Copied => "copied",
            Self::Adopted => "copied, begun by an earlier run",
            Self::Same => "the same",
            Self::Kept => "kept",
            Self::Moved => "moved",
            Self::SourceKept => "copied, source kept",
            Self::Extra => "extra at the destination",
            Self::Deleted => "deleted at the destination",
            Self::Skipped(why) => why.as_str(),
            Self::Changed => "modified again and again",
            Self::Vanished => "deleted at the source meanwhile",
            Self::Failed => "failed",
        })
    }
}

impl Skipped {
    fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "skipped: archived",
            Self::IncrementalCopy => "skipped: destination of incremental copies",
            Self::Marker => "skipped: marker of a disk mirror",
            Self::Directory => "skipped: stub of a directory",
            Self::Name => "skipped: unusable name",
            Self::Overlap => "skipped: it would overwrite another source",
            Self::OtherType => "skipped: another blob type at the destination",
            Self::ForeignBlocks => "skipped: uncommitted blocks of another tool",
            Self::PendingCopy => "skipped: a copy into the source is pending",
            Self::CustomerKey => "skipped: encrypted with a customer-provided key",
        }
    }
}
