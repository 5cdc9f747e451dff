//! The lineage of a base by ranges whose metadata somebody has replaced.
//!
//! Set Blob Metadata replaces all metadata, and so do the portal and `az storage blob metadata
//! update`. The snapshots keep theirs, and the newest of them is what the base equals, but for the
//! pages that were written since: a hop puts these right, as after a tear.
//!
//! A blob that somebody uses for something else now must not be overwritten. So it is refused if it
//! was created anew, and if it was written while no hop was under way, which its sequence number
//! tells: every hop raises it. Who names the source in its metadata says that it is the mirror's.

use futures_util::{StreamExt, TryStreamExt};

use super::{
    MirrorError,
    lineage::{Lineage, encoded},
    mirror_survey::of_another,
    mirror_work::is_recreated,
};
use crate::{
    BlobInclude, BlobProperties, ErrorCode, Metadata, PageBlobClient, SnapshotId,
    wire::redaction::redact,
};

/// Whether the metadata of a base do not say what it equals.
pub(crate) fn is_lost(metadata: &Metadata) -> bool {
    Lineage::read(metadata).is_none_or(|lineage| lineage.equals.is_none() && lineage.hop.is_none())
}

/// The newest snapshot that a hop was sealed with.
struct Newest {
    id: SnapshotId,
    properties: BlobProperties,
    lineage: Lineage,
}

/// The lineage of `base`, which has these properties and has lost it: as that of its newest
/// snapshot. `None` if no mirror has made one.
pub(crate) async fn find(
    base: &PageBlobClient,
    seen: &BlobProperties,
    source: &str,
) -> Result<Option<Lineage>, MirrorError> {
    let Some(Newest { id, properties, lineage }) = newest(base).await? else { return Ok(None) };
    let mut url = base.url()?;
    url.set_query(None);
    let refused = |why: &str| {
        let named = encoded(&redact(source));
        let why = format!(
            "has lost the metadata of its mirror, and {why}: do not delete it, since its snapshots \
             are good and can be restored. Mirror to another name or, if nobody needs what was \
             written to it, set its metadata blobcopy_mirror_source to {named}"
        );
        Err(MirrorError::refused(&url, why))
    };
    let lineage = Lineage { hop: None, sealed: false, ..lineage };
    let named = Lineage::source_in(&seen.metadata);
    for of in [named.as_ref(), Some(&lineage.source)].into_iter().flatten() {
        if !Lineage::is_same_source(of, source) {
            return Err(of_another(url.as_str(), of));
        }
    }
    if named.is_some() {
        return Ok(Some(lineage));
    }
    // A hop was under way, so that what was written since is its own.
    let is_torn = seen.sequence_number > properties.sequence_number;
    let is_resized = seen.content_length != properties.content_length;
    match base.get_page_ranges_diff(&id).next().await {
        Some(Err(error)) if is_recreated(&error) => {
            refused("was created anew since its last snapshot")
        }
        Some(Err(error)) if error.code() != Some(&ErrorCode::OperationTimedOut) => {
            Err(error.into())
        }
        // More changes than the service can list in time are changes too.
        Some(_) if !is_torn => refused("was written since its last snapshot"),
        None if is_resized && !is_torn => refused("was resized since its last snapshot"),
        _ => Ok(Some(lineage)),
    }
}

async fn newest(base: &PageBlobClient) -> Result<Option<Newest>, MirrorError> {
    let mut found = None;
    let mut listed = base.list_snapshots().include([BlobInclude::Metadata]);
    while let Some(item) = listed.try_next().await? {
        let lineage = Lineage::read(&item.properties.metadata).filter(|_| !item.is_deleted);
        let Some(lineage) = lineage else { continue };
        if lineage.clone().into_sealed().is_some() {
            found = Some(Newest { id: item.snapshot, properties: item.properties, lineage });
        }
    }
    Ok(found)
}
