//! The end of a hop: a snapshot of the base, and what it equals in the metadata.

use super::{ATTEMPTS, MirrorError, claim::Claim, snapshots, torn::is_changed};
use crate::{Conditions, Metadata, SnapshotId, disks::lineage::Lineage};

/// The most bytes of metadata that a blob can have, names and values.
const MOST_METADATA: usize = 8 << 10;

impl Claim {
    /// Takes the snapshot, when all pages are written. It is there exactly once afterwards.
    pub(super) async fn seal(mut self) -> Result<SnapshotId, MirrorError> {
        if self.base.length > self.length {
            self.base.resize(self.length).await?;
        }
        let snapshot = self.take_snapshot().await?;
        let lineage = self.base.note.clone();
        let to = lineage.hop.map(|hop| hop.to);
        self.base.set_note(Lineage { equals: to, hop: None, ..lineage }).await?;
        Ok(snapshot)
    }

    async fn take_snapshot(&mut self) -> Result<SnapshotId, MirrorError> {
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            // Even if it is noted already: a request for a snapshot that is still on its way
            // depends on the ETag before, and can no longer land.
            let mut sealing = self.base.note.clone();
            let Some(hop) = &mut sealing.hop else { break };
            (hop.done, hop.sealing) = (self.length, true);
            let to = hop.to.clone();
            self.base.set_note(sealing.clone()).await?;
            if self.may_be_taken {
                let found = snapshots::of(&self.base.blob, &[&to]).await?;
                let kept = snapshots::keep_one(&self.base.blob, found).await?;
                if let Some(copy) = kept.into_iter().next() {
                    return Ok(copy.snapshot);
                }
            }
            let unchanged = match self.base.etag() {
                Some(etag) => Conditions::new().if_match(etag),
                None => continue,
            };
            self.base.check()?;
            let sealed = Lineage { equals: Some(to), hop: None, sealed: true, ..sealing };
            let metadata =
                with_metadata_of_source(sealed.with(self.base.metadata()), &self.metadata);
            let take = self.base.blob.create_snapshot().metadata(metadata);
            match take.conditions(unchanged).await {
                Ok(taken) => return Ok(taken.snapshot),
                Err(error) if error.may_have_been_applied() => {
                    self.may_be_taken = true;
                    refused = Some(error);
                }
                // A late write of pages of this hop.
                Err(error) if is_changed(&error) => {
                    self.base.writes_pages();
                    refused = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let why = "its last snapshot could not be taken: it changes all the time";
        Err(MirrorError::kept_changing(self.base.blob.name(), why, refused))
    }
}

/// The metadata of the destination's snapshot, with those of the source's beside, unless they are
/// more than a blob can have.
fn with_metadata_of_source(own: Metadata, source: &Metadata) -> Metadata {
    let mut all = own.clone();
    // Not those of another mirror, whose destination the source may be.
    for (name, value) in Lineage::without(source).iter() {
        all.insert(name, value);
    }
    let length: usize = all.iter().map(|(name, value)| name.len() + value.len()).sum();
    if length > MOST_METADATA { own } else { all }
}
