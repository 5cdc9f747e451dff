//! Containers.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::blob::{Blob, Metadata};

/// A container and its blobs.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) etag: String,
    pub(crate) last_modified: OffsetDateTime,
    pub(crate) metadata: Metadata,
    pub(crate) public_access: PublicAccess,
    pub(crate) blobs: BTreeMap<String, Blob>,
}

/// What anyone may read without a credential.
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
