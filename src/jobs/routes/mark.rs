//! The mark of a page blob whose pages are not all copied yet.

use crate::{ETag, Metadata};

/// The metadata of a page blob whose copy by ranges is under way or was cut off.
///
/// It is created with the blob, and the last request of the copy, which sets the source's metadata,
/// takes it off. A blob with a mark is never the same as its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The ETag of the source from which every page of the blob comes.
    pub(crate) etag: ETag,
    /// The sequence number that guards the writes of the latest run. A run notes it before it
    /// raises the blob's number, so a later run knows a number above all that may still be raised.
    pub(crate) guard: u64,
    /// The tag of the snapshot of the source that the pages are read from, if one is taken.
    pub(crate) snapshot: Option<u64>,
}

impl Mark {
    /// The name of the mark, whose value is the source's ETag.
    pub(crate) const NAME: &'static str = "blobcopy_partial";
    const GUARD: &'static str = "blobcopy_partial_guard";
    const SNAPSHOT: &'static str = "blobcopy_partial_snapshot";

    /// The metadata of a snapshot that is taken for a copy; its value is in the mark too.
    pub(crate) const OF_SNAPSHOT: &'static str = "blobcopy_taken_for";

    /// Whether a blob with this metadata is partial, even if the rest of its mark is unreadable.
    pub(crate) fn is_on(metadata: &Metadata) -> bool {
        metadata.get(Self::NAME).is_some()
    }

    /// Whether the pair is part of a mark, and not of the source's own metadata.
    pub(crate) fn has(name: &str) -> bool {
        [Self::NAME, Self::GUARD, Self::SNAPSHOT]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The mark in the metadata of a blob.
    pub(crate) fn read(metadata: &Metadata) -> Option<Self> {
        Some(Self {
            etag: metadata.get(Self::NAME)?.parse().ok()?,
            guard: metadata.get(Self::GUARD)?.parse().ok()?,
            snapshot: metadata.get(Self::SNAPSHOT).and_then(|text| text.parse().ok()),
        })
    }

    /// The metadata of a blob that has only this mark.
    pub(crate) fn metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        metadata.insert(Self::NAME, self.etag.as_str());
        metadata.insert(Self::GUARD, self.guard.to_string());
        if let Some(snapshot) = self.snapshot {
            metadata.insert(Self::SNAPSHOT, snapshot.to_string());
        }
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_as_metadata_in_any_case() {
        let etag: ETag = "\"0x8D1\"".parse().expect("an ETag");
        for snapshot in [None, Some(7)] {
            let mark = Mark { etag: etag.clone(), guard: 1 << 40, snapshot };
            let metadata = mark.metadata();
            let upper: Metadata = metadata
                .iter()
                .map(|(name, value)| (name.to_ascii_uppercase(), value.to_owned()))
                .collect();
            assert_eq!(Mark::read(&metadata).as_ref(), Some(&mark));
            assert_eq!(Mark::read(&upper).as_ref(), Some(&mark));
            assert!(metadata.iter().all(|(name, _)| Mark::has(name)));
        }
        let torn = Metadata::from([(Mark::NAME, "\"0x8D1\"")]);
        assert!(Mark::is_on(&torn) && Mark::read(&torn).is_none());
        assert!(!Mark::is_on(&Metadata::new()));
    }
}
