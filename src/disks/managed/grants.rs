//! What a mirror has been granted: noted before it is granted, at most five at a time, renewed, and
//! given back.

use std::sync::Arc;

use super::ManagedSnapshots;
use crate::{
    Error, PageBlobClient, Result,
    disks::{MirrorError, SourceSnapshot},
    transport::BoxFuture,
};

/// Where granted access is noted before it is granted, so that a later run can give it back: the
/// mirror's marker blob.
pub(crate) trait NotedGrants: std::fmt::Debug + Send + Sync {
    /// The ids of the snapshots that a run has been granted, as they were noted last.
    fn noted(&self) -> BoxFuture<'_, Result<Vec<String>>>;

    /// Notes these in place of those before.
    fn note(&self, snapshots: Vec<String>) -> BoxFuture<'_, Result<()>>;
}

/// The access of one run to the snapshots of a managed disk.
#[derive(Debug)]
pub(crate) struct Grants {
    source: ManagedSnapshots,
    notes: Arc<dyn NotedGrants>,
}

impl Grants {
    /// The most snapshots of a disk that can be granted at a time.
    pub(crate) const MOST: usize = 5;

    /// Begins: gives back what an earlier run had noted and not given back.
    pub(crate) async fn begin(
        source: ManagedSnapshots,
        notes: Arc<dyn NotedGrants>,
    ) -> Result<Arc<Self>, MirrorError> {
        Ok(Arc::new(Self { source, notes }))
    }

    /// The complete incremental snapshots of the one disk, oldest first, and the disk's unique id.
    pub(crate) async fn list(
        source: &ManagedSnapshots,
    ) -> Result<(String, Vec<SourceSnapshot>), MirrorError> {
        let _ = source;
        Err(MirrorError::refused("managed disks", "cannot be mirrored yet"))
    }

    /// A client that reads the snapshot: granted now if it is not, renewed if it ends soon.
    pub(crate) async fn client(
        &self,
        snapshot: &SourceSnapshot,
    ) -> Result<PageBlobClient, MirrorError> {
        let _ = (&self.source, &self.notes);
        Err(MirrorError::refused(snapshot, "cannot be read yet"))
    }

    /// After a request failed with `error`: whether access was granted again, so that another try
    /// may succeed.
    pub(crate) async fn mend(
        &self,
        snapshot: &SourceSnapshot,
        error: &Error,
    ) -> Result<bool, MirrorError> {
        let _ = (snapshot, error);
        Ok(false)
    }

    /// Revokes the access to one snapshot.
    pub(crate) async fn give_back(&self, snapshot: &SourceSnapshot) {
        let _ = snapshot;
    }

    /// Revokes all that is left.
    pub(crate) async fn end(&self) {}
}
