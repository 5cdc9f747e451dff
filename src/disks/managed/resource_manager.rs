//! [`ResourceManager`] lists the snapshots of a mirror and grants access to them.

use std::time::Duration;

use url::Url;

use super::{GrantAccess, ManagedSnapshot};
use crate::{Error, ResourceManager, Result, transport::BoxFuture};

impl GrantAccess for ResourceManager {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>> {
        Box::pin(found(self, None))
    }

    fn get<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<Option<ManagedSnapshot>>> {
        Box::pin(async move { Ok(found(self, Some(snapshot)).await?.pop()) })
    }

    fn grant<'a>(&'a self, snapshot: &'a str, duration: Duration) -> BoxFuture<'a, Result<Url>> {
        Box::pin(self.grant_access(snapshot, duration))
    }

    fn revoke<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.revoke_access(snapshot))
    }

    fn may_grant_late(&self, snapshot: &str) -> bool {
        self.has_lost(snapshot)
    }
}

/// All snapshots of the disk, or this one, if it is there.
async fn found(manager: &ResourceManager, only: Option<&str>) -> Result<Vec<ManagedSnapshot>> {
    let found = match only {
        None => manager.snapshots().await?,
        Some(id) => manager.snapshot(id).await?.into_iter().collect(),
    };
    if let Some(large) = found.iter().find(|snapshot| snapshot.has_large_sectors()) {
        let rule = "is of a disk with sectors of 4096 bytes: access to it is granted in the \
                    format VHDX, and only VHD can be mirrored";
        return Err(Error::invalid("snapshot", &large.id, rule));
    }
    let now = manager.now();
    let snapshots = found.into_iter().filter_map(|found| {
        // One without a time is being made now, and nothing of it can be read.
        let (time, completion) = match found.time() {
            Some(time) => (time, found.completion()),
            None if found.disk().is_empty() => return None,
            None => (now, 0.0),
        };
        Some(ManagedSnapshot {
            disk: found.disk().to_owned(),
            time,
            size: found.size(),
            is_incremental: found.is_incremental(),
            completion,
            is_granted: found.is_granted(),
            needs_token: Some(found.needs_token()),
            id: found.id,
        })
    });
    Ok(snapshots.collect())
}
