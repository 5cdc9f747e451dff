//! An index of the destination's blobs, for listings that are not ordered by code units.

use std::{
    collections::{HashMap, hash_map},
    mem,
};

use time::OffsetDateTime;

use crate::{AccessTier, BlobItem, BlobType, ContentMd5, CopyState, ETag, Metadata, Tags};

/// The blobs of a listing by their names after the prefix. It keeps what a job compares: about 300
/// bytes a blob, a fifth of a listed item.
#[derive(Default)]
pub(crate) struct Index {
    blobs: HashMap<Box<str>, Packed>,
    /// The blobs while they are taken out.
    left: Option<hash_map::IntoIter<Box<str>, Packed>>,
    /// The bytes that it took when it was full.
    bytes: u64,
}

impl Index {
    pub(crate) fn insert(&mut self, rest: &str, item: &BlobItem) {
        let packed = Packed::of(item);
        self.bytes += (rest.len() + size_of::<(Box<str>, Packed)>()) as u64 + packed.heap();
        self.blobs.insert(rest.into(), packed);
    }

    pub(crate) fn take(&mut self, rest: &str, prefix: &str) -> Option<Box<BlobItem>> {
        let packed = self.blobs.remove(rest)?;
        Some(packed.unpacked([prefix, rest].concat()))
    }

    /// One of the blobs that are left.
    pub(crate) fn pop(&mut self, prefix: &str) -> Option<Box<BlobItem>> {
        let left = self.left.get_or_insert_with(|| mem::take(&mut self.blobs).into_iter());
        left.next().map(|(rest, packed)| packed.unpacked([prefix, &rest].concat()))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What a job compares of a blob.
struct Packed {
    etag: Option<ETag>,
    last_modified: Option<OffsetDateTime>,
    length: u64,
    blob_type: Option<BlobType>,
    md5: Option<ContentMd5>,
    is_incremental: bool,
    is_archived: bool,
    sequence_number: Option<u64>,
    headers: Option<Box<[Option<Box<str>>; 6]>>,
    metadata: Option<Box<Metadata>>,
    tags: Option<Box<Tags>>,
    copy: Option<Box<CopyState>>,
}

impl Packed {
    fn of(item: &BlobItem) -> Self {
        let of = &item.properties;
        let headers = [
            &of.content_type,
            &of.content_encoding,
            &of.content_language,
            &of.content_disposition,
            &of.cache_control,
            &of.resource_type,
        ];
        let headers = headers.map(|text| text.as_deref().map(Box::from));
        // A copy that has succeeded is not asked about.
        let copy = of.copy.clone().filter(|copy| copy.status != crate::CopyStatus::Success);
        Self {
            etag: of.etag.clone(),
            last_modified: of.last_modified,
            length: of.content_length,
            blob_type: of.blob_type.clone(),
            md5: of.content_md5,
            is_incremental: of.is_incremental_copy,
            is_archived: of.access_tier == Some(AccessTier::Archive),
            sequence_number: of.sequence_number,
            headers: headers.iter().any(Option::is_some).then(|| Box::new(headers)),
            metadata: (!of.metadata.is_empty()).then(|| Box::new(of.metadata.clone())),
            tags: (!item.tags.is_empty()).then(|| Box::new(item.tags.clone())),
            copy: copy.map(Box::new),
        }
    }

    fn unpacked(self, name: String) -> Box<BlobItem> {
        let mut item = Box::new(BlobItem { name, ..BlobItem::default() });
        let of = &mut item.properties;
        of.etag = self.etag;
        of.last_modified = self.last_modified;
        of.content_length = self.length;
        of.blob_type = self.blob_type;
        of.content_md5 = self.md5;
        of.is_incremental_copy = self.is_incremental;
        of.access_tier = self.is_archived.then_some(AccessTier::Archive);
        of.sequence_number = self.sequence_number;
        if let Some(headers) = self.headers {
            let headers = headers.map(|text| text.map(String::from));
            [
                of.content_type,
                of.content_encoding,
                of.content_language,
                of.content_disposition,
                of.cache_control,
                of.resource_type,
            ] = headers;
        }
        of.metadata = self.metadata.map(|metadata| *metadata).unwrap_or_default();
        of.copy = self.copy.map(|copy| *copy);
        item.tags = self.tags.map(|tags| *tags).unwrap_or_default();
        item
    }

    /// The bytes that it holds beside itself, estimated.
    fn heap(&self) -> u64 {
        let texts = self.headers.iter().flat_map(|headers| headers.iter().flatten());
        let headers: usize = texts.map(|text| text.len()).sum();
        let pairs = |pairs: &mut dyn Iterator<Item = (&str, &str)>| -> usize {
            pairs.map(|(name, value)| name.len() + value.len() + 64).sum()
        };
        let metadata = self.metadata.as_ref().map_or(0, |of| pairs(&mut of.iter()));
        let tags = self.tags.as_ref().map_or(0, |of| pairs(&mut of.iter()));
        let fixed = self.headers.as_ref().map_or(0, |headers| size_of_val(&**headers))
            + self.etag.as_ref().map_or(0, |etag| etag.as_str().len())
            + self.copy.as_ref().map_or(0, |_| size_of::<CopyState>());
        (headers + metadata + tags + fixed) as u64
    }
}
