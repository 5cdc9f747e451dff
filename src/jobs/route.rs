//! The ways in which a job copies a blob.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a job copies a blob. [`CopyJob`](crate::jobs) chooses it by the accounts, the type of the
/// blob and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Route {
    /// Copy Blob, which the service carries out in the background. Within one account, and for
    /// append blobs.
    ServiceCopy,
    /// One Put Blob From URL: a block blob of another account, up to 256 MiB.
    BlobFromUrl,
    /// Put Block From URL for each piece, then Put Block List: a longer block blob of another
    /// account.
    BlocksFromUrl,
    /// Put Page From URL for each range that holds data: a page blob of another account.
    PagesFromUrl,
}

impl fmt::Display for Route {
    /// The name of its operation in the REST reference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ServiceCopy => "Copy Blob",
            Self::BlobFromUrl => "Put Blob From URL",
            Self::BlocksFromUrl => "Put Block From URL",
            Self::PagesFromUrl => "Put Page From URL",
        })
    }
}
