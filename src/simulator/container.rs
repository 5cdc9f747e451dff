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
    pub(crate) policies: Vec<StoredPolicy>,
}

/// A stored access policy: what a service SAS that names it may leave out. The texts are kept as
/// they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredPolicy {
    pub(crate) id: String,
    pub(crate) start: Option<String>,
    pub(crate) expiry: Option<String>,
    pub(crate) permissions: Option<String>,
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
