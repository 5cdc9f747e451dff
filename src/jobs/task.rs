//! One blob to copy, and how its copy ended.
#![allow(dead_code, reason = "the routes and the run are built on it")]

use std::sync::Arc;

use super::Route;
use crate::{BlobClient, BlobContainerClient, BlobItem, ETag, SnapshotId};

/// What all tasks of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The source's container, drawing from the budget of its account.
    pub(crate) from: BlobContainerClient,
    /// The destination's container, drawing from the budget of its account.
    pub(crate) to: BlobContainerClient,
    pub(crate) settings: Settings,
}

/// The settings of a job that bear on how a blob is copied.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Whether index tags are kept. They come from the listing.
    pub(crate) tags: bool,
    /// Whether a tier that is set on the source is set on the destination.
    pub(crate) tier: bool,
    /// Whether page blobs are copied from a snapshot taken for this.
    pub(crate) snapshot_sources: bool,
    /// The longest block blob that is copied by one Put Blob From URL.
    pub(crate) single: u64,
    /// The length of a block; `None` chooses it by the blob's length.
    pub(crate) block: Option<u64>,
    /// The requests in flight for one blob.
    pub(crate) in_flight: usize,
    /// Whether each copy must be proved, as before a source is deleted.
    pub(crate) proved: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tags: true,
            tier: true,
            snapshot_sources: true,
            single: 256 << 20,
            block: None,
            in_flight: 16,
            proved: false,
        }
    }
}

/// One blob to copy.
#[derive(Debug)]
pub(crate) struct Task {
    /// The source as the listing has it, with metadata and tags. Its ETag pins every request.
    pub(crate) item: Box<BlobItem>,
    /// The blob's name at the destination.
    pub(crate) name: String,
    /// What the listing has at the destination.
    pub(crate) existing: Option<Box<BlobItem>>,
    pub(crate) route: Route,
    pub(crate) shared: Arc<Shared>,
}

impl Task {
    pub(crate) fn source(&self) -> BlobClient {
        self.shared.from.blob_client_of(&self.item)
    }

    pub(crate) fn destination(&self) -> BlobClient {
        self.shared.to.blob_client(&self.name)
    }
}

/// A finished copy: what its receipt says.
#[derive(Debug)]
pub(crate) struct Carried {
    /// The source's ETag and the destination's ETag at the end.
    pub(crate) source_etag: Option<ETag>,
    pub(crate) destination_etag: Option<ETag>,
    pub(crate) length: u64,
    /// Bytes that this run had the service copy; less than the length if it resumed.
    pub(crate) bytes: u64,
    pub(crate) copy_id: Option<crate::CopyId>,
    /// The pieces' checksums, in order of their offsets, if this run has one of every piece.
    pub(crate) pieces: Vec<Piece>,
    /// Whether an earlier run had begun it.
    pub(crate) is_adopted: bool,
    /// Names of metadata whose case or value the route could not keep.
    pub(crate) changed_metadata: Vec<String>,
    /// A snapshot of the source that was taken for the copy and could not be deleted again.
    pub(crate) left_behind: Option<SnapshotId>,
}

/// A piece that the service read from the source and wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) sum: Sum,
}

/// The checksum that the service answered for what it read. It chooses the kind itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    Crc64(crate::ContentCrc64),
    Md5(crate::ContentMd5),
}

impl Sum {
    /// The CRC-64 if there is one, because those of pieces make that of the whole.
    pub(crate) fn of(
        crc64: Option<crate::ContentCrc64>,
        md5: Option<crate::ContentMd5>,
    ) -> Option<Self> {
        crc64.map(Self::Crc64).or(md5.map(Self::Md5))
    }
}
