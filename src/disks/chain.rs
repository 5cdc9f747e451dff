//! The chain at the destination: its generations and their snapshots, with what each equals.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{MirrorError, MirrorRoute};
use crate::{CopyState, ETag, Metadata, PageBlobClient, SnapshotId};

/// The snapshots of a mirror's destination, oldest first, over all generations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Chain {
    /// The destination's name.
    pub name: String,
    /// The route of the newest generation; `None` if there is no destination yet.
    pub route: Option<MirrorRoute>,
    /// The newest generation, from 1; 0 if there is no destination yet.
    pub generation: u32,
    /// The snapshots, by the time of the source snapshots that they equal.
    pub snapshots: Vec<ChainSnapshot>,
    /// The newest generation's base blob.
    #[serde(skip)]
    pub(crate) base: Option<Base>,
}

/// A snapshot at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChainSnapshot {
    /// The name of the blob that it is a snapshot of: the destination's, or that of a later
    /// generation, such as `disk0.vhd.g2`.
    pub blob: String,
    /// Its generation, from 1.
    pub generation: u32,
    /// Its id.
    pub snapshot: SnapshotId,
    /// The id of the source snapshot that it equals. `None` if it was not made by a mirror, or its
    /// copy did not succeed: such a snapshot is left alone.
    pub equals: Option<String>,
    /// When that was taken.
    #[serde(with = "time::serde::rfc3339::option")]
    pub time: Option<OffsetDateTime>,
    /// Its length in bytes.
    pub length: u64,
    /// Its ETag.
    pub etag: Option<ETag>,
}

/// The base blob of the newest generation, as it was listed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Base {
    pub(crate) name: String,
    pub(crate) is_incremental: bool,
    pub(crate) length: u64,
    pub(crate) etag: Option<ETag>,
    pub(crate) copy: Option<CopyState>,
    pub(crate) metadata: Metadata,
    pub(crate) sequence_number: Option<u64>,
}

impl Chain {
    /// Lists the generations of `destination` and their snapshots.
    pub(crate) async fn read(destination: &PageBlobClient) -> Result<Self, MirrorError> {
        Err(MirrorError::refused(destination.name(), "its chain cannot be read yet"))
    }

    /// The name of a generation's blob: `disk`, then `disk.g2` and so on.
    pub(crate) fn name_of(destination: &str, generation: u32) -> String {
        match generation {
            0 | 1 => destination.to_owned(),
            later => format!("{destination}.g{later}"),
        }
    }

    /// The newest snapshot that equals one of the source.
    pub fn newest(&self) -> Option<&ChainSnapshot> {
        self.snapshots.iter().rev().find(|found| found.equals.is_some())
    }
}

impl ChainSnapshot {
    /// A client for it. `destination` is the mirror's.
    pub fn client(&self, destination: &PageBlobClient) -> PageBlobClient {
        let container = destination.container_client();
        container.page_blob_client(&self.blob).with_snapshot(&self.snapshot)
    }
}

impl fmt::Display for ChainSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.blob, self.snapshot)
    }
}
