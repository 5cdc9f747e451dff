//! Whether a blob at the destination is the same as its source.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::routes::{kept, mark::Mark};
use crate::{BlobItem, CopyStatus};

/// How a blob at the destination differs from its source.
///
/// Several can hold; the first in this order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// There is no such blob at the destination.
    Missing,
    /// There is no such blob at the source.
    Extra,
    /// The last copy into the destination is pending, failed or was aborted, or a copy by page
    /// ranges has not ended.
    Unfinished,
    /// Another blob type.
    Type,
    /// Another length.
    Length,
    /// Both have a Content-MD5, and they differ.
    ContentMd5,
    /// Other content: it was compared.
    Content,
    /// The content could not be compared.
    Unverifiable,
    /// Another Content-Type, -Encoding, -Language, -Disposition or Cache-Control.
    ContentHeaders,
    /// Other metadata.
    Metadata,
    /// Other index tags.
    Tags,
    /// Nothing differs that a listing has, but the destination was not modified after the source,
    /// or in the same second and no Content-MD5 of both says that the content is equal.
    NotAfter,
}

impl Difference {
    /// The difference in a few words, as `check` prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing at the destination",
            Self::Extra => "extra at the destination",
            Self::Unfinished => "the copy has not succeeded",
            Self::Type => "blob type differs",
            Self::Length => "length differs",
            Self::ContentMd5 => "Content-MD5 differs",
            Self::Content => "content differs",
            Self::Unverifiable => "content cannot be compared",
            Self::ContentHeaders => "content headers differ",
            Self::Metadata => "metadata differs",
            Self::Tags => "tags differ",
            Self::NotAfter => "not modified after the source",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What of a blob its route keeps, so that it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) tags: bool,
    /// Whether all metadata is kept: otherwise only what a header can carry.
    pub(crate) all_metadata: bool,
}

/// The first difference between a blob and its copy, by what the listings say.
pub(crate) fn difference(
    source: &BlobItem,
    destination: &BlobItem,
    kept: Kept,
) -> Option<Difference> {
    let (from, to) = (&source.properties, &destination.properties);
    if is_unfinished(destination) {
        return Some(Difference::Unfinished);
    }
    if from.blob_type != to.blob_type {
        return Some(Difference::Type);
    }
    if from.content_length != to.content_length {
        return Some(Difference::Length);
    }
    let equal_md5 = match (&from.content_md5, &to.content_md5) {
        (Some(one), Some(other)) if one != other => return Some(Difference::ContentMd5),
        (one, other) => one.is_some() && other.is_some(),
    };
    if content_headers(source) != content_headers(destination) {
        return Some(Difference::ContentHeaders);
    }
    if !same_metadata(source, destination, kept.all_metadata) {
        return Some(Difference::Metadata);
    }
    if kept.tags && source.tags != destination.tags {
        return Some(Difference::Tags);
    }
    let is_after = match (from.last_modified, to.last_modified) {
        (Some(from), Some(to)) if from == to => equal_md5,
        (Some(from), Some(to)) => from < to,
        _ => false,
    };
    (!is_after).then_some(Difference::NotAfter)
}

/// Whether the blob at the destination is the source's copy, whatever their dates say.
pub(crate) fn is_alike(source: &BlobItem, destination: &BlobItem, kept: Kept) -> bool {
    matches!(difference(source, destination, kept), None | Some(Difference::NotAfter))
}

/// Whether the last copy into a blob has not succeeded, or a copy by ranges has not ended.
pub(crate) fn is_unfinished(item: &BlobItem) -> bool {
    let copy = item.properties.copy.as_ref();
    copy.is_some_and(|copy| copy.status != CopyStatus::Success) || has_mark(item)
}

/// Whether a copy by page ranges into this blob has begun and not ended.
pub(crate) fn has_mark(item: &BlobItem) -> bool {
    Mark::is_on(&item.properties.metadata)
}

fn content_headers(item: &BlobItem) -> [Option<&str>; 5] {
    let of = &item.properties;
    let media_type = of.content_type.as_deref().unwrap_or("application/octet-stream");
    [
        Some(media_type),
        of.content_encoding.as_deref(),
        of.content_language.as_deref(),
        of.content_disposition.as_deref(),
        of.cache_control.as_deref(),
    ]
}

/// Compares metadata; names without regard to case.
fn same_metadata(source: &BlobItem, destination: &BlobItem, all: bool) -> bool {
    let (from, to) = (&source.properties.metadata, &destination.properties.metadata);
    if from == to {
        return true;
    }
    if !all {
        return kept::metadata(source).0 == kept::metadata(destination).0;
    }
    let pairs = |item: &BlobItem| {
        let pairs = item.properties.metadata.iter();
        let mut pairs: Vec<_> =
            pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        pairs.sort_unstable();
        pairs
    };
    from.len() == to.len() && pairs(source) == pairs(destination)
}

#[cfg(test)]
#[path = "same_tests.rs"]
mod tests;
