//! Blobs: the base blob, its snapshots, and their content and properties.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{
    copies::job::CopyJob,
    leases::{self, Lease},
    pages::Pages,
    revision::Revision,
    stamps::Stamps,
};
use crate::wire::{
    error::{Code, Refusal},
    route::BlobAddress,
};

/// A base blob with its snapshots.
#[derive(Debug)]
pub(crate) struct Blob {
    pub(crate) current: Revision,
    /// By id; the ids sort by time.
    pub(crate) snapshots: BTreeMap<String, Revision>,
    pub(crate) lease: Option<Lease>,
    /// The pending copy into this blob.
    pub(crate) job: Option<Box<CopyJob>>,
    /// Set permanently once an incremental copy has created the blob.
    pub(crate) incremental: Option<Box<IncrementalOrigin>>,
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

    /// The base blob, or the named snapshot.
    pub(crate) fn revision(&self, snapshot: Option<&str>) -> Result<&Revision, Refusal> {
        match snapshot {
            None => Ok(&self.current),
            Some(id) => Ok(self.snapshots.get(id).ok_or(Code::BlobNotFound)?),
        }
    }

    /// Whether the base blob allows other operations than reads, deletes and incremental copies.
    pub(crate) fn unencumbered(&self) -> Result<(), Refusal> {
        if self.incremental.is_some() {
            return Err(Code::OperationNotAllowedOnIncrementalCopyBlob.into());
        }
        if self.job.is_some() {
            return Err(Code::PendingCopyOperation.into());
        }
        Ok(())
    }

    /// Whether the base blob may be written; an archived blob may not be written either.
    pub(crate) fn writable(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        self.unencumbered()?;
        self.current.online(now)
    }

    /// Marks the base blob as written: it gets a new ETag, and a lease that is over is removed.
    pub(crate) fn touch(&mut self, stamps: &mut Stamps, now: OffsetDateTime) {
        self.current.etag = stamps.etag();
        self.current.last_modified = now;
        leases::drop_ended(&mut self.lease, now);
    }

    /// The same for writes that also remove what a copy has left.
    pub(crate) fn rewrite(&mut self, stamps: &mut Stamps, now: OffsetDateTime) {
        self.touch(stamps, now);
        self.current.copy = None;
    }
}
