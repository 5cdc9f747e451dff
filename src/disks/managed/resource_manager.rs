//! [`ResourceManager`] lists the snapshots of a mirror and grants access to them.

use std::time::Duration;

use url::Url;

use super::{GrantAccess, ManagedSnapshot};
use crate::{Error, ResourceManager, Result, transport::BoxFuture};

impl GrantAccess for ResourceManager {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>> {
        Box::pin(async {
            let listed = self.snapshots().await?;
            if let Some(large) = listed.iter().find(|snapshot| snapshot.has_large_sectors()) {
                let rule = "is of a disk with sectors of 4096 bytes: access to it is granted in \
                            the format VHDX, and only VHD can be mirrored";
                return Err(Error::invalid("snapshot", &large.id, rule));
            }
            let snapshots = listed.into_iter().filter_map(|listed| {
                Some(ManagedSnapshot {
                    disk: listed.disk().to_owned(),
                    // One without a time is not there yet.
                    time: listed.time()?,
                    size: listed.size(),
                    is_incremental: listed.is_incremental(),
                    completion: listed.completion(),
                    is_granted: listed.is_granted(),
                    id: listed.id,
                })
            });
            Ok(snapshots.collect())
        })
    }

    fn grant<'a>(&'a self, snapshot: &'a str, duration: Duration) -> BoxFuture<'a, Result<Url>> {
        Box::pin(self.grant_access(snapshot, duration))
    }

    fn revoke<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.revoke_access(snapshot))
    }
}
