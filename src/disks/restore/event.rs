//! What a restore tells while it works.

use serde::Serialize;

use crate::disks::ChainSnapshot;

/// Something that happened in a [`Restore`](super::Restore) or a [`Drill`](crate::disks::Drill).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RestoreEvent {
    /// The snapshot is found, and the target may be written: the copy begins, or goes on. Or the
    /// target may be it already, and is compared.
    Started {
        /// The snapshot that is restored.
        snapshot: ChainSnapshot,
        /// The target's URL, without its query.
        target: String,
        /// The length of the disk in bytes.
        length: u64,
    },
    /// How far the copy has come; at most ten times a second.
    Progress {
        /// The bytes that were written, or that the service says it copied.
        written: u64,
        /// How much of the disk is done, from 0 to 1.
        fraction: f64,
    },
    /// The copy is complete, and is compared with the snapshot now.
    Comparing,
}
