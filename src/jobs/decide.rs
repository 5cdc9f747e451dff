//! What a job does about one blob.

use super::{
    Outcome, Overwrite, Skipped,
    routes::mark::Mark,
    same::{self, Kept},
};
use crate::{AccessTier, BlobItem, BlobType, CopyState};

/// The suffix of the marker blobs of disk mirrors.
const MARKER: &str = ".blobcopy";

/// What a job does about one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Copy it, or follow the copy that an earlier run has started.
    Copy,
    /// Compare the content first: all else is the same.
    Compare,
    /// Leave the destination as it is.
    Leave(Outcome),
}

/// The rules of a job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) overwrite: Overwrite,
    pub(crate) kept: Kept,
    /// Whether the content is compared too.
    pub(crate) content: bool,
    /// Whether sources are deleted once their copies are proved.
    pub(crate) moves: bool,
}

/// Decides what becomes of a blob; `is_ours` says whether the source is that of a copy.
pub(crate) fn decide(
    source: &BlobItem,
    existing: Option<&BlobItem>,
    rules: Rules,
    is_ours: impl FnOnce(&CopyState) -> bool,
) -> Decision {
    if let Some(why) = skipped(source) {
        // What was copied before its source was archived is there.
        let is_there = why == Skipped::Archived
            && !rules.content
            && existing.is_some_and(|existing| is_copied(source, existing, rules));
        return Decision::Leave(if is_there { Outcome::Same } else { Outcome::Skipped(why) });
    }
    let Some(existing) = existing else { return Decision::Copy };
    if let Some(why) = untouchable(existing) {
        return Decision::Leave(Outcome::Skipped(why));
    }
    if is_one_blob(source, existing) {
        return Decision::Leave(Outcome::Same);
    }
    if source.properties.blob_type != existing.properties.blob_type {
        let outcome = match rules.overwrite {
            Overwrite::Never => Outcome::Kept,
            _ => Outcome::Skipped(Skipped::OtherType),
        };
        return Decision::Leave(outcome);
    }
    if is_begun(existing, is_ours) {
        return Decision::Copy;
    }
    let is_same = || same::difference(source, existing, rules.kept).is_none();
    // To copy over what may be the copy of another run puts the blob at risk: that run may have
    // proved it, and delete the source at any moment.
    let may_delete = rules.moves && rules.overwrite != Overwrite::Never;
    if may_delete && same::is_alike(source, existing, rules.kept) {
        return Decision::Compare;
    }
    match rules.overwrite {
        Overwrite::Always => Decision::Copy,
        Overwrite::Never => Decision::Leave(Outcome::Kept),
        _ if is_same() && rules.content => Decision::Compare,
        _ if is_same() => Decision::Leave(Outcome::Same),
        Overwrite::IfNewer => {
            let (from, to) = (&source.properties, &existing.properties);
            match from.last_modified > to.last_modified {
                true => Decision::Copy,
                false => Decision::Leave(Outcome::Kept),
            }
        }
        Overwrite::IfDifferent => Decision::Copy,
    }
}

/// Whether the blob at the destination is the whole of its source, by the listings.
fn is_copied(source: &BlobItem, existing: &BlobItem, rules: Rules) -> bool {
    untouchable(existing).is_none() && same::difference(source, existing, rules.kept).is_none()
}

/// Whether the blob at the destination is the beginning of a copy of this source, which is carried
/// on whatever [`Overwrite`] says: nobody else has written it.
fn is_begun(existing: &BlobItem, is_ours: impl FnOnce(&CopyState) -> bool) -> bool {
    Mark::is_on(&existing.properties.metadata)
        || same::is_unfinished(existing) && existing.properties.copy.as_ref().is_some_and(is_ours)
}

/// Why a blob is never copied, whatever is at the destination.
pub(crate) fn skipped(source: &BlobItem) -> Option<Skipped> {
    let of = &source.properties;
    let archived = of.access_tier == Some(AccessTier::Archive);
    untouchable(source)
        .or_else(|| archived.then_some(Skipped::Archived))
        .or_else(|| is_pending(source).then_some(Skipped::PendingCopy))
        .or_else(|| of.encryption_key_sha256.is_some().then_some(Skipped::CustomerKey))
}

/// Why a blob is never copied, overwritten or deleted.
pub(crate) fn untouchable(item: &BlobItem) -> Option<Skipped> {
    let of = &item.properties;
    if of.is_incremental_copy {
        return Some(Skipped::IncrementalCopy);
    }
    if is_directory(item) {
        return Some(Skipped::Directory);
    }
    item.name.ends_with(MARKER).then_some(Skipped::Marker)
}

/// Whether source and destination are one blob, which an account shows under two names of hosts.
///
/// Nothing may be copied then, whatever [`Overwrite`] says: a copy by page ranges would begin by
/// emptying its own source.
fn is_one_blob(source: &BlobItem, existing: &BlobItem) -> bool {
    let (from, to) = (&source.properties, &existing.properties);
    from.etag.is_some()
        && from.etag == to.etag
        && from.last_modified == to.last_modified
        && from.content_length == to.content_length
}

/// Whether a copy into the blob has not ended. A status that is not known may be no end.
fn is_pending(item: &BlobItem) -> bool {
    let is_under_way = item.properties.copy.as_ref().is_some_and(|copy| !copy.status.is_final());
    is_under_way || same::has_mark(item)
}

/// Whether the blob stands for a directory of an account with a hierarchical namespace.
fn is_directory(item: &BlobItem) -> bool {
    let of = &item.properties;
    let named = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    of.resource_type.as_deref().is_some_and(|kind| named(kind, "directory"))
        || of.content_length == 0
            && of.blob_type.as_ref() == Some(&BlobType::BlockBlob)
            && of.metadata.get("hdi_isfolder").is_some_and(|value| named(value, "true"))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
