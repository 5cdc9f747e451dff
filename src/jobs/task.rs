//! One blob to copy, and how its copy ended.

use std::sync::{Arc, OnceLock};

use super::{
    Budget, Outcome, Overwrite, Receipts, Route, Skipped,
    decide::{Decision, Rules, decide},
    feed::rest,
    routes,
    same::Kept,
};
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
    /// The prefix of the source's names, and what stands in its place at the destination.
    pub(crate) prefix: String,
    pub(crate) destination_prefix: String,
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
    /// How the job decides what to copy.
    pub(crate) overwrite: Overwrite,
    /// Whether blobs that seem to be the same are compared by content.
    pub(crate) content: bool,
    /// Whether sources are deleted once their copy is proved.
    pub(crate) moves: bool,
    /// Whether each copy is compared with its source.
    pub(crate) verify: bool,
    /// The container of the blobs that comparisons need.
    pub(crate) scratch: Option<BlobContainerClient>,
    /// What earlier runs have proved.
    pub(crate) receipts: Arc<Receipts>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            destination_prefix: String::new(),
            tags: true,
            tier: true,
            snapshot_sources: true,
            single: 256 << 20,
            block: None,
            in_flight: 16,
            proved: false,
            overwrite: Overwrite::IfDifferent,
            content: false,
            moves: false,
            verify: false,
            scratch: None,
            receipts: Arc::default(),
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
    /// The budget of the blob at the destination, where it is written in many requests.
    pub(crate) of_blob: OnceLock<Budget>,
    /// The client request id of the requests that write its copy, once one was sent.
    pub(crate) written_by: OnceLock<String>,
}

impl Task {
    pub(crate) fn source(&self) -> BlobClient {
        self.shared.from.blob_client_of(&self.item)
    }

    /// The client request id of all requests that write the copy, by which the service's logs find
    /// them.
    pub(crate) fn client_request_id(&self) -> &str {
        self.written_by.get_or_init(|| format!("{:032x}", fastrand::u128(..)))
    }

    pub(crate) fn destination(&self) -> BlobClient {
        let blob = self.shared.to.blob_client(&self.name);
        let in_pieces = matches!(self.route, Route::BlocksFromUrl | Route::PagesFromUrl);
        match self.shared.to.budget().filter(|_| in_pieces) {
            Some(account) => blob.with_budget(self.of_blob.get_or_init(|| account.for_one_blob())),
            None => blob,
        }
    }
}

/// # Requests
impl Shared {
    /// The requests and retries of its budgets so far.
    pub(crate) fn sent(&self) -> (u64, u64) {
        let to = self.to.budget();
        let from = self.from.budget().filter(|from| to.is_none_or(|to| !from.is_same(to)));
        let budgets = to.into_iter().chain(from);
        budgets.fold((0, 0), |(requests, retries), budget| {
            (requests + budget.requests(), retries + budget.retries())
        })
    }
}

/// # Decisions
impl Shared {
    /// What becomes of a blob of the source, and the task that it would be.
    pub(crate) fn consider(
        self: &Arc<Self>,
        item: Box<BlobItem>,
        existing: Option<Box<BlobItem>>,
    ) -> (Task, Decision) {
        let settings = &self.settings;
        let rest = rest(&settings.prefix, &item.name);
        let name = [settings.destination_prefix.as_str(), rest].concat();
        let (route, shared) = (Route::ServiceCopy, self.clone());
        let (of_blob, written_by) = (OnceLock::new(), OnceLock::new());
        Task { item, name, existing, route, shared, of_blob, written_by }.decided()
    }
}

impl Task {
    /// Decides what becomes of the blob, as source and destination are known now.
    pub(crate) fn decided(mut self) -> (Self, Decision) {
        let (settings, of) = (&self.shared.settings, &self.item.properties);
        let same_account = self.shared.from.is_same_account(&self.shared.to);
        let (kind, length) = (of.blob_type.as_ref(), of.content_length);
        self.route = routes::of(same_account, kind, length, settings.single);
        let mut decision = decide(&self.item, self.existing.as_deref(), self.rules(), |copy| {
            self.source().is_source_of(copy)
        });
        let is_usable = || self.source().url().is_ok() && self.destination().url().is_ok();
        if decision == Decision::Copy && !is_usable() {
            decision = Decision::Leave(Outcome::Skipped(Skipped::Name));
        }
        let one_container = same_account && self.shared.from.name() == self.shared.to.name();
        if one_container && self.name.starts_with(&self.shared.settings.prefix) {
            decision = Decision::Leave(Outcome::Skipped(Skipped::Overlap));
        }
        // In a move, what an earlier run has copied is proved before its source is deleted.
        if self.shared.settings.moves && decision == Decision::Leave(Outcome::Same) {
            decision = Decision::Compare;
        }
        (self, decision)
    }

    pub(crate) fn kept(&self) -> Kept {
        let all_metadata = routes::keeps_all_metadata(self.route);
        Kept { tags: self.shared.settings.tags, all_metadata }
    }

    fn rules(&self) -> Rules {
        let settings = &self.shared.settings;
        Rules {
            overwrite: settings.overwrite,
            kept: self.kept(),
            content: settings.content,
            moves: settings.moves,
        }
    }
}

/// What a copy takes, if all goes well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    /// The bytes that the service copies.
    pub(crate) bytes: u64,
}

/// A finished copy: what its receipt says.
#[derive(Debug)]
pub(crate) struct Carried {
    /// The source's ETag and the destination's ETag at the end.
    pub(crate) source_etag: Option<ETag>,
    pub(crate) destination_etag: Option<ETag>,
    pub(crate) length: u64,
    /// How much of it the pieces must cover to prove it: of a page blob only the ranges that hold
    /// data, since the rest was created as zeros.
    pub(crate) data: u64,
    /// Bytes that this run had the service copy; less than the length if it resumed.
    pub(crate) bytes: u64,
    pub(crate) copy_id: Option<crate::CopyId>,
    /// The pieces' checksums, in order of their offsets, if this run has one of every piece.
    pub(crate) pieces: Vec<Piece>,
    /// Whether an earlier run had begun it.
    pub(crate) is_adopted: bool,
    /// Whether it was found at the destination after the answer to its start was lost: it may be
    /// another run's.
    pub(crate) is_found: bool,
    /// Names of metadata whose case or value the route could not keep.
    pub(crate) changed_metadata: Vec<String>,
    /// A snapshot of the source that was taken for the copy and could not be deleted again.
    pub(crate) left_behind: Option<SnapshotId>,
}

impl Carried {
    /// Whether each piece of the content has a checksum, and none overlaps another.
    pub(crate) fn adds_up(&self) -> bool {
        let ends = self.pieces.iter().try_fold((0, 0), |(end, sum), piece| {
            (piece.offset >= end).then_some((piece.offset + piece.length, sum + piece.length))
        });
        ends.is_some_and(|(end, sum)| end <= self.length && sum == self.data)
    }
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
