//! A blob of any type: what it is here; what can be done with it in the files beside.

// In the order in which the documentation shows their methods.
mod address;
mod copies;

mod content;
mod life;

use std::fmt;

use super::{AppendBlobClient, BlockBlobClient, PageBlobClient};
use crate::operations::{blob_ref::BlobRef, operation::Call};

/// One blob, a snapshot or a version of one, whatever its type. Cheap to clone; making one sends
/// nothing.
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
