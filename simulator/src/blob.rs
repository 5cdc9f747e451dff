//! Blobs: the base blob, its snapshots, and what each of them holds.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use time::OffsetDateTime;

use super::{
    account::BlobAddress,
    copies::{CopyJob, CopyRecord},
    encryption::Encryption,
    error::{Code, Refusal},
    leases::{self, Lease},
    pages::Pages,
    state::Stamps,
    tiers::Tier,
};

/// Metadata by name. HTTP libraries hand over header names in lower case, so the case in which a
/// name was given cannot be kept.
pub(crate) type Metadata = BTreeMap<String, String>;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A base blob with its snapshots.
#[derive(Debug)]
pub(crate) struct Blob {
    pub(crate) current: Revision,
    /// Under their ids, which sort by time.
    pub(crate) snapshots: BTreeMap<String, Revision>,
    pub(crate) lease: Option<Lease>,
    /// The copy that is under way into this blob.
    pub(crate) job: Option<Box<CopyJob>>,
    /// Set for ever once the blob was made by an incremental copy.
    pub(crate) incremental: Option<Box<IncrementalOrigin>>,
}

/// What a base blob, or one of its snapshots, holds.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) content: Content,
    pub(crate) headers: ContentHeaders,
    pub(crate) metadata: Metadata,
    pub(crate) tags: Tags,
    pub(crate) etag: String,
    pub(crate) last_modified: OffsetDateTime,
    pub(crate) created: OffsetDateTime,
    /// Another number whenever the blob is made anew, by Put Blob or Copy Blob.
    pub(crate) generation: u64,
    pub(crate) sequence_number: u64,
    pub(crate) tier: Option<Tier>,
    pub(crate) copy: Option<Box<CopyRecord>>,
    /// Whether an incremental copy made it.
    pub(crate) incremental: bool,
    /// Whether an append blob takes no more.
    pub(crate) sealed: bool,
    /// With what it is encrypted, where that is not the account's own key.
    pub(crate) encryption: Option<Encryption>,
}

/// The bytes of a blob, by its type, shared between a blob, its snapshots and its copies.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Block(Arc<[Block]>),
    Append(Arc<Vec<Bytes>>),
    Page { length: u64, pages: Pages },
}

/// A committed block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// As it was named, in base64; `None` for what Put Blob made.
    pub(crate) id: Option<String>,
    pub(crate) bytes: Bytes,
}

/// The standard properties that travel with the content.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContentHeaders {
    /// Borrowed where it is what a blob has without one being given, as nearly all blobs do.
    pub(crate) content_type: Option<Cow<'static, str>>,
    pub(crate) encoding: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) disposition: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) md5: Option<String>,
}

/// The source that an incremental copy blob is tied to.
#[derive(Debug)]
pub(crate) struct IncrementalOrigin {
    pub(crate) source: BlobAddress,
    pub(crate) generation: u64,
    /// The source snapshot that was copied last, with its pages.
    pub(crate) last: Option<(String, Pages)>,
}

impl Blob {
    pub(crate) fn new(current: Revision) -> Self {
        Self { current, snapshots: BTreeMap::new(), lease: None, job: None, incremental: None }
    }

    /// The base blob, or the snapshot that is named.
    pub(crate) fn revision(&self, snapshot: Option<&str>) -> Result<&Revision, Refusal> {
        match snapshot {
            None => Ok(&self.current),
            Some(id) => Ok(self.snapshots.get(id).ok_or(Code::BlobNotFound)?),
        }
    }

    /// Whether anything but a read, a delete or an incremental copy may happen to the base blob.
    pub(crate) fn unencumbered(&self) -> Result<(), Refusal> {
        if self.incremental.is_some() {
            return Err(Code::OperationNotAllowedOnIncrementalCopyBlob.into());
        }
        if self.job.is_some() {
            return Err(Code::PendingCopyOperation.into());
        }
        Ok(())
    }

    /// Whether the base blob may be written, which a blob in the archive may not either.
    pub(crate) fn writable(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        self.unencumbered()?;
        self.current.online(now)
    }

    /// Marks the base blob as written: it has another ETag, and no lease that is over.
    pub(crate) fn touch(&mut self, stamps: &mut Stamps, now: OffsetDateTime) {
        self.current.etag = stamps.etag();
        self.current.last_modified = now;
        leases::drop_ended(&mut self.lease, now);
    }

    /// The same for the writes that also take away what a copy has left.
    pub(crate) fn rewrite(&mut self, stamps: &mut Stamps, now: OffsetDateTime) {
        self.touch(stamps, now);
        self.current.copy = None;
    }
}

impl Revision {
    /// Refuses what cannot be done with a blob in the archive.
    pub(crate) fn online(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        match &self.tier {
            Some(tier) if tier.is_archived(now) => Err(Code::BlobArchived.into()),
            _ => Ok(()),
        }
    }
}

impl Content {
    /// `BlockBlob`, `AppendBlob` or `PageBlob`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Block(_) => "BlockBlob",
            Self::Append(_) => "AppendBlob",
            Self::Page { .. } => "PageBlob",
        }
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Block(blocks) => blocks.iter().map(|block| block.bytes.len() as u64).sum(),
            Self::Append(blocks) => blocks.iter().map(|block| block.len() as u64).sum(),
            Self::Page { length, .. } => *length,
        }
    }

    /// A blob of the same type without content.
    pub(crate) fn emptied(&self) -> Self {
        match self {
            Self::Block(_) => Self::Block(Arc::default()),
            Self::Append(_) => Self::Append(Arc::default()),
            Self::Page { .. } => Self::Page { length: 0, pages: Pages::default() },
        }
    }
}
