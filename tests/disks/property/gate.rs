//! Access to the snapshots of a managed disk, granted through the door of a run.

use std::{sync::atomic::Ordering, time::Duration};

use blobcopy::{
    BlobServiceClient, Error, Result,
    disks::{GrantAccess, ManagedSnapshot},
    transport::BoxFuture,
};
use blobcopy_simulator::{ManagedDisk, ManagedSnapshot as Snapshot};
use url::Url;

use super::door::{Book, Door};

/// Grants without Resource Manager.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) disk: ManagedDisk,
    pub(super) door: Door,
    pub(super) book: std::sync::Arc<Book>,
    /// A client whose requests all fail: it makes the errors of calls that are lost.
    pub(super) broken: BlobServiceClient,
    /// A client that finds nothing.
    pub(super) clear: BlobServiceClient,
}

impl Gate {
    fn find(&self, id: &str) -> Option<Snapshot> {
        self.disk.snapshots().into_iter().find(|snapshot| snapshot.id() == id)
    }

    async fn lost(&self) -> Error {
        self.broken.container_client("lost").exists().await.expect_err("it is broken")
    }

    async fn not_found(&self) -> Error {
        let nothing = self.clear.container_client("nothing").blob_client("nothing");
        nothing.get_properties().await.expect_err("there is none")
    }
}

impl GrantAccess for Gate {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>> {
        Box::pin(async {
            let list = || {
                let disk = self.disk.unique_id();
                let shown = self.disk.snapshots().into_iter().filter_map(|it| shown(&it, &disk));
                shown.collect::<Vec<_>>()
            };
            match self.door.pass(list).await {
                Ok(list) => Ok(list),
                Err(()) => Err(self.lost().await),
            }
        })
    }

    fn grant<'a>(&'a self, snapshot: &'a str, duration: Duration) -> BoxFuture<'a, Result<Url>> {
        Box::pin(async move {
            let grant = || {
                let found = self.find(snapshot)?;
                let granted = found.grant(duration);
                if granted.is_none() {
                    self.book.refused_grants.fetch_add(1, Ordering::Relaxed);
                }
                granted
            };
            match self.door.pass(grant).await {
                Ok(Some(url)) => Ok(url),
                Ok(None) => Err(self.not_found().await),
                Err(()) => Err(self.lost().await),
            }
        })
    }

    fn revoke<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match self.door.pass(|| self.find(snapshot).map(|found| found.revoke())).await {
                Ok(Some(())) => Ok(()),
                Ok(None) => Err(self.not_found().await),
                Err(()) => Err(self.lost().await),
            }
        })
    }
}

fn shown(snapshot: &Snapshot, disk: &str) -> Option<ManagedSnapshot> {
    Some(ManagedSnapshot {
        id: snapshot.id(),
        disk: disk.to_owned(),
        time: snapshot.created()?,
        size: snapshot.size(),
        is_incremental: true,
        completion: 100.0,
        is_granted: snapshot.is_granted(),
        needs_token: None,
    })
}
