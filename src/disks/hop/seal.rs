//! The end of a hop: a snapshot of the base, and what it equals in the metadata.

use super::{ATTEMPTS, MirrorError, claim::Claim, snapshots, stored, torn::is_changed};
use crate::{Conditions, SnapshotId, disks::lineage::Lineage};

/// What a hop is sealed with.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) snapshot: SnapshotId,
    /// The names of the source's metadata that it could not get.
    pub(super) left: Vec<String>,
}

impl Claim {
    /// Takes the snapshot, when all pages are written. It is there exactly once afterwards.
    pub(super) async fn seal(mut self) -> Result<Taken, MirrorError> {
        if self.base.length > self.length {
            self.base.resize(self.length).await?;
        }
        // A snapshot has the headers that the base has at that moment.
        self.base.set_headers(self.headers.clone()).await?;
        let taken = self.take_snapshot().await?;
        let lineage = self.base.note.clone();
        let to = lineage.hop.map(|hop| hop.to);
        self.base.set_note(Lineage { equals: to, hop: None, ..lineage }).await?;
        Ok(taken)
    }

    async fn take_snapshot(&mut self) -> Result<Taken, MirrorError> {
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            // Even if it is noted already: a request for a snapshot that is still on its way
            // depends on the ETag before, and can no longer land.
            let mut sealing = self.base.note.clone();
            let Some(hop) = &mut sealing.hop else { break };
            (hop.done, hop.sealing) = (self.length, true);
            let to = hop.to.clone();
            self.base.set_note(sealing.clone()).await?;
            let equals = Some(to.clone());
            let sealed = Lineage { equals, hop: None, sealed: true, lease: None, ..sealing };
            let (metadata, left) = stored::with_lineage(&sealed, &self.metadata);
            if self.may_be_taken {
                let found = snapshots::of(&self.base.blob, &[&to]).await?;
                let kept = snapshots::keep_one(&self.base.blob, found).await?;
                if let Some(copy) = kept.into_iter().next() {
                    return Ok(Taken { snapshot: copy.snapshot, left });
                }
            }
            let unchanged = match self.base.etag() {
                Some(etag) => Conditions::new().if_match(etag),
                None => continue,
            };
            self.base.check()?;
            let take = self.base.blob.create_snapshot().metadata(metadata);
            // The ETag alone tells that nobody has written. With the lease, a run that has lost it
            // stops before the snapshot and not after.
            let take = match self.base.lease() {
                Some(lease) => take.lease_id(lease),
                None => take,
            };
            match take.conditions(unchanged).await {
                Ok(taken) => return Ok(Taken { snapshot: taken.snapshot, left }),
                Err(error) if error.may_have_been_applied() => {
                    self.may_be_taken = true;
                    refused = Some(error);
                }
                // A late write of pages of this hop.
                Err(error) if is_changed(&error) => {
                    self.base.writes_pages();
                    refused = Some(error);
                }
                Err(error) => {
                    return Err(MirrorError::of_snapshot(self.base.blob.name(), error));
                }
            }
        }
        let why = "its last snapshot could not be taken: it changes all the time";
        Err(MirrorError::kept_changing(self.base.blob.name(), why, refused))
    }
}
