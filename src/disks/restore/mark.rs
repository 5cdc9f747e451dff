//! How a blob shows that it holds a restore that is not finished.

use crate::{
    BlobProperties, BlobType, Conditions, CopyId, CopyStatus, ETag, Metadata, PageBlobClient,
    Result,
    disks::{
        hop::is_changed,
        lineage::{Lineage, encoded},
    },
    wire::redaction::redact,
};

/// The metadata of a blob from the first request of a restore to its end, which names the snapshot.
/// A blob without it was never written by a restore, or by one that ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark(String);

/// What a target is, before a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// The restore of the same snapshot, whose copy is under way.
    Pending(CopyId),
    /// The restore of the same snapshot, by ranges, that was torn.
    Partial,
    /// The restore of the same snapshot: all is written, and not yet checked.
    Written,
    /// What a restore has left that copied nothing: it holds no data.
    Failed,
    /// Anything else.
    Foreign,
}

impl Mark {
    const NAME: &'static str = "blobcopy_restored_from";

    /// Of a restore by ranges that is under way.
    const BY_RANGES: &'static str = "blobcopy_restore_of";

    /// The mark of a restore of this snapshot.
    pub(super) fn of(snapshot: &PageBlobClient) -> Result<Self> {
        let mut url = snapshot.url()?;
        url.set_query(None);
        let id = snapshot.snapshot().map(ToString::to_string).unwrap_or_default();
        Ok(Self(encoded(&format!("{} {id}", redact(url.as_str())))))
    }

    /// The user's metadata, with the mark.
    pub(super) fn with(&self, metadata: &Metadata) -> Metadata {
        let mut marked = Self::without(metadata);
        marked.insert(Self::NAME, &self.0);
        marked
    }

    /// The user's metadata: without a mark and without the lineage of a mirror.
    pub(super) fn without(metadata: &Metadata) -> Metadata {
        let users = Lineage::without(metadata);
        let users = users.iter().filter(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name != Self::NAME && !name.starts_with("blobcopy_restore_")
        });
        users.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Whether a target without a mark may be what a restore that has ended left, by all but its
    /// content.
    pub(super) fn may_be_done(found: &BlobProperties, snapshot: &BlobProperties) -> bool {
        matches!(found.blob_type, None | Some(BlobType::PageBlob))
            && !found.is_incremental_copy
            && found.content_length == snapshot.content_length
            && found.content_type == snapshot.content_type
            && found.metadata == Self::without(&snapshot.metadata)
    }

    fn is_on(&self, metadata: &Metadata) -> bool {
        metadata.get(Self::NAME) == Some(&self.0)
    }

    /// What a target is that has these properties.
    pub(super) fn find(&self, found: &BlobProperties, length: u64) -> Found {
        let metadata = &found.metadata;
        if metadata.get(Self::NAME).is_none() {
            return Found::Foreign;
        }
        let status = found.copy.as_ref().map(|copy| &copy.status);
        if matches!(status, Some(CopyStatus::Failed | CopyStatus::Aborted)) {
            return Found::Failed;
        }
        if !self.is_on(metadata) {
            return Found::Foreign;
        }
        match (&found.copy, status) {
            (Some(copy), Some(status)) if !status.is_final() => {
                Found::Pending(copy.copy_id.clone())
            }
            _ if metadata.get(Self::BY_RANGES).is_some() => Found::Partial,
            _ if found.content_length == length => Found::Written,
            _ => Found::Foreign,
        }
    }

    /// Takes the mark off a blob, if it has it still. Returns the ETag before and after that.
    pub(super) async fn take_off(&self, blob: &PageBlobClient) -> Result<Option<[ETag; 2]>> {
        const TRIES: u32 = 5;
        for attempt in 1.. {
            let found = blob.get_properties().await?;
            if !self.is_on(&found.metadata) {
                break;
            }
            let etag = found.etag.unwrap_or(ETag::ANY);
            let same = Conditions::new().if_match(etag.clone());
            let set = blob.set_metadata(Self::without(&found.metadata)).conditions(same);
            match set.await {
                Ok(set) => return Ok(set.etag.map(|later| [etag, later])),
                // Written meanwhile, or done by an attempt whose response was lost.
                Err(error)
                    if attempt < TRIES && (is_changed(&error) || error.may_have_been_applied()) => {
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
