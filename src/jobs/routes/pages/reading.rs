//! What the pages are read from: a snapshot of the source, or the source itself.

use super::{
    super::{NotCarried, Why, mark::Mark},
    claim::Claim,
};
use crate::{
    BlobInclude, Conditions, CopySource, ETag, ErrorCode, PageBlobClient, SnapshotId,
    jobs::task::Task,
};

/// The source of one run, which stays as it is while the run reads it.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) blob: PageBlobClient,
    /// Conditions under which the service reads it.
    pub(super) pinned: Conditions,
    /// The snapshots that were taken for this: the first is read, all are deleted at the end.
    taken: Vec<PageBlobClient>,
    /// Their tag, if one may come that was not seen: the answer to its request was lost.
    unseen: Option<u64>,
}

impl Reading {
    /// Takes a snapshot of the source, or finds that of an earlier run.
    pub(super) async fn begin(task: &Task, claim: &Claim, etag: &ETag) -> Result<Self, NotCarried> {
        let base = Self::of_base(task, etag);
        let Some(tag) = claim.mark.snapshot else { return Ok(base) };
        let Self { blob, pinned, .. } = base;
        let (mut taken, mut unseen) = (Vec::new(), None);
        if claim.is_resumed {
            taken = snapshots(task, tag).await?;
        }
        for last in [false, true] {
            if !taken.is_empty() {
                break;
            }
            // The snapshot has the content of this ETag, or is not taken.
            let take = blob.create_snapshot().metadata([(Mark::OF_SNAPSHOT, tag.to_string())]);
            match take.conditions(pinned.clone()).await {
                Ok(done) => taken.push(blob.with_snapshot(&done.snapshot)),
                Err(error) if error.may_have_been_applied() && !last => {
                    taken = snapshots(task, tag).await?;
                    unseen = Some(tag);
                }
                Err(error) => return Err(NotCarried::at_source(error)),
            }
        }
        match taken.first() {
            // Nothing can change it.
            Some(first) => {
                Ok(Self { blob: first.clone(), pinned: Conditions::new(), taken, unseen })
            }
            None => Err(NotCarried::because(Why::SourceChanged)),
        }
    }

    /// The source itself, as long as it has this ETag.
    pub(super) fn of_base(task: &Task, etag: &ETag) -> Self {
        let pinned = Conditions::new().if_match(etag);
        Self { blob: task.source().page_blob_client(), pinned, taken: Vec::new(), unseen: None }
    }

    pub(super) fn source(&self) -> CopySource {
        CopySource::from(&self.blob)
    }

    /// The reason behind an error of a request that reads the source. A snapshot that is gone says
    /// nothing about the source: another run has taken the destination over, and is done with it.
    pub(super) fn seen(&self, error: NotCarried) -> NotCarried {
        match error.why {
            Why::SourceGone if !self.taken.is_empty() => {
                NotCarried { why: Why::DestinationChanged, ..error }
            }
            _ => error,
        }
    }

    /// Deletes the snapshots. Returns one that could not be deleted.
    pub(super) async fn end(self, task: &Task) -> Option<SnapshotId> {
        let taken = match self.unseen {
            Some(tag) => snapshots(task, tag).await.unwrap_or(self.taken),
            None => self.taken,
        };
        delete(taken).await
    }
}

/// Deletes the snapshots that were taken for a copy that is started over. Returns one that could
/// not be deleted.
pub(super) async fn forget(task: &Task, tag: u64) -> Result<Option<SnapshotId>, NotCarried> {
    Ok(delete(snapshots(task, tag).await?).await)
}

async fn delete(snapshots: Vec<PageBlobClient>) -> Option<SnapshotId> {
    let mut left_behind = None;
    for taken in snapshots {
        match taken.delete().await {
            Err(error) if error.code() != Some(&ErrorCode::BlobNotFound) => {
                tracing::warn!(%error, "a snapshot that was taken for a copy is left behind");
                left_behind = taken.snapshot().cloned();
            }
            _ => {}
        }
    }
    left_behind
}

/// The snapshots of the source that were taken for the copy with this tag.
pub(super) async fn snapshots(task: &Task, tag: u64) -> Result<Vec<PageBlobClient>, NotCarried> {
    let blob = task.source().page_blob_client();
    let listed = blob.list_snapshots().include([BlobInclude::Metadata]).collect_all().await;
    let listed = listed.map_err(NotCarried::at_source)?.into_iter();
    let tag = tag.to_string();
    let taken = listed.filter(|listed| {
        listed.properties.metadata.get(Mark::OF_SNAPSHOT) == Some(&tag) && !listed.is_deleted
    });
    Ok(taken.map(|taken| blob.with_snapshot(&taken)).collect())
}
