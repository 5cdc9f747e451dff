//! One hop of the route by ranges: from the content of one source snapshot to that of another.

use std::sync::Arc;

use super::{MirrorError, source::Opened};
use crate::{PageBlobClient, SnapshotId};

/// One hop, for the run that holds the destination's lock.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    /// The base blob of the destination. It is created if it does not exist.
    pub(crate) destination: PageBlobClient,
    /// The source's unique id, for the lineage.
    pub(crate) source: String,
    /// The snapshot that the destination equals, if the source still has it.
    pub(crate) from: Option<Opened>,
    /// The snapshot that it shall equal.
    pub(crate) to: Opened,
    /// How many requests are in flight.
    pub(crate) in_flight: usize,
    /// Is told how far the hop has come.
    pub(crate) progress: Arc<HopProgress>,
}

/// How far a hop has come: read it at any time.
#[derive(Debug, Default)]
pub(crate) struct HopProgress {
    /// Bytes written so far, by this run.
    pub(crate) written: std::sync::atomic::AtomicU64,
    /// Bytes cleared so far, by this run.
    pub(crate) cleared: std::sync::atomic::AtomicU64,
    /// All before this offset is done.
    pub(crate) at: std::sync::atomic::AtomicU64,
    /// The length of the snapshot.
    pub(crate) of: std::sync::atomic::AtomicU64,
}

/// A hop that is done and sealed by a snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    /// The snapshot of the destination.
    pub(crate) snapshot: SnapshotId,
    /// The bytes that this run wrote.
    pub(crate) written: u64,
    /// The bytes that this run cleared.
    pub(crate) cleared: u64,
    /// Whether everything was copied, and not only a difference.
    pub(crate) whole: bool,
    /// Whether a torn hop was gone on with.
    pub(crate) resumed: bool,
}

/// What a hop would move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HopCost {
    /// The bytes to write.
    pub(crate) written: u64,
    /// The bytes to clear.
    pub(crate) cleared: u64,
    /// Why everything is copied, if that is so.
    pub(crate) whole: Option<String>,
}

/// What the hop would move, without changing anything.
pub(crate) async fn cost(hop: &Hop) -> Result<HopCost, MirrorError> {
    Err(MirrorError::refused(&hop.source, "cannot be planned by ranges yet"))
}

/// Carries out a hop, or goes on with a torn one.
pub(crate) async fn carry(hop: Hop) -> Result<Sealed, MirrorError> {
    Err(MirrorError::refused(&hop.source, "cannot be mirrored by ranges yet"))
}

/// Fills a new page blob with the whole content of `from`: for a restore into another account.
/// The blob must not exist, unless `overwrite`. A torn one is gone on with by the next call.
pub(crate) async fn fill(
    from: Opened,
    target: PageBlobClient,
    overwrite: bool,
    in_flight: usize,
    progress: Arc<HopProgress>,
) -> Result<u64, MirrorError> {
    let _ = (from, overwrite, in_flight, progress);
    Err(MirrorError::refused(target.name(), "cannot be filled by ranges yet"))
}
