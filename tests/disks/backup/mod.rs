//! What a mirror has made: thinned out, verified, restored, tried.

mod drill;
mod foreign;
mod other;
mod pressed;
mod prune;
mod prune_source;
mod restore;
mod torn;
mod verify;

use blobcopy::{
    PageBlobClient, SnapshotId,
    disks::{DiskBackup, MirrorRoute, SnapshotMirror},
};

use super::world::World;

impl World {
    fn kept(&self) -> DiskBackup {
        DiskBackup::of(&self.backup())
    }

    /// A mirror of this route.
    fn by(&self, route: MirrorRoute) -> SnapshotMirror {
        self.mirror().route(route)
    }

    /// A page blob beside the backup.
    fn beside(&self, name: &str) -> PageBlobClient {
        self.backup().container_client().page_blob_client(name)
    }

    /// The ids of the source snapshots that the destination has.
    async fn equals(&self) -> Vec<String> {
        let chain = self.kept().chain().await.expect("listed");
        chain.snapshots.into_iter().filter_map(|one| one.equals).collect()
    }
}

const ROUTES: [MirrorRoute; 2] = [MirrorRoute::Incremental, MirrorRoute::Ranges];

fn texts(ids: &[SnapshotId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
