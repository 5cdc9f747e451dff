//! What a run of a fleet tells while it works.

use serde::{Deserialize, Serialize};

use super::{
    super::{MirrorEvent, MirrorVerification},
    report::{FleetDisk, FleetReport},
};

/// Something that happened in a run of a [`MirrorFleet`](super::MirrorFleet).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FleetEvent {
    /// A disk is begun.
    Started {
        /// Its number, from 0, in the order in which disks are begun.
        disk: u64,
        /// The source: a URL without a query, or a disk's unique id.
        source: String,
        /// The destination's URL, without its query.
        destination: String,
    },
    /// Something happened in the mirror of a disk.
    Disk {
        /// The disk's number.
        disk: u64,
        /// What happened.
        of: MirrorEvent,
    },
    /// The snapshots of a disk were compared with the source's.
    Verified {
        /// The disk's number.
        disk: u64,
        /// What was found, with the receipts.
        found: Box<MirrorVerification>,
    },
    /// A disk is done with: mirrored, or failed.
    Finished {
        /// The disk's number; `None` if it could not be begun.
        disk: Option<u64>,
        /// What became of it.
        outcome: Box<FleetDisk>,
    },
    /// A page blob of the container is not mirrored.
    Left(LeftBlob),
    /// The run has ended; the last event.
    Ended(Box<FleetReport>),
}

/// A page blob that is not mirrored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftBlob {
    /// Its URL, without its query.
    pub source: String,
    /// Why, in words.
    pub because: String,
}
