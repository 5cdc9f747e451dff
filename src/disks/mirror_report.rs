//! What a run of a mirror tells while it works, and what it did.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ChainSnapshot, LeftSnapshot, LockWait, MirrorPlan, MirrorRoute, MirrorWarning, SourceSnapshot,
};
use crate::CopyId;

/// Something that happened in a run of a [`SnapshotMirror`](super::SnapshotMirror).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MirrorEvent {
    /// What the run will do; the first event after [`Waiting`](Self::Waiting). It comes again if a
    /// copy by somebody else has changed what is left.
    Planned(Box<MirrorPlan>),
    /// Another run holds the lock; this one waits, as it was told to. It comes when the wait begins
    /// and once a minute.
    Waiting(LockWait),
    /// The copy of a source snapshot begins.
    HopStarted {
        /// Which hop of the last plan, from 0.
        hop: usize,
        /// The snapshot.
        snapshot: SourceSnapshot,
    },
    /// How far a hop has come; at most ten times a second.
    HopProgress {
        /// Which hop of the last plan, from 0.
        hop: usize,
        /// The bytes that were written, or that the service says it copied.
        written: u64,
        /// How much of the hop is done, from 0 to 1.
        fraction: f64,
    },
    /// A source snapshot is at the destination.
    HopDone(Box<HopDone>),
    /// Something to look after.
    Warning(MirrorWarning),
    /// The run has ended; the last event.
    Ended(Box<MirrorReport>),
}

/// A snapshot that was copied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HopDone {
    /// The source snapshot.
    pub source: SourceSnapshot,
    /// The destination's snapshot that equals it.
    pub destination: ChainSnapshot,
    /// The bytes that this run wrote; by Incremental Copy Blob, the size of the difference.
    pub bytes: u64,
    /// The bytes that this run cleared.
    pub cleared: u64,
    /// Whether everything was copied, and not only a difference.
    pub whole: bool,
    /// Whether it goes on with what an earlier run had begun.
    pub resumed: bool,
    /// The copy's id, by Incremental Copy Blob.
    pub copy_id: Option<CopyId>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MirrorReport {
    /// The destination's URL, without its query.
    pub destination: String,
    /// How it was copied.
    pub route: MirrorRoute,
    /// What was copied, oldest first.
    pub hops: Vec<HopDone>,
    /// The snapshots of the source that the destination had before.
    pub present: u64,
    /// Source snapshots that are neither there nor copied, with why.
    #[serde(default)]
    pub left: Vec<LeftSnapshot>,
    /// The bytes of all hops.
    pub bytes: u64,
    /// The requests of this run with the clients of the source and the destination, retries
    /// included.
    pub requests: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// What to look after.
    pub warnings: Vec<MirrorWarning>,
}
