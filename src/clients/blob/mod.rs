//! The client for a blob of any type. Its methods are in the submodules.

// This order is the order of the methods in the documentation.
mod address;
mod copies;

mod content;
mod life;

pub(super) use self::address::blob_at;

use std::fmt;

use super::{AppendBlobClient, BlockBlobClient, PageBlobClient};
use crate::operations::{blob_ref::BlobRef, operation::Call};

/// A client for one blob of any type, or for a snapshot or version of one. Cheap to clone; making
/// one sends nothing.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// let notes = service.container_client("vhds").blob_client("notes.txt");
/// println!("{} bytes", notes.get_properties().await?.content_length);
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct BlobClient(pub(crate) BlobRef);

impl BlobClient {
    pub(crate) fn call(&self) -> Call {
        self.0.call()
    }
}

impl fmt::Debug for BlobClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
