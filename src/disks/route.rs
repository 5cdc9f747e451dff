//! The ways in which a snapshot comes to the destination of a mirror.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a [mirror](super::SnapshotMirror) copies. It belongs to the destination blob, and is chosen
/// at its first copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MirrorRoute {
    /// Incremental Copy Blob, from page blob to page blob. The destination cannot be read or
    /// written, only its snapshots can.
    Incremental,
    /// Get Page Ranges for the difference, and Put Page From URL for what changed.
    ///
    /// What somebody else writes to the destination between two runs, the next one puts right.
    /// Nobody may write to it while a run is at work: that may stay in the copies, and only
    /// [`verify`](super::SnapshotMirror::verify) finds it.
    Ranges,
}

impl fmt::Display for MirrorRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Incremental => "Incremental Copy Blob",
            Self::Ranges => "changed ranges",
        })
    }
}
