//! The snapshots of the destination that hops were sealed with.

use futures_util::TryStreamExt;

use super::super::{
    MirrorError,
    lineage::{Lineage, Point},
};
use crate::{BlobInclude, ErrorCode, PageBlobClient, SnapshotId};

/// A snapshot of the base that equals a snapshot of the source.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(super) snapshot: SnapshotId,
    pub(super) equals: Point,
    pub(super) length: u64,
}

/// The snapshots of `base` that equal one of `points`, oldest first.
pub(super) async fn of(base: &PageBlobClient, points: &[&Point]) -> Result<Vec<Copy>, MirrorError> {
    let mut found = Vec::new();
    let mut listed = base.list_snapshots().include([BlobInclude::Metadata]);
    while let Some(item) = listed.try_next().await? {
        let lineage = Lineage::read(&item.properties.metadata).filter(|_| !item.is_deleted);
        let Some(equals) = lineage.and_then(Lineage::into_sealed) else { continue };
        if points.contains(&&equals) {
            let length = item.properties.content_length;
            found.push(Copy { snapshot: item.snapshot, equals, length });
        }
    }
    Ok(found)
}

/// Keeps the oldest snapshot that equals each point, and deletes the others: Snapshot Blob was
/// applied again, since its first answer was lost.
pub(super) async fn keep_one(
    base: &PageBlobClient,
    found: Vec<Copy>,
) -> Result<Vec<Copy>, MirrorError> {
    let mut kept: Vec<Copy> = Vec::new();
    for copy in found {
        if !kept.iter().any(|kept| kept.equals == copy.equals) {
            kept.push(copy);
            continue;
        }
        match base.with_snapshot(&copy.snapshot).delete().await {
            Err(error) if error.code() != Some(&ErrorCode::BlobNotFound) => {
                return Err(error.into());
            }
            _ => {}
        }
    }
    Ok(kept)
}
