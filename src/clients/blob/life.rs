//! What surrounds a copy in a blob's life: snapshots, metadata, tags, tier, leases.

use super::BlobClient;
use crate::operations::create_snapshot::CreateSnapshot;

impl BlobClient {
    /// Takes a read-only snapshot.
    ///
    /// ```
    /// # blobcopy::simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().metadata([("why", "nightly")]).await?;
    /// println!("snapshot {}", taken.snapshot);
    /// # Ok(()) });
    /// ```
    pub fn create_snapshot(&self) -> CreateSnapshot {
        CreateSnapshot::new(self.call())
    }
}
