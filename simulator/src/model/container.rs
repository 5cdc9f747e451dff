//! Containers.

use std::collections::BTreeMap;

use bytes::Bytes;
use time::{Duration, OffsetDateTime};

use super::{
    blobs::Blobs,
    encryption::Encryption,
    leases::{self, Lease},
    revision::Metadata,
    stamps::Stamps,
};
use crate::wire::names::Name;

const WEEK: Duration = Duration::WEEK;

/// A container and its blobs.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) etag: String,
    pub(crate) last_modified: OffsetDateTime,
    pub(crate) metadata: Metadata,
    pub(crate) public_access: PublicAccess,
    pub(crate) policies: Vec<StoredPolicy>,
    pub(crate) lease: Option<Lease>,
    pub(crate) blobs: Blobs,
    /// Uncommitted blocks, by the name of their blob, which need not exist yet.
    pub(crate) staged: BTreeMap<Name, Staged>,
}

/// The uncommitted blocks of one blob.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    /// By id.
    pub(crate) blocks: BTreeMap<String, Bytes>,
    /// The encryption of all of them.
    pub(crate) encryption: Option<Encryption>,
    /// When the last of them was staged: a week later all are discarded.
    pub(crate) at: Option<OffsetDateTime>,
}

/// A stored access policy, which a service SAS may name in `si`. The SAS supplies the absent
/// fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredPolicy {
    pub(crate) id: String,
    pub(crate) start: Option<String>,
    pub(crate) expiry: Option<String>,
    pub(crate) permissions: Option<String>,
}

impl Container {
    /// A blob's name, as the key of its uncommitted blocks.
    pub(crate) fn name(&self, blob: &str) -> Name {
        self.blobs.order().name(blob)
    }

    /// Marks it as changed.
    pub(crate) fn touch(&mut self, stamps: &mut Stamps, now: OffsetDateTime) {
        self.etag = stamps.etag();
        self.last_modified = now;
        leases::drop_ended(&mut self.lease, now);
    }
}

impl Staged {
    pub(crate) fn is_alive(&self, now: OffsetDateTime) -> bool {
        self.at.is_some_and(|at| now - at < WEEK)
    }
}

/// What can be read without a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicAccess {
    None,
    /// The blobs, by name.
    Blob,
    /// The blobs, their list and the container's properties.
    Container,
}

impl PublicAccess {
    pub(crate) fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Blob => Some("blob"),
            Self::Container => Some("container"),
        }
    }
}
