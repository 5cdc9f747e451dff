//! One hop of the route by ranges: from the content of one source snapshot to that of another.
//!
//! 1. The base blob is [claimed](claim): its metadata say from what to what the hop goes, it is
//!    [leased](hold), and its sequence number is raised. Nobody else can write to it, and no write
//!    of an earlier run can land any more.
//! 2. [Changes](changes) are read as one stream in the order of addresses: what the source says has
//!    changed between the two snapshots, and what was written to the base since its own snapshot of
//!    the first. The second part is empty, unless a hop was torn, or somebody else wrote while no
//!    run was at work.
//! 3. They are [written](write) in windows. At the end of each the metadata note how far all is
//!    done.
//! 4. The base is [sealed](seal): a snapshot of it is taken, and the metadata say what it equals.
//!
//! **What may land late, or twice, and why it does no harm.** Every request that changes the base
//! but those of pages depends on the ETag at which this run has seen its own note in the metadata;
//! the first thing that another run does is to change it. Writes of pages depend on the sequence
//! number of the hop. Within a hop, all writes of a page have the same content, that of a snapshot.
//! A snapshot of the base may be taken twice: the second is found and deleted before the note that
//! a snapshot is being taken goes.
//!
//! **What the note says.** All before `done` equals the snapshot `to`, whether everything is copied
//! or only a difference: so a hop can go on in the other way. All after it equals `equals`, but for
//! pages that were written since the base's snapshot of that.
//!
//! A list of changes cannot tell what somebody else writes before `done` from what the hop wrote
//! there. So a torn hop goes on at `done` only if its lease could be renewed, which proves that
//! nobody has written meanwhile. Otherwise all is looked at again.

mod base;
mod changes;
mod claim;
mod cost;
mod fill;
mod hold;
mod listing;
mod reading;
mod seal;
mod snapshots;
mod stored;
mod torn;
mod write;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use self::{
    claim::{Claim, Claimed},
    reading::Reading,
    snapshots::Copy,
    torn::Torn,
};
pub(crate) use self::{cost::cost, fill::fill, hold::Hold, torn::is_changed};
use super::{MirrorError, SourceSnapshot, lineage::Point, source::Opened};
use crate::{Error, PageBlobClient, SnapshotId};

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
    /// The destination's snapshot of `from`, if this run has taken it: it is not listed again, in
    /// a chain that may be long.
    pub(crate) last: Option<Copy>,
    /// How many requests are in flight.
    pub(crate) in_flight: usize,
    /// Is told how far the hop has come.
    pub(crate) progress: Arc<HopProgress>,
    /// The lock: looked at before each request that changes something.
    pub(crate) lock: Option<Arc<dyn HeldLock>>,
    /// The lease on the base, for all hops of a run.
    pub(crate) hold: Arc<Hold>,
}

/// A lock that this run holds, unless it was lost.
pub(crate) trait HeldLock: fmt::Debug + Send + Sync {
    /// [`MirrorError::LockLost`] if it was.
    fn check(&self) -> Result<(), MirrorError>;
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
    /// Its length.
    pub(crate) length: u64,
    /// The bytes that this run wrote.
    pub(crate) written: u64,
    /// The bytes that this run cleared.
    pub(crate) cleared: u64,
    /// Whether everything was copied, and not only a difference.
    pub(crate) whole: bool,
    /// Whether a torn hop was gone on with.
    pub(crate) resumed: bool,
    /// The names of the source snapshot's metadata that its copy could not get.
    pub(crate) left: Vec<String>,
}

impl Sealed {
    /// Its snapshot, as the next hop begins with it.
    pub(crate) fn copy_of(&self, source: &SourceSnapshot) -> Copy {
        let snapshot = self.snapshot.clone();
        Copy { snapshot, equals: Point::from(source), length: self.length }
    }
}

/// What a hop would move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HopCost {
    /// The bytes to write.
    pub(crate) written: u64,
    /// The bytes to clear.
    pub(crate) cleared: u64,
    /// Of these, the bytes that are put right since somebody else has written them.
    pub(crate) mended: u64,
    /// Why everything is copied, if that is so.
    pub(crate) whole: Option<String>,
}

/// How often a step is tried against late requests of torn runs.
const ATTEMPTS: usize = 16;

/// Carries out a hop, or goes on with a torn one. The base stays leased: the caller releases the
/// hold after its last hop.
pub(crate) async fn carry(hop: Hop) -> Result<Sealed, MirrorError> {
    match Box::pin(carry_on(&hop)).await {
        Err(MirrorError::Call(error)) if hold::is_refused(&error) => {
            Err(Box::pin(explained(&hop, error)).await)
        }
        carried => carried,
    }
}

/// Why the lease of this run no longer counts.
async fn explained(hop: &Hop, refused: Error) -> MirrorError {
    if let Some(Err(lost)) = hop.lock.as_ref().map(|lock| lock.check()) {
        return lost;
    }
    let found = claim::look(hop).await.ok().flatten();
    match found.and_then(|(_, lineage)| lineage.lease) {
        Some(id) if id != hop.hold.id() => torn::taken_over(&hop.destination, refused),
        _ => hold::lost(&hop.destination, &refused),
    }
}

async fn carry_on(hop: &Hop) -> Result<Sealed, MirrorError> {
    let reading = Arc::new(Reading::of(&hop.to, hop.from.as_ref()));
    let seen = reading.properties().await?;
    let length = seen.content_length;
    let mut refused = None;
    let mut moved = write::Moved::default();
    let mut is_resumed = None;
    loop {
        let mut claim = match Claim::take(hop, &seen, refused.clone()).await? {
            Claimed::ToDo(claim) => claim,
            Claimed::Sealed(snapshot) => {
                let (written, cleared) = (moved.written, moved.cleared);
                let (whole, resumed, left) = (false, true, Vec::new());
                return Ok(Sealed { snapshot, length, written, cleared, whole, resumed, left });
            }
        };
        // Of the first claim: a second one finds the hop of this run.
        let resumed = *is_resumed.get_or_insert(claim.is_resumed);
        match Box::pin(claim.write(hop, &reading, &mut moved)).await {
            Ok(()) => {}
            Err(Torn::Failed(error)) => return Err(error),
            Err(Torn::DiffRefused(code)) if refused.is_none() => {
                refused = Some(code);
                continue;
            }
            Err(Torn::DiffRefused(code)) => {
                let why = format!("the service refuses to list its pages: {code}");
                return Err(MirrorError::refused(&hop.to.snapshot, why));
            }
        }
        let whole = claim.whole.is_some();
        let seal::Taken { snapshot, left } = Box::pin(claim.seal()).await?;
        let (written, cleared) = (moved.written, moved.cleared);
        return Ok(Sealed { snapshot, length, written, cleared, whole, resumed, left });
    }
}
