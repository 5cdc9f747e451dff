//! What became of one blob of a job.

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
    /// The source was modified during each of three attempts.
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
    /// Another type than the blob that exists at the destination.
    OtherType,
    /// The destination has uncommitted blocks of another tool, which cannot be removed.
    ForeignBlocks,
    /// Encrypted with a key of the customer's, which the job does not have.
    CustomerKey,
}
